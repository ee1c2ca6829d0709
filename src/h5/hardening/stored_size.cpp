// SPDX-License-Identifier: MIT
#include "h5/hardening/stored_size.hpp"

#include <fmt/format.h>
#include <hdf5.h>

#include <algorithm>
#include <limits>

#include "core/error.hpp"
#include "h5/handle.hpp"

namespace popflow::h5 {

namespace {

constexpr std::size_t always_allowed = std::size_t{1} << 20;  // bytes
constexpr std::size_t max_inflation = 1100;                   // compression ratio of the filters

std::string shape_text(const std::vector<std::size_t>& shape) {
    std::string text;
    for (const std::size_t size : shape) text += (text.empty() ? "" : " x ") + std::to_string(size);
    return text.empty() ? "one value" : text;
}

}  // namespace

bool is_open_read_only(std::int64_t id) {
    const Handle file(H5Iget_file_id(id));
    unsigned intent = H5F_ACC_RDWR;
    return file && H5Fget_intent(file.id(), &intent) >= 0 && (intent & H5F_ACC_RDWR) == 0;
}

std::uint64_t file_bytes(std::int64_t id) {
    const Handle file(H5Iget_file_id(id));
    hsize_t bytes = 0;
    if (!file || H5Fget_filesize(file.id(), &bytes) < 0) return 0;
    return bytes;
}

std::size_t bounded_product(const std::vector<std::size_t>& sizes, std::size_t factor) {
    if (factor == 0 || std::ranges::count(sizes, std::size_t{0}) > 0) return 0;
    std::size_t product = factor;
    for (const std::size_t size : sizes) {
        if (product > std::numeric_limits<std::size_t>::max() / size)
            return std::numeric_limits<std::size_t>::max();
        product *= size;
    }
    return product;
}

void check_claimed_size(std::int64_t dataset, const std::string& file, const std::string& path,
                        const std::vector<std::size_t>& shape, const std::vector<std::size_t>& chunk,
                        std::size_t bytes) {
    if (!is_open_read_only(dataset)) return;
    const std::size_t claimed = bounded_product(shape, bytes);
    const std::size_t chunk_bytes = chunk.empty() ? 0 : bounded_product(chunk, bytes);
    const Handle properties(H5Dget_create_plist(dataset));
    // libhdf5 reads behind the end of values in the header, or from address 0 if there are none.
    const bool is_in_header = H5Pget_layout(properties.id()) == H5D_COMPACT;
    if (!is_in_header && std::max(claimed, chunk_bytes) <= always_allowed) return;
    const std::size_t stored = std::min<std::size_t>(H5Dget_storage_size(dataset), file_bytes(dataset));
    const std::size_t inflation = H5Pget_nfilters(properties.id()) > 0 ? max_inflation : 1;
    const auto allowed = [&](std::size_t s) { return is_in_header ? s : always_allowed + inflation * s; };
    if (claimed > allowed(stored)) {
        throw core::DataError(
            file, path,
            fmt::format("found a shape of {}, but only {} bytes of values, too few for this shape",
                        shape_text(shape), stored));
    }
    if (claimed > 0 && chunk_bytes > allowed(stored)) {
        throw core::DataError(
            file, path,
            fmt::format("found chunks of {}, but only {} bytes of values, too few for one chunk",
                        shape_text(chunk), stored));
    }
}

}  // namespace popflow::h5
