// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "eval/problem_results.hpp"
#include "report/comparison.hpp"

namespace popflow::report {

/// Way of solving problems: solver, start and acceleration.
struct SolverKey {
    std::string solver;
    std::string start;
    std::string acceleration;

    bool operator==(const SolverKey&) const = default;
    auto operator<=>(const SolverKey&) const = default;
    /// Label in tables: `sinkhorn, zeros, anderson`. Omits an acceleration and a start that are not used.
    std::string label() const;
};

/// Results of one way of solving at one tolerance.
struct ToleranceScores {
    double tolerance;           ///< NaN for the exact solver
    std::size_t problems = 0;   ///< number of problems
    std::size_t failed = 0;     ///< problems that failed, which are left out of the statistics
    std::size_t converged = 0;  ///< problems that converged
    std::size_t fallbacks = 0;  ///< problems that were started from zeros in place of the start
    std::string message{};      ///< reason of the first failure
    std::map<std::string, SeedStatistics> by_column{};  ///< statistics over the problems that did not fail

    /// Number of problems that neither failed nor converged.
    std::size_t unconverged() const { return problems - failed - converged; }
    /// Returns the statistics of a column of solver_columns().
    const SeedStatistics& column(const std::string& name) const { return by_column.at(name); }
};

/// Results of one way of solving.
struct SolverScores {
    SolverKey key;
    std::vector<ToleranceScores> tolerances{};  ///< highest first, the exact solver's last

    /// Returns the scores at a tolerance, or for NaN those of the exact solver. nullptr if there are none.
    const ToleranceScores* find(double tolerance) const;
};

/// Columns of `/problems` that have statistics.
const std::vector<std::string>& solver_columns();

/// Returns the statistics of a result file, in the order in which the ways of solving occur in it.
std::vector<SolverScores> solver_scores(const eval::ProblemResults& results);

/// Returns all tolerances of these scores, the highest first. NaN, for the exact solver, is the last.
std::vector<double> tolerances_of(const std::vector<SolverScores>& scores);

/// Formats a tolerance: `1e-3`, `2.5e-4`, `0.5`, and `exact` for NaN.
std::string tolerance_text(double tolerance);

}  // namespace popflow::report
