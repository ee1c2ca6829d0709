// SPDX-License-Identifier: MIT
#include "eval/cell_sample.hpp"

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

// The columns of obs while they grow.
struct Rows {
    std::vector<std::string> pair;
    std::vector<std::string> state;
    std::vector<double> time;
    std::vector<std::int64_t> cell;
    linalg::AlignedVector<float> x;

    void add(const std::string& of, const std::string& what, double at, const Matrix<float>& cells) {
        for (std::size_t i = 0; i < cells.rows(); ++i) {
            pair.push_back(of);
            state.push_back(what);
            time.push_back(at);
            cell.push_back(static_cast<std::int64_t>(i));
        }
        x.insert(x.end(), cells.values().begin(), cells.values().end());
    }
};

Matrix<float> matrix_of(std::span<const float> values, std::size_t columns) {
    Matrix<float> out(columns == 0 ? 0 : values.size() / columns, columns);
    std::ranges::copy(values, out.values().begin());
    return out;
}

void take(CellSample& sample, const std::string& state, double time, Matrix<float> cells) {
    if (state == "control") {
        sample.control = std::move(cells);
    } else if (state == "predicted") {
        sample.predicted = std::move(cells);
    } else if (state == "treated") {
        sample.treated = std::move(cells);
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
    std::vector<std::size_t> own;
    for (const screen::Part part : {screen::Part::test, screen::Part::validation, screen::Part::train}) {
        std::ranges::copy_if(pairs, std::back_inserter(own),
                             [&](std::size_t p) { return split.parts[p] == part; });
        if (!own.empty()) break;
    }
    const auto group_by = [&](std::string screen::Population::*member) {
        std::map<std::string, std::vector<std::size_t>> groups;
        for (const std::size_t p : own)
            groups[screen.populations[screen.pairs[p].treated].*member].push_back(p);
        return groups;
    };
    auto groups = group_by(&screen::Population::treatment);
    if (groups.size() < 2) groups = group_by(&screen::Population::patient);
    std::vector<std::size_t> chosen;
    for (std::size_t round = 0; chosen.size() < std::min(count, own.size()); ++round) {
        std::size_t turn = round;
        for (const auto& [name, members] : groups) {
            if (round < members.size() && chosen.size() < count)
                chosen.push_back(members[turn % members.size()]);
            ++turn;
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
        const auto names_it = [&](std::size_t p) {
            return core::lower_case(screen::pair_name(screen, p)).find(wanted) != std::string::npos;
        };
        std::ranges::copy_if(pairs, std::back_inserter(chosen), names_it);
        if (std::ranges::any_of(pairs, names_it)) continue;
        throw core::ConfigError("sample", "found '" + text + "', which is in no name of the " +
                                              std::to_string(pairs.size()) + " scored pairs, as in " +
                                              screen::pair_name(screen, pairs.front()));
    }
    std::ranges::sort(chosen);
    chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
    chosen.resize(std::min(count, chosen.size()));
    return chosen;
}

void write_cell_samples(h5::Group& root, const std::vector<CellSample>& samples,
                        const std::vector<std::string>& markers) {
    Rows rows;
    for (const CellSample& sample : samples) {
        rows.add(sample.name, "control", 0, sample.control);
        for (std::size_t t = 0; t < sample.times.size(); ++t)
            rows.add(sample.name, "flow", sample.times[t], sample.flow[t]);
        rows.add(sample.name, "predicted", 1, sample.predicted);
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
    var.name_rows(markers);
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
        throw core::DataError(cells.file(), "cells/X",
                              "found " + std::to_string(x.rows()) + " x " + std::to_string(x.row_size()) +
                                  " values, allowed " + std::to_string(obs.rows()) + " x " +
                                  std::to_string(d) + " as obs and var say");
    }
    linalg::AlignedVector<float> values(x.rows() * d);
    if (!values.empty()) x.read_rows(0, x.rows(), std::span<float>(values));
    std::vector<CellSample> samples;
    for (std::size_t first = 0; first < obs.rows();) {
        const std::string& pair = obs.strings("pair")[first];
        const std::string& state = obs.strings("state")[first];
        const double time = obs.doubles("time")[first];
        std::size_t last = first + 1;  // cells of a state count up from 0
        while (last < obs.rows() && obs.ints("cell")[last] > 0) ++last;
        if (samples.empty() || samples.back().name != pair) samples.push_back({.name = pair});
        take(samples.back(), state, time,
             matrix_of(std::span<const float>(values).subspan(first * d, (last - first) * d), d));
        first = last;
    }
    // What is drawn takes row i of each state for the same cell.
    for (const CellSample& s : samples) {
        const bool whole =
            s.predicted.rows() == s.control.rows() &&
            std::ranges::all_of(s.flow, [&](const Matrix<float>& m) { return m.rows() == s.control.rows(); });
        if (!whole)
            throw core::DataError(cells.file(), "cells/obs",
                                  "the states of '" + s.name + "' differ in length");
    }
    return samples;
}

}  // namespace popflow::eval
