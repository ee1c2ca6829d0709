// SPDX-License-Identifier: MIT
#include "train/checksum_trailer.hpp"

#include <filesystem>
#include <fstream>
#include <string_view>

#include "core/checksum.hpp"
#include "core/digest.hpp"
#include "core/error.hpp"

namespace popflow::train {

namespace {

// Trailers of format 1 and 2. They end with 16 hexadecimal digits and a newline.
constexpr std::string_view digest_prefix = "popflow checksum ";
constexpr std::string_view xxh3_prefix = "popflow checksum xxh3 ";

constexpr std::size_t size_of(std::string_view prefix) {
    return prefix.size() + 16 + 1;
}

std::string trailer_format1(std::span<const std::byte> bytes) {
    core::Digest digest;
    digest.add_bytes(bytes);
    return std::string(digest_prefix) + digest.text() + "\n";
}

}  // namespace

std::string make_checksum_trailer(std::span<const std::byte> bytes) {
    core::Checksum checksum;
    checksum.add_bytes(bytes);
    return std::string(xxh3_prefix) + checksum.text() + "\n";
}

void check_checksum_trailer(const std::string& path) {
    // A folder opens, and its size is the largest integer. Whoever opens the file as HDF5 reports it.
    std::error_code ignored;
    if (!std::filesystem::is_regular_file(path, ignored)) return;
    std::ifstream in(path, std::ios::binary | std::ios::ate);
    const std::streamoff size = in.tellg();
    if (!in || size < static_cast<std::streamoff>(size_of(xxh3_prefix))) return;
    std::string bytes(static_cast<std::size_t>(size), '\0');
    in.seekg(0);
    in.read(bytes.data(), size);
    if (!in) return;
    // Whether the file ends with a trailer of one format, and whether it fits the content.
    const auto check = [&](std::string_view prefix, auto make) {
        const std::size_t content = bytes.size() - size_of(prefix);
        const std::string_view trailer = std::string_view(bytes).substr(content);
        if (!trailer.starts_with(prefix)) return false;
        if (trailer != make(std::as_bytes(std::span(bytes)).first(content)))
            throw core::DataError(path, "", "the file is damaged: its content does not match its checksum");
        return true;
    };
    if (!check(xxh3_prefix, make_checksum_trailer)) check(digest_prefix, trailer_format1);
}

}  // namespace popflow::train
