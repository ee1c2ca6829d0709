// SPDX-License-Identifier: MIT
#include "image/population_images.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <map>
#include <set>
#include <span>
#include <utility>

#include "core/error.hpp"
#include "core/stored_file.hpp"
#include "core/text.hpp"
#include "image/image_file.hpp"

namespace popflow::image {

const std::vector<std::string> channel_names{"red", "green", "blue"};
const std::vector<std::string> place_columns{"x", "y", "width", "height"};

namespace {

using Strings = std::vector<std::string>;

// Returns a label as a part of a file name. The label of a sheet may be the name of a picture.
std::string file_part(const std::string& label) {
    std::string part = has_image_name(label) ? label.substr(0, label.rfind('.')) : label;
    for (char& c : part) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7f || c == '/' || c == '\\') c = '_';
    }
    return part;
}

constexpr std::size_t max_name_bytes = 250;  // Linux has 255, and a temporary name is longer

}  // namespace

PopulationImages::PopulationImages(const std::string& file, const anndata::MatrixSource& source,
                                   Strings population)
    : data_(file, source) {
    for (const std::string& name : channel_names) {
        const auto at = std::ranges::find(data_.var_names(), name);
        if (at == data_.var_names().end())
            throw core::DataError(file, data_.x().path(),
                                  "found no marker '" + name + "'" +
                                      core::did_you_mean(name, data_.var_names()) +
                                      ". Pixels have the markers red, green and blue, as popflow import "
                                      "--images writes them");
        channels_.push_back(static_cast<std::size_t>(at - data_.var_names().begin()));
    }
    if (population.empty()) {
        population.emplace_back(image_column);
        for (const char* column : {"predicted_treatment", "predicted_concentration"}) {
            if (data_.has_obs(column)) population.emplace_back(column);
        }
    }
    find_pictures(population);
    place_pixels();
}

void PopulationImages::find_pictures(const Strings& population) {
    const std::size_t rows = data_.n_obs();
    std::vector<std::vector<std::int32_t>> codes;
    std::vector<Strings> labels;
    for (const std::string& name : population) {
        if (std::ranges::find(columns_, name) != columns_.end())
            throw core::ConfigError("population", "found '" + name + "' twice. Give it once");
        anndata::LabelColumn column = data_.obs(name);
        codes.emplace_back(rows);
        column.read_codes(0, codes.back());
        labels.push_back(column.labels());
        columns_.push_back(name);
    }
    std::map<std::vector<std::int32_t>, std::size_t> found;
    std::vector<std::int32_t> key(codes.size());
    for (std::size_t row = 0; row < rows; ++row) {
        for (std::size_t k = 0; k < codes.size(); ++k) key[k] = codes[k][row];
        const auto [at, is_new] = found.try_emplace(key, pictures_.size());
        if (is_new) {
            pictures_.emplace_back();
            labels_.emplace_back();
            for (std::size_t k = 0; k < codes.size(); ++k) {
                if (key[k] == anndata::LabelColumn::missing_code && k == 0)
                    throw core::DataError(data_.file(), "obs/" + columns_[k],
                                          fmt::format("row {} has no label, so its picture is unknown", row));
                const bool is_missing = key[k] == anndata::LabelColumn::missing_code;
                labels_.back().push_back(is_missing ? "" : labels[k][static_cast<std::size_t>(key[k])]);
            }
            pictures_.back().label = fmt::format("{}", fmt::join(labels_.back(), " / "));
        }
        pictures_[at->second].rows.push_back(row);
    }
}

std::vector<std::uint32_t> PopulationImages::read_numbers(const std::string& column) const {
    const std::string path = "obs/" + column;
    if (!data_.has_obs(column))
        throw core::DataError(data_.file(), path,
                              "missing column. It tells the place of a pixel, as popflow import --images "
                              "writes it: keep it in the file");
    const anndata::StoredColumn stored = data_.table("obs").column(column);
    if (stored.categories || stored.mask)
        throw core::DataError(data_.file(), path, "found labels. Store whole numbers");
    const std::vector<double> values = stored.values.read<double>();
    if (values.size() != data_.n_obs())
        throw core::DataError(data_.file(), path,
                              fmt::format("found {} values for {} rows", values.size(), data_.n_obs()));
    std::vector<std::uint32_t> numbers;
    numbers.reserve(values.size());
    for (const double value : values) {
        if (!(value >= 0) || value > std::numeric_limits<std::int32_t>::max() || value != std::floor(value))
            throw core::DataError(
                data_.file(), path,
                fmt::format("row {}: found {}. Store a whole number of pixels", numbers.size(), value));
        numbers.push_back(static_cast<std::uint32_t>(value));
    }
    return numbers;
}

void PopulationImages::place_pixels() {
    const std::vector<std::uint32_t> x = read_numbers("x");
    const std::vector<std::uint32_t> y = read_numbers("y");
    const std::vector<std::uint32_t> width = read_numbers("width");
    const std::vector<std::uint32_t> height = read_numbers("height");
    for (Picture& picture : pictures_) {
        picture.width = width[picture.rows.front()];
        picture.height = height[picture.rows.front()];
        const std::string place = "picture '" + picture.label + "'";
        for (const std::uint64_t row : picture.rows) {
            if (width[row] != picture.width || height[row] != picture.height)
                throw core::DataError(
                    data_.file(), place,
                    fmt::format("found the sizes {} x {} and {} x {}. Name the columns of obs that tell "
                                "pictures apart with --population",
                                picture.width, picture.height, width[row], height[row]));
            if (x[row] >= picture.width || y[row] >= picture.height)
                throw core::DataError(data_.file(), place,
                                      fmt::format("row {}: found the pixel x = {}, y = {}, which is outside "
                                                  "{} x {}",
                                                  row, x[row], y[row], picture.width, picture.height));
            picture.pixels.push_back(static_cast<std::uint32_t>(y[row] * picture.width + x[row]));
        }
        check_complete(picture);
    }
}

void PopulationImages::check_complete(const Picture& picture) const {
    const std::string place = "picture '" + picture.label + "'";
    std::vector<std::uint32_t> sorted = picture.pixels;
    std::ranges::sort(sorted);
    const auto twice = std::ranges::adjacent_find(sorted);
    if (twice != sorted.end())
        throw core::DataError(
            data_.file(), place,
            fmt::format("found the pixel x = {}, y = {} twice. Name the columns of obs that "
                        "tell pictures apart with --population, so far {}",
                        *twice % picture.width, *twice / picture.width, core::joined(columns_)));
    if (sorted.size() != picture.width * picture.height)
        throw core::DataError(data_.file(), place,
                              fmt::format("found {} of its {} pixels. Import it without --pixels to write it",
                                          sorted.size(), picture.width * picture.height));
}

std::string missing_pixels(const std::string& file, const anndata::MatrixSource& source) {
    const anndata::AnnData data(file, source);
    for (const std::string& name : channel_names) {
        if (std::ranges::find(data.var_names(), name) == data.var_names().end())
            return "no marker '" + name + "'";
    }
    std::vector<std::string> columns = place_columns;
    columns.emplace_back(image_column);
    for (const std::string& column : columns) {
        if (!data.has_obs(column)) return "no column '" + column + "'";
    }
    return "";
}

std::vector<std::string> image_file_names(const PopulationImages& images) {
    std::map<std::string, std::string> label_of;
    std::vector<std::string> names;
    for (std::size_t i = 0; i < images.size(); ++i) {
        std::string name;
        for (const std::string& label : images.labels(i)) {
            if (!label.empty()) name += (name.empty() ? "" : "_") + file_part(label);
        }
        if (name.empty()) name = "unlabelled";
        if (name.starts_with('.')) name.front() = '_';
        name.resize(std::min(name.size(), max_name_bytes - 4));
        name += ".png";
        const auto [at, is_new] = label_of.try_emplace(name, images.label(i));
        if (!is_new)
            throw core::DataError(images.file(), "picture '" + images.label(i) + "'",
                                  "it would have the file " + name + ", like the picture '" + at->second +
                                      "'. Rename one of the labels");
        names.push_back(name);
    }
    return names;
}

Image PopulationImages::read(std::size_t i) const {
    const Picture& picture = pictures_.at(i);
    std::vector<float> values(3 * picture.rows.size());
    std::vector<anndata::RowRun> runs;
    for (std::size_t k = 0; k < picture.rows.size(); ++k) {
        if (!runs.empty() && runs.back().first + runs.back().count == picture.rows[k]) {
            ++runs.back().count;
        } else {
            runs.push_back({.first = picture.rows[k], .count = 1, .out = &values[3 * k]});
        }
    }
    data_.x().read(runs, channels_);
    Image image{.width = picture.width, .height = picture.height, .rgb = std::vector<float>(values.size())};
    for (std::size_t k = 0; k < picture.rows.size(); ++k) {
        const std::uint32_t pixel = picture.pixels[k];
        for (std::size_t c = 0; c < 3; ++c) {
            const float value = values[3 * k + c];
            if (!std::isfinite(value))
                throw core::DataError(
                    data_.file(), data_.x().path(),
                    fmt::format("picture '{}', pixel x = {}, y = {}: found {}, which is no finite number",
                                picture.label, pixel % picture.width, pixel / picture.width, value));
            image.rgb[3 * std::size_t{pixel} + c] = value;
        }
    }
    return image;
}

void prepare_folder(const std::vector<std::string>& names, const std::string& folder) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) throw core::DataError(folder, "", "cannot create the folder: " + error.message());
    for (const std::string& name : names) {
        const std::string path = (std::filesystem::path(folder) / name).string();
        if (std::filesystem::exists(path, error))
            throw core::DataError(path, "", "exists already. Choose another folder, or remove it");
    }
}

std::size_t write_population_image(const PopulationImages& images, std::size_t i, const std::string& path,
                                   PngDepth depth) {
    const Image image = images.read(i);
    core::store_file(path, png_bytes(image, depth));
    return static_cast<std::size_t>(std::ranges::count_if(image.rgb, [](float v) { return v < 0 || v > 1; }));
}

}  // namespace popflow::image
