// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "h5/dataset.hpp"

namespace popflow::h5 {

/// The chunks of a dataset as they lie in the file, in the order of their first elements.
class StoredChunks {
  public:
    using Bytes = std::vector<std::uint8_t>;
    struct Chunk {
        Bytes bytes;
        std::uint32_t left_out = 0;  ///< a bit for each filter, set where the chunk did not pass through it
        bool plain = false;          ///< passed through none
    };
    /// Room that chunks are decoded in; each thread has its own.
    struct Scratch {
        Bytes one, other;
    };

    /// @param dataset  chunked; must live as long as this
    explicit StoredChunks(const Dataset& dataset);

    std::size_t count() const;
    /// Along a dimension.
    std::size_t count(std::size_t dimension) const { return counts_[dimension]; }
    /// Whether decode() does all that HDF5 would: the filters are of shuffle, gzip and LZF. Fletcher32 it
    /// undoes too, but does not check the sum.
    bool decodable() const;

    /// Reads a chunk; false if it was never written or cannot be read.
    bool read(std::size_t chunk, Chunk& into) const;
    /// What the filters were given, of any size, in `scratch` or `chunk`; nothing if the chunk is damaged or
    /// passed through a filter that is not known here. Calls nothing of HDF5, so that threads may.
    std::optional<std::span<const std::uint8_t>> decode(const Chunk& chunk, Scratch& scratch) const;

  private:
    bool is_partial(std::span<const std::size_t> first) const;
    std::size_t most() const;

    const Dataset* dataset_;
    std::size_t bytes_;
    std::uint64_t file_bytes_;
    std::vector<std::size_t> counts_;
    bool plain_edges_ = false;  ///< chunks that reach beyond the dataset are stored without filters
};

}  // namespace popflow::h5
