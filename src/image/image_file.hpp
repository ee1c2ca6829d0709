// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "image/image.hpp"

namespace popflow::image {

/// Returns whether a file begins with the signature of PNG or JPEG, whatever its name.
/// @throws core::DataError if it cannot be read
bool is_image(const std::string& path);

/// Returns whether a name ends in .png, .jpg or .jpeg, in upper or lower case.
bool has_image_name(const std::string& path);

/// Returns the paths of the files of a folder with has_image_name(), in natural order. Subfolders are not
/// searched. @throws core::DataError if the folder cannot be read or has no such file
std::vector<std::string> images_of_folder(const std::string& folder);

/// Reads the header of a PNG or JPEG file. @throws core::DataError for an invalid file
ImageHeader read_image_header(const std::string& path);

/// Reads a PNG or JPEG file, see read_png() and read_jpeg(). Turns it as its EXIF orientation says.
/// @throws core::DataError for an invalid file, and if memory is insufficient
Image read_image(const std::string& path);

struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
};
using FilePointer = std::unique_ptr<std::FILE, CloseFile>;

/// Opens a file for reading. @throws core::DataError
FilePointer open_binary(const std::string& path);

/// Memory of a pixel as a cell with its place, which an import makes of a decoded image, in bytes.
inline constexpr std::uint64_t cell_bytes = 28;

/// Checks a size that a file claims before memory is allocated.
///
/// @param bytes_per_pixel  memory that the decoder needs. cell_bytes are added
/// @param max_pixels  largest number of pixels that the bytes of the file can encode
/// @param available  free memory in bytes, core::available_memory(), or nothing if it is unknown
/// @throws core::DataError that names the size and the limit
void check_size(const std::string& path, std::uint64_t width, std::uint64_t height,
                std::uint64_t bytes_per_pixel, std::uint64_t max_pixels,
                std::optional<std::uint64_t> available);

}  // namespace popflow::image
