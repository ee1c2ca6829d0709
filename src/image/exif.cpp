// SPDX-License-Identifier: MIT
#include "image/exif.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

namespace popflow::image {

namespace {

// Reads numbers of a TIFF structure. A number beyond the end has no value.
class TiffReader {
  public:
    explicit TiffReader(std::span<const unsigned char> bytes)
        : bytes_(bytes), is_little_(!bytes.empty() && bytes[0] == 'I') {}

    std::optional<std::uint32_t> number(std::size_t at, std::size_t width) const {
        if (at > bytes_.size() || bytes_.size() - at < width) return std::nullopt;
        std::uint32_t value = 0;
        for (std::size_t k = 0; k < width; ++k) {
            const std::size_t byte = is_little_ ? width - 1 - k : k;
            value = value << 8U | bytes_[at + byte];
        }
        return value;
    }

  private:
    std::span<const unsigned char> bytes_;
    bool is_little_;
};

// Returns the index of the stored pixel that an oriented picture shows at (x, y).
// `width` and `height` are those of the stored picture.
std::size_t source_pixel(Orientation orientation, std::size_t x, std::size_t y, std::size_t width,
                         std::size_t height) {
    const std::size_t right = width - 1;
    const std::size_t bottom = height - 1;
    switch (orientation) {
        case 2:
            return y * width + (right - x);
        case 3:
            return (bottom - y) * width + (right - x);
        case 4:
            return (bottom - y) * width + x;
        case 5:
            return x * width + y;
        case 6:
            return (bottom - x) * width + y;
        case 7:
            return (bottom - x) * width + (right - y);
        case 8:
            return x * width + (right - y);
        default:
            return y * width + x;
    }
}

}  // namespace

Orientation exif_orientation(std::span<const unsigned char> exif) {
    constexpr std::uint32_t orientation_tag = 274;
    constexpr std::uint32_t short_type = 3;
    constexpr std::size_t entry_bytes = 12;
    if (exif.size() < 8 || exif[0] != exif[1] || (exif[0] != 'I' && exif[0] != 'M')) return 1;
    const TiffReader tiff(exif);
    if (tiff.number(2, 2) != 42U) return 1;
    const std::size_t directory = tiff.number(4, 4).value_or(0);
    const std::uint32_t entries = tiff.number(directory, 2).value_or(0);
    for (std::uint32_t k = 0; k < entries; ++k) {
        const std::size_t entry = directory + 2 + k * entry_bytes;
        if (tiff.number(entry, 2) != orientation_tag) continue;
        const std::uint32_t value = tiff.number(entry + 8, 2).value_or(1);
        const bool is_valid = tiff.number(entry + 2, 2) == short_type && value >= 1 && value <= 8;
        return is_valid ? static_cast<Orientation>(value) : 1;
    }
    return 1;
}

Image oriented(Image image, Orientation orientation) {
    if (orientation == 1) return image;
    Image turned{.width = image.width, .height = image.height, .rgb = {}};
    if (swaps_sides(orientation)) std::swap(turned.width, turned.height);
    turned.rgb.resize(image.rgb.size());
    float* out = turned.rgb.data();
    for (std::size_t y = 0; y < turned.height; ++y) {
        for (std::size_t x = 0; x < turned.width; ++x) {
            const std::size_t from = source_pixel(orientation, x, y, image.width, image.height);
            out = std::copy_n(&image.rgb[3 * from], 3, out);
        }
    }
    return turned;
}

}  // namespace popflow::image
