// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "h5/dataset.hpp"
#include "linalg/matrix.hpp"

namespace popflow::simulate {

/// Population density on a grid that covers the whole sphere.
///
/// Row 0 is the northernmost one, column 0 begins at 180 degrees west. All cells have the same size in
/// degrees.
class DensityRaster {
  public:
    /// Opens the dataset `population_density` [rows, columns] of an HDF5 file. Values are read row by row, so
    /// the raster may be larger than the memory.
    /// @throws core::DataError if the file or the dataset is missing, has another shape or holds no numbers
    static DensityRaster open(const std::string& path);

    /// Makes a raster of 360 x 720 cells: continents on 29 % of the sphere, cities on them, and oceans of
    /// density 0.
    ///
    /// Continents and cities are sums of bumps h exp(k (<x, c> - 1)) with centres c on the sphere. The
    /// density falls with the square of the cosine of the latitude.
    /// Random: one stream of the seed.
    static DensityRaster synthetic(std::uint64_t seed);

    std::size_t rows() const;
    std::size_t cols() const;
    /// Name of the file, or `synthetic`.
    const std::string& name() const { return name_; }
    /// Latitude of the centres of a row, in degrees.
    double latitude(std::size_t row) const;
    /// Longitude of the centres of a column, in degrees.
    double longitude(std::size_t column) const;

    /// Overwrites `out` with a row. Reading rows in ascending order is fastest.
    /// @throws core::DataError for a value that is negative or not finite
    void read_row(std::size_t row, std::vector<double>& out) const;

  private:
    explicit DensityRaster(std::string name) : name_(std::move(name)) {}

    std::string name_;
    std::optional<h5::Dataset> stored_{};
    linalg::Matrix<double> values_{};  ///< values of a raster that is not stored in a file
};

/// Cell of a raster.
struct RasterCell {
    std::size_t row = 0;
    std::size_t column = 0;
};

/// Probability of a cell in draw_cells(), up to a constant factor.
enum class CellWeight : std::uint8_t {
    density,   ///< density of the cell, not times its area
    populated  ///< 1 if the density is above 0, otherwise 0
};

/// Draws cells with replacement.
/// @param key  key of the random stream
/// @throws core::DataError if no cell has a density above 0, or as DensityRaster::read_row()
std::vector<RasterCell> draw_cells(const DensityRaster& raster, CellWeight weight, std::uint64_t seed,
                                   std::uint64_t key, std::size_t count);

}  // namespace popflow::simulate
