// SPDX-License-Identifier: MIT
#include "h5/chunk_sizes.hpp"

#include <hdf5.h>
#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "h5/evenly_spread.hpp"
#include "h5/lzf.hpp"
#include "h5/stored_size.hpp"

namespace popflow::h5 {

namespace {

constexpr std::size_t sampled_bytes = std::size_t{4} << 20;
constexpr std::size_t most_sampled = 64;
constexpr std::size_t checksum_bytes = 4;

using Bytes = std::vector<std::uint8_t>;

/// What zlib makes of `in`, up to `most` bytes; nothing if that is damaged.
std::optional<Bytes> inflated(Bytes& in, std::size_t most) {
    Bytes out(most);
    z_stream stream{};
    stream.next_in = in.data();
    stream.avail_in = static_cast<uInt>(in.size());
    stream.next_out = out.data();
    stream.avail_out = static_cast<uInt>(out.size());
    if (inflateInit(&stream) != Z_OK) return std::nullopt;
    const int result = inflate(&stream, Z_FINISH);
    out.resize(stream.total_out);
    inflateEnd(&stream);
    if (result != Z_STREAM_END && stream.avail_out > 0) return std::nullopt;
    return out;
}

std::optional<Bytes> expanded(const Bytes& in, std::size_t most) {
    Bytes out(most);
    out.resize(expand_lzf(in, out));
    if (out.empty()) return std::nullopt;
    return out;
}

/// The chunks of a dataset, in the order of their first elements.
class Chunks {
  public:
    explicit Chunks(const Dataset& dataset)
        : dataset_(dataset.id()),
          bytes_(dataset.chunk_bytes()),
          file_bytes_(file_bytes(dataset.id())),
          shape_(dataset.shape()),
          chunk_(dataset.chunk_shape()),
          filters_(dataset.filters()) {
        const Handle properties(H5Dget_create_plist(dataset_));
        unsigned options = 0;
        if (H5Pget_chunk_opts(properties.id(), &options) >= 0)
            plain_edges_ = (options & H5D_CHUNK_DONT_FILTER_PARTIAL_CHUNKS) != 0;
        for (std::size_t k = 0; k < shape_.size(); ++k)
            counts_.push_back((shape_[k] + chunk_[k] - 1) / chunk_[k]);
    }

    std::size_t count() const { return bounded_product(counts_); }

    /// Bytes of a chunk without its filters; nothing if it was never written or cannot be told.
    std::optional<std::size_t> size(std::size_t chunk) const {
        const std::vector<hsize_t> first = first_element(chunk);
        hsize_t stored = 0;
        if (H5Dget_chunk_storage_size(dataset_, first.data(), &stored) < 0) return std::nullopt;
        if (stored == 0 || stored > file_bytes_) return std::nullopt;
        Bytes bytes(stored);
        std::uint32_t left_out = 0;
        if (H5Dread_chunk(dataset_, H5P_DEFAULT, first.data(), &left_out, bytes.data()) < 0)
            return std::nullopt;
        if (plain_edges_ && is_partial(first)) return bytes.size();
        for (std::size_t k = filters_.size(); k-- > 0;) {
            if ((left_out >> k & 1U) == 0 && !undo(filters_[k].number, bytes)) return std::nullopt;
        }
        return bytes.size();
    }

  private:
    std::vector<hsize_t> first_element(std::size_t chunk) const {
        std::vector<hsize_t> first(counts_.size());
        for (std::size_t k = counts_.size(); k-- > 0; chunk /= counts_[k])
            first[k] = chunk % counts_[k] * chunk_[k];
        return first;
    }

    bool is_partial(const std::vector<hsize_t>& first) const {
        for (std::size_t k = 0; k < first.size(); ++k) {
            if (first[k] + chunk_[k] > shape_[k]) return true;
        }
        return false;
    }

    /// False if the bytes are damaged or the filter is none of these.
    bool undo(H5Z_filter_t filter, Bytes& bytes) const {
        std::optional<Bytes> out;
        switch (filter) {
            case H5Z_FILTER_SHUFFLE:
                return true;
            case H5Z_FILTER_FLETCHER32:
                if (bytes.size() < checksum_bytes) return false;
                bytes.resize(bytes.size() - checksum_bytes);
                return true;
            case H5Z_FILTER_DEFLATE:
                out = inflated(bytes, most());
                break;
            case lzf_filter:
                out = expanded(bytes, most());
                break;
            default:
                return false;
        }
        if (out) bytes = std::move(*out);
        return out.has_value();
    }

    // A chunk that another filter made longer still fits, and what zlib counts in.
    std::size_t most() const {
        return std::min<std::size_t>(bytes_ + bytes_ / 8 + 64, std::numeric_limits<uInt>::max());
    }

    std::int64_t dataset_;
    std::size_t bytes_;
    std::uint64_t file_bytes_;
    std::vector<std::size_t> shape_;
    std::vector<std::size_t> chunk_;
    std::vector<Filter> filters_;
    std::vector<std::size_t> counts_;
    bool plain_edges_ = false;  ///< chunks that reach beyond the dataset are stored without filters
};

// Sequences and references may take less room in a file than in memory, which is the size that is known.
bool stored_as_in_memory(const Dataset& dataset) {
    const Handle type(H5Dget_type(dataset.id()));
    return H5Tdetect_class(type.id(), H5T_VLEN) <= 0 && H5Tdetect_class(type.id(), H5T_REFERENCE) <= 0;
}

}  // namespace

std::string short_chunk(const Dataset& dataset) {
    const std::size_t allowed = dataset.chunk_bytes();
    if (allowed == 0 || dataset.size() == 0 || !stored_as_in_memory(dataset)) return "";
    const Chunks chunks(dataset);
    const std::size_t most = std::clamp<std::size_t>(sampled_bytes / allowed, 2, most_sampled);
    std::string problem;
    for (const std::size_t chunk : evenly_spread(chunks.count(), most)) {
        const std::optional<std::size_t> found = chunks.size(chunk);
        if (found && *found < allowed) {
            problem = "a chunk of " + dataset.path() + " has " + std::to_string(*found) + " bytes, allowed " +
                      std::to_string(allowed);
            break;
        }
    }
    clear_errors();
    return problem;
}

}  // namespace popflow::h5
