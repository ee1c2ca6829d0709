// SPDX-License-Identifier: MIT
#include "metrics/population_distance.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>

#include "core/error.hpp"
#include "metrics/wasserstein.hpp"
#include "ot/cost.hpp"

namespace popflow::metrics {

using linalg::ConstMatrixView;
using linalg::Matrix;

namespace {

double mean_cost(ConstMatrixView<float> x, ConstMatrixView<float> y) {
    const ot::Cost cost(ot::CostKind::euclidean, x, y);
    double sum = 0;
    for (std::size_t i = 0; i < cost.rows(); ++i) {
        const float* row = cost.row(i);
        double row_sum = 0;
        for (std::size_t j = 0; j < cost.cols(); ++j) row_sum += static_cast<double>(row[j]);
        sum += row_sum;
    }
    return cost.offset() +
           cost.unit() * sum / (static_cast<double>(cost.rows()) * static_cast<double>(cost.cols()));
}

// Means of the cost to the nearest cell of the other population.
struct NearestCosts {
    double row_mean = 0;
    double column_mean = 0;
};

NearestCosts nearest_costs(ot::CostKind kind, ConstMatrixView<float> x, ConstMatrixView<float> y) {
    const ot::Cost cost(kind, x, y);
    std::vector<float> column_min(cost.cols(), std::numeric_limits<float>::infinity());
    std::vector<std::size_t> nearest_row(cost.cols(), 0);
    NearestCosts means;
    for (std::size_t i = 0; i < cost.rows(); ++i) {
        const float* row = cost.row(i);
        const auto nearest = static_cast<std::size_t>(std::min_element(row, row + cost.cols()) - row);
        means.row_mean += cost.exact(i, nearest);
        for (std::size_t j = 0; j < cost.cols(); ++j) {
            if (row[j] < column_min[j]) {
                column_min[j] = row[j];
                nearest_row[j] = i;
            }
        }
    }
    for (std::size_t j = 0; j < cost.cols(); ++j) means.column_mean += cost.exact(nearest_row[j], j);
    const auto scaled = [&](double sum, std::size_t n) {
        return cost.offset() + cost.unit() * sum / static_cast<double>(n);
    };
    return {scaled(means.row_mean, cost.rows()), scaled(means.column_mean, cost.cols())};
}

bool has_bounds(PopulationDistance distance) {
    return distance == PopulationDistance::w1 || distance == PopulationDistance::w2;
}

// Bounds are lowered by this factor for the rounding errors of the exact distance.
constexpr double bound_share = 1 - 1e-5;

// Number of bases of marginals. In few dimensions more directions cost little, and single out differences
// that lie along no marker. In many dimensions a few more bases change little.
std::size_t number_of_bases(std::size_t d) {
    return d == 1 || d > 3 ? 1 : 4;
}

// Returns the coordinates of the cells along the axes of all bases. Basis k is the identity, rotated by k pi
// / 8 in each plane of two axes in turn.
Matrix<float> sorted_marginals(ConstMatrixView<float> cells) {
    const std::size_t d = cells.cols;
    const std::size_t bases = number_of_bases(d);
    Matrix<float> marginals(bases * d, cells.rows);
    std::vector<double> x(d);
    for (std::size_t k = 0; k < bases; ++k) {
        const double angle = static_cast<double>(k) * std::numbers::pi / 8;
        const double cosine = std::cos(angle);
        const double sine = std::sin(angle);
        for (std::size_t i = 0; i < cells.rows; ++i) {
            std::copy_n(cells.row(i), d, x.begin());
            for (std::size_t p = 0; k > 0 && p < d; ++p) {
                for (std::size_t q = p + 1; q < d; ++q) {
                    const double along = x[p];
                    x[p] = cosine * along + sine * x[q];
                    x[q] = cosine * x[q] - sine * along;
                }
            }
            for (std::size_t j = 0; j < d; ++j) marginals(k * d + j, i) = static_cast<float>(x[j]);
        }
    }
    for (std::size_t r = 0; r < marginals.rows(); ++r) std::ranges::sort(marginals.view().row_span(r));
    return marginals;
}

// NaN if a value is.
double largest_norm(ConstMatrixView<float> cells) {
    double largest = 0;
    for (std::size_t i = 0; i < cells.rows; ++i) {
        double sum = 0;
        for (std::size_t j = 0; j < cells.cols; ++j)
            sum += static_cast<double>(cells(i, j)) * static_cast<double>(cells(i, j));
        if (!(sum <= largest)) largest = sum;
        if (std::isnan(largest)) break;
    }
    return std::sqrt(largest);
}

// Mean |x - y| or (x - y)^2 of the monotone plan between two sorted samples.
double monotone_cost(PopulationDistance distance, std::span<const float> x, std::span<const float> y) {
    const bool is_squared = distance == PopulationDistance::w2;
    const auto cost = [&](std::size_t i, std::size_t j) {
        const double difference = static_cast<double>(x[i]) - static_cast<double>(y[j]);
        return is_squared ? difference * difference : std::fabs(difference);
    };
    double sum = 0;
    if (x.size() == y.size()) {
        for (std::size_t i = 0; i < x.size(); ++i) sum += cost(i, i);
        return sum / static_cast<double>(x.size());
    }
    // Each x has the mass m and each y the mass n, in units of 1 / (n m).
    std::size_t x_left = y.size();
    std::size_t y_left = x.size();
    for (std::size_t i = 0, j = 0; i < x.size();) {
        const std::size_t mass = std::min(x_left, y_left);
        sum += static_cast<double>(mass) * cost(i, j);
        x_left -= mass;
        y_left -= mass;
        if (x_left == 0) {
            ++i;
            x_left = y.size();
        }
        if (y_left == 0) {
            ++j;
            y_left = x.size();
        }
    }
    return sum / (static_cast<double>(x.size()) * static_cast<double>(y.size()));
}

// Sum of the squared means and the variances, the scale of the rounding errors of moments.
double second_moment(const ot::GaussianMoments& moments) {
    double sum = 0;
    for (std::size_t j = 0; j < moments.mean.size(); ++j)
        sum += moments.mean[j] * moments.mean[j] + moments.covariance(j, j);
    return sum;
}

}  // namespace

const std::vector<std::string>& population_distance_names() {
    static const std::vector<std::string> names{"w1", "w2", "chamfer", "energy", "bures"};
    return names;
}

ComparedPopulation compared_population(PopulationDistance distance, ConstMatrixView<float> cells,
                                       WithBounds bounds) {
    if (cells.rows == 0)
        throw core::ShapeMismatch("compared_population.cells", "[at least 1, d]", 0, cells.cols);
    ComparedPopulation population{.cells = cells};
    const bool is_bounded = bounds == WithBounds::yes && has_bounds(distance);
    if (distance == PopulationDistance::bures || (is_bounded && distance == PopulationDistance::w2))
        population.moments = ot::gaussian_moments(cells);
    if (is_bounded) {
        population.radius = largest_norm(cells);
        if (!std::isfinite(population.radius))
            throw core::NumericalError("compared_population", "a cell has a value that is not finite");
        population.marginals = sorted_marginals(cells);
    }
    if (distance == PopulationDistance::energy) population.own_distance = mean_cost(cells, cells);
    return population;
}

double population_distance(PopulationDistance distance, const ComparedPopulation& a,
                           const ComparedPopulation& b) {
    switch (distance) {
        case PopulationDistance::w1:
            return wasserstein1(a.cells, b.cells);
        case PopulationDistance::w2:
            return wasserstein2(a.cells, b.cells);
        case PopulationDistance::chamfer: {
            const NearestCosts means = nearest_costs(ot::CostKind::squared_euclidean, a.cells, b.cells);
            return means.row_mean + means.column_mean;
        }
        case PopulationDistance::energy:
            return 2 * mean_cost(a.cells, b.cells) - a.own_distance - b.own_distance;
        case PopulationDistance::bures:
            break;
    }
    return std::sqrt(ot::squared_bures_distance(a.moments, b.moments));
}

std::span<const DistanceBound> distance_bounds(PopulationDistance distance) {
    static constexpr std::array<DistanceBound, 2> bounds{&marginal_bound, &nearest_cell_bound};
    return has_bounds(distance) ? std::span<const DistanceBound>(bounds) : std::span<const DistanceBound>();
}

double marginal_bound(PopulationDistance distance, const ComparedPopulation& a, const ComparedPopulation& b) {
    const std::size_t d = a.cells.cols;
    double largest = 0;
    for (std::size_t first = 0; first < a.marginals.rows(); first += d) {
        double sum = 0;
        for (std::size_t r = first; r < first + d; ++r) {
            const double cost =
                monotone_cost(distance, a.marginals.view().row_span(r), b.marginals.view().row_span(r));
            sum += distance == PopulationDistance::w2 ? cost : cost * cost;
        }
        largest = std::max(largest, sum);
    }
    const double rounding = std::sqrt(static_cast<double>(d)) *
                            static_cast<double>(std::numeric_limits<float>::epsilon()) *
                            (a.radius + b.radius);
    return std::max(0.0, bound_share * (std::sqrt(largest) - rounding));
}

double nearest_cell_bound(PopulationDistance distance, const ComparedPopulation& a,
                          const ComparedPopulation& b) {
    if (distance == PopulationDistance::w1) {
        const NearestCosts means = nearest_costs(ot::CostKind::euclidean, a.cells, b.cells);
        return bound_share * std::max(means.row_mean, means.column_mean);
    }
    const double rounding = 1e-11 * (second_moment(a.moments) + second_moment(b.moments));
    const NearestCosts means = nearest_costs(ot::CostKind::squared_euclidean, a.cells, b.cells);
    return bound_share * std::sqrt(std::max({ot::squared_bures_distance(a.moments, b.moments) - rounding,
                                             means.row_mean, means.column_mean}));
}

}  // namespace popflow::metrics
