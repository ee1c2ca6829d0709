// SPDX-License-Identifier: MIT
#include "ot/histogram_problem.hpp"

#include <cmath>
#include <functional>
#include <string>

#include "core/error.hpp"
#include "ot/entropic_problem.hpp"

namespace popflow::ot {

namespace {

using linalg::ConstMatrixView;

// Finds the atoms with mass and their normalised weights.
void add_atoms(std::span<const double> weights, const char* side, std::vector<std::uint32_t>& atoms,
               std::vector<double>& normalised) {
    double total = 0;
    for (std::size_t i = 0; i < weights.size(); ++i) {
        if (!std::isfinite(weights[i]) || weights[i] < 0) {
            throw core::NumericalError(side, "the weight of atom " + std::to_string(i) + " is " +
                                                 std::to_string(weights[i]) + ". It must be 0 or more");
        }
        total += weights[i];
    }
    if (!(total > 0) || !std::isfinite(total)) throw core::NumericalError(side, "the histogram has no mass");
    for (std::size_t i = 0; i < weights.size(); ++i) {
        const double weight = weights[i] / total;
        if (weight == 0) continue;  // a weight that underflows has no mass
        atoms.push_back(static_cast<std::uint32_t>(i));
        normalised.push_back(weight);
    }
}

// Copies potentials to all atoms, and computes those of the others from their costs to the atoms of the other
// side.
std::vector<double> extended(std::size_t atoms, std::span<const std::uint32_t> with_mass,
                             std::span<const double> known, std::span<const double> other_weights,
                             std::span<const double> other, double epsilon,
                             const std::function<double(std::size_t, std::size_t)>& cost) {
    std::vector<double> result(atoms);
    std::vector<bool> is_known(atoms);
    for (std::size_t k = 0; k < with_mass.size(); ++k) {
        result[with_mass[k]] = known[k];
        is_known[with_mass[k]] = true;
    }
    linalg::Matrix<double> costs(1, other.size());
    for (std::size_t i = 0; i < atoms; ++i) {
        if (is_known[i]) continue;
        for (std::size_t k = 0; k < other.size(); ++k) costs(0, k) = cost(i, k);
        result[i] = optimal_row_potentials(costs.view(), other_weights, epsilon, other)[0];
    }
    return result;
}

}  // namespace

HistogramProblem histogram_problem(ConstMatrixView<double> c, std::span<const double> a,
                                   std::span<const double> b) {
    core::check_shape("ot.histogram_problem.a", a.size(), 1, c.rows, 1);
    core::check_shape("ot.histogram_problem.b", b.size(), 1, c.cols, 1);
    HistogramProblem problem;
    add_atoms(a, "source", problem.rows, problem.a);
    add_atoms(b, "target", problem.cols, problem.b);
    problem.c.reshape(problem.rows.size(), problem.cols.size());
    for (std::size_t i = 0; i < problem.rows.size(); ++i) {
        const double* row = c.row(problem.rows[i]);
        for (std::size_t j = 0; j < problem.cols.size(); ++j) problem.c(i, j) = row[problem.cols[j]];
    }
    return problem;
}

Potentials extended_potentials(const HistogramProblem& problem, ConstMatrixView<double> c, double epsilon,
                               const Potentials& potentials) {
    Potentials result;
    result.f = extended(c.rows, problem.rows, potentials.f, problem.b, potentials.g, epsilon,
                        [&](std::size_t i, std::size_t k) { return c(i, problem.cols[k]); });
    result.g = extended(c.cols, problem.cols, potentials.g, problem.a, potentials.f, epsilon,
                        [&](std::size_t j, std::size_t k) { return c(problem.rows[k], j); });
    return result;
}

}  // namespace popflow::ot
