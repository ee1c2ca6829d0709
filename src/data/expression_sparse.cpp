// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstdint>

#include "core/error.hpp"
#include "data/expression.hpp"
#include "h5/chunk_reader.hpp"

namespace popflow::data {

namespace {

constexpr std::size_t entries_per_block = std::size_t{1} << 20;  // 12 MB of values and indices
constexpr std::size_t rows_per_block = std::size_t{1} << 16;

void clear(std::span<const RowRun> runs, std::size_t width) {
    for (const RowRun& run : runs) std::fill_n(run.out, run.count * width, 0.0F);
}

/// Where each row of [first, last) goes; null if it is not wanted.
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

/// Finds the run that holds a row; quick if rows ascend.
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

/// A block of stored entries.
struct Entries {
    std::vector<std::int64_t> index;
    std::vector<float> value;
    void read(const h5::Dataset& indices, const h5::Dataset& values, std::size_t first, std::size_t count) {
        index.resize(count);
        value.resize(count);
        h5::read_rows_on_threads(indices, first, count, std::span<std::int64_t>(index));
        h5::read_rows_on_threads(values, first, count, std::span<float>(value));
    }
};

}  // namespace

void Expression::bad_index(const char* what, std::int64_t found, std::int64_t least, std::size_t most) const {
    throw core::DataError(values_->file(), std::string("X/") + what,
                          "found " + std::to_string(found) + ", allowed " + std::to_string(least) + " to " +
                              std::to_string(most));
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
        throw core::DataError(group.file(), "X", "attribute `shape`: allowed two sizes");
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
                              "found " + std::to_string(offsets_->size()) + " offsets, " +
                                  std::to_string(indices_->size()) + " indices and " +
                                  std::to_string(values_->size()) + " values, allowed " +
                                  std::to_string(lines + 1) + " offsets and as many indices as values");
    }
}

std::vector<std::int64_t> Expression::read_offsets(std::size_t first, std::size_t count) const {
    std::vector<std::int64_t> offsets(count);
    offsets_->read_rows(first, count, std::span<std::int64_t>(offsets));
    const auto end = static_cast<std::int64_t>(values_->size());
    std::int64_t previous = 0;
    for (const std::int64_t offset : offsets) {
        if (offset < previous || offset > end) bad_index("indptr", offset, previous, values_->size());
        previous = offset;
    }
    return offsets;
}

void Expression::read_csr(std::span<const RowRun> runs, std::span<const std::size_t> columns) const {
    constexpr std::size_t unused = static_cast<std::size_t>(-1);
    std::vector<std::size_t> slot(cols_, unused);
    for (std::size_t j = 0; j < columns.size(); ++j) slot[columns[j]] = j;
    clear(runs, columns.size());
    Entries entries;
    for (std::size_t k = 0; k < runs.size();) {
        // Rows [first, last): from a wanted row to the last wanted one within reach.
        const std::size_t first = runs[k].first;
        std::size_t last = first;
        std::size_t end = k;
        for (; end < runs.size() && runs[end].first < first + rows_per_block; ++end) {
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
                    bad_index("indices", column, 0, cols_ - 1);
                const std::size_t j = slot[static_cast<std::size_t>(column)];
                if (j != unused) out[row][j] += entries.value[q];
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
                    bad_index("indices", row, 0, rows_ - 1);
                const RowRun* run = finder.find(static_cast<std::size_t>(row));
                if (run == nullptr) continue;
                run->out[(static_cast<std::size_t>(row) - run->first) * columns.size() + j] +=
                    entries.value[q];
            }
        }
    }
}

}  // namespace popflow::data
