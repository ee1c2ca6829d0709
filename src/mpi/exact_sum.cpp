// SPDX-License-Identifier: MIT
#include "mpi/exact_sum.hpp"

#include <algorithm>
#include <atomic>
#include <bit>

#include "core/simd.hpp"

namespace popflow::mpi {

namespace {

constexpr double quantum = 0x1.0p-36;  // of a unit
constexpr float limit = 0x1.0p14F;     // units
constexpr std::size_t block_size = 1U << 14U;

// 1.5 * 2^52: a double of this size has no fraction, so adding it rounds to an integer that stands in the low
// bits.
constexpr double shift = 6755399441055744.0;

// Inlined into loops that are vectorised; below 2^51 in absolute value.
// Unsigned, so that a gradient beyond the limit wraps instead of being undefined before it is refused.
inline std::uint64_t to_integer(double x) {
    return std::bit_cast<std::uint64_t>(x + shift) - std::bit_cast<std::uint64_t>(shift);
}

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
    std::atomic<bool> inside{true};
#pragma omp parallel for schedule(static)
    for (std::size_t block = 0; block < blocks; ++block) {
        const std::size_t at = first + block * block_size;
        const std::size_t n = std::min(block_size, first + count - at);
        const float* g = gradient.data() + at;
        std::int64_t* total = total_.data() + at;
        const bool good = empty_ ? set_block(g, per_unit, total, n) : add_block(g, per_unit, total, n);
        if (!good) inside = false;
    }
    return inside;
}

bool ExactSum::add(std::span<const float> gradient, float weight) {
    const bool inside = add_range(gradient, weight, 0, total_.size());
    empty_ = false;
    return inside;
}

void ExactSum::start_reduce(const Communicator& communicator, std::span<const std::size_t> bounds) {
    if (!exchange_) exchange_.emplace(communicator);
    exchange_->start(total_, bounds);
    not_added_ = total_.size();
}

bool ExactSum::add_last(std::span<const float> gradient, std::size_t first, float weight) {
    if (first >= not_added_) return true;
    const bool inside = add_range(gradient, weight, first, not_added_ - first);
    not_added_ = first;
    exchange_->final_from(first);
    return inside;
}

void ExactSum::reduce(const Communicator& communicator, std::span<const std::size_t> bounds, double scale,
                      std::span<float> out) {
    if (!exchange_ || !exchange_->started()) {
        start_reduce(communicator, bounds);
        if (!empty_) not_added_ = 0;
    }
    if (empty_) std::fill_n(total_.begin(), not_added_, 0);
    empty_ = false;
    exchange_->finish(scale * quantum * static_cast<double>(unit_), out);
}

}  // namespace popflow::mpi
