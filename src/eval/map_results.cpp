// SPDX-License-Identifier: MIT
#include "eval/map_results.hpp"

#include <fmt/format.h>

#include "core/error.hpp"
#include "eval/result_provenance.hpp"
#include "h5/file.hpp"

namespace popflow::eval {

namespace {

using h5::DataFrame;

constexpr std::int64_t map_format_version = 1;

// Checks that a table has the columns that a report reads. The accessors name a missing column.
void check_columns(const DataFrame& problems) {
    for (const char* name : {"problem", "source", "target", "predictor", "message"}) problems.strings(name);
    for (const char* name : {"steps", "n", "m"}) problems.ints(name);
    for (const char* name : {"value", "exact", "normalised", "gap", "energy", "w2", "seconds"})
        problems.doubles(name);
    problems.bools("certified");
}

}  // namespace

DataFrame map_frame(const screen::Screen& screen, const std::vector<predict::MapProblem>& problems,
                    const std::vector<MapRow>& rows) {
    DataFrame table;
    DataFrame::Strings problem;
    DataFrame::Strings source;
    DataFrame::Strings target;
    DataFrame::Strings predictor;
    DataFrame::Strings message;
    DataFrame::Bools certified;
    for (const MapRow& row : rows) {
        problem.push_back(problems[row.problem].name);
        source.push_back(predict::map_population_name(screen, problems[row.problem].source));
        target.push_back(predict::map_population_name(screen, problems[row.problem].target));
        predictor.push_back(row.predictor);
        message.push_back(row.message);
        certified.push_back(row.is_certified ? 1 : 0);
    }
    const auto add_counts = [&](const char* name, auto member) {
        DataFrame::Ints values;
        for (const MapRow& row : rows) values.push_back(static_cast<std::int64_t>(row.*member));
        table.add(name, std::move(values));
    };
    const auto add_numbers = [&](const char* name, double MapRow::*member) {
        DataFrame::Doubles values;
        for (const MapRow& row : rows) values.push_back(row.*member);
        table.add(name, std::move(values));
    };
    table.add("problem", std::move(problem));
    table.add_categorical("source", std::move(source));
    table.add_categorical("target", std::move(target));
    table.add_categorical("predictor", std::move(predictor));
    add_counts("steps", &MapRow::steps);
    add_counts("n", &MapRow::n);
    add_counts("m", &MapRow::m);
    add_numbers("value", &MapRow::value);
    add_numbers("exact", &MapRow::exact);
    add_numbers("normalised", &MapRow::normalised);
    add_numbers("gap", &MapRow::gap);
    table.add_bools("certified", std::move(certified));
    add_numbers("energy", &MapRow::energy);
    add_numbers("w2", &MapRow::w2);
    add_numbers("seconds", &MapRow::seconds);
    table.add("message", std::move(message));
    return table;
}

void write_map_results(const std::string& path, const MapResults& results) {
    check_columns(results.problems);
    h5::AtomicFile file(path);
    {
        h5::Group root = file.root();
        root.write_attribute("popflow_maps", map_format_version);
        root.write_attribute("tables", std::vector<std::string>{"problems", "training"});
        write_provenance(root, results.provenance);
        h5::write_dataframe(root, "problems", results.problems);
        h5::write_dataframe(root, "training", results.training);
    }
    file.commit();
}

MapResults read_map_results(const std::string& path) {
    const h5::Group root = h5::open_file(path);
    if (!root.has_attribute("popflow_maps"))
        throw core::DataError(path, "",
                              "not a result file of maps between populations. Give a file that popflow "
                              "evaluate wrote for a run of --method meta-icnn");
    if (const std::int64_t version = root.int_attribute("popflow_maps"); version != map_format_version) {
        throw core::DataError(
            path, "popflow_maps",
            fmt::format("found format {}, but this popflow reads format {}. Use the version of popflow that "
                        "wrote the file",
                        version, map_format_version));
    }
    MapResults results;
    results.file = path;
    results.provenance = read_provenance(root);
    results.problems = h5::read_dataframe(root, "problems");
    check_columns(results.problems);
    results.training = h5::read_dataframe(root, "training");
    return results;
}

}  // namespace popflow::eval
