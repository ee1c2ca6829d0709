// SPDX-License-Identifier: MIT
#include "h5/chunk_reader.hpp"

#include <hdf5.h>
#include <omp.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <vector>

#include "core/error.hpp"
#include "h5/hardening/chunk_sizes.hpp"
#include "h5/stored_chunks.hpp"

namespace popflow::h5 {

namespace {

// Number of stored chunks in memory per thread, in addition to two decoding buffers.
constexpr std::size_t chunks_per_thread = 4;
constexpr std::size_t max_memory = std::size_t{384} << 20;
constexpr std::size_t max_chunk_bytes = max_memory / 3;  // one stored chunk and two decoding buffers

// Copies and converts n numbers from an unaligned address to out[first], out[first + 1], ...
using Copy = void (*)(const std::uint8_t* from, std::size_t n, void* to, std::size_t first);

template <Number From, Number To>
void copy_numbers(const std::uint8_t* from, std::size_t n, void* to, std::size_t first) {
    To* out = static_cast<To*>(to) + first;
    if constexpr (std::is_same_v<From, To>) {
        std::memcpy(out, from, n * sizeof(To));
    } else {
        for (std::size_t i = 0; i < n; ++i) {
            From value;
            std::memcpy(&value, from + i * sizeof value, sizeof value);
            out[i] = static_cast<To>(value);  // NOLINT(bugprone-signed-char-misuse): int8 is a number here
        }
    }
}

// Whether conversions from From to To are supported.
template <Number From, Number To>
constexpr bool converts() {
    if (std::is_same_v<From, To> || std::is_floating_point_v<To>) return true;
    return std::is_integral_v<From> && std::is_signed_v<To> && sizeof(From) < sizeof(To);
}

template <Number From, Number To>
Copy copy_if(Element to) {
    if constexpr (converts<From, To>()) {
        if (element_of<To>() == to) return copy_numbers<From, To>;
    }
    return nullptr;
}

template <Number From, Number... All>
Copy copy_from(Element to) {
    Copy found = nullptr;
    ((found = found != nullptr ? found : copy_if<From, All>(to)), ...);
    return found;
}

template <Number... All>
Copy copy_among(std::int64_t stored, Element to) {
    Copy found = nullptr;
    ((found = H5Tequal(stored, native_type(element_of<All>())) > 0 ? copy_from<All, All...>(to) : found),
     ...);
    return found;
}

// Returns the function that converts the stored numbers to type `to`, or null if only HDF5 can.
Copy find_copy(const Dataset& dataset, Element to) {
    const Handle type(H5Dget_type(dataset.id()));
    return copy_among<std::int8_t, std::int16_t, std::int32_t, std::int64_t, std::uint8_t, std::uint16_t,
                      std::uint32_t, std::uint64_t, float, double>(type.id(), to);
}

/// Copies the requested rows out of decoded chunks.
class RangeCopier {
  public:
    RangeCopier(const Dataset& dataset, std::span<const RowRange> ranges, Copy copy, void* out)
        : ranges_(ranges),
          chunk_(dataset.chunk_shape()),
          cols_(dataset.row_size()),
          element_(dataset.type().bytes),
          copy_(copy),
          out_(out) {
        if (chunk_.size() == 1) chunk_.push_back(1);
    }

    /// Returns the indices of the rows of chunks that contain requested rows, ascending.
    std::vector<std::size_t> chunk_rows() const {
        std::vector<std::size_t> rows;
        for (const auto& [first, count] : ranges_) {
            if (count == 0) continue;
            std::size_t row = first / chunk_[0];
            if (!rows.empty()) row = std::max(row, rows.back() + 1);
            for (; row <= (first + count - 1) / chunk_[0]; ++row) rows.push_back(row);
        }
        return rows;
    }

    /// Copies the requested rows of one decoded chunk to the destination. Thread-safe for different chunks.
    void copy_chunk(std::size_t chunk_row, std::size_t chunk_col, const std::uint8_t* bytes) const {
        const std::size_t top = chunk_row * chunk_[0];
        const std::size_t left = chunk_col * chunk_[1];
        std::size_t before = 0;  // number of rows of the preceding ranges
        for (const auto& [first, count] : ranges_) {
            const std::size_t begin = std::max(first, top);
            const std::size_t end = std::min(first + count, top + chunk_[0]);
            if (begin < end) {
                copy_rows(bytes + (begin - top) * chunk_[1] * element_, end - begin, left,
                          before + begin - first);
            }
            before += count;
        }
    }

  private:
    void copy_rows(const std::uint8_t* from, std::size_t count, std::size_t left, std::size_t row) const {
        const std::size_t width = std::min(chunk_[1], cols_ - left);
        if (width == cols_ && width == chunk_[1]) return copy_(from, count * cols_, out_, row * cols_);
        for (std::size_t i = row; i < row + count; ++i, from += chunk_[1] * element_)
            copy_(from, width, out_, i * cols_ + left);
    }

    std::span<const RowRange> ranges_;
    std::vector<std::size_t> chunk_;
    std::size_t cols_, element_;
    Copy copy_;
    void* out_;
};

bool all_within(std::span<const RowRange> ranges, std::size_t rows) {
    return std::ranges::all_of(ranges, [rows](const RowRange& range) {
        return range.first <= rows && range.count <= rows - range.first;
    });
}

}  // namespace

bool read_chunks(const Dataset& dataset, Element element, std::span<const RowRange> ranges, void* out) {
    const std::size_t rank = dataset.rank();
    const std::size_t bytes = dataset.chunk_bytes();
    if (dataset.filters().empty() || rank < 1 || rank > 2 || bytes > max_chunk_bytes) return false;
    if (!all_within(ranges, dataset.rows())) return false;
    const StoredChunks chunks(dataset);
    const Copy copy = chunks.is_decodable() ? find_copy(dataset, element) : nullptr;
    if (copy == nullptr) return false;
    const RangeCopier copier(dataset, ranges, copy, out);
    const std::vector<std::size_t> rows = copier.chunk_rows();
    const std::size_t across = rank == 1 ? 1 : chunks.count(1);

    // HDF5 is not thread-safe: this thread reads a batch of chunks, then all threads decode it.
    const std::size_t max_chunks = max_memory / bytes;
    const std::size_t threads = std::clamp<std::size_t>(max_chunks / (chunks_per_thread + 2), 1,
                                                        static_cast<std::size_t>(omp_get_max_threads()));
    std::vector<StoredChunks::Scratch> scratch(threads);
    std::vector<StoredChunks::Chunk> batch(
        std::min({chunks_per_thread * threads, max_chunks - 2 * threads, rows.size() * across}));
    std::atomic<bool> all_decoded{true};
    std::atomic<std::size_t> shortest{bytes};
    for (std::size_t begin = 0; begin < rows.size() * across && all_decoded; begin += batch.size()) {
        const std::size_t n = std::min(batch.size(), rows.size() * across - begin);
        for (std::size_t k = 0; k < n; ++k) {
            const std::size_t at = begin + k;
            if (chunks.read(rows[at / across] * across + at % across, batch[k])) continue;
            clear_errors();
            return false;
        }
#pragma omp parallel for schedule(dynamic) num_threads(threads)
        for (std::size_t k = 0; k < n; ++k) {
            const auto thread = static_cast<std::size_t>(omp_get_thread_num());
            const auto decoded = chunks.decode(batch[k], scratch[thread]);
            if (decoded && decoded->size() == bytes) {
                copier.copy_chunk(rows[(begin + k) / across], (begin + k) % across, decoded->data());
            } else {
                all_decoded = false;
                if (decoded && decoded->size() < bytes) shortest = decoded->size();
            }
        }
    }
    if (shortest < bytes) {
        throw core::DataError(dataset.file(), dataset.path(),
                              "is damaged: " + short_chunk_message(dataset, shortest));
    }
    return all_decoded;
}

}  // namespace popflow::h5
