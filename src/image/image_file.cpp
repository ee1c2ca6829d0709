// SPDX-License-Identifier: MIT
#include "image/image_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <limits>
#include <new>
#include <system_error>

#include "core/error.hpp"
#include "core/natural_order.hpp"
#include "core/text.hpp"
#include "image/jpeg_file.hpp"
#include "image/png_file.hpp"

namespace popflow::image {

namespace {

enum class Format { none, png, jpeg };

Format format_of(const std::string& path) {
    constexpr std::array<unsigned char, 8> png{0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    constexpr std::array<unsigned char, 3> jpeg{0xff, 0xd8, 0xff};
    std::array<unsigned char, 8> start{};
    const FilePointer file = open_binary(path);
    const std::size_t n = std::fread(start.data(), 1, start.size(), file.get());
    if (std::ferror(file.get()) != 0)
        throw core::DataError(path, "", "cannot read: " + std::generic_category().message(errno));
    if (n == start.size() && start == png) return Format::png;
    if (n >= jpeg.size() && std::equal(jpeg.begin(), jpeg.end(), start.begin())) return Format::jpeg;
    return Format::none;
}

[[noreturn]] void fail_format(const std::string& path) {
    throw core::DataError(path, "", "is neither a PNG nor a JPEG file: convert it to PNG");
}

}  // namespace

FilePointer open_binary(const std::string& path) {
    std::error_code ignored;
    if (std::filesystem::is_directory(path, ignored))
        throw core::DataError(path, "", "cannot read: " + std::generic_category().message(EISDIR));
    FilePointer file(std::fopen(path.c_str(), "rbe"));
    if (!file) throw core::DataError(path, "", "cannot read: " + std::generic_category().message(errno));
    return file;
}

bool is_image(const std::string& path) {
    return format_of(path) != Format::none;
}

bool has_image_name(const std::string& path) {
    const std::string extension = core::lower_case(std::filesystem::path(path).extension().string());
    return extension == ".png" || extension == ".jpg" || extension == ".jpeg";
}

std::vector<std::string> images_of_folder(const std::string& folder) {
    std::error_code error;
    std::vector<std::string> names;
    std::filesystem::directory_iterator entry(folder, error);
    for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
        const std::string name = entry->path().filename().string();
        std::error_code ignored;
        if (has_image_name(name) && !entry->is_directory(ignored)) names.push_back(name);
    }
    if (error) throw core::DataError(folder, "", "cannot read the folder: " + error.message());
    if (names.empty())
        throw core::DataError(folder, "", "found no file whose name ends in .png, .jpg or .jpeg");
    std::vector<std::string> paths;
    for (const std::string& name : core::sorted_labels(names))
        paths.push_back((std::filesystem::path(folder) / name).string());
    return paths;
}

ImageHeader read_image_header(const std::string& path) {
    switch (format_of(path)) {
        case Format::png:
            return read_png_header(path);
        case Format::jpeg:
            return read_jpeg_header(path);
        default:
            fail_format(path);
    }
}

Image read_image(const std::string& path) {
    try {
        switch (format_of(path)) {
            case Format::png:
                return read_png(path);
            case Format::jpeg:
                return read_jpeg(path);
            default:
                fail_format(path);
        }
    } catch (const std::bad_alloc&) {
        throw core::DataError(path, "", "the picture does not fit into memory: make it smaller");
    }
}

void check_size(const std::string& path, std::uint64_t width, std::uint64_t height,
                std::uint64_t bytes_per_pixel, std::uint64_t max_pixels,
                std::optional<std::uint64_t> available) {
    const std::string found = fmt::format("found a size of {} x {} pixels", width, height);
    if (width == 0 || height == 0)
        throw core::DataError(path, "", found + ". A picture has at least one pixel");
    if (width > max_pixels / height)
        throw core::DataError(
            path, "", found + ", more than the file can hold: it is truncated or damaged, get it again");
    constexpr std::uint64_t max_drawn = std::numeric_limits<std::uint32_t>::max();
    const std::uint64_t pixels = width * height;
    if (pixels > max_drawn)
        throw core::DataError(path, "", found + fmt::format(", more than {}: make it smaller", max_drawn));
    const std::uint64_t needed = bytes_per_pixel + cell_bytes;
    if (available && pixels > *available / needed)
        throw core::DataError(path, "",
                              fmt::format("{}, which need {:.3g} GB of memory, but {:.3g} GB are available: "
                                          "make the picture smaller",
                                          found, static_cast<double>(pixels * needed) / 1e9,
                                          static_cast<double>(*available) / 1e9));
}

}  // namespace popflow::image
