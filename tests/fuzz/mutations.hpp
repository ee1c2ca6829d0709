// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace popflow::fuzz {

/// Deterministic random integers (SplitMix64). They depend only on the seed, on every machine.
class Draws {
  public:
    explicit Draws(std::uint64_t seed) : state_(seed) {}
    /// Returns the next 64-bit integer.
    std::uint64_t next();
    /// Returns an integer in [0, n).
    std::size_t below(std::size_t n) { return static_cast<std::size_t>(next() % n); }
    /// Returns a random element of `values`, which must not be empty.
    template <class T>
    const T& choose(const std::vector<T>& values) {
        return values[below(values.size())];
    }

  private:
    std::uint64_t state_;
};

/// Damages the bytes of a file: flips, overwrites, copies or truncates them.
///
/// @return description of the change
std::string mutate_bytes(std::vector<std::uint8_t>& bytes, Draws& draws);

/// Damages the text of a file: replaces numbers, and doubles, removes or moves delimiters.
///
/// @return description of the change
std::string mutate_text(std::vector<std::uint8_t>& bytes, Draws& draws);

/// Changes the content of an HDF5 file: links, types, shapes, attributes, filters and values.
///
/// @param victim  another file, which links and storage may refer to
/// @return description of the change
/// @throws std::runtime_error if HDF5 cannot open the file
std::string mutate_structure(const std::string& path, const std::string& victim, Draws& draws);

}  // namespace popflow::fuzz
