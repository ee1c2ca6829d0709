// SPDX-License-Identifier: MIT
#include "problems/problem_list.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <set>
#include <unordered_map>

#include "core/csv.hpp"
#include "core/error.hpp"
#include "core/parse.hpp"
#include "core/random.hpp"
#include "core/text.hpp"

namespace popflow::problems {

namespace {

using Names = std::vector<std::string>;

constexpr std::uint64_t list_stream = 3;  // key `a` of Purpose::problems
constexpr const char* random_prefix = "random:";

std::uint32_t index_of(std::size_t value) {
    return static_cast<std::uint32_t>(value);
}

std::vector<Problem> all_problems(std::size_t sources, std::size_t targets, bool is_one_set) {
    std::vector<Problem> problems;
    for (std::size_t i = 0; i < sources; ++i) {
        for (std::size_t j = is_one_set ? i + 1 : 0; j < targets; ++j)
            problems.push_back({index_of(i), index_of(j)});
    }
    return problems;
}

std::vector<Problem> consecutive_problems(std::size_t sources, std::size_t targets, bool is_one_set) {
    if (!is_one_set && sources != targets)
        throw core::ConfigError(
            "problems",
            fmt::format(
                "is consecutive, but the files have {} and {} measures. Give files of equal length, or "
                "another choice of problems",
                sources, targets));
    std::vector<Problem> problems;
    for (std::size_t i = 0; i + (is_one_set ? 1 : 0) < sources; ++i)
        problems.push_back({index_of(i), index_of(is_one_set ? i + 1 : i)});
    return problems;
}

std::vector<Problem> random_problems(std::size_t count, std::size_t sources, std::size_t targets,
                                     bool is_one_set, std::uint64_t seed) {
    const std::size_t possible = is_one_set ? sources * (sources - 1) : sources * targets;
    if (count > possible)
        throw core::ConfigError("problems",
                                fmt::format("is random:{}, but there are only {} different problems. "
                                            "Give a smaller number",
                                            count, possible));
    core::Stream stream(seed, core::Purpose::problems, list_stream);
    std::set<std::pair<std::uint32_t, std::uint32_t>> drawn;
    std::vector<Problem> problems;
    while (problems.size() < count) {
        const Problem problem{index_of(stream.below(sources)), index_of(stream.below(targets))};
        if (is_one_set && problem.source == problem.target) continue;
        if (drawn.emplace(problem.source, problem.target).second) problems.push_back(problem);
    }
    return problems;
}

// Finds measures by name, or by row number.
class Lookup {
  public:
    explicit Lookup(const Names& names) : names_(names) {
        for (std::size_t i = 0; i < names.size(); ++i) index_.emplace(names[i], index_of(i));
    }
    std::uint32_t find(const std::string& path, const std::string& place, const std::string& column,
                       const std::string& name) const {
        if (const auto at = index_.find(name); at != index_.end()) return at->second;
        const auto number = core::label_number(name);
        if (number && *number >= 0 && *number < static_cast<double>(names_.size()) &&
            core::number_label(*number).find_first_not_of("0123456789") == std::string::npos)
            return index_of(static_cast<std::size_t>(*number));
        throw core::DataError(path, place + ", column " + column,
                              "'" + name + "' is no name of a row and no row number below " +
                                  std::to_string(names_.size()) + core::did_you_mean(name, names_) +
                                  ". Correct it");
    }

  private:
    const Names& names_;
    std::unordered_map<std::string, std::uint32_t> index_;
};

ProblemList read_problems(const std::string& path, const Names& sources, const Names& targets) {
    const core::CsvFile file(path);
    const auto column = [&](const std::string& name) {
        return static_cast<std::size_t>(std::ranges::find(file.columns(), name) - file.columns().begin());
    };
    const std::size_t source = column("source");
    const std::size_t target = column("target");
    const std::size_t name = column("problem");
    const std::size_t columns = file.columns().size();
    for (const char* needed : {"source", "target"}) {
        if (column(needed) == columns)
            throw core::DataError(
                path, "header",
                std::string("has no column '") + needed + "'. Give the columns source and target");
    }
    const Lookup source_index(sources);
    const Lookup target_index(targets);
    ProblemList list;
    core::CsvFile::Rows rows(file);
    Names fields;
    std::set<std::string> used;
    std::size_t number = 0;
    for (std::string row; rows.next(row);) {
        const std::string place = fmt::format("row {}", ++number);
        file.split(row, place, fields);
        list.problems.push_back({source_index.find(path, place, "source", fields[source]),
                                 target_index.find(path, place, "target", fields[target])});
        if (name == columns) continue;
        if (!used.insert(fields[name]).second)
            throw core::DataError(
                path, place + ", column problem",
                "'" + fields[name] + "' is the name of an earlier row. Give each problem its own name");
        list.names.push_back(fields[name]);
    }
    if (list.problems.empty()) throw core::DataError(path, "", "has no rows. Give a row for each problem");
    return list;
}

// Names problems whose measures occur together more than once.
void name_repeated(ProblemList& list, const Names& sources, const Names& targets) {
    std::set<std::pair<std::uint32_t, std::uint32_t>> seen;
    const bool repeats = std::ranges::any_of(
        list.problems, [&](const Problem& p) { return !seen.emplace(p.source, p.target).second; });
    if (!repeats || !list.names.empty()) return;
    for (std::size_t k = 0; k < list.problems.size(); ++k)
        list.names.push_back(fmt::format("{}: {} -> {}", k, sources[list.problems[k].source],
                                         targets[list.problems[k].target]));
}

}  // namespace

ProblemList list_problems(const std::string& choice, const Names& sources, const Names* targets,
                          std::uint64_t seed) {
    const bool is_one_set = targets == nullptr;
    const std::size_t m = is_one_set ? sources.size() : targets->size();
    if (std::max(sources.size(), m) > std::numeric_limits<std::uint32_t>::max())
        throw core::ConfigError("problems", "there are more than 2^32 rows. Choose some with --rows");
    if (is_one_set && sources.size() < 2)
        throw core::ConfigError("problems", "there is only '" + sources.front() +
                                                "'. A problem needs two measures: change --rows, or give "
                                                "--target-data");
    if (choice == "all") return {all_problems(sources.size(), m, is_one_set), {}};
    if (choice == "consecutive") return {consecutive_problems(sources.size(), m, is_one_set), {}};
    if (choice.starts_with(random_prefix)) {
        const std::size_t count =
            core::parse_count("problems", choice.substr(std::string(random_prefix).size()), 1,
                              std::numeric_limits<std::int64_t>::max());
        return {random_problems(count, sources.size(), m, is_one_set, seed), {}};
    }
    std::error_code ignored;
    if (!std::filesystem::exists(choice, ignored))
        throw core::ConfigError("problems",
                                "'" + choice + "' is no file" +
                                    core::did_you_mean(choice, {"all", "consecutive", "random:N"}) +
                                    ". Give all, consecutive, random:N or a table of problems");
    ProblemList list = read_problems(choice, sources, is_one_set ? sources : *targets);
    name_repeated(list, sources, is_one_set ? sources : *targets);
    return list;
}

}  // namespace popflow::problems
