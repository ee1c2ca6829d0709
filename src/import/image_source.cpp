// SPDX-License-Identifier: MIT
#include "import/image_source.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <numeric>
#include <set>
#include <utility>

#include "core/digest.hpp"
#include "core/error.hpp"
#include "core/random.hpp"
#include "image/image_file.hpp"
#include "image/resize.hpp"
#include "import/table_source.hpp"

namespace popflow::data_import {

namespace {

// Key of the random stream of an image.
std::uint64_t label_key(const std::string& label) {
    core::Digest digest;
    digest.add(std::string_view(label));
    return std::stoull(digest.text(), nullptr, 16);
}

}  // namespace

std::vector<std::string> find_images(const std::vector<std::string>& paths) {
    std::vector<std::string> found;
    for (const std::string& path : paths) {
        std::error_code ignored;
        if (std::filesystem::is_directory(path, ignored)) {
            std::ranges::copy(image::images_of_folder(path), std::back_inserter(found));
        } else {
            found.push_back(path);
        }
    }
    std::set<std::string> seen;
    for (const std::string& path : found) {
        const std::string normal = std::filesystem::path(path).lexically_normal().string();
        if (!seen.insert(normal).second)
            throw core::ConfigError("images", "found '" + path + "' twice. Give it once");
    }
    return found;
}

std::vector<std::string> image_labels(const std::vector<std::string>& paths) {
    std::vector<std::string> labels;
    std::map<std::string, std::size_t> uses;
    for (const std::string& path : paths) {
        labels.push_back(std::filesystem::path(path).stem().string());
        ++uses[labels.back()];
    }
    for (std::size_t i = 0; i < paths.size(); ++i) {
        if (uses[labels[i]] > 1) labels[i] = paths[i];
    }
    return labels;
}

ImagePixels read_pixels(const std::string& path, std::size_t count, const std::string& label,
                        const ImportOptions& options) {
    image::Image image = image::read_image(path);
    if (options.max_side != 0) image = image::shrunk(std::move(image), options.max_side);
    const std::size_t pixels = image.pixels();
    if (pixels < count) fail_changed(path);
    std::vector<std::uint32_t> chosen(count);
    if (count == pixels) {
        std::iota(chosen.begin(), chosen.end(), std::uint32_t{0});
    } else {
        core::Stream(options.seed, core::Purpose::pixels, label_key(label)).sample(pixels, count, chosen);
        std::ranges::sort(chosen);
    }
    ImagePixels result{linalg::Matrix<float>(count, 3), std::vector<std::int32_t>(4 * count)};
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t pixel = chosen[i];
        for (std::size_t c = 0; c < 3; ++c) result.rgb(i, c) = image.rgb[3 * pixel + c];
        result.places[i] = static_cast<std::int32_t>(pixel % image.width);
        result.places[count + i] = static_cast<std::int32_t>(pixel / image.width);
        result.places[2 * count + i] = static_cast<std::int32_t>(image.width);
        result.places[3 * count + i] = static_cast<std::int32_t>(image.height);
    }
    return result;
}

}  // namespace popflow::data_import
