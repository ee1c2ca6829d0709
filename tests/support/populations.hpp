// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <initializer_list>

#include "core/random.hpp"
#include "linalg/matrix.hpp"

namespace popflow::support {

/// Returns n cells with d independent normal markers. Shape [n, d].
inline linalg::Matrix<float> normal_population(std::size_t n, std::size_t d, std::uint64_t seed,
                                               float mean = 0, float deviation = 1) {
    core::Stream stream(seed, core::Purpose::test);
    linalg::Matrix<float> x(n, d);
    stream.fill_normal(x.values());
    for (float& v : x.values()) v = mean + deviation * v;
    return x;
}

/// Returns the matrix with the given rows, which have equal lengths.
inline linalg::Matrix<float> rows(std::initializer_list<std::initializer_list<float>> values) {
    linalg::Matrix<float> x(values.size(), values.begin()->size());
    std::size_t l = 0;
    for (const auto& row : values) {
        for (float v : row) x.values()[l++] = v;
    }
    return x;
}

}  // namespace popflow::support
