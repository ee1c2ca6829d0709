// SPDX-License-Identifier: MIT
#include <algorithm>
#include <utility>

#include "fuzz/mutations.hpp"

namespace popflow::fuzz {

std::uint64_t Draws::next() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

namespace {

using Bytes = std::vector<std::uint8_t>;

// Returns the position of a random non-zero byte. Non-zero bytes make up the headers. Changing padding has no
// effect.
std::size_t nonzero_byte(const Bytes& bytes, Draws& draws) {
    for (int attempt = 0; attempt < 50; ++attempt) {
        const std::size_t at = draws.below(bytes.size());
        if (bytes[at] != 0) return at;
    }
    return draws.below(bytes.size());
}

std::string flip_bits(Bytes& bytes, Draws& draws) {
    const std::size_t count = 1 + draws.below(8);
    for (std::size_t k = 0; k < count; ++k)
        bytes[nonzero_byte(bytes, draws)] ^= static_cast<std::uint8_t>(1U << draws.below(8));
    return "flipped bits";
}

std::string overwrite_bytes(Bytes& bytes, Draws& draws) {
    const std::size_t count = 1 + draws.below(4);
    for (std::size_t k = 0; k < count; ++k)
        bytes[nonzero_byte(bytes, draws)] = static_cast<std::uint8_t>(draws.next());
    return "overwritten bytes";
}

// Replaces a little-endian word, the format of sizes, counts and addresses.
std::string replace_word(Bytes& bytes, Draws& draws) {
    const std::vector<std::uint64_t> words{0,
                                           1,
                                           0xff,
                                           0xffff,
                                           0x7fffffff,
                                           0xffffffff,
                                           1000000000000000,
                                           0x7fffffffffffffff,
                                           0xffffffffffffffff,
                                           bytes.size(),
                                           bytes.size() / 2};
    const std::uint64_t word = draws.choose(words);
    const std::size_t width = std::size_t{1} << draws.below(4);
    const std::size_t at = std::min(nonzero_byte(bytes, draws), bytes.size() - width);
    for (std::size_t k = 0; k < width; ++k) bytes[at + k] = static_cast<std::uint8_t>(word >> (8 * k));
    return "a word replaced";
}

std::string truncate_bytes(Bytes& bytes, Draws& draws) {
    bytes.resize(draws.below(bytes.size()));
    return "truncated";
}

std::string clear_block(Bytes& bytes, Draws& draws) {
    const std::size_t at = nonzero_byte(bytes, draws);
    const std::size_t length = std::min(bytes.size() - at, 1 + draws.below(512));
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), length, draws.below(2) == 0 ? 0x00 : 0xff);
    return "a block cleared";
}

std::string copy_block(Bytes& bytes, Draws& draws) {
    const std::size_t from = nonzero_byte(bytes, draws);
    const std::size_t to = nonzero_byte(bytes, draws);
    const std::size_t length = std::min({bytes.size() - from, bytes.size() - to, 8 + draws.below(256)});
    const Bytes block(bytes.begin() + static_cast<std::ptrdiff_t>(from),
                      bytes.begin() + static_cast<std::ptrdiff_t>(from + length));
    std::ranges::copy(block, bytes.begin() + static_cast<std::ptrdiff_t>(to));
    return "a block copied elsewhere";
}

}  // namespace

std::string mutate_bytes(std::vector<std::uint8_t>& bytes, Draws& draws) {
    switch (draws.below(10)) {
        case 0:
        case 1:
        case 2:
            return flip_bits(bytes, draws);
        case 3:
        case 4:
            return overwrite_bytes(bytes, draws);
        case 5:
        case 6:
            return replace_word(bytes, draws);
        case 7:
            return truncate_bytes(bytes, draws);
        case 8:
            return clear_block(bytes, draws);
        default:
            return copy_block(bytes, draws);
    }
}

std::string mutate_text(std::vector<std::uint8_t>& bytes, Draws& draws) {
    const auto is_digit = [](std::uint8_t c) { return c >= '0' && c <= '9'; };
    std::size_t at = draws.below(bytes.size());
    if (draws.below(3) > 0) {
        for (std::size_t k = 0; k < bytes.size() && !is_digit(bytes[at]); ++k) at = (at + 1) % bytes.size();
        std::size_t end = at;
        while (end < bytes.size() && is_digit(bytes[end])) ++end;
        const std::vector<std::string> numbers{
            "0", "1", "9", "58", "99", "1000", "99999999", "18446744073709551615", "-1", "x", "1e300", ""};
        std::string text = draws.choose(numbers);
        // Half of the replacements keep all offsets.
        if (draws.below(2) == 0) text = (std::string(end - at, ' ') + text).substr(text.size());
        const auto place = bytes.begin() + static_cast<std::ptrdiff_t>(at);
        bytes.insert(bytes.erase(place, bytes.begin() + static_cast<std::ptrdiff_t>(end)), text.begin(),
                     text.end());
        return "a number replaced by '" + text + "'";
    }
    for (std::size_t k = 0; k < bytes.size() && bytes[at] != '/'; ++k) at = (at + 1) % bytes.size();
    const auto place = bytes.begin() + static_cast<std::ptrdiff_t>(at);
    switch (draws.below(3)) {
        case 0:
            bytes.insert(place, '/');
            return "a delimiter doubled";
        case 1:
            bytes.erase(place);
            return "a delimiter removed";
        default:
            std::swap(bytes[at], bytes[draws.below(bytes.size())]);
            return "a delimiter exchanged";
    }
}

}  // namespace popflow::fuzz
