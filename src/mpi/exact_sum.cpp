// SPDX-License-Identifier: MIT
#include "mpi/exact_sum.hpp"

#include <algorithm>
#include <atomic>
#include <bit>

#include "core/simd.hpp"

namespace popflow::mpi {

namespace {

constexpr double quantum = 0x1.0p-36;  // resolution, in units
constexpr float limit = 0x1.0p14F;     // bound of one summand, in units
constexpr std::size_t block_size = 1U << 14U;

// 1.5 * 2^52. A double of this magnitude has no fractional bits. Adding it therefore rounds to an integer,
// which is then in the low bits.
constexpr double rounding_shift = 6755399441055744.0;

// Rounds x, with |x| < 2^51, to an integer. Inlined into vectorised loops.
// Unsigned arithmetic, because a gradient beyond the limit is rejected only later: until then it may wrap,
// while signed overflow would be undefined.
inline std::uint64_t to_integer(double x) {
    return std::bit_cast<std::uint64_t>(x + rounding_shift) - std::bit_cast<std::uint64_t>(rounding_shift);
}

// Overwrites the totals with a gradient. Returns false if an element is not finite or beyond the limit.
POPFLOW_SIMD bool set_block(const float* gradient, float per_unit, std::int64_t* total, std::size_t n) {
    int outside = 0;
#pragma omp simd reduction(| : outside)
    for (std::size_t i = 0; i < n; ++i) {
        const float g = gradient[i] * per_unit;
        outside |= static_cast<int>(!(g < limit && g > -limit));  // true for NaN
        total[i] = static_cast<std::int64_t>(to_integer(static_cast<double>(g) / quantum));
    }
    return outside == 0;
}

// Adds a gradient to the totals. Returns false if an element is not finite or beyond the limit.
POPFLOW_SIMD bool add_block(const float* gradient, float per_unit, std::int64_t* total, std::size_t n) {
    int outside = 0;
#pragma omp simd reduction(| : outside)
    for (std::size_t i = 0; i < n; ++i) {
        const float g = gradient[i] * per_unit;
        outside |= static_cast<int>(!(g < limit && g > -limit));  // true for NaN
        total[i] = static_cast<std::int64_t>(static_cast<std::uint64_t>(total[i]) +
                                             to_integer(static_cast<double>(g) / quantum));
    }
    return outside == 0;
}

}  // namespace

void ExactSum::clear(std::size_t size) {
    total_ = std::span(storage_).first(size);
    empty_ = true;
}

bool ExactSum::add_range(std::span<const float> gradient, float weight, std::size_t first,
                         std::size_t count) {
    const float per_unit = weight / unit_;
    const std::size_t blocks = (count + block_size - 1) / block_size;
    std::atomic<bool> within_limit{true};
#pragma omp parallel for schedule(static)
    for (std::size_t block = 0; block < blocks; ++block) {
        const std::size_t at = first + block * block_size;
        const std::size_t n = std::min(block_size, first + count - at);
        const float* g = gradient.data() + at;
        std::int64_t* total = total_.data() + at;
        const bool block_within_limit =
            empty_ ? set_block(g, per_unit, total, n) : add_block(g, per_unit, total, n);
        if (!block_within_limit) within_limit = false;
    }
    return within_limit;
}

bool ExactSum::add(std::span<const float> gradient, float weight) {
    const bool within_limit = add_range(gradient, weight, 0, total_.size());
    empty_ = false;
    return within_limit;
}

void ExactSum::start_reduce(const Communicator& communicator, std::span<const std::size_t> bounds) {
    if (!reduction_) reduction_.emplace(communicator);
    reduction_->start(total_, bounds);
    pending_ = total_.size();
}

bool ExactSum::add_final_range(std::span<const float> gradient, std::size_t first, float weight) {
    if (first >= pending_) return true;
    const bool within_limit = add_range(gradient, weight, first, pending_ - first);
    pending_ = first;
    reduction_->mark_final_from(first);
    return within_limit;
}

void ExactSum::reduce(const Communicator& communicator, std::span<const std::size_t> bounds, double scale,
                      std::span<float> out) {
    if (!reduction_ || !reduction_->started()) {
        start_reduce(communicator, bounds);
        if (!empty_) pending_ = 0;
    }
    if (empty_) std::fill_n(total_.begin(), pending_, 0);
    empty_ = false;
    reduction_->finish(scale * quantum * static_cast<double>(unit_), out);
}

}  // namespace popflow::mpi
