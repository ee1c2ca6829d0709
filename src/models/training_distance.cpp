// SPDX-License-Identifier: MIT
#include "models/training_distance.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/error.hpp"

namespace popflow::models {

namespace {

double squared_distance(std::span<const float> a, std::span<const float> b) {
    double sum = 0;
    for (std::size_t j = 0; j < a.size(); ++j) {
        const double difference = static_cast<double>(a[j]) - static_cast<double>(b[j]);
        sum += difference * difference;
    }
    return sum;
}

}  // namespace

double nearest_distance(linalg::ConstMatrixView<float> features, std::span<const float> query) {
    core::check_shape("training_distance.query", 1, query.size(), 1, features.cols);
    double nearest = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < features.rows; ++i)
        nearest = std::min(nearest, squared_distance(features.row_span(i), query));
    return std::sqrt(nearest);
}

double typical_distance(linalg::ConstMatrixView<float> features, std::span<const std::size_t> units) {
    core::check_shape("training_distance.units", units.size(), 1, features.rows, 1);
    std::vector<double> distances;
    for (std::size_t i = 0; i < features.rows; ++i) {
        double nearest = std::numeric_limits<double>::infinity();
        for (std::size_t k = 0; k < features.rows; ++k) {
            if (units[k] != units[i])
                nearest = std::min(nearest, squared_distance(features.row_span(i), features.row_span(k)));
        }
        distances.push_back(std::sqrt(nearest));
    }
    if (distances.empty() || !std::isfinite(distances.front())) return 0;
    const auto middle = distances.begin() + std::ssize(distances) / 2;
    std::ranges::nth_element(distances, middle);
    if (distances.size() % 2 == 1) return *middle;
    return (*middle + *std::max_element(distances.begin(), middle)) / 2;
}

}  // namespace popflow::models
