// SPDX-License-Identifier: MIT
#include "ot/distances.hpp"

#include <cmath>
#include <cstring>

#include "linalg/dispatch.hpp"

namespace popflow::ot {

namespace {

// Sixteen floats: one AVX-512 register, or what the machine has in its place.
using Lanes = float __attribute__((vector_size(64)));

}  // namespace

POPFLOW_SIMD void squared_distances(const float* x, const float* yt, std::size_t stride, std::size_t d,
                                    std::size_t columns, float* out) {
    for (std::size_t j = 0; j < columns; j += column_block) {
        // Four accumulators stay in registers over the markers and hide the latency of the sums.
        Lanes sum0{};
        Lanes sum1{};
        Lanes sum2{};
        Lanes sum3{};
        const float* column = yt + j;
        for (std::size_t k = 0; k < d; ++k, column += stride) {
            Lanes y0;
            Lanes y1;
            Lanes y2;
            Lanes y3;
            std::memcpy(&y0, column, sizeof y0);
            std::memcpy(&y1, column + 16, sizeof y1);
            std::memcpy(&y2, column + 32, sizeof y2);
            std::memcpy(&y3, column + 48, sizeof y3);
            const float xk = x[k];
            y0 = y0 - xk;
            y1 = y1 - xk;
            y2 = y2 - xk;
            y3 = y3 - xk;
            sum0 += y0 * y0;
            sum1 += y1 * y1;
            sum2 += y2 * y2;
            sum3 += y3 * y3;
        }
        std::memcpy(out + j, &sum0, sizeof sum0);
        std::memcpy(out + j + 16, &sum1, sizeof sum1);
        std::memcpy(out + j + 32, &sum2, sizeof sum2);
        std::memcpy(out + j + 48, &sum3, sizeof sum3);
    }
}

POPFLOW_SIMD void square_roots(float* values, std::size_t count) {
    for (std::size_t j = 0; j < count; ++j) values[j] = __builtin_sqrtf(values[j]);
}

void distances(const float* x, const float* yt, std::size_t stride, std::size_t d, std::size_t columns,
               float* out) {
    squared_distances(x, yt, stride, d, columns, out);
    square_roots(out, columns);
}

}  // namespace popflow::ot
