// SPDX-License-Identifier: MIT
#include "simulate/supply_demand.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numbers>

#include "anndata/anndata_write.hpp"
#include "anndata/row_writer.hpp"
#include "core/error.hpp"
#include "core/random.hpp"
#include "core/stored_file.hpp"
#include "core/version.hpp"
#include "h5/dataframe.hpp"
#include "simulate/density_raster.hpp"
#include "simulate/simulated_response.hpp"

namespace popflow::simulate {

namespace {

using core::Purpose;
using core::Stream;

const char* side_name(Side side) {
    return side == Side::supply ? "supply" : "demand";
}

std::size_t atoms_of(const SupplyDemandOptions& options, Side side) {
    return side == Side::supply ? options.supply : options.demand;
}

std::size_t share_of(const SupplyDemandOptions& options, double fraction) {
    return static_cast<std::size_t>(std::lround(fraction * static_cast<double>(options.instances)));
}

std::string instance_name(std::size_t instance) {
    return "instance_" + std::to_string(instance);
}

std::size_t name_length(const SupplyDemandOptions& options) {
    return instance_name(options.instances - 1).size();
}

// Number of rows of a block: about a megabyte.
std::size_t block_rows(const SupplyDemandOptions& options, Side side) {
    constexpr std::size_t values = std::size_t{1} << 17U;
    return std::max<std::size_t>(1, values / atoms_of(options, side));
}

void create_obs(h5::Group& root, const SupplyDemandOptions& options) {
    h5::Group obs = root.create_group("obs");
    h5::write_encoding(obs, "dataframe", "0.2.0");
    obs.write_attribute("column-order", std::vector<std::string>{"instance", "split"});
    obs.write_attribute("_index", "_index");
    anndata::create_row_names(obs, options.instances, name_length(options));
    h5::Dataset names = obs.create_contiguous_strings("instance", name_length(options), options.instances);
    h5::write_encoding(names, "string-array", "0.2.0");
    anndata::create_categorical(obs, "split", {"test", "train", "validation"}, options.instances);
}

void write_var(h5::Group& root, Side side, const Locations& locations) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < locations.size(); ++i)
        names.push_back(std::string(side_name(side)) + "_" + std::to_string(i));
    h5::DataFrame var;
    var.set_row_names(std::move(names));
    var.add("latitude", locations.latitude);
    var.add("longitude", locations.longitude);
    h5::write_dataframe(root, "var", var);
    h5::Group varm = anndata::create_dict(root, "varm");
    anndata::write_array<double>(varm, "position", locations.position.values(), {locations.size(), 3});
}

void write_uns(h5::Group& root, const SupplyDemandOptions& options, Side side) {
    h5::Group uns = anndata::create_dict(root, "uns");
    h5::Group simulation = anndata::create_dict(uns, "simulation");
    anndata::write_string(simulation, "version", std::string("popflow ") + core::version());
    anndata::write_string(simulation, "side", side_name(side));
    anndata::write_string(simulation, "density", std::filesystem::path(options.density).filename().string());
    anndata::write_scalar<std::uint64_t>(simulation, "seed", options.seed);
    anndata::write_scalar<std::uint64_t>(simulation, "instances", options.instances);
    anndata::write_scalar<std::uint64_t>(simulation, "supply", options.supply);
    anndata::write_scalar<std::uint64_t>(simulation, "demand", options.demand);
    anndata::write_scalar<double>(simulation, "validation_fraction", options.validation_fraction);
    anndata::write_scalar<double>(simulation, "test_fraction", options.test_fraction);
}

// Byte offsets in the file that is being written.
struct FileOffsets {
    std::uint64_t x = 0;
    std::uint64_t index = 0;
    std::uint64_t instance = 0;
    anndata::CodeColumn split{};
};

// Looks up the offsets. Keeps the file open in HDF5 only during this call, because HDF5 does not support
// concurrent access by several processes.
FileOffsets find_offsets(const std::string& file) {
    const h5::Group root = h5::open_file(file);
    return {root.open_dataset("X").file_offset(), root.open_dataset("obs/_index").file_offset(),
            root.open_dataset("obs/instance").file_offset(), anndata::find_codes(root, "split")};
}

}  // namespace

void check(const SupplyDemandOptions& options) {
    const auto check_count = [](const char* key, std::size_t found) {
        if (found == 0) throw core::ConfigError(key, "found '0'. Give 1 or more");
    };
    check_count("instances", options.instances);
    check_count("supply", options.supply);
    check_count("demand", options.demand);
    if (share_of(options, options.validation_fraction) + share_of(options, options.test_fraction) >
        options.instances) {
        throw core::ConfigError("test-fraction",
                                fmt::format("found {} with --validation-fraction {}, but both add up to more "
                                            "than 1. Choose smaller fractions",
                                            options.test_fraction, options.validation_fraction));
    }
}

Locations draw_locations(const SupplyDemandOptions& options, Side side) {
    check(options);
    const DensityRaster raster = options.density == "synthetic" ? DensityRaster::synthetic(options.seed)
                                                                : DensityRaster::open(options.density);
    const std::size_t n = atoms_of(options, side);
    const std::vector<RasterCell> cells =
        draw_cells(raster, side == Side::supply ? CellWeight::populated : CellWeight::density, options.seed,
                   label_key(std::string(side_name(side)) + " locations"), n);
    Locations locations;
    locations.position = linalg::Matrix<double>(n, 3);
    for (std::size_t i = 0; i < n; ++i) {
        constexpr double radian = std::numbers::pi / 180;
        const double latitude = raster.latitude(cells[i].row);
        const double longitude = raster.longitude(cells[i].column);
        locations.latitude.push_back(latitude);
        locations.longitude.push_back(longitude);
        locations.position(i, 0) = std::cos(latitude * radian) * std::cos(longitude * radian);
        locations.position(i, 1) = std::cos(latitude * radian) * std::sin(longitude * radian);
        locations.position(i, 2) = std::sin(latitude * radian);
    }
    return locations;
}

void draw_weights(const SupplyDemandOptions& options, Side side, std::size_t instance,
                  std::span<double> weights) {
    Stream stream(options.seed, Purpose::simulation, label_key(std::string(side_name(side)) + " weights"),
                  instance);
    double sum = 0;
    while (!(sum > 0)) {
        for (double& weight : weights) {
            const bool is_present = side == Side::demand || stream.uniform() < 0.5;
            weight = is_present ? stream.uniform() : 0;
            sum += weight;
        }
    }
    for (double& weight : weights) weight /= sum;
}

std::string instance_part(const SupplyDemandOptions& options, std::size_t instance) {
    const std::size_t test = share_of(options, options.test_fraction);
    const std::size_t validation = share_of(options, options.validation_fraction);
    if (instance + test >= options.instances) return "test";
    return instance + test + validation >= options.instances ? "validation" : "train";
}

std::vector<std::size_t> instance_blocks(const SupplyDemandOptions& options, Side side) {
    const std::size_t rows = block_rows(options, side);
    std::vector<std::size_t> blocks;
    for (std::size_t first = 0; first < options.instances; first += rows)
        blocks.push_back(std::min(rows, options.instances - first));
    return blocks;
}

std::unique_ptr<h5::AtomicFile> create_supply_demand_file(const SupplyDemandOptions& options, Side side,
                                                          const Locations& locations,
                                                          const std::string& path) {
    check(options);
    auto file = std::make_unique<h5::AtomicFile>(path);
    {
        h5::Group root = file->root();
        h5::write_encoding(root, "anndata", "0.1.0");
        h5::Dataset x =
            root.create_contiguous("X", h5::Element::float64, {options.instances, locations.size()});
        h5::write_encoding(x, "array", "0.2.0");
        create_obs(root, options);
        write_var(root, side, locations);
        write_uns(root, options, side);
        for (const char* name : {"layers", "obsm", "obsp", "varp"}) anndata::create_dict(root, name);
    }
    file->close();
    return file;
}

void write_instances(const SupplyDemandOptions& options, Side side, const std::string& path,
                     std::span<const std::size_t> blocks) {
    const std::string file = core::temporary_name(path);
    const FileOffsets offsets = find_offsets(file);
    const std::size_t atoms = atoms_of(options, side);
    const std::size_t length = name_length(options);
    anndata::RowWriter writer(file, path);
    for (const std::size_t block : blocks) {
        const std::size_t first = block * block_rows(options, side);
        const std::size_t n = std::min(block_rows(options, side), options.instances - first);
        linalg::Matrix<double> x(n, atoms);
        std::vector<std::string> names;
        for (std::size_t i = 0; i < n; ++i) {
            draw_weights(options, side, first + i, x.view().row_span(i));
            names.push_back(instance_name(first + i));
            anndata::write_codes(writer, offsets.split, instance_part(options, first + i), first + i, 1);
        }
        writer.write(x.data(), x.size() * sizeof(double), offsets.x + first * atoms * sizeof(double));
        anndata::write_row_names(writer, offsets.index, length, first, names);
        anndata::write_row_names(writer, offsets.instance, length, first, names);
    }
    writer.sync();
}

}  // namespace popflow::simulate
