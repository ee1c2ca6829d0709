// SPDX-License-Identifier: MIT
#include "ot/histogram_problem.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "core/error.hpp"
#include "ot/entropic_problem.hpp"

namespace popflow::ot {

namespace {

using linalg::ConstMatrixView;

// Returns the update of one potential from the potentials of the other side.
double updated(const linalg::Matrix<double>& costs, std::span<const double> weights, double epsilon,
               std::span<const double> other) {
    if (epsilon > 0) return optimal_row_potentials(costs.view(), weights, epsilon, other)[0];
    double lowest = std::numeric_limits<double>::infinity();
    for (std::size_t k = 0; k < other.size(); ++k) lowest = std::min(lowest, costs(0, k) - other[k]);
    return lowest;
}

// Copies the potentials of one side to all its atoms, and computes those of the atoms without mass.
// @param cost  cost between an atom of this side and the k-th atom with mass of the other side
std::vector<double> extended(std::size_t atoms, const Histogram& side, std::span<const double> known,
                             const Histogram& other_side, std::span<const double> other, double epsilon,
                             const std::function<double(std::size_t, std::size_t)>& cost) {
    std::vector<double> result(atoms);
    std::vector<bool> is_known(atoms);
    for (std::size_t k = 0; k < side.atoms.size(); ++k) {
        result[side.atoms[k]] = known[k];
        is_known[side.atoms[k]] = true;
    }
    linalg::Matrix<double> costs(1, other.size());
    for (std::size_t i = 0; i < atoms; ++i) {
        if (is_known[i]) continue;
        for (std::size_t k = 0; k < other.size(); ++k) costs(0, k) = cost(i, k);
        result[i] = updated(costs, other_side.weights, epsilon, other);
    }
    return result;
}

void check_atoms(const Histogram& histogram, std::size_t atoms) {
    if (!histogram.atoms.empty() && histogram.atoms.back() >= atoms)
        throw core::ShapeMismatch("ot.histogram_problem", fmt::format("[{}, *]", atoms),
                                  histogram.atoms.back() + 1, 1);
}

}  // namespace

Histogram make_histogram(std::span<const double> weights, const std::string& place) {
    Histogram histogram;
    for (std::size_t i = 0; i < weights.size(); ++i) {
        if (!std::isfinite(weights[i]) || weights[i] < 0)
            throw core::NumericalError(
                place, fmt::format("the weight of atom {} is {}. It must be 0 or more", i, weights[i]));
        histogram.total += weights[i];
    }
    if (!(histogram.total > 0) || !std::isfinite(histogram.total))
        throw core::NumericalError(place, "the histogram has no mass");
    for (std::size_t i = 0; i < weights.size(); ++i) {
        const double weight = weights[i] / histogram.total;
        if (weight == 0) continue;  // a weight that underflows has no mass
        histogram.atoms.push_back(static_cast<std::uint32_t>(i));
        histogram.weights.push_back(weight);
    }
    return histogram;
}

linalg::Matrix<double> atom_positions(const linalg::Matrix<double>& positions, const Histogram& histogram) {
    linalg::Matrix<double> chosen(histogram.atoms.size(), positions.cols());
    for (std::size_t i = 0; i < chosen.rows(); ++i)
        std::ranges::copy(positions.view().row_span(histogram.atoms[i]), chosen.view().row(i));
    return chosen;
}

HistogramProblem histogram_problem(ConstMatrixView<double> c, const Histogram& source,
                                   const Histogram& target) {
    check_atoms(source, c.rows);
    check_atoms(target, c.cols);
    HistogramProblem problem{source, target, {source.atoms.size(), target.atoms.size()}};
    for (std::size_t i = 0; i < source.atoms.size(); ++i) {
        const double* row = c.row(source.atoms[i]);
        for (std::size_t j = 0; j < target.atoms.size(); ++j) problem.c(i, j) = row[target.atoms[j]];
    }
    return problem;
}

Potentials extended_potentials(const HistogramProblem& problem, ConstMatrixView<double> c, double epsilon,
                               const Potentials& potentials) {
    const Histogram& source = problem.source;
    const Histogram& target = problem.target;
    Potentials result;
    result.f = extended(c.rows, source, potentials.f, target, potentials.g, epsilon,
                        [&](std::size_t i, std::size_t k) { return c(i, target.atoms[k]); });
    result.g = extended(c.cols, target, potentials.g, source, potentials.f, epsilon,
                        [&](std::size_t j, std::size_t k) { return c(source.atoms[k], j); });
    return result;
}

}  // namespace popflow::ot
