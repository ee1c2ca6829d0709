// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "eval/problem_solver.hpp"
#include "h5/group.hpp"

namespace popflow::eval {

/// Potentials and plan of one solve, with the labels that identify it.
struct SolveOutput {
    std::string problem;
    std::string solver;
    std::string start;
    std::string acceleration;
    ot::Potentials potentials{};
    PlanEntries plan{};
};

/// Writes potentials as the group `potentials`: a table `solves` with a row per solve, flat arrays `f` and
/// `g`, and `f_offset` and `g_offset` with the first value of each solve, then the number of values.
///
/// P_ij = a_i b_j exp((f_i + g_j - c_ij) / epsilon) and sum_i a_i f_i = 0. For exact transport f_i + g_j <=
/// c_ij.
void write_potentials(h5::Group& root, const std::vector<SolveOutput>& outputs);

/// Writes plans as the group `plans`: `solves` as above, arrays `source`, `target` and `mass` of their
/// entries, and `offset` with the first entry of each solve, then the number of entries.
void write_plans(h5::Group& root, const std::vector<SolveOutput>& outputs);

/// Returns a start from the potentials of a result file, found by the name of the problem. If a problem has
/// several solves, takes the first with entropy, or else the first.
/// @param name  name of the start in the results
/// @throws core::DataError if the file has no potentials, or none of one of the problems, or of another size,
/// or one that is not finite
ProblemStart stored_start(const std::string& path, const std::string& name,
                          const problems::ProblemSet& problems);

}  // namespace popflow::eval
