// SPDX-License-Identifier: MIT
#include "eval/cell_sample.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>

#include "anndata/anndata_write.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "eval/results.hpp"
#include "h5/dataframe.hpp"

namespace popflow::eval {

namespace {

using linalg::Matrix;

// Columns of obs, and X, of all samples.
struct SampleRows {
    std::vector<std::string> pair;
    std::vector<std::string> state;
    std::vector<double> time;
    std::vector<std::int64_t> cell;
    linalg::AlignedVector<float> x;

    void add(const std::string& pair_name, const std::string& state_name, double flow_time,
             const Matrix<float>& cells) {
        for (std::size_t i = 0; i < cells.rows(); ++i) {
            pair.push_back(pair_name);
            state.push_back(state_name);
            time.push_back(flow_time);
            cell.push_back(static_cast<std::int64_t>(i));
        }
        x.insert(x.end(), cells.values().begin(), cells.values().end());
    }
};

Matrix<float> to_matrix(std::span<const float> values, std::size_t columns) {
    Matrix<float> out(columns == 0 ? 0 : values.size() / columns, columns);
    std::ranges::copy(values, out.values().begin());
    return out;
}

void set_state(CellSample& sample, const std::string& state, double time, Matrix<float> cells) {
    if (state == "control") {
        sample.control = std::move(cells);
    } else if (state == "predicted") {
        sample.predicted = std::move(cells);
    } else if (state == "treated") {
        sample.treated = std::move(cells);
    } else if (state == "mean_shift") {
        sample.mean_shift = std::move(cells);
    } else {
        sample.times.push_back(time);
        sample.flow.push_back(std::move(cells));
    }
}

}  // namespace

std::vector<double> sample_times(std::size_t markers, bool gaussian_base) {
    if (markers > 3) return {};
    std::vector<double> times{0.2, 0.4, 0.6, 0.8};
    if (gaussian_base) times.insert(times.begin(), 0.0);
    return times;
}

std::vector<std::size_t> sampled_pairs(const screen::Screen& screen, const screen::Split& split,
                                       std::span<const std::size_t> pairs, std::size_t count) {
    std::vector<std::size_t> candidates;
    for (const screen::Part part : {screen::Part::test, screen::Part::validation, screen::Part::train}) {
        std::ranges::copy_if(pairs, std::back_inserter(candidates),
                             [&](std::size_t p) { return split.parts[p] == part; });
        if (!candidates.empty()) break;
    }
    const auto group_by = [&](std::string screen::Population::*member) {
        std::map<std::string, std::vector<std::size_t>> groups;
        for (const std::size_t p : candidates)
            groups[screen.populations[screen.pairs[p].treated].*member].push_back(p);
        return groups;
    };
    auto groups = group_by(&screen::Population::treatment);
    if (groups.size() < 2) groups = group_by(&screen::Population::patient);
    std::vector<std::size_t> chosen;
    for (std::size_t round = 0; chosen.size() < std::min(count, candidates.size()); ++round) {
        std::size_t member = round;  // another one in each group, so that patients and cultures change
        for (const auto& [name, members] : groups) {
            if (round < members.size() && chosen.size() < count)
                chosen.push_back(members[member % members.size()]);
            ++member;
        }
    }
    std::ranges::sort(chosen);
    return chosen;
}

std::vector<std::size_t> named_pairs(const screen::Screen& screen, std::span<const std::size_t> pairs,
                                     const std::vector<std::string>& texts, std::size_t count) {
    std::vector<std::size_t> chosen;
    for (const std::string& text : texts) {
        const std::string wanted = core::lower_case(text);
        const auto matches = [&](std::size_t p) {
            return core::lower_case(screen::pair_name(screen, p)).find(wanted) != std::string::npos;
        };
        std::ranges::copy_if(pairs, std::back_inserter(chosen), matches);
        if (std::ranges::any_of(pairs, matches)) continue;
        throw core::ConfigError("sample",
                                fmt::format("found '{}', which is in the name of none of the {} scored "
                                            "pairs. Give a part of a name such as {}",
                                            text, pairs.size(), screen::pair_name(screen, pairs.front())));
    }
    std::ranges::sort(chosen);
    chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
    chosen.resize(std::min(count, chosen.size()));
    return chosen;
}

void write_cell_samples(h5::Group& root, const std::vector<CellSample>& samples,
                        const std::vector<std::string>& markers) {
    SampleRows rows;
    for (const CellSample& sample : samples) {
        rows.add(sample.name, "control", 0, sample.control);
        for (std::size_t t = 0; t < sample.times.size(); ++t)
            rows.add(sample.name, "flow", sample.times[t], sample.flow[t]);
        rows.add(sample.name, "predicted", 1, sample.predicted);
        rows.add(sample.name, "mean_shift", std::numeric_limits<double>::quiet_NaN(), sample.mean_shift);
        rows.add(sample.name, "treated", std::numeric_limits<double>::quiet_NaN(), sample.treated);
    }
    h5::Group cells = root.create_group("cells");
    h5::write_encoding(cells, "anndata", "0.1.0");
    const std::size_t n = rows.pair.size();
    h5::Dataset x = cells.write("X", std::span<const float>(rows.x), {n, markers.size()},
                                n > 0 ? h5::Storage{.deflate = 4} : h5::Storage{});
    h5::write_encoding(x, "array", "0.2.0");
    const h5::Storage packed = n > 0 ? h5::Storage{.deflate = 4} : h5::Storage{};
    h5::DataFrame obs;
    obs.add_categorical("pair", std::move(rows.pair));
    obs.add_categorical("state", std::move(rows.state));
    obs.add("time", std::move(rows.time));
    obs.add("cell", std::move(rows.cell));
    h5::write_dataframe(cells, "obs", obs, packed);
    h5::DataFrame var;
    var.set_row_names(markers);
    h5::write_dataframe(cells, "var", var);
    anndata::write_empty_groups(cells);
    anndata::create_dict(cells, "uns");
}

std::vector<CellSample> read_cell_samples(const h5::Group& root, std::vector<std::string>& markers) {
    if (!root.contains_group("cells")) return {};
    const h5::Group cells = root.open_group("cells");
    markers = h5::read_dataframe(cells, "var").row_names();
    const h5::DataFrame obs = h5::read_dataframe(cells, "obs");
    const h5::Dataset x = cells.open_dataset("X");
    const std::size_t d = markers.size();
    if (x.rows() != obs.rows() || x.row_size() != d) {
        throw core::DataError(
            cells.file(), "cells/X",
            fmt::format("found {} x {} values, but obs and var have {} x {} rows. The file is damaged: run "
                        "popflow evaluate again",
                        x.rows(), x.row_size(), obs.rows(), d));
    }
    linalg::AlignedVector<float> values(x.rows() * d);
    if (!values.empty()) x.read_rows(0, x.rows(), std::span<float>(values));
    std::vector<CellSample> samples;
    for (std::size_t first = 0; first < obs.rows();) {
        const std::string& pair = obs.strings("pair")[first];
        const std::string& state = obs.strings("state")[first];
        const double time = obs.doubles("time")[first];
        std::size_t last = first + 1;  // `cell` counts from 0 in each state
        while (last < obs.rows() && obs.ints("cell")[last] > 0) ++last;
        if (samples.empty() || samples.back().name != pair) samples.push_back({.name = pair});
        set_state(samples.back(), state, time,
                  to_matrix(std::span<const float>(values).subspan(first * d, (last - first) * d), d));
        first = last;
    }
    // Plots assume that row i is the same cell in each state.
    for (const CellSample& s : samples) {
        const bool is_consistent =
            s.predicted.rows() == s.control.rows() &&
            (s.mean_shift.rows() == 0 || s.mean_shift.rows() == s.control.rows()) &&
            std::ranges::all_of(s.flow, [&](const Matrix<float>& m) { return m.rows() == s.control.rows(); });
        if (!is_consistent)
            throw core::DataError(cells.file(), "cells/obs",
                                  "the states of '" + s.name +
                                      "' have different numbers of cells. The file is damaged: run popflow "
                                      "evaluate again");
    }
    return samples;
}

}  // namespace popflow::eval
