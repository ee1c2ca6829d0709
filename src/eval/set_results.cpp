// SPDX-License-Identifier: MIT
#include "eval/set_results.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "eval/result_provenance.hpp"
#include "h5/file.hpp"
#include "metrics/population_distance.hpp"

namespace popflow::eval {

namespace {

using h5::DataFrame;

constexpr std::int64_t set_format_version = 1;
constexpr const char* damaged_sets = "The file is damaged: run popflow evaluate again";

// Group of the samples.
constexpr const char* samples_name = "cells";

DataFrame sample_obs(const std::vector<SetSample>& samples) {
    DataFrame obs;
    DataFrame::Strings label;
    DataFrame::Strings set;
    DataFrame::Ints population;
    DataFrame::Doubles time;
    for (const SetSample& sample : samples) {
        label.insert(label.end(), sample.cells.rows(), sample.label);
        set.insert(set.end(), sample.cells.rows(), sample.set);
        population.insert(population.end(), sample.cells.rows(), static_cast<std::int64_t>(sample.index));
        time.insert(time.end(), sample.cells.rows(), sample.time);
    }
    obs.add_categorical("label", std::move(label));
    obs.add_categorical("set", std::move(set));
    obs.add("population", std::move(population));
    obs.add("time", std::move(time));
    return obs;
}

void write_samples(h5::Group& root, const SetResults& results) {
    h5::Group group = root.create_group(samples_name);
    h5::write_encoding(group, "anndata", "0.1.0");
    std::vector<float> values;
    for (const SetSample& sample : results.samples)
        values.insert(values.end(), sample.cells.values().begin(), sample.cells.values().end());
    const std::size_t d = results.markers.size();
    h5::Dataset x = group.write("X", std::span<const float>(values), {values.size() / d, d});
    h5::write_encoding(x, "array", "0.2.0");
    h5::write_dataframe(group, "obs", sample_obs(results.samples));
    DataFrame var;
    var.set_row_names(results.markers);
    h5::write_dataframe(group, "var", var);
}

void read_samples(const h5::Group& root, SetResults& results) {
    const h5::Group group = root.open_group(samples_name);
    results.markers = h5::read_dataframe(group, "var").row_names();
    const DataFrame obs = h5::read_dataframe(group, "obs");
    const h5::Dataset x = group.open_dataset("X");
    const std::size_t d = results.markers.size();
    if (x.rank() != 2 || x.rows() != obs.rows() || x.row_size() != d)
        throw core::DataError(results.file, std::string(samples_name) + "/X",
                              fmt::format("found {} x {} values for {} cells and {} markers. {}", x.rows(),
                                          x.row_size(), obs.rows(), d, damaged_sets));
    linalg::Matrix<float> values(obs.rows(), d);
    if (obs.rows() > 0) x.read_rows(0, obs.rows(), values.values());
    const auto& label = obs.strings("label");
    const auto& set = obs.strings("set");
    const auto& population = obs.ints("population");
    const auto& time = obs.doubles("time");
    for (std::size_t first = 0; first < obs.rows();) {
        std::size_t end = first;
        while (end < obs.rows() && label[end] == label[first] && set[end] == set[first] &&
               population[end] == population[first] && time[end] == time[first])
            ++end;
        SetSample sample{.label = label[first],
                         .set = set[first],
                         .index = static_cast<std::size_t>(std::max<std::int64_t>(0, population[first])),
                         .time = time[first],
                         .cells = linalg::Matrix<float>(end - first, d)};
        std::copy_n(values.view().row(first), sample.cells.size(), sample.cells.data());
        results.samples.push_back(std::move(sample));
        first = end;
    }
}

// Checks that a table has the columns that a report reads. The accessors name a missing column.
void check_sets(const DataFrame& sets) {
    for (const char* name : {"label", "predictor", "distance", "note"}) sets.strings(name);
    for (const SetMetric& metric : set_metrics()) sets.doubles(metric.name);
    for (const char* name : {"n_real", "n_generated", "n_training", "n_cells"}) sets.ints(name);
}

}  // namespace

DataFrame sets_frame(const SetEvaluation& evaluation) {
    DataFrame table;
    const auto add_texts = [&](const char* name, auto&& text) {
        DataFrame::Strings values;
        for (const SetRow& row : evaluation.rows) values.push_back(text(row));
        table.add_categorical(name, std::move(values));
    };
    const auto add_counts = [&](const char* name, auto&& count) {
        DataFrame::Ints values;
        for (const SetRow& row : evaluation.rows) values.push_back(static_cast<std::int64_t>(count(row)));
        table.add(name, std::move(values));
    };
    add_texts("label", [](const SetRow& row) { return row.label; });
    add_texts("predictor", [](const SetRow& row) { return row.predictor; });
    add_texts("distance", [](const SetRow& row) {
        return metrics::population_distance_names()[static_cast<std::size_t>(row.comparison.distance)];
    });
    const auto is_paired = [](const SetRow& row) { return !std::isnan(row.comparison.paired); };
    if (std::ranges::any_of(evaluation.rows, is_paired)) {
        DataFrame::Doubles values;
        for (const SetRow& row : evaluation.rows) values.push_back(row.comparison.paired);
        table.add("paired", std::move(values));
    }
    for (const SetMetric& metric : set_metrics()) {
        DataFrame::Doubles values;
        for (const SetRow& row : evaluation.rows) values.push_back(row.comparison.scores.*metric.score);
        table.add(metric.name, std::move(values));
    }
    add_counts("n_real", [](const SetRow& row) { return row.real; });
    add_counts("n_generated", [](const SetRow& row) { return row.generated; });
    add_counts("n_training", [](const SetRow& row) { return row.training; });
    add_counts("n_cells", [](const SetRow& row) { return row.cells; });
    add_counts("distances_computed", [](const SetRow& row) { return row.comparison.distances_computed; });
    add_texts("note", [](const SetRow& row) { return row.note; });
    DataFrame::Doubles seconds;
    for (const SetRow& row : evaluation.rows) seconds.push_back(row.seconds);
    table.add("seconds", std::move(seconds));
    return table;
}

void write_set_results(const std::string& path, const SetResults& results) {
    check_sets(results.sets);
    h5::AtomicFile file(path);
    {
        h5::Group root = file.root();
        root.write_attribute("popflow_sets", set_format_version);
        root.write_attribute("tables", std::vector<std::string>{"sets", "training"});
        write_provenance(root, results.provenance);
        h5::write_dataframe(root, "sets", results.sets);
        h5::write_dataframe(root, "training", results.training);
        if (!results.samples.empty()) write_samples(root, results);
    }
    file.commit();
}

SetResults read_set_results(const std::string& path) {
    const h5::Group root = h5::open_file(path);
    if (!root.has_attribute("popflow_sets"))
        throw core::DataError(path, "",
                              "not a result file of generated populations. Give a file that popflow evaluate "
                              "wrote for a run of --source noise");
    if (const std::int64_t version = root.int_attribute("popflow_sets"); version != set_format_version) {
        throw core::DataError(
            path, "popflow_sets",
            fmt::format("found format {}, but this popflow reads format {}. Use the version of popflow that "
                        "wrote the file",
                        version, set_format_version));
    }
    SetResults results;
    results.file = path;
    results.provenance = read_provenance(root);
    results.sets = h5::read_dataframe(root, "sets");
    check_sets(results.sets);
    results.training = h5::read_dataframe(root, "training");
    if (root.contains_group(samples_name)) read_samples(root, results);
    return results;
}

}  // namespace popflow::eval
