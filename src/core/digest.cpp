// SPDX-License-Identifier: MIT
#include "core/digest.hpp"

#include <cstring>

namespace popflow::core {

void Digest::mix(std::uint64_t word) {
    state_ = (state_ ^ word) * 0x9e3779b97f4a7c15;  // 2^64 / golden ratio, odd and hence invertible
    state_ ^= state_ >> 32U;
}

void Digest::add_bytes(std::span<const std::byte> bytes) {
    mix(bytes.size());
    std::uint64_t word = 0;
    std::size_t at = 0;
    for (; at + sizeof word <= bytes.size(); at += sizeof word) {
        std::memcpy(&word, bytes.data() + at, sizeof word);
        mix(word);
    }
    if (at == bytes.size()) return;
    word = 0;
    std::memcpy(&word, bytes.data() + at, bytes.size() - at);
    mix(word);
}

std::string Digest::text() const {
    std::string digits(16, '0');
    for (std::size_t i = 0; i < 16; ++i) digits[i] = "0123456789abcdef"[(state_ >> (60 - 4 * i)) & 15U];
    return digits;
}

}  // namespace popflow::core
