// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "linalg/matrix.hpp"
#include "ot/entropic_problem.hpp"
#include "ot/shared_kernel.hpp"
#include "ot/sinkhorn.hpp"

namespace popflow::ot {

/// Acceleration of Sinkhorn's iteration.
enum class Acceleration {
    none,
    overrelax,  ///< the updates of both potentials are multiplied by EntropicOptions::relaxation
    anderson,   ///< AndersonAcceleration of the column potentials
};

/// Protection of a solve against a bad start.
enum class Fallback {
    none,
    check,  ///< start from zeros if the error of the start is larger. This takes two sweeps
    /// Iterate from the start and from zeros in turn. Each tolerance counts from where it is reached first,
    /// and sweeps of the other start do not count as iterations. Takes twice the time of the faster start
    race,
};

/// Options of solve_entropic().
struct EntropicOptions {
    double epsilon = 0.01;  ///< weight of the entropy, in units of the cost
    /// Errors of the marginals (1-norm, the total mass is 1) in descending order. The solver records when it
    /// reaches each, and stops at the last.
    std::vector<double> tolerances{1e-3};
    std::size_t max_iterations = 100000;
    Acceleration acceleration = Acceleration::anderson;
    double relaxation = 1.5;     ///< in (1, 2), for Acceleration::overrelax
    std::size_t memory = 5;      ///< number of residuals, for Acceleration::anderson
    bool values = true;          ///< whether to compute EntropicResult::values and those of `reached`
    bool record_errors = false;  ///< whether to fill EntropicResult::errors
    Fallback fallback = Fallback::none;
};

/// State of the solver when it reached a tolerance, or when it stopped above it.
struct ToleranceReached {
    bool is_converged = false;
    std::size_t iterations = 0;
    double marginal_error = 0;
    double seconds = 0;        ///< elapsed since the start of the solver
    bool fell_back = false;    ///< whether the tolerance was reached from zeros in place of the start
    double check_seconds = 0;  ///< part of `seconds` that EntropicOptions::fallback took
    EntropicValues
        values{};  ///< those of the potentials at that time, filled if EntropicOptions::values is set
};

/// Error of the marginals at an iteration.
struct IterationError {
    double marginal_error = 0;
    double seconds = 0;  ///< elapsed since the start of the solver
};

/// Result of solve_entropic(). After a race, `potentials`, `rejected` and `absorptions` are those of the
/// start that reached the last tolerance.
struct EntropicResult {
    Potentials potentials;                  ///< in units of the cost, with sum_i a_i f_i = 0
    std::vector<ToleranceReached> reached;  ///< one for each tolerance
    std::vector<IterationError> errors;     ///< one for each iteration, in a race the smaller one
    std::size_t iterations = 0;             ///< number of sweeps, including those of rejected steps
    std::size_t rejected = 0;               ///< number of accelerated steps that were undone
    std::size_t absorptions = 0;            ///< number of sweeps in the log domain
    EntropicValues values{};                ///< filled if EntropicOptions::values is set
};

/// Solves discrete transport with entropy, min <P, C> + eps KL(P | a b) over the plans with marginals a and
/// b, by Sinkhorn's iteration in double.
///
/// An iteration updates f from g, measures the error of the columns, then updates g. P_ij = a_i b_j exp((f_i
/// + g_j - c_ij) / eps). An accelerated step that multiplies the error by more than 3 is undone. It counts as
/// an iteration. Runs on the calling thread and is deterministic.
///
/// Shapes:  c [n, m], a [n] and b [m]: weights > 0 with sum 1. `start` may be null. If it has g, f is
/// ignored.
///          If it has f alone, g follows by one update that does not count as an iteration.
/// Units:   epsilon, potentials and values in units of the cost.
/// @param part  exponentials of these costs in a kernel that many problems share. Saves time if set
/// Source:  Peyre and Cuturi, "Computational optimal transport", 2019, section 4. The plan with exact
/// marginals:
///          Altschuler, Weed and Rigollet, "Near-linear time approximation algorithms for optimal transport
///          via Sinkhorn iteration", NeurIPS 2017. Over-relaxation: Thibault, Chizat, Dossal and Papadakis,
///          "Overrelaxed Sinkhorn-Knopp algorithm for regularized optimal transport", Algorithms 14, 2021.
///
/// @throws core::ShapeMismatch if a weight vector or a potential has the wrong length
/// @throws core::NumericalError if a weight is not positive, or a cost or potential is not finite
EntropicResult solve_entropic(linalg::ConstMatrixView<double> c, std::span<const double> a,
                              std::span<const double> b, const EntropicOptions& options,
                              const Potentials* start = nullptr, const KernelPart& part = {});

}  // namespace popflow::ot
