// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace popflow::mpi {

/// Compressed format of integers in MPI messages.
///
/// A piece of a message stores its integers in 5 bytes each if all of them fit, which sums of gradients
/// nearly always do. Otherwise it stores them in 8 bytes each. A piece occupies whole 64-bit words. The
/// functions below run on all OpenMP threads. Sums wrap modulo 2^64.

/// Returns the maximum number of words of a piece of `count` integers.
constexpr std::size_t packed_words(std::size_t count) {
    return count + 3;
}

/// Packs integers into one piece.
/// @param packed  destination of at least packed_words(values.size()) words
/// @return number of words written
std::size_t pack(std::span<const std::int64_t> values, std::uint64_t* packed);

/// Non-owning view of a piece that pack() has written.
class PackedPiece {
  public:
    explicit PackedPiece(const std::uint64_t* packed) : packed_(packed) {}

    /// Number of integers.
    std::size_t count() const { return packed_[0] >> 1U; }
    /// Number of 64-bit words of the piece.
    std::size_t words() const;
    /// total += piece
    void add_to(std::int64_t* total) const;
    /// out = scale * (total + piece)
    void add_and_scale(const std::int64_t* total, double scale, float* out) const;

  private:
    bool narrow() const { return (packed_[0] & 1U) == 1; }
    const std::uint32_t* low() const;
    const std::int8_t* high() const;

    const std::uint64_t* packed_;
};

/// out = scale * total
void scale_integers(std::span<const std::int64_t> total, double scale, float* out);

}  // namespace popflow::mpi
