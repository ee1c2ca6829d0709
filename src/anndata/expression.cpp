// SPDX-License-Identifier: MIT
#include "anndata/expression.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "core/error.hpp"
#include "h5/chunk_reader.hpp"

namespace popflow::anndata {

namespace {

constexpr std::size_t block_bytes = std::size_t{16} << 20;
constexpr std::size_t max_block_bytes = std::size_t{128} << 20;

/// Returns the number of rows to read at a time: about block_bytes. Uses whole chunks, so that each chunk is
/// decompressed once.
std::size_t rows_per_block(const h5::Dataset& x, std::size_t cols) {
    const std::size_t row_bytes = std::max<std::size_t>(1, cols) * sizeof(float);
    const std::size_t rows = std::max<std::size_t>(1, block_bytes / row_bytes);
    const std::size_t chunk = x.chunk_rows();
    if (chunk == 0 || chunk > max_block_bytes / row_bytes) return rows;
    return chunk > rows ? chunk : rows / chunk * chunk;
}

/// Copies the selected columns of the rows of a run that lie in the block of rows [first, last).
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

constexpr std::size_t entries_per_block = std::size_t{1} << 20;  // 12 MB of values and indices
constexpr std::size_t row_pointers_per_block = std::size_t{1} << 16;

void clear(std::span<const RowRun> runs, std::size_t width) {
    for (const RowRun& run : runs) std::fill_n(run.out, run.count * width, 0.0F);
}

/// Returns the destination of each row of [first, last), or null for rows that are not selected.
std::vector<float*> destinations(std::span<const RowRun> runs, std::size_t first, std::size_t last,
                                 std::size_t width) {
    std::vector<float*> out(last - first, nullptr);
    for (const RowRun& run : runs) {
        for (std::size_t i = std::max(run.first, first); i < std::min(run.first + run.count, last); ++i) {
            out[i - first] = run.out + (i - run.first) * width;
        }
    }
    return out;
}

/// Finds the run that holds a row. Fast for ascending rows.
class RunFinder {
  public:
    explicit RunFinder(std::span<const RowRun> runs) : runs_(runs) {}
    const RowRun* find(std::size_t row) {
        if (at_ < runs_.size() && holds(runs_[at_], row)) return &runs_[at_];
        if (at_ + 1 < runs_.size() && holds(runs_[at_ + 1], row)) return &runs_[++at_];
        const auto after =
            std::upper_bound(runs_.begin(), runs_.end(), row,
                             [](std::size_t wanted, const RowRun& run) { return wanted < run.first; });
        if (after == runs_.begin() || !holds(*(after - 1), row)) return nullptr;
        at_ = static_cast<std::size_t>(after - runs_.begin()) - 1;
        return &runs_[at_];
    }

  private:
    static bool holds(const RowRun& run, std::size_t row) {
        return row >= run.first && row - run.first < run.count;
    }
    std::span<const RowRun> runs_;
    std::size_t at_ = 0;
};

/// A block of stored entries of a sparse matrix.
struct Entries {
    std::vector<std::int64_t> index;
    std::vector<float> value;
    void read(const h5::Dataset& indices, const h5::Dataset& values, std::size_t first, std::size_t count) {
        index.resize(count);
        value.resize(count);
        h5::read_rows_in_parallel(indices, first, count, std::span<std::int64_t>(index));
        h5::read_rows_in_parallel(values, first, count, std::span<float>(value));
    }
};

}  // namespace

Expression::Expression(const h5::Group& root) {
    if (!root.contains("X"))
        throw core::DataError(root.file(), "X",
                              "is missing: the file is not an AnnData file (.h5ad) with cells");
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
                              fmt::format("found {} dimensions, allowed 2", values_->rank()));
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
    constexpr std::size_t max_places = 32;
    constexpr std::size_t max_entries = 64;
    const bool dense = encoding_ == Encoding::dense;
    const std::size_t stored = values_->rows();
    const std::size_t count = std::min(stored, dense ? std::size_t{1} : max_entries);
    const std::size_t places = std::min(max_places, stored);
    std::vector<h5::RowRange> ranges(places, {0, count});
    for (std::size_t k = 1; k < places; ++k) ranges[k].first = (stored - count) * k / (places - 1);
    const std::size_t width = count * values_->row_size();
    std::vector<float> values(places * width);
    std::vector<std::int64_t> indices(dense ? 0 : places * width);
    h5::read_rows_in_parallel(*values_, ranges, std::span<float>(values));
    if (!dense) h5::read_rows_in_parallel(*indices_, ranges, std::span<std::int64_t>(indices));
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
        h5::read_rows_in_parallel(*values_, first, last - first, std::span<float>(block));
        for (std::size_t r = k; r < end; ++r) copy_rows(runs[r], columns, block.data(), first, last, cols_);
    }
}

void Expression::fail_index(const char* what, std::int64_t found, std::int64_t min, std::size_t max) const {
    throw core::DataError(values_->file(), std::string("X/") + what,
                          fmt::format("found {}, allowed {} to {}", found, min, max));
}

void Expression::open_sparse(const h5::Group& group) {
    const std::string encoding =
        group.string_attribute_or("encoding-type", group.string_attribute_or("h5sparse_format", "(none)"));
    if (encoding == "csr_matrix" || encoding == "csr") {
        encoding_ = Encoding::csr;
    } else if (encoding == "csc_matrix" || encoding == "csc") {
        encoding_ = Encoding::csc;
    } else {
        throw core::DataError(group.file(), "X",
                              "found encoding " + encoding + ", allowed array, csr_matrix, csc_matrix");
    }
    const std::vector<std::int64_t> shape =
        group.ints_attribute(group.has_attribute("shape") ? "shape" : "h5sparse_shape");
    if (shape.size() != 2 || shape[0] < 0 || shape[1] < 0) {
        throw core::DataError(group.file(), "X", "attribute `shape` must hold two sizes of 0 or more");
    }
    rows_ = static_cast<std::size_t>(shape[0]);
    cols_ = static_cast<std::size_t>(shape[1]);
    values_ = group.open_dataset("data");
    indices_ = group.open_dataset("indices");
    offsets_ = group.open_dataset("indptr");
    const std::size_t lines = encoding_ == Encoding::csr ? rows_ : cols_;
    if (offsets_->size() != lines + 1 || indices_->size() != values_->size() || values_->rank() != 1 ||
        indices_->rank() != 1) {
        throw core::DataError(group.file(), "X",
                              fmt::format("found {} offsets, {} indices and {} values, allowed {} offsets "
                                          "and as many indices as values",
                                          offsets_->size(), indices_->size(), values_->size(), lines + 1));
    }
}

std::vector<std::int64_t> Expression::read_offsets(std::size_t first, std::size_t count) const {
    std::vector<std::int64_t> offsets(count);
    offsets_->read_rows(first, count, std::span<std::int64_t>(offsets));
    const auto end = static_cast<std::int64_t>(values_->size());
    std::int64_t previous = 0;
    for (const std::int64_t offset : offsets) {
        if (offset < previous || offset > end) fail_index("indptr", offset, previous, values_->size());
        previous = offset;
    }
    return offsets;
}

void Expression::read_csr(std::span<const RowRun> runs, std::span<const std::size_t> columns) const {
    constexpr std::size_t npos = static_cast<std::size_t>(-1);
    std::vector<std::size_t> slot(cols_,
                                  npos);  // position in `columns`, npos for columns that are not selected
    for (std::size_t j = 0; j < columns.size(); ++j) slot[columns[j]] = j;
    clear(runs, columns.size());
    Entries entries;
    for (std::size_t k = 0; k < runs.size();) {
        // Rows [first, last) start at a selected row and end after the last selected row within the block
        // size.
        const std::size_t first = runs[k].first;
        std::size_t last = first;
        std::size_t end = k;
        for (; end < runs.size() && runs[end].first < first + row_pointers_per_block; ++end) {
            last = runs[end].first + runs[end].count;
        }
        const std::vector<float*> out = destinations(runs.subspan(k, end - k), first, last, columns.size());
        const std::vector<std::int64_t> offsets = read_offsets(first, last - first + 1);
        const auto stop = static_cast<std::size_t>(offsets.back());
        std::size_t row = 0;
        for (auto e = static_cast<std::size_t>(offsets.front()); e < stop;) {
            const std::size_t count = std::min(entries_per_block, stop - e);
            entries.read(*indices_, *values_, e, count);
            for (std::size_t q = 0; q < count; ++q, ++e) {
                while (static_cast<std::size_t>(offsets[row + 1]) <= e) ++row;
                if (out[row] == nullptr) continue;
                const std::int64_t column = entries.index[q];
                if (column < 0 || static_cast<std::size_t>(column) >= cols_)
                    fail_index("indices", column, 0, cols_ - 1);
                const std::size_t j = slot[static_cast<std::size_t>(column)];
                if (j != npos) out[row][j] += entries.value[q];
            }
        }
        k = end;
    }
}

void Expression::read_csc(std::span<const RowRun> runs, std::span<const std::size_t> columns) const {
    clear(runs, columns.size());
    const std::vector<std::int64_t> offsets = read_offsets(0, cols_ + 1);
    Entries entries;
    for (std::size_t j = 0; j < columns.size(); ++j) {
        RunFinder finder(runs);
        const auto stop = static_cast<std::size_t>(offsets[columns[j] + 1]);
        for (auto e = static_cast<std::size_t>(offsets[columns[j]]); e < stop;) {
            const std::size_t count = std::min(entries_per_block, stop - e);
            entries.read(*indices_, *values_, e, count);
            for (std::size_t q = 0; q < count; ++q, ++e) {
                const std::int64_t row = entries.index[q];
                if (row < 0 || static_cast<std::size_t>(row) >= rows_)
                    fail_index("indices", row, 0, rows_ - 1);
                const RowRun* run = finder.find(static_cast<std::size_t>(row));
                if (run == nullptr) continue;
                run->out[(static_cast<std::size_t>(row) - run->first) * columns.size() + j] +=
                    entries.value[q];
            }
        }
    }
}

}  // namespace popflow::anndata
