// SPDX-License-Identifier: MIT
#include "ot/distances.hpp"

#include <cstring>

#include "linalg/dispatch.hpp"

namespace popflow::ot {

namespace {

// Sixteen floats: one AVX-512 register, or what the machine has in its place.
using Lanes = float __attribute__((vector_size(64)));
constexpr std::size_t lanes = 16;

// Two rows against one column block: eight sums stay in registers over the markers, and each element of yt
// that is read serves both rows.
POPFLOW_SIMD void two_rows(const float* x0, const float* x1, const float* yt, std::size_t yt_stride,
                           std::size_t d, float* out0, float* out1) {
    Lanes sum00{};
    Lanes sum01{};
    Lanes sum02{};
    Lanes sum03{};
    Lanes sum10{};
    Lanes sum11{};
    Lanes sum12{};
    Lanes sum13{};
    for (std::size_t k = 0; k < d; ++k, yt += yt_stride) {
        Lanes y0;
        Lanes y1;
        Lanes y2;
        Lanes y3;
        std::memcpy(&y0, yt, sizeof y0);
        std::memcpy(&y1, yt + lanes, sizeof y1);
        std::memcpy(&y2, yt + 2 * lanes, sizeof y2);
        std::memcpy(&y3, yt + 3 * lanes, sizeof y3);
        const float a = x0[k];
        const float b = x1[k];
        sum00 += (y0 - a) * (y0 - a);
        sum01 += (y1 - a) * (y1 - a);
        sum02 += (y2 - a) * (y2 - a);
        sum03 += (y3 - a) * (y3 - a);
        sum10 += (y0 - b) * (y0 - b);
        sum11 += (y1 - b) * (y1 - b);
        sum12 += (y2 - b) * (y2 - b);
        sum13 += (y3 - b) * (y3 - b);
    }
    std::memcpy(out0, &sum00, sizeof sum00);
    std::memcpy(out0 + lanes, &sum01, sizeof sum01);
    std::memcpy(out0 + 2 * lanes, &sum02, sizeof sum02);
    std::memcpy(out0 + 3 * lanes, &sum03, sizeof sum03);
    std::memcpy(out1, &sum10, sizeof sum10);
    std::memcpy(out1 + lanes, &sum11, sizeof sum11);
    std::memcpy(out1 + 2 * lanes, &sum12, sizeof sum12);
    std::memcpy(out1 + 3 * lanes, &sum13, sizeof sum13);
}

POPFLOW_SIMD void roots_of_block(float* values) {
    for (std::size_t j = 0; j < column_block; ++j) values[j] = __builtin_sqrtf(values[j]);
}

}  // namespace

void distances(const float* x, const float* yt, std::size_t yt_stride, std::size_t d,
               const DistanceBlock& block) {
    // Column blocks outside, rows inside: d x 64 floats of yt stay in the first cache for all rows.
    for (std::size_t j = 0; j < block.columns; j += column_block) {
        for (std::size_t i = 0; i < block.rows; i += 2) {
            const std::size_t second = i + 1 < block.rows ? i + 1 : i;
            float* out0 = block.out + i * block.stride + j;
            float* out1 = block.out + second * block.stride + j;
            two_rows(x + i * d, x + second * d, yt + j, yt_stride, d, out0, out1);
            if (!block.root) continue;
            roots_of_block(out0);
            if (second != i) roots_of_block(out1);
        }
    }
}

}  // namespace popflow::ot
