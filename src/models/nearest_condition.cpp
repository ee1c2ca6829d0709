// SPDX-License-Identifier: MIT
#include "models/nearest_condition.hpp"

#include <limits>

namespace popflow::models {

std::size_t nearest_condition(linalg::ConstMatrixView<float> conditions, std::span<const float> condition) {
    std::size_t nearest = 0;
    double smallest = std::numeric_limits<double>::infinity();
    for (std::size_t row = 0; row < conditions.rows; ++row) {
        double distance = 0;
        for (std::size_t j = 0; j < conditions.cols; ++j) {
            const double difference = static_cast<double>(conditions(row, j) - condition[j]);
            distance += difference * difference;
        }
        if (distance < smallest) {
            smallest = distance;
            nearest = row;
        }
    }
    return nearest;
}

}  // namespace popflow::models
