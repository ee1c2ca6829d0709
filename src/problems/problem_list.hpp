// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace popflow::problems {

/// Transport problem from one measure to another.
struct Problem {
    std::uint32_t source = 0;  ///< index among the measures of the source
    std::uint32_t target = 0;  ///< index among those of the target
};

/// Problems of a set of measures.
struct ProblemList {
    std::vector<Problem> problems;
    std::vector<std::string> names;  ///< names from a file, empty if the problems have none of their own
};

/// Lists transport problems.
///
/// `choice` is one of:
/// - `all`: each pair of different measures once, or with two files each source with each target.
/// - `consecutive`: each measure with the next one, or with two files the measures of equal position.
/// - `random:N`: N different ordered pairs of different measures, or with two files of a source and a target.
/// - the path of a table with columns `source` and `target`, which hold names, or row numbers from 0 if they
///   are no names. A column `problem` names the problems.
///
/// @param targets  names of the target measures, null if they are the sources
/// @param seed  seed of the random choice
/// @throws core::ConfigError for another choice, too few measures, or files of unequal length
/// @throws core::DataError for a table without these columns, or with an unknown name
ProblemList list_problems(const std::string& choice, const std::vector<std::string>& sources,
                          const std::vector<std::string>* targets, std::uint64_t seed);

}  // namespace popflow::problems
