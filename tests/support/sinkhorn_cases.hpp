// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "linalg/matrix.hpp"
#include "support/golden.hpp"

namespace popflow::support {

/// Case of tests/golden/sinkhorn/sinkhorn.bin. Epsilon and rho are relative to the mean squared distance.
struct SinkhornCase {
    linalg::Matrix<float> x;
    linalg::Matrix<float> y;
    double epsilon = 0;
    double rho_rows = 0;
    double rho_cols = 0;
    std::vector<double> a;
    std::vector<double> b;
    double transport_cost = 0;
    double mass = 0;
    double value = 0;
    double divergence = 0;  ///< NaN unless the weights are uniform
    double debiased = 0;    ///< difference of transport costs. NaN unless the problem is uniform and balanced
};

/// Reads all cases.
inline std::vector<SinkhornCase> sinkhorn_cases() {
    GoldenFile file("sinkhorn/sinkhorn.bin");
    std::vector<SinkhornCase> cases;
    while (!file.at_end()) {
        SinkhornCase next;
        const auto shape = file.read<std::int32_t>(3);
        const auto relative = file.read<double>(3);
        next.epsilon = relative[0];
        next.rho_rows = relative[1];
        next.rho_cols = relative[2];
        next.x.reshape(static_cast<std::size_t>(shape[0]), static_cast<std::size_t>(shape[2]));
        next.y.reshape(static_cast<std::size_t>(shape[1]), static_cast<std::size_t>(shape[2]));
        std::ranges::copy(file.read<float>(next.x.size()), next.x.values().begin());
        std::ranges::copy(file.read<float>(next.y.size()), next.y.values().begin());
        next.a = file.read<double>(next.x.rows());
        next.b = file.read<double>(next.y.rows());
        const auto expected = file.read<double>(5);
        next.transport_cost = expected[0];
        next.mass = expected[1];
        next.value = expected[2];
        next.divergence = expected[3];
        next.debiased = expected[4];
        cases.push_back(std::move(next));
    }
    return cases;
}

}  // namespace popflow::support
