// SPDX-License-Identifier: MIT
#include "simulate/density_raster.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numbers>
#include <numeric>
#include <utility>

#include "core/error.hpp"
#include "core/random.hpp"
#include "core/text.hpp"
#include "h5/file.hpp"
#include "simulate/simulated_response.hpp"

namespace popflow::simulate {

namespace {

using core::Purpose;
using core::Stream;
using Vector = std::array<double, 3>;

constexpr const char* dataset_name = "population_density";
constexpr double radian = std::numbers::pi / 180;  ///< radians of a degree

double dot(const Vector& a, const Vector& b) {
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

Vector unit_vector(double latitude, double longitude) {
    return {std::cos(latitude * radian) * std::cos(longitude * radian),
            std::cos(latitude * radian) * std::sin(longitude * radian), std::sin(latitude * radian)};
}

Vector normalised(Vector x) {
    const double length = std::sqrt(dot(x, x));
    for (double& v : x) v /= length;
    return x;
}

// Hill on the sphere: height exp(sharpness (<x, centre> - 1)). Its width is about 1 / sqrt(sharpness).
struct Bump {
    Vector centre;
    double sharpness;
    double height;

    double at(const Vector& x) const {
        constexpr double negligible = -40;  // exp of it
        const double exponent = sharpness * (dot(x, centre) - 1);
        return exponent < negligible ? 0 : height * std::exp(exponent);
    }
};

double between(Stream& stream, double low, double high) {
    return low + (high - low) * stream.uniform();
}

double sharpness_of_width(double width) {
    return 1 / (width * width);
}

std::vector<Bump> draw_continents(Stream& stream) {
    constexpr int continents = 7;
    constexpr int bumps = 5;
    std::vector<Bump> all;
    for (int k = 0; k < continents; ++k) {
        const double z = between(stream, -0.75, 0.75);
        const double longitude = between(stream, -180, 180);
        const Vector centre = unit_vector(std::asin(z) / radian, longitude);
        for (int b = 0; b < bumps; ++b) {
            Vector shifted = centre;
            for (double& v : shifted) v += 0.22 * stream.normal();
            all.push_back({.centre = normalised(shifted),
                           .sharpness = sharpness_of_width(between(stream, 0.1, 0.3)),
                           .height = between(stream, 0.5, 1.5)});
        }
    }
    return all;
}

// Sizes of cities follow a power law, as those of real ones.
Bump draw_city(Stream& stream, const Vector& centre) {
    constexpr double smallest = 1500;
    constexpr double largest = 30000;
    const double size = smallest * std::pow(1 - stream.uniform(), -0.7);
    return {.centre = centre,
            .sharpness = sharpness_of_width(between(stream, 0.006, 0.015)),
            .height = std::min(size, largest)};
}

}  // namespace

std::size_t DensityRaster::rows() const {
    return stored_ ? stored_->rows() : values_.rows();
}

std::size_t DensityRaster::cols() const {
    return stored_ ? stored_->row_size() : values_.cols();
}

double DensityRaster::latitude(std::size_t row) const {
    return 90 - 180 * (static_cast<double>(row) + 0.5) / static_cast<double>(rows());
}

double DensityRaster::longitude(std::size_t column) const {
    return -180 + 360 * (static_cast<double>(column) + 0.5) / static_cast<double>(cols());
}

DensityRaster DensityRaster::open(const std::string& path) {
    const h5::Group root = h5::open_file(path);
    if (!root.contains_dataset(dataset_name)) {
        throw core::DataError(path, dataset_name,
                              "is missing, found " + core::joined(root.names()) +
                                  ". Give a file with a dataset of this name, [rows, columns] from north to "
                                  "south and from west to east, or --density synthetic");
    }
    DensityRaster raster(path);
    raster.stored_ = root.open_dataset(dataset_name);
    const h5::Dataset& stored = *raster.stored_;
    if (stored.type().kind != h5::Kind::integer && stored.type().kind != h5::Kind::floating)
        throw core::DataError(path, dataset_name, "found " + stored.type().text() + ", allowed numbers");
    if (stored.rank() != 2 || stored.size() == 0) {
        std::string shape;
        for (const std::size_t length : stored.shape())
            shape += (shape.empty() ? "" : ", ") + std::to_string(length);
        throw core::DataError(path, dataset_name,
                              "found shape [" + shape + "], allowed [rows, columns] of 1 or more");
    }
    return raster;
}

DensityRaster DensityRaster::synthetic(std::uint64_t seed) {
    constexpr std::size_t n_rows = 360;
    constexpr std::size_t n_cols = 720;
    constexpr double land_share = 0.29;
    constexpr int cities = 250;
    DensityRaster raster("synthetic");
    raster.values_ = linalg::Matrix<double>(n_rows, n_cols);
    linalg::Matrix<double>& x = raster.values_;
    std::vector<Vector> points;
    for (std::size_t i = 0; i < x.size(); ++i)
        points.push_back(unit_vector(raster.latitude(i / n_cols), raster.longitude(i % n_cols)));
    const auto area = [&](std::size_t i) { return std::cos(raster.latitude(i / n_cols) * radian); };

    Stream stream(seed, Purpose::simulation, label_key("density raster"));
    const std::vector<Bump> continents = draw_continents(stream);
    std::vector<double> height(x.size(), 0);
    for (std::size_t i = 0; i < x.size(); ++i)
        for (const Bump& bump : continents) height[i] += bump.at(points[i]);

    // The highest cells are land, until land has its share of the area.
    std::vector<std::size_t> order(x.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return height[a] > height[b]; });
    double total = 0;
    for (std::size_t i = 0; i < x.size(); ++i) total += area(i);
    std::size_t land = 0;
    for (double covered = 0; covered < land_share * total; ++land) covered += area(order[land]);
    order.resize(land);
    const double coast = height[order.back()];

    std::vector<Bump> towns;
    for (int k = 0; k < cities; ++k) towns.push_back(draw_city(stream, points[order[stream.below(land)]]));
    for (const std::size_t i : order) {
        double density = 30 * (height[i] / coast - 0.9);
        for (const Bump& town : towns) density += town.at(points[i]);
        x.values()[i] = density * area(i) * area(i);
    }
    return raster;
}

void DensityRaster::read_row(std::size_t row, std::vector<double>& out) const {
    out.resize(cols());
    if (!stored_) {
        std::copy_n(values_.data() + row * cols(), cols(), out.begin());
        return;
    }
    stored_->read_rows(row, 1, std::span<double>(out));
    for (std::size_t column = 0; column < out.size(); ++column) {
        if (std::isfinite(out[column]) && out[column] >= 0) continue;
        throw core::DataError(
            name_, dataset_name,
            fmt::format("found {} in row {}, column {}. Give finite values of 0 or more, and "
                        "0 for cells without data",
                        out[column], row, column));
    }
}

std::vector<RasterCell> draw_cells(const DensityRaster& raster, CellWeight weight, std::uint64_t seed,
                                   std::uint64_t key, std::size_t count) {
    const auto weight_of = [&](double density) {
        return weight == CellWeight::density ? density : density > 0 ? 1.0 : 0.0;
    };
    std::vector<double> cells;
    // Overwrites `cells` with the sums of the weights of a row up to each cell.
    const auto accumulate_row = [&](std::size_t row) {
        raster.read_row(row, cells);
        double sum = 0;
        for (double& cell : cells) cell = sum += weight_of(cell);
        return sum;
    };
    std::vector<double> up_to_row;
    double total = 0;
    for (std::size_t row = 0; row < raster.rows(); ++row) up_to_row.push_back(total += accumulate_row(row));
    if (!(total > 0))
        throw core::DataError(raster.name(), dataset_name, "found no cell with a value above 0");
    if (!std::isfinite(total))
        throw core::DataError(raster.name(), dataset_name, "the sum of all values is not finite");

    // Returns the first entry whose sum exceeds a share of the last sum. Entries of weight 0 are never first.
    const auto place_of = [](const std::vector<double>& sums, double share) {
        const auto at = std::ranges::upper_bound(sums, share * sums.back());
        // Rounding may give the last sum itself.
        return static_cast<std::size_t>(
            (at == sums.end() ? std::ranges::lower_bound(sums, sums.back()) : at) - sums.begin());
    };
    struct Draw {
        std::size_t index;
        double share;  ///< position within the row
    };
    Stream stream(seed, Purpose::simulation, key);
    std::map<std::size_t, std::vector<Draw>> by_row;
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t row = place_of(up_to_row, stream.uniform());
        by_row[row].push_back({i, stream.uniform()});
    }
    std::vector<RasterCell> drawn(count);
    for (const auto& [row, draws] : by_row) {
        accumulate_row(row);
        for (const Draw& draw : draws) drawn[draw.index] = {row, place_of(cells, draw.share)};
    }
    return drawn;
}

}  // namespace popflow::simulate
