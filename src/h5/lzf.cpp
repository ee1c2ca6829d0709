// SPDX-License-Identifier: MIT
#include "h5/lzf.hpp"

#include <hdf5.h>

#include <algorithm>

namespace popflow::h5 {

std::size_t decompress_lzf(std::span<const std::uint8_t> in, std::span<std::uint8_t> out) {
    std::size_t from = 0;
    std::size_t to = 0;
    while (from < in.size()) {
        const std::size_t control = in[from++];
        if (control < 32) {
            const std::size_t length = control + 1;
            if (length > in.size() - from || length > out.size() - to) return 0;
            std::copy_n(in.begin() + from, length, out.begin() + to);
            from += length;
            to += length;
            continue;
        }
        std::size_t length = control >> 5;
        if (length == 7) {
            if (from == in.size()) return 0;
            length += in[from++];
        }
        length += 2;
        if (from == in.size()) return 0;
        const std::size_t distance = 256 * (control & 31) + in[from++] + 1;
        if (distance > to || length > out.size() - to) return 0;
        // Source and destination may overlap. Copying byte by byte then repeats bytes just written, as the
        // format requires.
        for (std::size_t k = 0; k < length; ++k, ++to) out[to] = out[to - distance];
    }
    return to;
}

namespace {

// HDF5 filter callback. Doubles the output buffer until the data fit.
extern "C" std::size_t filter_lzf(unsigned flags, std::size_t n_values, const unsigned* values,
                                  std::size_t n_bytes, std::size_t* buffer_size, void** buffer) {
    if ((flags & H5Z_FLAG_REVERSE) == 0) return 0;
    const std::span<const std::uint8_t> in(static_cast<const std::uint8_t*>(*buffer), n_bytes);
    // Three bytes expand to at most 264.
    const std::size_t max_size = 88 * n_bytes;
    // The third parameter is the size of a chunk. It is missing for variable-length strings.
    std::size_t size = n_values >= 3 && values[2] > 0 ? values[2] : *buffer_size;
    while (true) {
        auto* expanded = static_cast<std::uint8_t*>(H5allocate_memory(size, false));
        if (expanded == nullptr) return 0;
        const std::size_t written = decompress_lzf(in, {expanded, size});
        if (written > 0) {
            H5free_memory(*buffer);
            *buffer = expanded;
            *buffer_size = size;
            return written;
        }
        H5free_memory(expanded);
        if (size >= max_size) return 0;
        size = std::min(2 * size, max_size);
    }
}

}  // namespace

void register_lzf() {
    if (H5Zfilter_avail(lzf_filter) > 0) return;
    const H5Z_class2_t filter{H5Z_CLASS_T_VERS, lzf_filter, 0, 1, "lzf", nullptr, nullptr, filter_lzf};
    H5Zregister(&filter);
}

}  // namespace popflow::h5
