// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "h5/dataset.hpp"

namespace popflow::h5 {

/// Chunks of a dataset as stored in the file, in the order of their first elements (row-major).
class StoredChunks {
  public:
    using Bytes = std::vector<std::uint8_t>;
    struct Chunk {
        Bytes bytes;
        std::uint32_t filter_mask = 0;  ///< one bit per filter, set if the chunk did not pass through it
        bool unfiltered = false;        ///< whether the chunk passed through no filter
    };
    /// Buffers for decoding. Each thread needs its own.
    struct Scratch {
        Bytes first, second;
    };

    /// @param dataset  chunked. Must outlive this object
    explicit StoredChunks(const Dataset& dataset) : StoredChunks(dataset, dataset.chunk_bytes()) {}
    /// @param decoded_bytes  size of a decoded chunk, for elements that have another size in the file than in
    /// memory
    StoredChunks(const Dataset& dataset, std::size_t decoded_bytes);

    /// Number of chunks.
    std::size_t count() const;
    /// Number of chunks along a dimension.
    std::size_t count(std::size_t dimension) const { return counts_[dimension]; }
    /// Whether decode() is equivalent to HDF5: all filters are shuffle, gzip or LZF. decode() also removes
    /// Fletcher32 checksums, but does not verify them.
    bool is_decodable() const;

    /// Reads a chunk. Returns false if it was never written or cannot be read.
    bool read(std::size_t chunk, Chunk& into) const;
    /// Reverses the filters of a chunk. Thread-safe, because it does not call HDF5.
    ///
    /// @return a view of the decoded bytes, of any size, in `scratch` or `chunk`. No value if the chunk is
    /// damaged or passed through another filter
    std::optional<std::span<const std::uint8_t>> decode(const Chunk& chunk, Scratch& scratch) const;

  private:
    bool is_partial(std::span<const std::size_t> first) const;
    std::size_t max_decoded_bytes() const;

    const Dataset* dataset_;
    std::size_t bytes_;                ///< size of a decoded chunk
    std::uint64_t file_bytes_;         ///< size of the file
    std::vector<std::size_t> counts_;  ///< number of chunks along each dimension
    bool unfiltered_edges_ = false;    ///< whether partial chunks at the edges are stored without filters
};

}  // namespace popflow::h5
