// SPDX-License-Identifier: MIT
#include "ot/distances.hpp"

#include <algorithm>

#include "core/simd.hpp"

namespace popflow::ot {

namespace {

// Number of markers whose values in a column block stay in the L1 cache for all rows, 24 KiB.
constexpr std::size_t marker_block = 96;

struct TwoRows {
    const float* x0;
    const float* x1;
    const float* yt;  // start of a column block
    std::size_t yt_stride;
    std::size_t d;
    float* out0;
    float* out1;
    bool continues;  // add to out
};

// Computes squared distances between two rows and one column block. Processes four registers of columns at a
// time. Eight accumulators stay in registers over all markers, and each load of yt serves both rows.
template <std::size_t Bytes>
[[gnu::always_inline]] inline void two_rows_by(const TwoRows& r) {
    using Wide = core::Floats<Bytes>;
    using Vector = typename Wide::Vector;
    for (std::size_t j = 0; j < column_block; j += 4 * Wide::lanes) {
        Vector sum00{};
        Vector sum01{};
        Vector sum02{};
        Vector sum03{};
        Vector sum10{};
        Vector sum11{};
        Vector sum12{};
        Vector sum13{};
        if (r.continues) {
            sum00 = *Wide::at(r.out0 + j);
            sum01 = *Wide::at(r.out0 + j + Wide::lanes);
            sum02 = *Wide::at(r.out0 + j + 2 * Wide::lanes);
            sum03 = *Wide::at(r.out0 + j + 3 * Wide::lanes);
            sum10 = *Wide::at(r.out1 + j);
            sum11 = *Wide::at(r.out1 + j + Wide::lanes);
            sum12 = *Wide::at(r.out1 + j + 2 * Wide::lanes);
            sum13 = *Wide::at(r.out1 + j + 3 * Wide::lanes);
        }
        const float* yt = r.yt + j;
        for (std::size_t k = 0; k < r.d; ++k, yt += r.yt_stride) {
            const Vector y0 = *Wide::at(yt);
            const Vector y1 = *Wide::at(yt + Wide::lanes);
            const Vector y2 = *Wide::at(yt + 2 * Wide::lanes);
            const Vector y3 = *Wide::at(yt + 3 * Wide::lanes);
            const float a = r.x0[k];
            const float b = r.x1[k];
            sum00 += (y0 - a) * (y0 - a);
            sum01 += (y1 - a) * (y1 - a);
            sum02 += (y2 - a) * (y2 - a);
            sum03 += (y3 - a) * (y3 - a);
            sum10 += (y0 - b) * (y0 - b);
            sum11 += (y1 - b) * (y1 - b);
            sum12 += (y2 - b) * (y2 - b);
            sum13 += (y3 - b) * (y3 - b);
        }
        *Wide::at(r.out0 + j) = sum00;
        *Wide::at(r.out0 + j + Wide::lanes) = sum01;
        *Wide::at(r.out0 + j + 2 * Wide::lanes) = sum02;
        *Wide::at(r.out0 + j + 3 * Wide::lanes) = sum03;
        *Wide::at(r.out1 + j) = sum10;
        *Wide::at(r.out1 + j + Wide::lanes) = sum11;
        *Wide::at(r.out1 + j + 2 * Wide::lanes) = sum12;
        *Wide::at(r.out1 + j + 3 * Wide::lanes) = sum13;
    }
}

#if POPFLOW_SIMD_VERSIONS
[[gnu::target("arch=x86-64-v4")]] void two_rows(const TwoRows& r) {
    two_rows_by<64>(r);
}
[[gnu::target("arch=x86-64-v3")]] void two_rows(const TwoRows& r) {
    two_rows_by<32>(r);
}
[[gnu::target("default")]]
#endif
void two_rows(const TwoRows& r) {
    two_rows_by<16>(r);
}

POPFLOW_SIMD void roots_of_block(float* values) {
    for (std::size_t j = 0; j < column_block; ++j) values[j] = __builtin_sqrtf(values[j]);
}

}  // namespace

void distances(const float* x, const float* yt, std::size_t yt_stride, std::size_t d,
               const DistanceBlock& block) {
    // The outer loops run over column blocks and marker blocks, so that their floats of yt stay in the L1
    // cache for all rows. Each sum runs over the markers in order, so the blocks do not change its bits.
    for (std::size_t j = 0; j < block.columns; j += column_block) {
        for (std::size_t k = 0; k == 0 || k < d; k += marker_block) {
            const float* panel = yt + k * yt_stride + j;
            const std::size_t markers = std::min(marker_block, d - k);
            for (std::size_t i = 0; i < block.rows; i += 2) {
                const std::size_t second = i + 1 < block.rows ? i + 1 : i;
                two_rows({x + i * d + k, x + second * d + k, panel, yt_stride, markers,
                          block.out + i * block.stride + j, block.out + second * block.stride + j, k > 0});
            }
        }
        if (!block.take_root) continue;
        for (std::size_t i = 0; i < block.rows; ++i) roots_of_block(block.out + i * block.stride + j);
    }
}

}  // namespace popflow::ot
