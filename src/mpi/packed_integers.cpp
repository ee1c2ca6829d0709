// SPDX-License-Identifier: MIT
#include "mpi/packed_integers.hpp"

#include <algorithm>
#include <atomic>

#include "core/simd.hpp"

namespace popflow::mpi {

namespace {

constexpr std::size_t block_size = 1U << 14U;

// Calls f(first, n) for the blocks of [0, count), in parallel.
template <class F>
void for_blocks(std::size_t count, const F& f) {
    const std::size_t blocks = (count + block_size - 1) / block_size;
#pragma omp parallel for schedule(static) if (blocks > 1)
    for (std::size_t block = 0; block < blocks; ++block) {
        const std::size_t first = block * block_size;
        f(first, std::min(block_size, count - first));
    }
}

// Number of words that hold `bytes` bytes.
constexpr std::size_t words_for_bytes(std::size_t bytes) {
    return (bytes + sizeof(std::uint64_t) - 1) / sizeof(std::uint64_t);
}

// Adds modulo 2^64. Unsigned arithmetic, because a sum that is rejected later may wrap.
inline std::int64_t wrapping_sum(std::int64_t a, std::int64_t b) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

// Inverse of split(): builds an integer from its low 32 and high 8 bits.
inline std::int64_t combine(std::uint32_t low, std::int8_t high) {
    return (std::int64_t{high} << 32U) | std::int64_t{low};
}

// Splits integers into their low 32 and next 8 bits. Returns false if one does not fit into 40 signed bits.
POPFLOW_SIMD bool split(const std::int64_t* values, std::uint32_t* low, std::int8_t* high, std::size_t n) {
    constexpr std::uint64_t half = std::uint64_t{1} << 39U;
    std::uint64_t lost = 0;
#pragma omp simd reduction(| : lost)
    for (std::size_t i = 0; i < n; ++i) {
        low[i] = static_cast<std::uint32_t>(values[i]);
        high[i] = static_cast<std::int8_t>(values[i] >> 32U);
        lost |= (static_cast<std::uint64_t>(values[i]) + half) >> 40U;
    }
    return lost == 0;
}

POPFLOW_SIMD void add_narrow(const std::uint32_t* low, const std::int8_t* high, std::int64_t* total,
                             std::size_t n) {
#pragma omp simd
    for (std::size_t i = 0; i < n; ++i) total[i] = wrapping_sum(total[i], combine(low[i], high[i]));
}

POPFLOW_SIMD void add_wide(const std::int64_t* values, std::int64_t* total, std::size_t n) {
#pragma omp simd
    for (std::size_t i = 0; i < n; ++i) total[i] = wrapping_sum(total[i], values[i]);
}

POPFLOW_SIMD void read_block(const std::int64_t* total, double scale, float* out, std::size_t n) {
#pragma omp simd
    for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<float>(static_cast<double>(total[i]) * scale);
}

POPFLOW_SIMD void read_narrow(const std::uint32_t* low, const std::int8_t* high, const std::int64_t* total,
                              double scale, float* out, std::size_t n) {
#pragma omp simd
    for (std::size_t i = 0; i < n; ++i) {
        out[i] =
            static_cast<float>(static_cast<double>(wrapping_sum(total[i], combine(low[i], high[i]))) * scale);
    }
}

POPFLOW_SIMD void read_wide(const std::int64_t* values, const std::int64_t* total, double scale, float* out,
                            std::size_t n) {
#pragma omp simd
    for (std::size_t i = 0; i < n; ++i) {
        out[i] = static_cast<float>(static_cast<double>(wrapping_sum(total[i], values[i])) * scale);
    }
}

}  // namespace

std::size_t pack(std::span<const std::int64_t> values, std::uint64_t* packed) {
    const std::size_t n = values.size();
    packed[0] = std::uint64_t{n} << 1U | 1U;
    const PackedPiece narrow(packed);
    auto* low = reinterpret_cast<std::uint32_t*>(packed + 1);
    auto* high = reinterpret_cast<std::int8_t*>(packed + 1 + words_for_bytes(n * sizeof(std::uint32_t)));
    std::atomic<bool> fits{true};
    for_blocks(n, [&](std::size_t first, std::size_t count) {
        if (!split(values.data() + first, low + first, high + first, count)) fits = false;
    });
    if (fits) return narrow.words();
    packed[0] = std::uint64_t{n} << 1U;
    std::ranges::transform(values, packed + 1, [](std::int64_t v) { return static_cast<std::uint64_t>(v); });
    return 1 + n;
}

std::size_t PackedPiece::words() const {
    const std::size_t n = count();
    return 1 + (narrow() ? words_for_bytes(n * sizeof(std::uint32_t)) + words_for_bytes(n) : n);
}

const std::uint32_t* PackedPiece::low() const {
    return reinterpret_cast<const std::uint32_t*>(packed_ + 1);
}

const std::int8_t* PackedPiece::high() const {
    return reinterpret_cast<const std::int8_t*>(packed_ + 1 +
                                                words_for_bytes(count() * sizeof(std::uint32_t)));
}

void PackedPiece::add_to(std::int64_t* total) const {
    const auto* wide = reinterpret_cast<const std::int64_t*>(packed_ + 1);
    for_blocks(count(), [&](std::size_t first, std::size_t n) {
        if (narrow()) {
            add_narrow(low() + first, high() + first, total + first, n);
        } else {
            add_wide(wide + first, total + first, n);
        }
    });
}

void PackedPiece::add_and_scale(const std::int64_t* total, double scale, float* out) const {
    const auto* wide = reinterpret_cast<const std::int64_t*>(packed_ + 1);
    for_blocks(count(), [&](std::size_t first, std::size_t n) {
        if (narrow()) {
            read_narrow(low() + first, high() + first, total + first, scale, out + first, n);
        } else {
            read_wide(wide + first, total + first, scale, out + first, n);
        }
    });
}

void scale_integers(std::span<const std::int64_t> total, double scale, float* out) {
    for_blocks(total.size(), [&](std::size_t first, std::size_t n) {
        read_block(total.data() + first, scale, out + first, n);
    });
}

}  // namespace popflow::mpi
