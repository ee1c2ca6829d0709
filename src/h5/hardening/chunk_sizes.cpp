// SPDX-License-Identifier: MIT
#include "h5/hardening/chunk_sizes.hpp"

#include <fmt/format.h>
#include <hdf5.h>

#include <algorithm>

#include "h5/hardening/evenly_spread.hpp"
#include "h5/stored_chunks.hpp"

namespace popflow::h5 {

namespace {

constexpr std::size_t sampled_bytes = std::size_t{4} << 20;
constexpr std::size_t max_sampled = 64;  // chunks

// Whether elements have the same size in the file as in memory. Only the size in memory is known, and
// sequences and references may be smaller in the file.
bool has_same_size_in_memory(const Dataset& dataset) {
    const Handle type(H5Dget_type(dataset.id()));
    return H5Tdetect_class(type.id(), H5T_VLEN) <= 0 && H5Tdetect_class(type.id(), H5T_REFERENCE) <= 0;
}

}  // namespace

std::string short_chunk_message(const Dataset& dataset, std::size_t found) {
    return fmt::format("a chunk of {} has {} bytes, allowed {}", dataset.path(), found,
                       dataset.chunk_bytes());
}

std::string find_short_chunk(const Dataset& dataset) {
    const std::size_t allowed = dataset.chunk_bytes();
    if (allowed == 0 || dataset.size() == 0 || !has_same_size_in_memory(dataset)) return "";
    const StoredChunks chunks(dataset);
    const std::size_t sample_size = std::clamp<std::size_t>(sampled_bytes / allowed, 2, max_sampled);
    StoredChunks::Chunk stored;
    StoredChunks::Scratch scratch;
    std::string problem;
    for (const std::size_t chunk : evenly_spread(chunks.count(), sample_size)) {
        if (!chunks.read(chunk, stored)) continue;
        const auto found = chunks.decode(stored, scratch);
        if (found && found->size() < allowed) {
            problem = short_chunk_message(dataset, found->size());
            break;
        }
    }
    clear_errors();
    return problem;
}

}  // namespace popflow::h5
