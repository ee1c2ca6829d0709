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

/// Finds the rows of the wanted populations in one pass over obs.
class RowGatherer {
  public:
    RowGatherer(const Screen& screen, std::span<const std::size_t> populations, const anndata::AnnData& data,
                std::span<const CellsSpan> cells, std::vector<std::vector<std::uint64_t>>* rows)
        : screen_(screen),
          wanted_(populations),
          cells_(cells),
          rows_(rows),
          columns_(data, screen.options),
          keys_(data, columns_.names()),
          filled_(populations.size(), 0) {
        if (rows_ != nullptr) rows_->assign(populations.size(), {});
        for (std::size_t k = 0; k < populations.size(); ++k) {
            const Population& p = screen.populations.at(populations[k]);
            if (p.pooled.empty()) add_slot(p, p.treatment, p.concentration, k);
            for (const auto& [treatment, concentration] : p.pooled) add_slot(p, treatment, concentration, k);
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
            if (filled_[k] != cells_[k].x.rows) fail_changed();
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

    void add_row(std::size_t row, std::size_t k, std::uint8_t type) {
        const CellsSpan& cells = cells_[k];
        if (filled_[k] == cells.x.rows) fail_changed();
        float* out = cells.x.row(filled_[k]);
        cells.cell_type[filled_[k]++] = type;
        if (rows_ != nullptr) (*rows_)[k].push_back(row);
        const bool follows = !runs_.empty() && runs_.back().first + runs_.back().count == row &&
                             runs_.back().out + runs_.back().count * cells.x.cols == out;
        if (follows) {
            ++runs_.back().count;
        } else {
            runs_.push_back({row, 1, out});
        }
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
            const std::string& label = keys_.label(key, columns_.column(Role::cell_type));
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
    std::vector<std::size_t> filled_;  ///< number of cells found so far, by position in wanted_
    std::vector<std::size_t> slot_;    ///< position in wanted_ by key; npos for keys that are not wanted
    std::vector<std::uint8_t> type_;   ///< index into Screen::cell_types by key
    std::vector<anndata::RowRun> runs_;
};

/// Origin of the values, for error messages, and their transform.
struct Source {
    const std::string& file;
    const std::vector<std::string>& markers;
    const Transform& transform;
};

[[noreturn]] void fail_value(const Source& source, std::size_t row, std::size_t j, float value) {
    const bool signed_values = source.transform.kind != Transform::Kind::log1p;
    const std::string found = std::isnan(value)   ? "NaN"
                              : std::isinf(value) ? (value > 0 ? "inf" : "-inf")
                                                  : core::number_label(value);
    throw core::DataError(
        source.file, "X",
        fmt::format("row {}, marker {}: found {}, allowed finite numbers", row, source.markers[j], found) +
            (signed_values ? "" : " >= 0 for the transform " + source.transform.text()));
}

/// Transforms the raw values of a run in place. Returns false and changes nothing if one of them is not
/// allowed.
bool transform_run(const Transform& transform, const anndata::RowRun& run, std::size_t d) {
    const std::span<float> values(run.out, run.count * d);
    if (!transform.allows(values)) return false;
    transform.apply(values);
    return true;
}

void transform_runs(const Source& source, const std::vector<anndata::RowRun>& runs) {
    const Transform& transform = source.transform;
    const std::size_t d = source.markers.size();
    const auto n_runs = static_cast<std::int64_t>(runs.size());
    std::int64_t bad = n_runs;
#pragma omp parallel for schedule(guided) reduction(min : bad)
    for (std::int64_t r = 0; r < n_runs; ++r) {
        if (!transform_run(transform, runs[r], d)) bad = std::min(bad, r);
    }
    if (bad == n_runs) return;
    const anndata::RowRun& run = runs[static_cast<std::size_t>(bad)];
    std::size_t k = 0;
    while (transform.allows({run.out + k, 1})) ++k;
    fail_value(source, run.first + k / d, k % d, run.out[k]);
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
    const anndata::AnnData data(screen.file);
    if (data.n_obs() != screen.n_obs || data.n_vars() != screen.n_vars) {
        throw core::DataError(screen.file, "X",
                              "the shape differs from that found when the file was opened: the file must not "
                              "change during a run");
    }
    const std::vector<anndata::RowRun> runs = RowGatherer(screen, populations, data, out, rows).gather();
    data.x().read(runs, screen.marker_cols);
    transform_runs({screen.file, screen.markers, screen.options.transform}, runs);
}

AllCells read_all_cells(const std::string& file, const ScreenOptions& options) {
    const anndata::AnnData data(file);
    MarkerChoice choice = choose_markers(data, options);
    if (data.n_obs() == 0) throw core::DataError(file, "X", "found no cells, allowed 1 or more");
    AllCells all{std::move(choice.markers), linalg::Matrix<float>(data.n_obs(), choice.cols.size())};
    constexpr std::size_t block = 4096;  // number of rows that one thread transforms at a time
    std::vector<anndata::RowRun> runs;
    for (std::size_t first = 0; first < data.n_obs(); first += block) {
        runs.push_back({first, std::min(block, data.n_obs() - first), all.x.view().row(first)});
    }
    data.x().read(runs, choice.cols);
    transform_runs({file, all.markers, options.transform}, runs);
    return all;
}

}  // namespace popflow::screen
