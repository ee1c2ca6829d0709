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
#include "h5/chunk_sizes.hpp"
#include "h5/stored_chunks.hpp"

namespace popflow::h5 {

namespace {

// With fewer chunks at hand HDF5 does as well, and keeps the last one for the next rows.
constexpr std::size_t fewest_chunks = 4;
constexpr std::size_t chunks_of_thread = 4;  // and room for two more that are expanded
constexpr std::size_t largest_chunk = std::size_t{16} << 20;
constexpr std::size_t most_memory = std::size_t{256} << 20;

/// Copies numbers, from any place in memory.
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
            out[i] = static_cast<To>(value);  // NOLINT(bugprone-signed-char-misuse): these are small numbers
        }
    }
}

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

/// How the stored numbers become those asked for; null if that is left to HDF5.
Copy copy_of(const Dataset& dataset, Element to) {
    const Handle type(H5Dget_type(dataset.id()));
    return copy_among<std::int8_t, std::int16_t, std::int32_t, std::int64_t, std::uint8_t, std::uint16_t,
                      std::uint32_t, std::uint64_t, float, double>(type.id(), to);
}

/// The part of a chunk that is asked for.
class Reading {
  public:
    Reading(const Dataset& dataset, std::size_t first, std::size_t count, Copy copy, void* out)
        : chunk_(dataset.chunk_shape()),
          first_(first),
          end_(first + count),
          cols_(dataset.row_size()),
          element_(dataset.type().bytes),
          copy_(copy),
          out_(out) {
        if (chunk_.size() == 1) chunk_.push_back(1);
    }

    void take(std::size_t chunk_row, std::size_t chunk_col, const std::uint8_t* bytes) const {
        const std::size_t top = chunk_row * chunk_[0];
        const std::size_t left = chunk_col * chunk_[1];
        const std::size_t width = std::min(chunk_[1], cols_ - left);
        const std::size_t begin = std::max(first_, top);
        const std::size_t end = std::min(end_, top + chunk_[0]);
        const std::uint8_t* from = bytes + (begin - top) * chunk_[1] * element_;
        if (width == cols_ && width == chunk_[1]) {
            copy_(from, (end - begin) * cols_, out_, (begin - first_) * cols_);
            return;
        }
        for (std::size_t i = begin; i < end; ++i, from += chunk_[1] * element_)
            copy_(from, width, out_, (i - first_) * cols_ + left);
    }

  private:
    std::vector<std::size_t> chunk_;
    std::size_t first_, end_, cols_, element_;
    Copy copy_;
    void* out_;
};

}  // namespace

bool read_chunks(const Dataset& dataset, Element element, std::size_t first, std::size_t count, void* out) {
    const std::size_t rank = dataset.rank();
    const std::size_t bytes = dataset.chunk_bytes();
    if (dataset.filters().empty() || rank < 1 || rank > 2 || bytes > largest_chunk) return false;
    if (count == 0 || first > dataset.rows() || count > dataset.rows() - first) return false;
    const std::size_t height = dataset.chunk_rows();
    const std::size_t first_row = first / height;
    const std::size_t rows = (first + count - 1) / height + 1 - first_row;
    const StoredChunks chunks(dataset);
    const std::size_t across = rank == 1 ? 1 : chunks.count(1);
    if (rows * across < fewest_chunks || !chunks.decodable()) return false;
    const Copy copy = copy_of(dataset, element);
    if (copy == nullptr) return false;
    const Reading reading(dataset, first, count, copy, out);

    // HDF5 is for one thread at a time, which reads some chunks for each of them.
    const std::size_t threads = std::clamp<std::size_t>(most_memory / ((chunks_of_thread + 2) * bytes), 1,
                                                        static_cast<std::size_t>(omp_get_max_threads()));
    std::vector<StoredChunks::Scratch> scratch(threads);
    std::vector<StoredChunks::Chunk> waiting(std::min(chunks_of_thread * threads, rows * across));
    std::atomic<bool> good{true};
    std::atomic<std::size_t> shortest{bytes};
    for (std::size_t begin = 0; begin < rows * across && good; begin += waiting.size()) {
        const std::size_t place = first_row * across + begin;
        const std::size_t n = std::min(waiting.size(), rows * across - begin);
        for (std::size_t k = 0; k < n; ++k) {
            if (chunks.read(place + k, waiting[k])) continue;
            clear_errors();
            return false;
        }
#pragma omp parallel for schedule(dynamic) num_threads(threads)
        for (std::size_t k = 0; k < n; ++k) {
            const auto mine = static_cast<std::size_t>(omp_get_thread_num());
            const auto decoded = chunks.decode(waiting[k], scratch[mine]);
            if (decoded && decoded->size() == bytes) {
                reading.take((place + k) / across, (place + k) % across, decoded->data());
            } else {
                good = false;
                if (decoded && decoded->size() < bytes) shortest = decoded->size();
            }
        }
    }
    if (shortest < bytes) {
        throw core::DataError(dataset.file(), dataset.path(),
                              "is damaged: " + short_chunk_problem(dataset, shortest));
    }
    return good;
}

}  // namespace popflow::h5
