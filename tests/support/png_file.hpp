// SPDX-License-Identifier: MIT
#pragma once

#include <zlib.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "support/fcs_bytes.hpp"

namespace popflow::support {

/// Returns a chunk of a PNG file with its length and its CRC.
inline std::string png_chunk(const std::string& type, const std::string& content) {
    const std::string body = type + content;
    const auto crc = crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()));
    return bytes_of(content.size(), 4, Order::big) + body + bytes_of(crc, 4, Order::big);
}

/// PNG file that is written by hand: IHDR, further chunks, one IDAT and IEND. Tests change the members that
/// they examine.
struct PngFile {
    std::uint32_t width = 0;
    std::uint32_t height = 0;
    std::uint8_t bits = 8;
    std::uint8_t colour_type = 2;     ///< 0 grey, 2 RGB, 3 palette, 4 grey with opacity, 6 RGB with opacity
    std::uint8_t interlace = 0;       ///< 1: Adam7
    std::vector<std::string> rows{};  ///< bytes of each row, of each pass if interlaced
    std::vector<std::pair<std::string, std::string>> chunks{};  ///< type and content, between IHDR and IDAT

    std::string bytes() const {
        std::string raw;
        for (const std::string& row : rows) raw += '\0' + row;  // 0: the row has no filter
        uLongf size = compressBound(raw.size());
        std::string packed(size, '\0');
        compress(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(raw.data()),
                 raw.size());
        packed.resize(size);
        const auto byte = [](std::uint8_t value) { return std::string(1, static_cast<char>(value)); };
        std::string file = "\x89PNG\r\n\x1a\n";
        file +=
            png_chunk("IHDR", bytes_of(width, 4, Order::big) + bytes_of(height, 4, Order::big) + byte(bits) +
                                  byte(colour_type) + std::string(2, '\0') + byte(interlace));
        for (const auto& [type, content] : chunks) file += png_chunk(type, content);
        return file + png_chunk("IDAT", packed) + png_chunk("IEND", "");
    }
};

/// Returns EXIF data of one entry, the orientation.
inline std::string exif_bytes(std::uint16_t orientation, Order order = Order::little) {
    return (order == Order::little ? "II" : "MM") + bytes_of(42, 2, order) + bytes_of(8, 4, order) +
           bytes_of(1, 2, order) + bytes_of(274, 2, order) + bytes_of(3, 2, order) + bytes_of(1, 4, order) +
           bytes_of(orientation, 2, order) + bytes_of(0, 2, order) + bytes_of(0, 4, order);
}

}  // namespace popflow::support
