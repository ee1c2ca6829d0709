// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "ot/entropic.hpp"
#include "ot/exact.hpp"
#include "ot/shared_kernel.hpp"
#include "problems/problem_set.hpp"

namespace popflow::eval {

/// Solver of a transport problem.
enum class ProblemSolver {
    exact,     ///< without entropy, see ot::solve_exact()
    sinkhorn,  ///< ot::solve_entropic()
    newton     ///< ot::solve_semidual_newton()
};

/// Names of the solvers, in the order of ProblemSolver.
const std::vector<std::string>& problem_solver_names();
/// Names of the accelerations, in the order of ot::Acceleration.
const std::vector<std::string>& acceleration_names();

/// Weight of the entropy: an absolute number, or relative to the mean or the largest cost of the problem.
/// With shared atoms these are the costs between all atoms, so that all problems have the same weight.
struct ProblemEpsilon {
    enum class Unit { absolute, mean_cost, max_cost };
    double value = 0.05;
    Unit unit = Unit::mean_cost;

    /// Reads `X`, `mean:X` or `max:X`. @throws core::ConfigError
    static ProblemEpsilon parse(const std::string& key, const std::string& text);
    std::string text() const;
    /// Returns the weight in units of the cost.
    /// @throws core::NumericalError if it is relative and all costs are 0
    double absolute(const ot::CostSummary& costs) const;
    bool operator==(const ProblemEpsilon&) const = default;
};

/// A start of the solvers.
struct ProblemStart {
    std::string name;  ///< as in the results
    /// Makes the start of a problem. Empty for zeros.
    /// Potentials are those of the atoms with mass, in units of the cost. f or g may be empty.
    std::function<ot::Potentials(const problems::ProblemSet& problems, std::size_t problem)> make{};
    /// Makes the starts of several problems at once, in place of `make`.
    std::function<std::vector<ot::Potentials>(const problems::ProblemSet& problems,
                                              std::span<const std::size_t> chosen)>
        make_all{};

    /// Digest of the file or run that the start comes from, empty for zeros and gaussian.
    std::string fingerprint{};

    bool is_zeros() const { return !make && !make_all; }
};

/// A start that was made together with those of other problems.
struct MadeStart {
    ot::Potentials potentials;
    double seconds = 0;  ///< share of the time that all of them took
};

/// Returns the Gaussian potentials of the source atoms with mass, see ot::gaussian_potential().
std::vector<double> gaussian_potentials(const problems::ProblemSet& problems, std::size_t problem);

/// Returns the starts `zeros` and `gaussian`.
ProblemStart zero_start();
ProblemStart gaussian_start();

/// How problems are solved.
struct SolveOptions {
    std::vector<ProblemSolver> solvers{ProblemSolver::sinkhorn};
    std::vector<ot::Acceleration> accelerations{
        ot::Acceleration::anderson};  ///< used by ProblemSolver::sinkhorn
    std::vector<ProblemStart> starts{zero_start()};
    std::vector<double> tolerances{1e-3};  ///< descending
    ProblemEpsilon epsilon{};
    std::size_t max_iterations = 100000;
    ot::Fallback fallback = ot::Fallback::check;  ///< ProblemSolver::newton takes Fallback::race for check
    bool errors = false;                          ///< whether to keep the error of each iteration
    bool potentials = false;                      ///< whether to keep the potentials
    bool plans = false;                           ///< whether to keep the plans
};

/// Row of the table of problems: one tolerance of one solver, start and acceleration.
struct SolveRow {
    ProblemSolver solver = ProblemSolver::sinkhorn;
    std::size_t start = 0;  ///< index into SolveOptions::starts
    ot::Acceleration acceleration = ot::Acceleration::none;
    double tolerance = std::numeric_limits<double>::quiet_NaN();
    double epsilon = 0;  ///< absolute
    bool converged = false;
    std::size_t iterations = 0;
    std::size_t rejected = 0;
    double seconds = 0;  ///< duration of the solve up to the tolerance, with start_seconds and check_seconds
    double start_seconds = 0;  ///< duration of making the start
    double check_seconds = 0;  ///< duration of SolveOptions::fallback
    bool fell_back = false;
    double marginal_error = std::numeric_limits<double>::quiet_NaN();  ///< 1-norm, both sides
    double value = std::numeric_limits<double>::quiet_NaN();           ///< <P, C>
    double value_entropic = std::numeric_limits<double>::quiet_NaN();  ///< dual objective, with the entropy
    double gap = std::numeric_limits<double>::quiet_NaN();             ///< primal minus dual objective
    bool is_log_domain = false;  ///< whether most sweeps were in the log domain
    std::string message{};       ///< why the solve failed, empty if it did not
};

/// Entry of a plan: mass from a source atom to a target atom.
using PlanEntries = std::vector<ot::PlanEntry>;

/// A solve of one problem: its rows, and what was asked for.
struct Solve {
    std::vector<SolveRow> rows;
    std::vector<ot::IterationError> errors;
    ot::Potentials potentials;  ///< one for each shared atom or each cell, with sum_i a_i f_i = 0
    PlanEntries plan;           ///< atoms numbered as in the file, or cells as they were drawn
};

/// Smallest share of the mass of a source atom that an entry of an entropic plan has. Smaller ones are left
/// out.
inline constexpr double smallest_plan_share = 1e-6;

/// Solves one problem with each solver, start and acceleration. Runs on the calling thread, except for exact
/// problems of populations outside a parallel region.
///
/// A numerical failure of a solver sets the message of its rows.
///
/// @param made  one for each start, used if the start has `make_all`
/// @param kernel  kernel of the costs between shared atoms, or null
std::vector<Solve> solve_problem(const problems::ProblemSet& problems, std::size_t problem,
                                 const SolveOptions& options, std::span<const MadeStart> made,
                                 const ot::SharedKernel* kernel);

}  // namespace popflow::eval
