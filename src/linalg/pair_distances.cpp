// SPDX-License-Identifier: MIT
#include "linalg/pair_distances.hpp"

#include <algorithm>
#include <vector>

namespace popflow::linalg {

using Eigen::Index;
using Eigen::MatrixXd;

MatrixXd squared_distances(ConstMatrixView<double> x) {
    MatrixXd distances = MatrixXd::Zero(static_cast<Index>(x.rows), static_cast<Index>(x.rows));
#pragma omp parallel for schedule(dynamic)
    for (std::size_t i = 0; i < x.rows; ++i) {
        for (std::size_t k = 0; k < i; ++k) {
            double sum = 0;
            for (std::size_t j = 0; j < x.cols; ++j) {
                const double difference = x(i, j) - x(k, j);
                sum += difference * difference;
            }
            distances(static_cast<Index>(i), static_cast<Index>(k)) = sum;
            distances(static_cast<Index>(k), static_cast<Index>(i)) = sum;
        }
    }
    return distances;
}

double median_distance(const MatrixXd& distances) {
    std::vector<double> positive;
    for (Index i = 0; i < distances.rows(); ++i) {
        for (Index k = 0; k < i; ++k) {
            if (distances(i, k) > 0) positive.push_back(distances(i, k));
        }
    }
    if (positive.empty()) return 0;
    const auto middle = positive.begin() + std::ssize(positive) / 2;
    std::nth_element(positive.begin(), middle, positive.end());
    if (positive.size() % 2 == 1) return *middle;
    return (*std::max_element(positive.begin(), middle) + *middle) / 2;
}

}  // namespace popflow::linalg
