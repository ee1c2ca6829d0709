// SPDX-License-Identifier: MIT
#include "metrics/population_distance.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "metrics/wasserstein.hpp"
#include "ot/cost.hpp"

namespace popflow::metrics {

using linalg::ConstMatrixView;

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

double distance_of_means(const ot::GaussianMoments& a, const ot::GaussianMoments& b) {
    double sum = 0;
    for (std::size_t j = 0; j < a.mean.size(); ++j) sum += (a.mean[j] - b.mean[j]) * (a.mean[j] - b.mean[j]);
    return std::sqrt(sum);
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

ComparedPopulation compared_population(PopulationDistance distance, ConstMatrixView<float> cells) {
    ComparedPopulation population{.cells = cells, .moments = {}};
    if (distance == PopulationDistance::bures || has_distance_bound(distance))
        population.moments = ot::gaussian_moments(cells);
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

bool has_distance_bound(PopulationDistance distance) {
    return distance == PopulationDistance::w1 || distance == PopulationDistance::w2;
}

double distance_bound(PopulationDistance distance, const ComparedPopulation& a, const ComparedPopulation& b) {
    // Margins for rounding: relative for costs, absolute for differences of moments.
    constexpr double share = 1 - 1e-5;
    const double rounding = 1e-11 * (second_moment(a.moments) + second_moment(b.moments));
    if (distance == PopulationDistance::w1) {
        const NearestCosts means = nearest_costs(ot::CostKind::euclidean, a.cells, b.cells);
        return share * std::max({distance_of_means(a.moments, b.moments) - std::sqrt(rounding),
                                 means.row_mean, means.column_mean});
    }
    if (distance == PopulationDistance::w2) {
        const NearestCosts means = nearest_costs(ot::CostKind::squared_euclidean, a.cells, b.cells);
        return share * std::sqrt(std::max({ot::squared_bures_distance(a.moments, b.moments) - rounding,
                                           means.row_mean, means.column_mean}));
    }
    return 0;
}

}  // namespace popflow::metrics
