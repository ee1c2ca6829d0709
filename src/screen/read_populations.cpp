// SPDX-License-Identifier: MIT
#include "screen/read_populations.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <span>

#include "anndata/anndata.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "screen/marker_choice.hpp"
#include "screen/row_keys.hpp"
#include "screen/screen.hpp"
#include "screen/screen_columns.hpp"

namespace popflow::screen {

namespace {

constexpr std::size_t npos = static_cast<std::size_t>(-1);

/// Cells of a population that are read: all, or runs of consecutive cells that are evenly spaced.
class CellSelection {
  public:
    /// @param max_cells  npos for all of the n cells
    CellSelection(std::size_t n, std::size_t max_cells)
        : runs_(n <= max_cells ? 1 : max_cells / run_cells),
          length_(n <= max_cells ? n : run_cells),
          spacing_(std::max<std::size_t>(1, n / runs_)) {}
    std::size_t count() const { return runs_ * length_; }
    bool contains(std::size_t cell) const { return cell / spacing_ < runs_ && cell % spacing_ < length_; }

  private:
    static constexpr std::size_t run_cells = 25;
    std::size_t runs_, length_, spacing_;
};

/// Finds the rows of the wanted populations in one pass over obs.
class RowGatherer {
  public:
    RowGatherer(const Screen& screen, std::span<const std::size_t> populations, const anndata::AnnData& data,
                std::span<const CellsSpan> cells, std::vector<std::vector<std::uint64_t>>* rows,
                std::size_t max_cells = npos)
        : screen_(screen),
          wanted_(populations),
          cells_(cells),
          rows_(rows),
          columns_(data, screen.options, true),
          keys_(data, columns_.names()),
          found_(populations.size(), 0),
          filled_(populations.size(), 0) {
        if (rows_ != nullptr) rows_->assign(populations.size(), {});
        for (std::size_t k = 0; k < populations.size(); ++k) {
            const Population& p = screen.populations.at(populations[k]);
            if (p.pooled.empty()) add_slot(p, p.treatment, p.concentration, k);
            for (const auto& [treatment, concentration] : p.pooled) add_slot(p, treatment, concentration, k);
            selections_.emplace_back(p.n_cells, max_cells);
        }
    }

    /// Returns the runs of wanted rows, ascending. The output of each run points into the cells of its
    /// population.
    std::vector<anndata::RowRun> gather() {
        const std::vector<bool> blocks = needed_blocks();
        for (std::size_t b = 0; b < blocks.size(); ++b) {
            if (blocks[b]) gather_block(b * RowKeys::block_rows);
        }
        for (std::size_t k = 0; k < wanted_.size(); ++k) {
            if (found_[k] != n_cells(k)) fail_changed();
        }
        return std::move(runs_);
    }

  private:
    /// Assigns the rows with these labels to the k-th wanted population.
    void add_slot(const Population& p, const std::string& treatment, const std::string& concentration,
                  std::size_t k) {
        std::vector<std::string> values = screen_.experiments[p.experiment].values;
        values.push_back(treatment);
        values.push_back(core::plain_label(concentration));
        slot_of_values_[values] = k;
    }

    /// Marks the blocks of rows that may hold wanted cells.
    std::vector<bool> needed_blocks() const {
        std::vector<bool> blocks(screen_.n_obs / RowKeys::block_rows + 1, false);
        for (const std::size_t p : wanted_) {
            const Population& population = screen_.populations[p];
            for (std::size_t b = population.first_row / RowKeys::block_rows;
                 b * RowKeys::block_rows < population.end_row; ++b) {
                blocks[b] = true;
            }
        }
        return blocks;
    }

    void gather_block(std::size_t first) {
        const std::size_t count = std::min(RowKeys::block_rows, screen_.n_obs - first);
        const std::span<const std::uint32_t> block = keys_.read(first, count);
        while (slot_.size() < keys_.size()) add_key(slot_.size());
        for (std::size_t i = 0; i < count; ++i) {
            const std::size_t k = slot_[block[i]];
            if (k != npos) add_row(first + i, k, type_[block[i]]);
        }
    }

    std::size_t n_cells(std::size_t k) const { return screen_.populations[wanted_[k]].n_cells; }

    void add_row(std::size_t row, std::size_t k, std::uint8_t type) {
        const CellsSpan& cells = cells_[k];
        if (found_[k] == n_cells(k)) fail_changed();
        if (!selections_[k].contains(found_[k]++)) return;
        float* out = cells.x.row(filled_[k]);
        double* total = cells.totals.empty() ? nullptr : &cells.totals[filled_[k]];
        if (!cells.cell_type.empty()) cells.cell_type[filled_[k]] = type;
        ++filled_[k];
        if (rows_ != nullptr) (*rows_)[k].push_back(row);
        if (!runs_.empty() && follows(runs_.back(), row, out, total, cells.x.cols)) {
            ++runs_.back().count;
        } else {
            runs_.push_back({row, 1, out, total});
        }
    }

    /// Returns whether a row and its destinations come directly after those of a run.
    static bool follows(const anndata::RowRun& run, std::size_t row, const float* out, const double* total,
                        std::size_t cols) {
        return run.first + run.count == row && run.out + run.count * cols == out &&
               (total == nullptr || run.totals + run.count == total);
    }

    /// Looks up the population and the cell type of a new key.
    void add_key(std::size_t key) {
        std::size_t slot = npos;
        std::uint8_t type = 0;
        if (columns_.exclusion_reason(keys_, key).empty()) {
            const auto found = slot_of_values_.find(columns_.population_values(keys_, key));
            if (found != slot_of_values_.end()) slot = found->second;
        }
        if (slot != npos) {
            const std::vector<std::string>& types = screen_.cell_types;
            const std::string label = columns_.label(keys_, key, columns_.column(Role::cell_type));
            const auto place = std::lower_bound(types.begin(), types.end(), label);
            if (place == types.end() || *place != label) fail_changed();
            type = static_cast<std::uint8_t>(place - types.begin());
        }
        slot_.push_back(slot);
        type_.push_back(type);
    }

    [[noreturn]] void fail_changed() const {
        throw core::DataError(screen_.file, "obs",
                              "the cells differ from those found when the file was opened: the file must not "
                              "change during a run");
    }

    const Screen& screen_;
    std::span<const std::size_t> wanted_;
    std::span<const CellsSpan> cells_;
    std::vector<std::vector<std::uint64_t>>* rows_;
    ScreenColumns columns_;
    RowKeys keys_;
    std::map<std::vector<std::string>, std::size_t> slot_of_values_;
    std::vector<CellSelection> selections_;  ///< by position in wanted_, as the next two
    std::vector<std::size_t> found_;         ///< number of cells found so far
    std::vector<std::size_t> filled_;        ///< number of selected cells found so far
    std::vector<std::size_t> slot_;   ///< position in wanted_ by key; npos for keys that are not wanted
    std::vector<std::uint8_t> type_;  ///< index into Screen::cell_types by key
    std::vector<anndata::RowRun> runs_;
};

/// Origin of the values, for error messages, and what is applied to them.
struct Source {
    const std::string& file;
    const std::string& path;
    const std::vector<std::string>& markers;
    const SizeFactor& size_factor;
    const Transform& transform;
};

std::string found_text(double value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
    return core::number_label(static_cast<float>(value));
}

[[noreturn]] void fail_value(const Source& source, std::size_t row, std::size_t j, float value) {
    const bool signed_values = source.transform.kind != Transform::Kind::log1p;
    throw core::DataError(
        source.file, source.path,
        fmt::format("row {}, marker {}: found {}, but values must be finite{}. Remove the cell, or leave the "
                    "marker out with --exclude-markers",
                    row, source.markers[j], found_text(static_cast<double>(value)),
                    signed_values ? "" : " and >= 0 for the transform " + source.transform.text()));
}

/// Throws for the first row of a run whose total is no size. @pre there is one
[[noreturn]] void fail_total(const Source& source, const anndata::RowRun& run) {
    std::size_t i = 0;
    while (std::isfinite(run.totals[i])) ++i;
    const bool is_negative = run.totals[i] < 0;
    throw core::DataError(
        source.file, source.path,
        fmt::format("row {}: {}: --size-factor {} needs counts, all of them finite and 0 or more",
                    run.first + i,
                    is_negative ? "found a negative value"
                                : "the sum over all columns is " + found_text(run.totals[i]),
                    source.size_factor.text()));
}

bool has_totals(const Source& source, const anndata::RowRun& run) {
    return !source.size_factor.is_set() ||
           std::all_of(run.totals, run.totals + run.count, [](double t) { return std::isfinite(t); });
}

/// Scales and transforms the raw values of a run in place. Returns false and changes nothing if a value or a
/// total is not allowed.
bool transform_run(const Source& source, const anndata::RowRun& run, std::size_t d) {
    const std::span<float> values(run.out, run.count * d);
    if (!source.transform.allows(values) || !has_totals(source, run)) return false;
    if (source.size_factor.is_set()) {
        for (std::size_t i = 0; i < run.count; ++i)
            source.size_factor.apply(run.totals[i], values.subspan(i * d, d));
    }
    source.transform.apply(values);
    return true;
}

void transform_runs(const Source& source, const std::vector<anndata::RowRun>& runs) {
    const Transform& transform = source.transform;
    const std::size_t d = source.markers.size();
    const auto n_runs = static_cast<std::int64_t>(runs.size());
    std::int64_t bad = n_runs;
#pragma omp parallel for schedule(guided) reduction(min : bad)
    for (std::int64_t r = 0; r < n_runs; ++r) {
        if (!transform_run(source, runs[r], d)) bad = std::min(bad, r);
    }
    if (bad == n_runs) return;
    const anndata::RowRun& run = runs[static_cast<std::size_t>(bad)];
    std::size_t k = 0;
    while (k < run.count * d && transform.allows({run.out + k, 1})) ++k;
    if (k == run.count * d) fail_total(source, run);
    fail_value(source, run.first + k / d, k % d, run.out[k]);
}

/// Checks that the size factors are known. @throws core::ConfigError
void check_target(const SizeFactor& size_factor) {
    if (size_factor.is_set() && !size_factor.has_target())
        throw core::ConfigError("size-factor",
                                "found median, which only a training can compute. Use total, total:TARGET or "
                                "none");
}

/// Opens the file of a screen again. @throws core::DataError if its shape has changed
anndata::AnnData reopen(const Screen& screen) {
    anndata::AnnData data(screen.file, screen.options.source);
    if (data.n_obs() == screen.n_obs && data.n_vars() == screen.n_vars) return data;
    throw core::DataError(screen.file, data.x().path(),
                          "the shape differs from that found when the file was opened: the file must not "
                          "change during a run");
}

}  // namespace

std::vector<Cells> read_populations(const Screen& screen, std::span<const std::size_t> populations,
                                    std::vector<std::vector<std::uint64_t>>* rows) {
    std::vector<Cells> cells(populations.size());
    std::vector<CellsSpan> destination(populations.size());
    for (std::size_t k = 0; k < populations.size(); ++k) {
        const std::size_t n = screen.populations.at(populations[k]).n_cells;
        cells[k].x = linalg::Matrix<float>(n, screen.markers.size());
        cells[k].cell_type.resize(n);
        destination[k] = {cells[k].x.view(), cells[k].cell_type};
    }
    read_populations(screen, populations, destination, rows);
    return cells;
}

void read_populations(const Screen& screen, std::span<const std::size_t> populations,
                      std::span<const CellsSpan> out, std::vector<std::vector<std::uint64_t>>* rows) {
    if (populations.empty()) return;
    for (std::size_t k = 0; k < populations.size(); ++k) {
        core::check_shape("read_populations.out", out[k].x.rows, out[k].x.cols,
                          screen.populations.at(populations[k]).n_cells, screen.markers.size());
    }
    const SizeFactor& size_factor = screen.options.size_factor;
    check_target(size_factor);
    std::vector<CellsSpan> cells(out.begin(), out.end());
    std::vector<std::vector<double>> totals(size_factor.is_set() ? cells.size() : 0);
    for (std::size_t k = 0; k < totals.size(); ++k) {
        totals[k].resize(cells[k].x.rows);
        cells[k].totals = totals[k];
    }
    const anndata::AnnData data = reopen(screen);
    const std::vector<anndata::RowRun> runs = RowGatherer(screen, populations, data, cells, rows).gather();
    data.x().read(runs, screen.marker_cols);
    transform_runs({screen.file, data.x().path(), screen.markers, size_factor, screen.options.transform},
                   runs);
}

std::vector<std::vector<double>> read_totals(const Screen& screen, std::span<const std::size_t> populations,
                                             std::size_t max_cells) {
    std::vector<std::vector<double>> totals(populations.size());
    std::vector<CellsSpan> cells(populations.size());
    for (std::size_t k = 0; k < populations.size(); ++k) {
        totals[k].resize(CellSelection(screen.populations.at(populations[k]).n_cells, max_cells).count());
        cells[k] = {linalg::MatrixView<float>(nullptr, totals[k].size(), 0), {}, totals[k]};
    }
    const anndata::AnnData data = reopen(screen);
    data.x().read(RowGatherer(screen, populations, data, cells, nullptr, max_cells).gather(), {});
    return totals;
}

AllCells read_all_cells(const std::string& file, const ScreenOptions& options) {
    const anndata::AnnData data(file, options.source);
    check_target(options.size_factor);
    MarkerChoice choice = choose_markers(data, options);
    data.x().check_columns(choice.cols);
    if (data.n_obs() == 0)
        throw core::DataError(file, data.x().path(), "found no cells. Give a file with cells");
    AllCells all{std::move(choice.markers), linalg::Matrix<float>(data.n_obs(), choice.cols.size())};
    constexpr std::size_t block = 4096;  // number of rows that one thread transforms at a time
    std::vector<anndata::RowRun> runs;
    std::vector<double> totals(options.size_factor.is_set() ? data.n_obs() : 0);
    for (std::size_t first = 0; first < data.n_obs(); first += block) {
        runs.push_back({first, std::min(block, data.n_obs() - first), all.x.view().row(first),
                        totals.empty() ? nullptr : totals.data() + first});
    }
    data.x().read(runs, choice.cols);
    transform_runs({file, data.x().path(), all.markers, options.size_factor, options.transform}, runs);
    return all;
}

}  // namespace popflow::screen
