// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "h5/file.hpp"
#include "linalg/matrix.hpp"

namespace popflow::simulate {

/// Options of instances of the supply and demand problem on the sphere.
struct SupplyDemandOptions {
    std::uint64_t seed = 0;
    std::size_t instances = 1000;
    std::size_t supply = 100;           ///< number of supply locations
    std::size_t demand = 10000;         ///< number of demand locations
    std::string density = "synthetic";  ///< an HDF5 file (DensityRaster::open()) or `synthetic`
    double validation_fraction = 0.1;   ///< share of the instances in the part validation
    double test_fraction = 0.1;         ///< share of the instances in the part test
};

/// Side of a transport problem.
enum class Side : std::uint8_t { supply, demand };

/// Locations of the atoms of one side.
struct Locations {
    std::vector<double> latitude;       ///< degrees
    std::vector<double> longitude;      ///< degrees
    linalg::Matrix<double> position{};  ///< unit vectors [atoms, 3]

    std::size_t size() const { return latitude.size(); }
};

/// Draws the locations of a side, which all instances share.
///
/// Demand cells are drawn with a probability proportional to the density of the raster cell, without its
/// area. Supply cells are drawn uniformly among the cells with a density above 0. Both are drawn with
/// replacement, and a location is the centre of its cell. This follows the published code, whose latitudes
/// are tilted and mirrored. Ours are those of the cells.
///
/// Random: one stream per side.
/// Source: Amos et al., "Meta Optimal Transport", ICML 2023 (arXiv 2206.05262), section 4.1.
/// @throws core::DataError as DensityRaster::open() and draw_cells()
Locations draw_locations(const SupplyDemandOptions& options, Side side);

/// Draws the weights of an instance, which sum to 1.
///
/// A demand weight is U(0, 1), a supply weight is Bernoulli(1/2) U(0, 1). Both are normalised. An instance
/// without mass is drawn again.
/// Random: one stream per side and instance, so that an instance does not depend on their number.
/// @param weights  one entry per atom
void draw_weights(const SupplyDemandOptions& options, Side side, std::size_t instance,
                  std::span<double> weights);

/// Returns the part of an instance: `train`, then `validation`, then `test` for the last ones.
std::string instance_part(const SupplyDemandOptions& options, std::size_t instance);

/// Checks the options. @throws core::ConfigError
void check(const SupplyDemandOptions& options);

/// Returns the numbers of rows of the blocks in which a file is written.
std::vector<std::size_t> instance_blocks(const SupplyDemandOptions& options, Side side);

/// Creates the `.h5ad` of a side under its temporary name. write_instances() fills in the rows of X and obs.
/// Exactly one process calls this function.
///
/// - A row of X is an instance, a column an atom. X is dense float64.
/// - obs has the columns `instance` (the names of the rows) and `split`.
/// - var has `latitude` and `longitude` in degrees, `varm["position"]` unit vectors [atoms, 3].
/// - uns/simulation holds version, seed and options.
///
/// @return  file whose commit() renames it to `path`; without commit() its destructor removes it
/// @throws core::DataError if the file cannot be written
std::unique_ptr<h5::AtomicFile> create_supply_demand_file(const SupplyDemandOptions& options, Side side,
                                                          const Locations& locations,
                                                          const std::string& path);

/// Draws the instances of some blocks and writes their rows into the temporary file of `path`. Not
/// collective: several processes may write different blocks at the same time.
///
/// @param blocks  indices into instance_blocks()
/// @throws core::DataError if the file is missing or a write fails
void write_instances(const SupplyDemandOptions& options, Side side, const std::string& path,
                     std::span<const std::size_t> blocks);

}  // namespace popflow::simulate
