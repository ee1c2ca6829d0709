// SPDX-License-Identifier: MIT
#include "h5/stored_chunks.hpp"

#include <hdf5.h>
#include <zlib.h>

#include <algorithm>
#include <limits>

#include "h5/hardening/stored_size.hpp"
#include "h5/lzf.hpp"

namespace popflow::h5 {

namespace {

using Bytes = StoredChunks::Bytes;
using Decoded = std::optional<std::span<const std::uint8_t>>;

constexpr std::size_t checksum_bytes = 4;

// Decompresses zlib data into `out`, up to its size. Returns no value if the data are damaged.
Decoded inflated(std::span<const std::uint8_t> in, Bytes& out) {
    z_stream stream{};
    stream.next_in = const_cast<Bytef*>(in.data());  // zlib does not write to it
    stream.avail_in = static_cast<uInt>(in.size());
    stream.next_out = out.data();
    stream.avail_out = static_cast<uInt>(out.size());
    if (inflateInit(&stream) != Z_OK) return std::nullopt;
    const int result = inflate(&stream, Z_FINISH);
    const std::size_t size = stream.total_out;
    inflateEnd(&stream);
    if (result != Z_STREAM_END && size < out.size()) return std::nullopt;
    return std::span<const std::uint8_t>(out).first(size);
}

// Decompresses LZF data into `out`. Returns no value if the data are damaged.
Decoded expanded(std::span<const std::uint8_t> in, Bytes& out) {
    const std::size_t size = decompress_lzf(in, out);
    if (size == 0) return std::nullopt;
    return std::span<const std::uint8_t>(out).first(size);
}

// Reverses the shuffle filter for elements of a fixed size.
template <std::size_t Element>
void interleave(const std::uint8_t* in, std::size_t elements, std::uint8_t* out) {
    for (std::size_t i = 0; i < elements; ++i) {
        for (std::size_t b = 0; b < Element; ++b) out[i * Element + b] = in[b * elements + i];
    }
}

// Reverses the shuffle filter, which stores the first bytes of all elements, then the second bytes, and so
// on. Bytes of an incomplete element stay at the end.
Decoded unshuffled(std::span<const std::uint8_t> in, std::size_t element, Bytes& out) {
    if (element <= 1 || in.size() < element) return in;
    if (out.size() < in.size()) out.resize(in.size());
    const std::size_t elements = in.size() / element;
    switch (element) {
        case 2:
            interleave<2>(in.data(), elements, out.data());
            break;
        case 4:
            interleave<4>(in.data(), elements, out.data());
            break;
        case 8:
            interleave<8>(in.data(), elements, out.data());
            break;
        default:
            for (std::size_t b = 0; b < element; ++b) {
                for (std::size_t i = 0; i < elements; ++i) out[i * element + b] = in[b * elements + i];
            }
    }
    std::copy(in.begin() + static_cast<std::ptrdiff_t>(elements * element), in.end(),
              out.begin() + static_cast<std::ptrdiff_t>(elements * element));
    return std::span<const std::uint8_t>(out).first(in.size());
}

}  // namespace

StoredChunks::StoredChunks(const Dataset& dataset, std::size_t decoded_bytes)
    : dataset_(&dataset), bytes_(decoded_bytes), file_bytes_(file_bytes(dataset.id())) {
    const std::vector<std::size_t>& chunk = dataset.chunk_shape();
    for (std::size_t k = 0; k < chunk.size(); ++k)
        counts_.push_back((dataset.shape()[k] + chunk[k] - 1) / chunk[k]);
    const Handle properties(H5Dget_create_plist(dataset.id()));
    unsigned options = 0;
    if (H5Pget_chunk_opts(properties.id(), &options) >= 0)
        unfiltered_edges_ = (options & H5D_CHUNK_DONT_FILTER_PARTIAL_CHUNKS) != 0;
    clear_errors();
}

bool StoredChunks::is_decodable() const {
    return std::ranges::all_of(dataset_->filters(), [](const Filter& filter) {
        return filter.id == H5Z_FILTER_SHUFFLE || filter.id == H5Z_FILTER_DEFLATE || filter.id == lzf_filter;
    });
}

std::size_t StoredChunks::count() const {
    return bounded_product(counts_);
}

bool StoredChunks::is_partial(std::span<const std::size_t> first) const {
    for (std::size_t k = 0; k < first.size(); ++k) {
        if (first[k] + dataset_->chunk_shape()[k] > dataset_->shape()[k]) return true;
    }
    return false;
}

// Size of the decoding buffers. Leaves room for a filter that made a chunk longer. zlib counts bytes as uInt.
std::size_t StoredChunks::max_decoded_bytes() const {
    return std::min<std::size_t>(bytes_ + bytes_ / 8 + 64, std::numeric_limits<uInt>::max());
}

bool StoredChunks::read(std::size_t chunk, Chunk& into) const {
    std::vector<std::size_t> first(counts_.size());
    for (std::size_t k = counts_.size(); k-- > 0; chunk /= counts_[k])
        first[k] = chunk % counts_[k] * dataset_->chunk_shape()[k];
    const std::vector<hsize_t> offset(first.begin(), first.end());
    hsize_t stored = 0;
    if (H5Dget_chunk_storage_size(dataset_->id(), offset.data(), &stored) < 0) return false;
    if (stored == 0 || stored > file_bytes_) return false;
    into.bytes.resize(stored);
    into.unfiltered = unfiltered_edges_ && is_partial(first);
    return H5Dread_chunk(dataset_->id(), H5P_DEFAULT, offset.data(), &into.filter_mask, into.bytes.data()) >=
           0;
}

std::optional<std::span<const std::uint8_t>> StoredChunks::decode(const Chunk& chunk,
                                                                  Scratch& scratch) const {
    Decoded bytes = chunk.bytes;
    if (chunk.unfiltered) return bytes;
    const std::vector<Filter>& filters = dataset_->filters();
    for (std::size_t k = filters.size(); bytes && k-- > 0;) {
        if ((chunk.filter_mask >> k & 1U) != 0) continue;
        Bytes& buffer = bytes->data() == scratch.first.data() ? scratch.second : scratch.first;
        switch (filters[k].id) {
            case H5Z_FILTER_SHUFFLE:
                bytes = unshuffled(*bytes, filters[k].first_parameter, buffer);
                break;
            case H5Z_FILTER_FLETCHER32:
                if (bytes->size() < checksum_bytes) return std::nullopt;
                bytes = bytes->first(bytes->size() - checksum_bytes);
                break;
            case H5Z_FILTER_DEFLATE:
            case lzf_filter:
                if (buffer.size() < max_decoded_bytes()) buffer.resize(max_decoded_bytes());
                bytes = filters[k].id == lzf_filter ? expanded(*bytes, buffer) : inflated(*bytes, buffer);
                break;
            default:
                return std::nullopt;
        }
    }
    return bytes;
}

}  // namespace popflow::h5
