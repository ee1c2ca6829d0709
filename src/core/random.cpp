// SPDX-License-Identifier: MIT
#include "core/random.hpp"

#include <cmath>
#include <numbers>
#include <numeric>

namespace popflow::core {

namespace {

// Finaliser of SplitMix64: keys that differ in a few bits become numbers that differ in about half of the 64.
std::uint64_t mix(std::uint64_t x) {
    x += 0x9e3779b97f4a7c15U;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
    return x ^ (x >> 31);
}

std::uint32_t low(std::uint64_t x) {
    return static_cast<std::uint32_t>(x);
}
std::uint32_t high(std::uint64_t x) {
    return static_cast<std::uint32_t>(x >> 32);
}

}  // namespace

std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                        std::array<std::uint32_t, 2> key) {
    for (int round = 0; round < 10; ++round) {
        const std::uint64_t p0 = std::uint64_t{0xD2511F53} * counter[0];
        const std::uint64_t p1 = std::uint64_t{0xCD9E8D57} * counter[2];
        counter = {high(p1) ^ counter[1] ^ key[0], low(p1), high(p0) ^ counter[3] ^ key[1], low(p0)};
        key[0] += 0x9E3779B9U;
        key[1] += 0xBB67AE85U;
    }
    return counter;
}

Stream::Stream(std::uint64_t seed, Purpose purpose, std::uint64_t a, std::uint64_t b) {
    const std::uint64_t key = mix(mix(seed) ^ static_cast<std::uint32_t>(purpose));
    const std::uint64_t start = mix(mix(key ^ mix(a)) ^ b);
    key_ = {low(key), high(key)};
    counter_ = {0, 0, low(start), high(start)};
}

void Stream::refill() {
    block_ = philox4x32(counter_, key_);
    if (++counter_[0] == 0) ++counter_[1];
    used_ = 0;
}

std::uint32_t Stream::next() {
    if (used_ == 4) refill();
    return block_[used_++];
}

std::uint64_t Stream::next64() {
    const std::uint64_t lo = next();
    return lo | (std::uint64_t{next()} << 32);
}

double Stream::uniform() {
    return static_cast<double>(next64() >> 11) * 0x1.0p-53;
}

double Stream::normal() {
    if (has_spare_) {
        has_spare_ = false;
        return spare_;
    }
    const double radius = std::sqrt(-2 * std::log(1 - uniform()));
    const double angle = 2 * std::numbers::pi * uniform();
    spare_ = radius * std::sin(angle);
    has_spare_ = true;
    return radius * std::cos(angle);
}

std::uint64_t Stream::below(std::uint64_t n) {
    __extension__ using Wide = unsigned __int128;
    Wide product = static_cast<Wide>(next64()) * n;
    if (static_cast<std::uint64_t>(product) < n) {
        const std::uint64_t threshold = (0 - n) % n;
        while (static_cast<std::uint64_t>(product) < threshold) product = static_cast<Wide>(next64()) * n;
    }
    return static_cast<std::uint64_t>(product >> 64);
}

void Stream::fill_uniform(std::span<float> x) {
    for (float& v : x) v = static_cast<float>(next() >> 8) * 0x1.0p-24F;
}

void Stream::fill_normal(std::span<float> x) {
    for (float& v : x) v = static_cast<float>(normal());
}

void Stream::sample(std::size_t n, std::size_t k, std::vector<std::uint32_t>& index) {
    index.resize(n);
    std::iota(index.begin(), index.end(), 0U);
    for (std::size_t i = 0; i < k; ++i) std::swap(index[i], index[i + below(n - i)]);
    index.resize(k);
}

std::vector<std::uint32_t> Stream::sample(std::size_t n, std::size_t k) {
    std::vector<std::uint32_t> index;
    sample(n, k, index);
    return index;
}

}  // namespace popflow::core
