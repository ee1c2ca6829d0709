// SPDX-License-Identifier: MIT
#include "h5/hardening/chunk_sizes.hpp"

#include <fmt/format.h>
#include <hdf5.h>

#include <algorithm>

#include "core/error.hpp"
#include "h5/hardening/evenly_spread.hpp"
#include "h5/hardening/stored_size.hpp"
#include "h5/lzf.hpp"
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

// Returns the size in bytes of a decoded chunk in the file, 0 if it is unknown.
std::size_t stored_chunk_bytes(const Dataset& dataset) {
    const Handle type(H5Dget_type(dataset.id()));
    if (H5Tis_variable_str(type.id()) <= 0)
        return has_same_size_in_memory(dataset) ? dataset.chunk_bytes() : 0;
    const Handle file(H5Iget_file_id(dataset.id()));
    const Handle creation(H5Fget_create_plist(file.id()));
    std::size_t address_bytes = sizeof(haddr_t);
    std::size_t length_bytes = 0;
    H5Pget_sizes(creation.id(), &address_bytes, &length_bytes);
    // A stored string is a reference: length (4 bytes), address of its heap collection, index (4 bytes).
    return bounded_product(dataset.chunk_shape(), 8 + address_bytes);
}

// Whether decode() knows a filter.
bool is_known(const Filter& filter) {
    return filter.id == H5Z_FILTER_SHUFFLE || filter.id == H5Z_FILTER_FLETCHER32 ||
           filter.id == H5Z_FILTER_DEFLATE || filter.id == lzf_filter;
}

// Whether HDF5 has all filters that a chunk passed through. Throws if decode() does not know one of them.
bool has_filters(const Dataset& dataset, const StoredChunks::Chunk& chunk) {
    const std::vector<Filter>& filters = dataset.filters();
    for (std::size_t k = 0; k < filters.size(); ++k) {
        if (chunk.unfiltered || (chunk.filter_mask >> k & 1U) != 0 || is_known(filters[k])) continue;
        if (H5Zfilter_avail(filters[k].id) <= 0) return false;
        throw core::DataError(dataset.file(), dataset.path(),
                              "is compressed by filter " + std::to_string(filters[k].id) +
                                  ", whose chunks cannot be checked without the file guard. Compress it "
                                  "with gzip (h5repack -f GZIP=4)");
    }
    return true;
}

}  // namespace

std::string short_chunk_message(const Dataset& dataset, std::size_t found) {
    return fmt::format("a chunk of {} has {} bytes, but must have {}", dataset.path(), found,
                       dataset.chunk_bytes());
}

void check_chunk_rows(const Dataset& dataset, std::size_t first, std::size_t count,
                      std::vector<bool>& checked) {
    const std::size_t chunk_rows = dataset.chunk_rows();
    if (count == 0 || chunk_rows == 0 || dataset.size() == 0 || !is_open_read_only(dataset.id())) return;
    const std::size_t allowed = stored_chunk_bytes(dataset);
    if (allowed == 0) return;
    const StoredChunks chunks(dataset, allowed);
    checked.resize(chunks.count(0));
    const std::size_t across = chunks.count() / chunks.count(0);
    StoredChunks::Chunk stored;
    StoredChunks::Scratch scratch;
    for (std::size_t row = first / chunk_rows; row <= (first + count - 1) / chunk_rows; ++row) {
        if (checked[row]) continue;
        for (std::size_t chunk = row * across; chunk < (row + 1) * across; ++chunk) {
            // HDF5 reports an error for a chunk that it cannot read.
            if (!chunks.read(chunk, stored) || !has_filters(dataset, stored)) continue;
            const auto found = chunks.decode(stored, scratch);
            if (!found)
                throw core::DataError(dataset.file(), dataset.path(),
                                      "cannot read values: a chunk is damaged");
            if (found->size() >= allowed) continue;
            throw core::DataError(dataset.file(), dataset.path(),
                                  "is damaged: a chunk has " + std::to_string(found->size()) +
                                      " bytes, but must have " + std::to_string(allowed));
        }
        checked[row] = true;
    }
    clear_errors();
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
