// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace popflow::fuzz {

/// Whole numbers that follow from a seed alone, on every machine (SplitMix64).
class Draws {
  public:
    explicit Draws(std::uint64_t seed) : state_(seed) {}
    std::uint64_t next();
    /// In [0, n).
    std::size_t below(std::size_t n) { return static_cast<std::size_t>(next() % n); }
    template <class T>
    const T& of(const std::vector<T>& values) {
        return values[below(values.size())];
    }

  private:
    std::uint64_t state_;
};

/// Damages the bytes of a file: flipped, overwritten, moved or cut off. @return what was done
std::string mutate_bytes(std::vector<std::uint8_t>& bytes, Draws& draws);

/// Changes what an HDF5 file says: links, types, shapes, attributes, filters and values. @return what was
/// done
/// @param victim  another file, which links and storage may point at
std::string mutate_structure(const std::string& path, const std::string& victim, Draws& draws);

}  // namespace popflow::fuzz
