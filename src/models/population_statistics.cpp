// SPDX-License-Identifier: MIT
#include "models/population_statistics.hpp"

#include <algorithm>
#include <cmath>

namespace popflow::models {

using linalg::ConstMatrixView;

void column_moments(ConstMatrixView<float> x, std::span<double> mean, std::span<double> deviation) {
    std::ranges::fill(mean, 0.0);
    std::ranges::fill(deviation, 0.0);
    const double share = 1 / static_cast<double>(x.rows);
    for (std::size_t i = 0; i < x.rows; ++i) {
        for (std::size_t j = 0; j < x.cols; ++j) mean[j] += static_cast<double>(x(i, j));
    }
    for (double& m : mean) m *= share;
    for (std::size_t i = 0; i < x.rows; ++i) {
        for (std::size_t j = 0; j < x.cols; ++j) {
            const double difference = static_cast<double>(x(i, j)) - mean[j];
            deviation[j] += difference * difference;
        }
    }
    for (double& d : deviation) d = std::sqrt(share * d);
}

std::vector<double> type_shares(std::span<const std::uint8_t> types, std::size_t count) {
    std::vector<double> shares(count, 0.0);
    for (const std::uint8_t type : types) {
        if (type < count) shares[type] += 1 / static_cast<double>(types.size());
    }
    return shares;
}

PopulationStatistics population_statistics(ConstMatrixView<float> x, std::span<const std::uint8_t> types,
                                           std::size_t cell_types) {
    PopulationStatistics statistics{std::vector<double>(x.cols), std::vector<double>(x.cols),
                                    type_shares(types, cell_types)};
    column_moments(x, statistics.mean, statistics.deviation);
    return statistics;
}

}  // namespace popflow::models
