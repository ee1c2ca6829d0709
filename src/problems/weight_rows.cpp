// SPDX-License-Identifier: MIT
#include "problems/weight_rows.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.hpp"

namespace popflow::problems {

namespace {

constexpr std::size_t block_bytes = std::size_t{16} << 20U;

}  // namespace

WeightRows::WeightRows(const h5::Group& root, const std::string& path) : file_(root.file()), path_(path) {
    if (root.contains_dataset(path)) {
        datasets_.push_back(root.open_dataset(path));
        if (datasets_[0].rank() != 2)
            throw core::DataError(
                file_, path_,
                fmt::format("has {} dimensions. Give a matrix with a row for each histogram",
                            datasets_[0].rank()));
        rows_ = datasets_[0].rows();
        cols_ = datasets_[0].row_size();
        return;
    }
    if (!root.contains_group(path))
        throw core::DataError(file_, path_, "is missing. Give a file with this matrix");
    const h5::Group group = root.open_group(path);
    const std::string encoding =
        group.has_attribute("encoding-type") ? group.string_attribute("encoding-type") : "unknown";
    if (encoding != "csr_matrix" && encoding != "csc_matrix")
        throw core::DataError(file_, path_,
                              "has the encoding '" + encoding + "'. Store it as an array or a sparse matrix");
    encoding_ = encoding == "csr_matrix" ? Encoding::csr : Encoding::csc;
    const std::vector<std::int64_t> shape = group.ints_attribute("shape");
    if (shape.size() != 2 || shape[0] < 0 || shape[1] < 0)
        throw core::DataError(file_, path_ + "/shape", "is no shape of a matrix. The file is damaged");
    rows_ = static_cast<std::size_t>(shape[0]);
    cols_ = static_cast<std::size_t>(shape[1]);
    datasets_.push_back(group.open_dataset("data"));
    datasets_.push_back(group.open_dataset("indices"));
    offsets_ = group.open_dataset("indptr").read<std::int64_t>();
    const std::size_t major = encoding_ == Encoding::csr ? rows_ : cols_;
    if (offsets_.size() != major + 1 || offsets_.front() != 0 || !std::ranges::is_sorted(offsets_) ||
        offsets_.back() != static_cast<std::int64_t>(datasets_[0].rows()) ||
        datasets_[1].rows() != datasets_[0].rows())
        throw core::DataError(file_, path_ + "/indptr",
                              "does not match the other arrays. The file is damaged");
}

void WeightRows::read(std::span<const std::size_t> rows,
                      const std::function<void(std::size_t, std::span<const double>)>& use) const {
    switch (encoding_) {
        case Encoding::dense:
            return read_dense(rows, use);
        case Encoding::csr:
            return read_csr(rows, use);
        case Encoding::csc:
            return read_csc(rows, use);
    }
}

void WeightRows::read_dense(std::span<const std::size_t> rows,
                            const std::function<void(std::size_t, std::span<const double>)>& use) const {
    const std::size_t block_rows =
        std::max<std::size_t>(1, block_bytes / (8 * std::max<std::size_t>(1, cols_)));
    std::vector<double> block;
    for (std::size_t k = 0; k < rows.size();) {
        const std::size_t first = rows[k];
        std::size_t end = k;
        while (end < rows.size() && rows[end] < first + block_rows) ++end;
        const std::size_t count = rows[end - 1] - first + 1;
        block.resize(count * cols_);
        datasets_[0].read_rows(first, count, std::span<double>(block));
        for (; k < end; ++k) use(k, std::span<const double>(block).subspan((rows[k] - first) * cols_, cols_));
    }
}

std::vector<std::int64_t> WeightRows::read_index(const h5::Dataset& dataset, std::int64_t first,
                                                 std::int64_t end) const {
    std::vector<std::int64_t> values(static_cast<std::size_t>(end - first));
    dataset.read_rows(static_cast<std::size_t>(first), values.size(), std::span<std::int64_t>(values));
    return values;
}

void WeightRows::read_csr(std::span<const std::size_t> rows,
                          const std::function<void(std::size_t, std::span<const double>)>& use) const {
    std::vector<double> row(cols_);
    for (std::size_t k = 0; k < rows.size(); ++k) {
        const std::int64_t first = offsets_[rows[k]];
        const std::int64_t end = offsets_[rows[k] + 1];
        std::ranges::fill(row, 0);
        std::vector<double> values(static_cast<std::size_t>(end - first));
        datasets_[0].read_rows(static_cast<std::size_t>(first), values.size(), std::span<double>(values));
        const std::vector<std::int64_t> indices = read_index(datasets_[1], first, end);
        for (std::size_t i = 0; i < values.size(); ++i) {
            if (indices[i] < 0 || static_cast<std::size_t>(indices[i]) >= cols_)
                fail_index(indices[i], cols_);
            row[static_cast<std::size_t>(indices[i])] += values[i];
        }
        use(k, row);
    }
}

void WeightRows::read_csc(std::span<const std::size_t> rows,
                          const std::function<void(std::size_t, std::span<const double>)>& use) const {
    std::vector<std::size_t> place(rows_, rows.size());
    for (std::size_t k = 0; k < rows.size(); ++k) place[rows[k]] = k;
    std::vector<double> all(rows.size() * cols_);
    const auto values = datasets_[0].read<double>();
    const std::vector<std::int64_t> indices = read_index(datasets_[1], 0, offsets_.back());
    for (std::size_t j = 0; j < cols_; ++j) {
        for (auto i = static_cast<std::size_t>(offsets_[j]); i < static_cast<std::size_t>(offsets_[j + 1]);
             ++i) {
            if (indices[i] < 0 || static_cast<std::size_t>(indices[i]) >= rows_)
                fail_index(indices[i], rows_);
            const std::size_t k = place[static_cast<std::size_t>(indices[i])];
            if (k < rows.size()) all[k * cols_ + j] += values[i];
        }
    }
    for (std::size_t k = 0; k < rows.size(); ++k)
        use(k, std::span<const double>(all).subspan(k * cols_, cols_));
}

void WeightRows::fail_index(std::int64_t found, std::size_t size) const {
    throw core::DataError(
        file_, path_ + "/indices",
        fmt::format("has the index {}, but there are {}. The file is damaged", found, size));
}

}  // namespace popflow::problems
