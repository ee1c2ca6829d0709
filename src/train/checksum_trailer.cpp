// SPDX-License-Identifier: MIT
#include "train/checksum_trailer.hpp"

#include <filesystem>
#include <fstream>
#include <string_view>

#include "core/digest.hpp"
#include "core/error.hpp"

namespace popflow::train {

namespace {

constexpr std::string_view trailer_prefix = "popflow checksum ";
constexpr std::size_t trailer_size = trailer_prefix.size() + 16 + 1;

}  // namespace

std::string make_checksum_trailer(std::span<const std::byte> bytes) {
    core::Digest digest;
    digest.add_bytes(bytes);
    return std::string(trailer_prefix) + digest.text() + "\n";
}

void check_checksum_trailer(const std::string& path) {
    // A folder opens, and its size is the largest integer. Whoever opens the file as HDF5 reports it.
    std::error_code ignored;
    if (!std::filesystem::is_regular_file(path, ignored)) return;
    std::ifstream in(path, std::ios::binary | std::ios::ate);
    const std::streamoff size = in.tellg();
    if (!in || size < static_cast<std::streamoff>(trailer_size)) return;
    std::string bytes(static_cast<std::size_t>(size), '\0');
    in.seekg(0);
    in.read(bytes.data(), size);
    const std::string trailer = bytes.substr(bytes.size() - trailer_size);
    if (!in || !trailer.starts_with(trailer_prefix)) return;
    if (trailer != make_checksum_trailer(std::as_bytes(std::span(bytes)).first(bytes.size() - trailer_size)))
        throw core::DataError(path, "", "the file is damaged: its content does not match its checksum");
}

}  // namespace popflow::train
