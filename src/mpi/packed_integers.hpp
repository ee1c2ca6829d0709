// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace popflow::mpi {

/// Integers as messages carry them: of 5 bytes if all of a piece fit, as sums of gradients nearly always do,
/// else of 8. A packed piece is of whole words. Its functions share the work among the threads; sums are
/// modulo 2^64.

/// The most words that a piece of `count` integers takes.
constexpr std::size_t packed_words(std::size_t count) {
    return count + 3;
}

/// @param packed  of packed_words(values.size()) words at least
/// @return the words of it that are used
std::size_t pack(std::span<const std::int64_t> values, std::uint64_t* packed);

/// A piece that pack() has made.
class PackedPiece {
  public:
    explicit PackedPiece(const std::uint64_t* packed) : packed_(packed) {}

    std::size_t count() const { return packed_[0] >> 1U; }
    std::size_t words() const;
    /// total += the piece.
    void add_to(std::int64_t* total) const;
    /// out = scale * (total + the piece).
    void read_with(const std::int64_t* total, double scale, float* out) const;

  private:
    bool narrow() const { return (packed_[0] & 1U) == 1; }
    const std::uint32_t* low() const;
    const std::int8_t* high() const;

    const std::uint64_t* packed_;
};

/// out = scale * total.
void read_integers(std::span<const std::int64_t> total, double scale, float* out);

}  // namespace popflow::mpi
