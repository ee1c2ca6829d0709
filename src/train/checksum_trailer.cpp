// SPDX-License-Identifier: MIT
#include "train/checksum_trailer.hpp"

#include <fstream>
#include <string_view>

#include "core/digest.hpp"
#include "core/error.hpp"

namespace popflow::train {

namespace {

constexpr std::string_view seal_words = "popflow checksum ";
constexpr std::size_t seal_size = seal_words.size() + 16 + 1;

}  // namespace

std::string seal_of(std::span<const std::byte> bytes) {
    core::Digest digest;
    digest.add_bytes(bytes);
    return std::string(seal_words) + digest.text() + "\n";
}

void check_seal(const std::string& path) {
    std::ifstream in(path, std::ios::binary | std::ios::ate);
    const std::streamoff size = in.tellg();
    if (!in || size < static_cast<std::streamoff>(seal_size)) return;
    std::string bytes(static_cast<std::size_t>(size), '\0');
    in.seekg(0);
    in.read(bytes.data(), size);
    const std::string seal = bytes.substr(bytes.size() - seal_size);
    if (!in || !seal.starts_with(seal_words)) return;
    if (seal != seal_of(std::as_bytes(std::span(bytes)).first(bytes.size() - seal_size)))
        throw core::DataError(path, "", "the file is damaged: its content has not its checksum");
}

}  // namespace popflow::train
