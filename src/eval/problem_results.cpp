// SPDX-License-Identifier: MIT
#include "eval/problem_results.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <span>

#include "core/error.hpp"
#include "core/version.hpp"
#include "h5/file.hpp"

namespace popflow::eval {

namespace {

constexpr std::int64_t format_version = 1;
constexpr const char* damaged = "The file is damaged: run popflow ot again";

enum class Type { integer, number, boolean, text };

// Column that a table must have.
struct RequiredColumn {
    const char* name;
    Type type;
};

constexpr RequiredColumn problem_columns[] = {{"problem", Type::text},
                                              {"source", Type::text},
                                              {"target", Type::text},
                                              {"n", Type::integer},
                                              {"m", Type::integer},
                                              {"solver", Type::text},
                                              {"start", Type::text},
                                              {"acceleration", Type::text},
                                              {"tolerance", Type::number},
                                              {"epsilon", Type::number},
                                              {"converged", Type::boolean},
                                              {"iterations", Type::integer},
                                              {"rejected", Type::integer},
                                              {"seconds", Type::number},
                                              {"start_seconds", Type::number},
                                              {"marginal_error", Type::number},
                                              {"value", Type::number},
                                              {"value_entropic", Type::number},
                                              {"gap", Type::number},
                                              {"domain", Type::text},
                                              {"fallback", Type::boolean},
                                              {"check_seconds", Type::number},
                                              {"status", Type::text},
                                              {"message", Type::text},
                                              {"rank", Type::integer}};

constexpr RequiredColumn convergence_columns[] = {
    {"problem", Type::text},      {"solver", Type::text},       {"start", Type::text},
    {"acceleration", Type::text}, {"iteration", Type::integer}, {"marginal_error", Type::number},
    {"seconds", Type::number}};

Type type_of(const h5::DataFrame::Column& column) {
    if (std::holds_alternative<h5::DataFrame::Ints>(column.values)) return Type::integer;
    if (std::holds_alternative<h5::DataFrame::Doubles>(column.values)) return Type::number;
    if (std::holds_alternative<h5::DataFrame::Bools>(column.values)) return Type::boolean;
    return Type::text;
}

const char* type_name(Type type) {
    constexpr const char* names[] = {"integers", "floating-point numbers", "bools", "strings"};
    return names[static_cast<std::size_t>(type)];
}

// Problem of one field of a table. `text` is empty if there is none.
struct Fault {
    std::string field;
    std::string text;
};

// Returns the first required column that is missing or has another type.
Fault find_fault(const h5::DataFrame& table, std::span<const RequiredColumn> required) {
    for (const RequiredColumn& wanted : required) {
        const auto at = std::ranges::find(table.columns(), wanted.name, &h5::DataFrame::Column::name);
        if (at == table.columns().end()) return {wanted.name, "is missing"};
        if (type_of(*at) != wanted.type)
            return {wanted.name,
                    fmt::format("found {}, allowed {}", type_name(type_of(*at)), type_name(wanted.type))};
    }
    return {};
}

// Returns the first row in which a name is longer than the path of a file can be.
Fault find_long_name(const h5::DataFrame& table, std::initializer_list<const char*> columns) {
    constexpr std::size_t max_bytes = 4096;
    for (const char* name : columns) {
        const h5::DataFrame::Strings& values = table.strings(name);
        const auto at =
            std::ranges::find_if(values, [](const std::string& v) { return v.size() > max_bytes; });
        if (at == values.end()) continue;
        return {name, fmt::format("found {} bytes in row {}, allowed {}", at->size(), at - values.begin(),
                                  max_bytes)};
    }
    return {};
}

// Returns the first row of /problems whose values cannot be.
Fault find_value_fault(const h5::DataFrame& problems) {
    for (std::size_t row = 0; row < problems.rows(); ++row) {
        const std::string& status = problems.strings("status")[row];
        if (status != "ok" && status != "failed")
            return {"status", fmt::format("found '{}' in row {}, allowed ok or failed", status, row)};
        for (const char* name : {"n", "m", "iterations", "rejected", "rank"}) {
            if (const std::int64_t value = problems.ints(name)[row]; value < 0)
                return {name, fmt::format("found {} in row {}, allowed 0 or more", value, row)};
        }
        for (const char* name : {"seconds", "start_seconds", "check_seconds", "epsilon"}) {
            if (const double value = problems.doubles(name)[row]; value < 0)
                return {name, fmt::format("found {} in row {}, allowed 0 or more", value, row)};
        }
    }
    return find_long_name(problems, {"solver", "start", "acceleration", "domain"});
}

// Returns the first row of /convergence whose values cannot be.
Fault find_course_fault(const h5::DataFrame& convergence) {
    const h5::DataFrame::Ints& iterations = convergence.ints("iteration");
    for (std::size_t row = 0; row < iterations.size(); ++row) {
        if (iterations[row] < 0)
            return {"iteration", fmt::format("found {} in row {}, allowed 0 or more", iterations[row], row)};
    }
    return find_long_name(convergence, {"solver", "start", "acceleration"});
}

// Returns what is wrong with the values of a distance matrix.
Fault find_fault(const DistanceMatrix& distances) {
    const linalg::Matrix<double>& x = distances.values;
    for (std::size_t i = 0; i < x.rows(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            if (x(i, j) == x(j, i) || (std::isnan(x(i, j)) && std::isnan(x(j, i)))) continue;
            return {"values", fmt::format("found {} in row {}, column {}, but {} in row {}, column {}",
                                          x(i, j), i, j, x(j, i), j, i)};
        }
    }
    return {};
}

void require(const Fault& fault, const std::string& table) {
    if (!fault.text.empty()) throw core::Error(table + "/" + fault.field + ": " + fault.text);
}

void require(const Fault& fault, const std::string& table, const std::string& file) {
    if (!fault.text.empty())
        throw core::DataError(file, table + "/" + fault.field, fault.text + ". " + damaged);
}

h5::DataFrame empty_table(std::span<const RequiredColumn> columns) {
    h5::DataFrame table;
    for (const RequiredColumn& column : columns) {
        if (column.type == Type::integer) table.add(column.name, h5::DataFrame::Ints{});
        if (column.type == Type::number) table.add(column.name, h5::DataFrame::Doubles{});
        if (column.type == Type::boolean) table.add_bools(column.name, {});
        if (column.type == Type::text) table.add_categorical(column.name, {});
    }
    return table;
}

void write_table(h5::Group& root, const std::string& name, const h5::DataFrame& table) {
    h5::write_dataframe(root, name, table, table.rows() > 0 ? h5::Storage{.deflate = 4} : h5::Storage{});
}

void write_origin(h5::Group& root, const ProblemOrigin& origin) {
    h5::write_encoding(root, "dict", "0.1.0");
    root.write_attribute("popflow_problems", format_version);
    root.write_attribute("version", core::version());
    root.write_attribute("commit", core::commit());
    root.write_attribute("compiler", core::compiler());
    root.write_attribute("config", origin.config);
    root.write_attribute("data_fingerprint", origin.data_fingerprint);
    root.write_attribute("cost", origin.cost);
    root.write_attribute("unit", origin.unit);
    root.write_attribute("seed", origin.seed);
    root.write_attribute("ranks", origin.ranks);
    root.write_attribute("threads", origin.threads);
}

ProblemOrigin read_origin(const h5::Group& root) {
    ProblemOrigin origin;
    origin.config = root.string_attribute("config");
    origin.data_fingerprint = root.string_attribute("data_fingerprint");
    origin.cost = root.string_attribute("cost");
    origin.unit = root.string_attribute("unit");
    origin.seed = static_cast<std::uint64_t>(root.int_attribute("seed"));
    origin.ranks = static_cast<int>(root.int_attribute("ranks"));
    origin.threads = static_cast<int>(root.int_attribute("threads"));
    origin.version = root.string_attribute("version");
    origin.commit = root.string_attribute("commit");
    return origin;
}

void write_distances(h5::Group& root, const DistanceMatrix& distances) {
    h5::Group group = root.create_group("distances");
    h5::write_encoding(group, "dict", "0.1.0");
    group.write_attribute("what", distances.what);
    h5::Dataset names = group.write_strings("names", distances.names);
    h5::write_encoding(names, "string-array", "0.2.0");
    const linalg::Matrix<double>& x = distances.values;
    h5::Dataset values = group.write("values", x.values(), {x.rows(), x.cols()});
    h5::write_encoding(values, "array", "0.2.0");
}

DistanceMatrix read_distances(const h5::Group& root) {
    const h5::Group group = root.open_group("distances");
    DistanceMatrix distances;
    distances.what = group.string_attribute("what");
    distances.names = group.open_dataset("names").read_strings();
    const h5::Dataset values = group.open_dataset("values");
    const std::size_t n = distances.names.size();
    if (values.rank() != 2 || values.rows() != n || values.row_size() != n) {
        throw core::DataError(group.file(), "distances/values",
                              fmt::format("found {} x {} values for {} names. {}", values.rows(),
                                          values.row_size(), n, damaged));
    }
    distances.values = linalg::Matrix<double>(n, n);
    if (n > 0) values.read_rows(0, n, distances.values.values());
    require(find_fault(distances), "distances", group.file());
    return distances;
}

}  // namespace

void write_problem_results(const std::string& path, const ProblemResults& results,
                           const std::function<void(h5::Group& root)>& write_more) {
    const h5::DataFrame convergence =
        results.convergence.columns().empty() ? empty_table(convergence_columns) : results.convergence;
    require(find_fault(results.problems, problem_columns), "problems");
    require(find_value_fault(results.problems), "problems");
    require(find_fault(convergence, convergence_columns), "convergence");
    require(find_course_fault(convergence), "convergence");
    std::vector<std::string> tables{"problems", "convergence"};
    if (results.distances) {
        const std::size_t n = results.distances->names.size();
        const linalg::Matrix<double>& x = results.distances->values;
        core::check_shape("distances", x.rows(), x.cols(), n, n);
        require(find_fault(*results.distances), "distances");
        tables.emplace_back("distances");
    }
    h5::AtomicFile file(path);
    {
        h5::Group root = file.root();
        write_origin(root, results.origin);
        root.write_attribute("tables", tables);
        write_table(root, "problems", results.problems);
        write_table(root, "convergence", convergence);
        if (results.distances) write_distances(root, *results.distances);
        if (write_more) write_more(root);
    }
    file.commit();
}

ProblemResults read_problem_results(const std::string& path) {
    const h5::Group root = h5::open_file(path);
    if (!root.has_attribute("popflow_problems"))
        throw core::DataError(path, "",
                              "not a result file of transport problems. Give a file that popflow ot wrote");
    if (const std::int64_t version = root.int_attribute("popflow_problems"); version != format_version) {
        throw core::DataError(
            path, "popflow_problems",
            fmt::format("found format {}, but this popflow reads format {}. Use the version of popflow that "
                        "wrote the file",
                        version, format_version));
    }
    ProblemResults results;
    results.file = path;
    results.origin = read_origin(root);
    results.problems = h5::read_dataframe(root, "problems");
    require(find_fault(results.problems, problem_columns), "problems", path);
    require(find_value_fault(results.problems), "problems", path);
    results.convergence = h5::read_dataframe(root, "convergence");
    require(find_fault(results.convergence, convergence_columns), "convergence", path);
    require(find_course_fault(results.convergence), "convergence", path);
    const std::vector<std::string> tables = root.strings_attribute("tables");
    if (std::ranges::find(tables, "distances") != tables.end()) results.distances = read_distances(root);
    return results;
}

}  // namespace popflow::eval
