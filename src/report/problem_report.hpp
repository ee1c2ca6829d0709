// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "eval/problem_results.hpp"
#include "report/problem_statistics.hpp"
#include "report/report.hpp"
#include "report/table.hpp"

namespace popflow::report {

/// Returns the times and iterations of a result file in the published layout: a row per solver, start and
/// acceleration, and for each tolerance the mean time, its standard deviation over problems and the mean
/// number of iterations.
///
/// The lowest time of a column is marked. A mean that includes problems that did not converge is a lower
/// bound and has the sign of one.
Table solver_table(const eval::ProblemResults& results, const std::vector<SolverScores>& scores);

/// Returns the summary of a result file: a row per solver, start and acceleration, at its lowest tolerance.
Table problem_summary(const eval::ProblemResults& results, const std::vector<SolverScores>& scores);

/// Returns a report of result files of transport problems, one after the other.
///
/// - Text, Markdown and LaTeX: solver_table(), problem_summary() and notes.
/// - CSV is tidy: one line per row, tolerance and column of `/problems`, in full precision.
/// - HTML is a complete page with convergence_figures() and distance_figures().
std::string problem_report(const std::vector<eval::ProblemResults>& results, ReportFormat format);

}  // namespace popflow::report
