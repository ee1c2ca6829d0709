// SPDX-License-Identifier: MIT
#include "anndata/expression.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <limits>

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

/// Adds a value to the total of its row, see RowRun::totals.
void add_to_total(float value, double& total) {
    if (value < 0)
        total = -std::numeric_limits<double>::infinity();
    else
        total += static_cast<double>(value);
}

double total_of(const float* row, std::size_t cols) {
    double total = 0;
    for (std::size_t j = 0; j < cols; ++j) add_to_total(row[j], total);
    return total;
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
        if (run.totals != nullptr) run.totals[i - run.first] = total_of(row, cols);
    }
}

constexpr std::size_t entries_per_block = std::size_t{1} << 20;  // 12 MB of values and indices
constexpr std::size_t row_pointers_per_block = std::size_t{1} << 16;
// Entries between two selected rows that are not read. Fewer are read, because a chunk holds about this
// number.
constexpr std::size_t min_skipped_entries = std::size_t{1} << 16;

void clear(std::span<const RowRun> runs, std::size_t width) {
    for (const RowRun& run : runs) {
        std::fill_n(run.out, run.count * width, 0.0F);
        if (run.totals != nullptr) std::fill_n(run.totals, run.count, 0.0);
    }
}

/// Destinations of a row.
struct RowDestination {
    bool is_selected = false;
    float* out = nullptr;
    double* total = nullptr;
};

/// Returns the destinations of each row of [first, last).
std::vector<RowDestination> destinations(std::span<const RowRun> runs, std::size_t first, std::size_t last,
                                         std::size_t width) {
    std::vector<RowDestination> rows(last - first);
    for (const RowRun& run : runs) {
        for (std::size_t i = std::max(run.first, first); i < std::min(run.first + run.count, last); ++i) {
            const std::size_t k = i - run.first;
            rows[i - first] = {true, run.out + k * width, run.totals == nullptr ? nullptr : run.totals + k};
        }
    }
    return rows;
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

bool is_number(const h5::Dataset& values) {
    const h5::Kind kind = values.type().kind;
    return kind == h5::Kind::integer || kind == h5::Kind::floating || kind == h5::Kind::boolean;
}

}  // namespace

Expression::Expression(const h5::Group& parent, const std::string& name)
    : file_(parent.file()), path_(parent.path() == "/" ? name : parent.path() + "/" + name) {
    if (!parent.contains(name)) throw core::DataError(file_, path_, "is missing");
    if (parent.contains_group(name)) {
        open_sparse(parent.open_group(name));
    } else {
        open_dense(parent, name);
    }
    if (!is_number(*values_)) {
        throw core::DataError(file_, values_->path(),
                              "found " + values_->type().text() + ", but the values must be numbers");
    }
}

Expression::Expression(std::vector<StoredColumn> columns, const h5::Group& root, std::string path)
    : encoding_(Encoding::dataframe),
      file_(root.file()),
      path_(std::move(path)),
      cols_(columns.size()),
      columns_(std::move(columns)) {
    if (columns_.empty())
        throw core::DataError(file_, path_, "found no columns. Give a dataframe with columns of numbers");
    rows_ = columns_.front().values.rows();
    for (const StoredColumn& column : columns_) {
        const bool is_mask_short = column.mask && column.mask->rows() != rows_;
        if (column.values.rank() == 1 && column.values.rows() == rows_ && !is_mask_short) continue;
        throw core::DataError(file_, column.values.path(),
                              fmt::format("found {} rows in {} dimensions, but the table has {} in 1",
                                          column.values.rows(), column.values.rank(), rows_));
    }
}

void Expression::open_dense(const h5::Group& parent, const std::string& name) {
    values_ = parent.open_dataset(name);
    if (values_->rank() != 2) {
        throw core::DataError(file_, path_,
                              fmt::format("found {} dimensions, but it must have 2", values_->rank()));
    }
    rows_ = values_->shape()[0];
    cols_ = values_->shape()[1];
}

std::string Expression::text() const {
    if (encoding_ == Encoding::dataframe) return "dataframe";
    const char* name = encoding_ == Encoding::dense ? "dense " : encoding_ == Encoding::csr ? "csr " : "csc ";
    return name + values_->type().text();
}

void Expression::check_columns(std::span<const std::size_t> columns) const {
    if (encoding_ != Encoding::dataframe) return;
    for (const std::size_t c : columns) {
        const StoredColumn& column = columns_[c];
        if (!column.categories && is_number(column.values)) continue;
        throw core::DataError(
            file_, column.values.path(),
            "found " + (column.categories ? "categories" : column.values.type().text()) +
                ", but markers must be numbers. Leave the column out with --exclude-markers");
    }
}

void Expression::read(std::span<const RowRun> runs, std::span<const std::size_t> columns) const {
    switch (encoding_) {
        case Encoding::dense:
            return read_dense(runs, columns);
        case Encoding::csr:
            return read_csr(runs, columns);
        case Encoding::csc:
            return read_csc(runs, columns);
        case Encoding::dataframe:
            return read_dataframe(runs, columns);
    }
}

Expression::Sample Expression::read_sample() const {
    constexpr std::size_t max_places = 32;
    constexpr std::size_t max_entries = 64;
    const bool sparse = encoding_ == Encoding::csr || encoding_ == Encoding::csc;
    const std::size_t stored = encoding_ == Encoding::dataframe ? rows_ : values_->rows();
    const std::size_t count = std::min(stored, sparse ? max_entries : std::size_t{1});
    Sample sample;
    sample.places = std::min(max_places, stored);
    std::vector<h5::RowRange> ranges(sample.places, {0, count});
    for (std::size_t k = 1; k < sample.places; ++k)
        ranges[k].first = (stored - count) * k / (sample.places - 1);
    if (encoding_ == Encoding::dataframe) {
        sample.width = cols_;
        sample.values.resize(sample.places * cols_, 0);
        for (std::size_t c = 0; c < cols_; ++c) {
            if (columns_[c].categories || !is_number(columns_[c].values)) continue;
            for (std::size_t k = 0; k < sample.places; ++k)
                sample.values[k * cols_ + c] = read_column(c, ranges[k].first, 1).front();
        }
        return sample;
    }
    sample.width = count * values_->row_size();
    sample.values.resize(sample.places * sample.width);
    sample.indices.resize(sparse ? sample.values.size() : 0);
    h5::read_rows_in_parallel(*values_, ranges, std::span<float>(sample.values));
    if (sparse) h5::read_rows_in_parallel(*indices_, ranges, std::span<std::int64_t>(sample.indices));
    return sample;
}

void Expression::add_sample(core::Digest& digest) const {
    const Sample sample = read_sample();
    for (std::size_t k = 0; k < sample.places; ++k) {
        const std::size_t first = k * sample.width;
        digest.add(std::span<const float>(sample.values).subspan(first, sample.width));
        if (!sample.indices.empty())
            digest.add(std::span<const std::int64_t>(sample.indices).subspan(first, sample.width));
    }
}

std::vector<float> Expression::sample() const {
    return read_sample().values;
}

double Expression::unstored_fraction() const {
    const double elements = static_cast<double>(rows_) * static_cast<double>(cols_);
    if (!indices_ || elements == 0) return 0;
    return 1 - static_cast<double>(values_->size()) / elements;
}

std::vector<float> Expression::read_column(std::size_t c, std::size_t first, std::size_t count) const {
    const StoredColumn& column = columns_[c];
    std::vector<float> values(count);
    column.values.read_rows(first, count, std::span<float>(values));
    if (!column.mask) return values;
    std::vector<std::uint8_t> missing(count);
    column.mask->read_rows(first, count, std::span<std::uint8_t>(missing));
    for (std::size_t i = 0; i < count; ++i) {
        if (missing[i] != 0) values[i] = std::numeric_limits<float>::quiet_NaN();
    }
    return values;
}

void Expression::read_dataframe(std::span<const RowRun> runs, std::span<const std::size_t> columns) const {
    check_columns(columns);
    const bool with_totals = !runs.empty() && runs.front().totals != nullptr;
    constexpr std::size_t block_rows = std::size_t{1} << 16;
    clear(runs, columns.size());
    for (std::size_t k = 0; k < runs.size();) {
        const std::size_t first = runs[k].first;
        std::size_t end = k;
        std::size_t last = first;
        for (; end < runs.size() && runs[end].first < first + block_rows; ++end)
            last = runs[end].first + runs[end].count;
        const auto rows = destinations(runs.subspan(k, end - k), first, last, columns.size());
        const auto add_column = [&](std::size_t c, std::size_t slot) {
            const std::vector<float> values = read_column(c, first, last - first);
            for (std::size_t i = 0; i < rows.size(); ++i) {
                if (!rows[i].is_selected) continue;
                if (slot < columns.size()) rows[i].out[slot] = values[i];
                if (slot == columns.size()) add_to_total(values[i], *rows[i].total);
            }
        };
        for (std::size_t j = 0; j < columns.size(); ++j) add_column(columns[j], j);
        for (std::size_t c = 0; with_totals && c < cols_; ++c) {
            if (!columns_[c].categories && is_number(columns_[c].values)) add_column(c, columns.size());
        }
        k = end;
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
    throw core::DataError(
        values_->file(), path_ + "/" + what,
        fmt::format("found {}, but it must be {} to {}: the file is damaged", found, min, max));
}

void Expression::open_sparse(const h5::Group& group) {
    const std::string encoding =
        group.string_attribute_or("encoding-type", group.string_attribute_or("h5sparse_format", "(none)"));
    if (encoding == "csr_matrix" || encoding == "csr") {
        encoding_ = Encoding::csr;
    } else if (encoding == "csc_matrix" || encoding == "csc") {
        encoding_ = Encoding::csc;
    } else {
        throw core::DataError(
            group.file(), path_,
            "found encoding " + encoding + ". Write the matrix as array, csr_matrix or csc_matrix");
    }
    const std::vector<std::int64_t> shape =
        group.ints_attribute(group.has_attribute("shape") ? "shape" : "h5sparse_shape");
    if (shape.size() != 2 || shape[0] < 0 || shape[1] < 0) {
        throw core::DataError(group.file(), path_, "attribute `shape` must hold two sizes of 0 or more");
    }
    rows_ = static_cast<std::size_t>(shape[0]);
    cols_ = static_cast<std::size_t>(shape[1]);
    values_ = group.open_dataset("data");
    indices_ = group.open_dataset("indices");
    offsets_ = group.open_dataset("indptr");
    const std::size_t lines = encoding_ == Encoding::csr ? rows_ : cols_;
    if (offsets_->size() != lines + 1 || indices_->size() != values_->size() || values_->rank() != 1 ||
        indices_->rank() != 1) {
        throw core::DataError(group.file(), path_,
                              fmt::format("found {} offsets, {} indices and {} values, but there must be {} "
                                          "offsets and as many indices as values: the file is damaged",
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
    const std::size_t entries_per_row = values_->size() / std::max<std::size_t>(1, rows_);
    const std::size_t max_gap = min_skipped_entries / std::max<std::size_t>(1, entries_per_row) + 1;
    Entries entries;
    for (std::size_t k = 0; k < runs.size();) {
        // Rows [first, last) start at a selected row and end after the last selected row within the block
        // size, or before a long gap.
        const std::size_t first = runs[k].first;
        std::size_t last = first;
        std::size_t end = k;
        for (; end < runs.size() && runs[end].first < first + row_pointers_per_block; ++end) {
            if (end > k && runs[end].first > last + max_gap) break;
            last = runs[end].first + runs[end].count;
        }
        const std::vector<RowDestination> rows =
            destinations(runs.subspan(k, end - k), first, last, columns.size());
        const std::vector<std::int64_t> offsets = read_offsets(first, last - first + 1);
        const auto stop = static_cast<std::size_t>(offsets.back());
        std::size_t row = 0;
        for (auto e = static_cast<std::size_t>(offsets.front()); e < stop;) {
            const std::size_t count = std::min(entries_per_block, stop - e);
            entries.read(*indices_, *values_, e, count);
            for (std::size_t q = 0; q < count; ++q, ++e) {
                while (static_cast<std::size_t>(offsets[row + 1]) <= e) ++row;
                if (!rows[row].is_selected) continue;
                const std::int64_t column = entries.index[q];
                if (column < 0 || static_cast<std::size_t>(column) >= cols_)
                    fail_index("indices", column, 0, cols_ - 1);
                const std::size_t j = slot[static_cast<std::size_t>(column)];
                if (j != npos) rows[row].out[j] += entries.value[q];
                if (rows[row].total != nullptr) add_to_total(entries.value[q], *rows[row].total);
            }
        }
        k = end;
    }
}

void Expression::read_csc(std::span<const RowRun> runs, std::span<const std::size_t> columns) const {
    clear(runs, columns.size());
    const bool with_totals = !runs.empty() && runs.front().totals != nullptr;
    const std::vector<std::int64_t> offsets = read_offsets(0, cols_ + 1);
    Entries entries;
    // Calls add(run, row within the run, value) for each entry of a column in a selected row.
    const auto for_entries = [&](std::size_t column, auto add) {
        RunFinder finder(runs);
        const auto stop = static_cast<std::size_t>(offsets[column + 1]);
        for (auto e = static_cast<std::size_t>(offsets[column]); e < stop;) {
            const std::size_t count = std::min(entries_per_block, stop - e);
            entries.read(*indices_, *values_, e, count);
            for (std::size_t q = 0; q < count; ++q, ++e) {
                const std::int64_t row = entries.index[q];
                if (row < 0 || static_cast<std::size_t>(row) >= rows_)
                    fail_index("indices", row, 0, rows_ - 1);
                const RowRun* run = finder.find(static_cast<std::size_t>(row));
                if (run != nullptr) add(*run, static_cast<std::size_t>(row) - run->first, entries.value[q]);
            }
        }
    };
    for (std::size_t j = 0; j < columns.size(); ++j) {
        for_entries(columns[j], [&](const RowRun& run, std::size_t i, float value) {
            run.out[i * columns.size() + j] += value;
        });
    }
    for (std::size_t c = 0; with_totals && c < cols_; ++c) {
        for_entries(
            c, [](const RowRun& run, std::size_t i, float value) { add_to_total(value, run.totals[i]); });
    }
}

}  // namespace popflow::anndata
