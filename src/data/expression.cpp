// SPDX-License-Identifier: MIT
#include "data/expression.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "h5/chunk_reader.hpp"

namespace popflow::data {

namespace {

constexpr std::size_t block_bytes = std::size_t{16} << 20;
constexpr std::size_t largest_block = std::size_t{128} << 20;

/// Rows read at a time: about block_bytes, in whole chunks so that none is expanded twice.
std::size_t rows_per_block(const h5::Dataset& x, std::size_t cols) {
    const std::size_t row_bytes = std::max<std::size_t>(1, cols) * sizeof(float);
    const std::size_t rows = std::max<std::size_t>(1, block_bytes / row_bytes);
    const std::size_t chunk = x.chunk_rows();
    if (chunk == 0 || chunk > largest_block / row_bytes) return rows;
    return chunk > rows ? chunk : rows / chunk * chunk;
}

/// Copies the wanted columns of those rows of a run that lie in the block of rows [first, last).
void copy_rows(const RowRun& run, std::span<const std::size_t> columns, const float* block, std::size_t first,
               std::size_t last, std::size_t cols) {
    const std::size_t begin = std::max(run.first, first);
    const std::size_t end = std::min(run.first + run.count, last);
    for (std::size_t i = begin; i < end; ++i) {
        const float* row = block + (i - first) * cols;
        float* out = run.out + (i - run.first) * columns.size();
        for (std::size_t j = 0; j < columns.size(); ++j) out[j] = row[columns[j]];
    }
}

}  // namespace

Expression::Expression(const h5::Group& root) {
    if (!root.contains("X")) throw core::DataError(root.file(), "X", "is missing");
    if (root.contains_group("X")) {
        open_sparse(root.open_group("X"));
    } else {
        open_dense(root);
    }
    const h5::Kind kind = values_->type().kind;
    if (kind != h5::Kind::integer && kind != h5::Kind::floating && kind != h5::Kind::boolean) {
        throw core::DataError(root.file(), values_->path(),
                              "found " + values_->type().text() + ", allowed numbers");
    }
}

void Expression::open_dense(const h5::Group& root) {
    values_ = root.open_dataset("X");
    if (values_->rank() != 2) {
        throw core::DataError(root.file(), "X",
                              "found " + std::to_string(values_->rank()) + " dimensions, allowed 2");
    }
    rows_ = values_->shape()[0];
    cols_ = values_->shape()[1];
}

std::string Expression::text() const {
    const char* name = encoding_ == Encoding::dense ? "dense " : encoding_ == Encoding::csr ? "csr " : "csc ";
    return name + values_->type().text();
}

void Expression::read(std::span<const RowRun> runs, std::span<const std::size_t> columns) const {
    switch (encoding_) {
        case Encoding::dense:
            return read_dense(runs, columns);
        case Encoding::csr:
            return read_csr(runs, columns);
        case Encoding::csc:
            return read_csc(runs, columns);
    }
}

void Expression::add_sample(core::Digest& digest) const {
    constexpr std::size_t most_places = 32;
    constexpr std::size_t most_entries = 64;
    const bool dense = encoding_ == Encoding::dense;
    const std::size_t stored = values_->rows();
    const std::size_t count = std::min(stored, dense ? std::size_t{1} : most_entries);
    const std::size_t places = std::min(most_places, stored);
    std::vector<h5::RowRange> ranges(places, {0, count});
    for (std::size_t k = 1; k < places; ++k) ranges[k].first = (stored - count) * k / (places - 1);
    const std::size_t width = count * values_->row_size();
    std::vector<float> values(places * width);
    std::vector<std::int64_t> indices(dense ? 0 : places * width);
    h5::read_rows_on_threads(*values_, ranges, std::span<float>(values));
    if (!dense) h5::read_rows_on_threads(*indices_, ranges, std::span<std::int64_t>(indices));
    for (std::size_t k = 0; k < places; ++k) {
        digest.add(std::span<const float>(values).subspan(k * width, width));
        if (!dense) digest.add(std::span<const std::int64_t>(indices).subspan(k * width, width));
    }
}

void Expression::read_dense(std::span<const RowRun> runs, std::span<const std::size_t> columns) const {
    const std::size_t height = rows_per_block(*values_, cols_);
    std::vector<float> block;
    for (std::size_t block_first = 0, k = 0; block_first < rows_; block_first += height) {
        const std::size_t block_last = std::min(rows_, block_first + height);
        while (k < runs.size() && runs[k].first + runs[k].count <= block_first) ++k;
        if (k == runs.size()) return;
        if (runs[k].first >= block_last) continue;
        std::size_t end = k;
        while (end < runs.size() && runs[end].first < block_last) ++end;
        const std::size_t first = std::max(block_first, runs[k].first);
        const std::size_t last = std::min(block_last, runs[end - 1].first + runs[end - 1].count);
        block.resize((last - first) * cols_);
        h5::read_rows_on_threads(*values_, first, last - first, std::span<float>(block));
        for (std::size_t r = k; r < end; ++r) copy_rows(runs[r], columns, block.data(), first, last, cols_);
    }
}

}  // namespace popflow::data
