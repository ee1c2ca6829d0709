// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "console.hpp"
#include "core/text.hpp"
#include "mpi/partition.hpp"
#include "mpi/run_collectively.hpp"
#include "output_path.hpp"
#include "progress.hpp"
#include "reference.hpp"
#include "simulate/landscapes.hpp"
#include "simulate/letters.hpp"
#include "simulate/shapes_file.hpp"
#include "simulate/simulated_screen_file.hpp"
#include "simulate/supply_demand.hpp"
#include "verbs.hpp"

namespace popflow::apps {

namespace {

using Indices = std::span<const std::size_t>;

// A file that all ranks write concurrently.
struct SharedFile {
    std::vector<std::size_t> cells;  ///< number of cells of each piece of the file
    std::function<std::unique_ptr<h5::AtomicFile>()> create;
    std::function<void(Indices pieces)> write;
};

// Writes a file under its temporary name: rank 0 creates its layout, all ranks write their pieces.
// Collective. Returns the file on rank 0, where commit() renames it.
std::unique_ptr<h5::AtomicFile> write_pieces(const SharedFile& shared, const std::string& unit,
                                             const mpi::Communicator& comm) {
    std::unique_ptr<h5::AtomicFile> file;
    mpi::run_collectively(comm, [&] {
        if (comm.is_root()) file = shared.create();
    });
    const auto parts = mpi::partition_by_weight(shared.cells, static_cast<std::size_t>(comm.size()));
    const std::vector<std::size_t>& own = parts[static_cast<std::size_t>(comm.rank())];
    Progress progress("simulate", own.size(), 0, !comm.is_root());
    // Each call opens the file and waits for the disk, so a rank makes about a hundred of them at most.
    const std::size_t group = std::max<std::size_t>(16, own.size() / 100);
    mpi::run_collectively(comm, [&] {
        for (std::size_t first = 0; first < own.size(); first += group) {
            const std::size_t count = std::min(group, own.size() - first);
            shared.write(std::span(own).subspan(first, count));
            progress.update(first + count, unit);
        }
    });
    return file;
}

// Writes a file as write_pieces() and commits it. Collective.
void write_file(const SharedFile& shared, const std::string& unit, const mpi::Communicator& comm) {
    const std::unique_ptr<h5::AtomicFile> file = write_pieces(shared, unit, comm);
    if (comm.is_root()) file->commit();
}

int simulate_screen(const Arguments& arguments, const mpi::Communicator& comm) {
    options::SimulateConfig config;
    const options::OptionTable table = simulate_screen_options(config);
    if (parse_or_help(table, "simulate screen --output F.h5ad [options]", arguments,
                      {options::Section::simulate}, comm))
        return done;
    require(config.output, "output", "F.h5ad");
    check_output(config.output, "output", {config.config_file});
    const simulate::SimulatedScreen screen = simulate::plan_simulated_screen(config.screen);
    SharedFile shared{
        .cells = {},
        .create = [&] { return simulate::create_simulated_screen_file(screen, config.output); },
        .write = [&](Indices own) { simulate::write_simulated_populations(screen, config.output, own); }};
    for (const screen::Population& population : screen.populations)
        shared.cells.push_back(population.n_cells);
    write_file(shared, "populations", comm);
    if (comm.is_root()) {
        print_result("%s: %s, %s, %s, %s at the highest dose\n", config.output.c_str(),
                     core::counted(screen.n_cells(), "cell").c_str(),
                     core::counted(screen.markers.size(), "marker").c_str(),
                     core::counted(screen.populations.size(), "population").c_str(),
                     core::counted(screen.pairs, "pair").c_str());
    }
    return done;
}

int simulate_letters(const Arguments& arguments, const mpi::Communicator& comm) {
    options::SimulateConfig config;
    const options::OptionTable table = simulate_letters_options(config);
    if (parse_or_help(table, "simulate letters --output F.h5ad [options]", arguments,
                      {options::Section::simulate}, comm))
        return done;
    require(config.output, "output", "F.h5ad");
    check_output(config.output, "output", {config.config_file, config.letters.font});
    const simulate::Letters letters = simulate::plan_letters(config.letters);
    SharedFile shared{.cells = {},
                      .create = [&] { return simulate::create_letters_file(letters, config.output); },
                      .write = [&](Indices own) { simulate::write_letters(letters, config.output, own); }};
    for (const simulate::RotatedLetter& e : letters.experiments) shared.cells.push_back(2 * e.n_points);
    write_file(shared, "pairs", comm);
    if (comm.is_root()) {
        print_result("%s: %s, %s to train on, %zu to test, %s, %s\n", config.output.c_str(),
                     core::counted(letters.n_points(), "point").c_str(),
                     core::counted(letters.options.letters.size(), "letter").c_str(),
                     letters.options.test_letters.size(),
                     core::counted(letters.experiments.size(), "pair").c_str(),
                     letters.alphabet.family.c_str());
    }
    return done;
}

int simulate_supply_demand(const Arguments& arguments, const mpi::Communicator& comm) {
    options::SimulateConfig config;
    const options::OptionTable table = simulate_supply_demand_options(config);
    if (parse_or_help(table,
                      "simulate supply-demand --output SUPPLY.h5ad --target-output DEMAND.h5ad [options]",
                      arguments, {options::Section::simulate}, comm))
        return done;
    require(config.output, "output", "SUPPLY.h5ad");
    require(config.target_output, "target-output", "DEMAND.h5ad");
    const simulate::SupplyDemandOptions& problem = config.supply_demand;
    require(problem.density, "density", "FILE|synthetic");
    const std::string raster = problem.density == "synthetic" ? "" : problem.density;
    check_output(config.output, "output", {config.config_file, raster});
    check_output(config.target_output, "target-output", {config.config_file, raster, config.output});
    simulate::check(problem);
    // Both files are committed at the end, so that a failure leaves neither.
    std::vector<std::unique_ptr<h5::AtomicFile>> files;
    for (const auto& [side, path] : {std::pair(simulate::Side::supply, config.output),
                                     std::pair(simulate::Side::demand, config.target_output)}) {
        const SharedFile shared{
            .cells = simulate::instance_blocks(problem, side),
            .create =
                [&, side = side, path = path] {
                    const simulate::Locations locations = simulate::draw_locations(problem, side);
                    return simulate::create_supply_demand_file(problem, side, locations, path);
                },
            .write = [&, side = side,
                      path = path](Indices own) { simulate::write_instances(problem, side, path, own); }};
        files.push_back(write_pieces(shared, "blocks", comm));
    }
    if (comm.is_root()) {
        for (const std::unique_ptr<h5::AtomicFile>& file : files) file->commit();
        print_result("%s, %s: %s of %s and %s, %s\n", config.output.c_str(), config.target_output.c_str(),
                     core::counted(problem.instances, "instance").c_str(),
                     core::counted(problem.supply, "supply location").c_str(),
                     core::counted(problem.demand, "demand location").c_str(),
                     raster.empty() ? "synthetic density" : ("density of " + raster).c_str());
    }
    return done;
}

// Usage of `simulate shapes`, with a line for each family.
std::string shapes_usage() {
    std::string usage = "simulate shapes FAMILY --output F.h5ad [options]\n";
    for (const simulate::ShapeFamily& family : simulate::shape_families())
        usage += fmt::format("\n  {:<14} {}", family.name, family.summary);
    return usage;
}

// Finds the family in the arguments without a flag.
const simulate::ShapeFamily& parse_family(const std::vector<std::string>& positional) {
    if (positional.size() > 1)
        throw core::ConfigError("simulate shapes",
                                "unexpected argument '" + positional[1] + "'. Give one family");
    return simulate::find_shape_family(positional.empty() ? "" : positional.front());
}

int simulate_shapes(const Arguments& arguments, const mpi::Communicator& comm) {
    options::SimulateConfig config;
    const options::OptionTable table = simulate_shapes_options(config);
    std::vector<std::string> positional;
    if (parse_or_help(table, shapes_usage(), arguments, {options::Section::simulate}, comm, &positional))
        return done;
    const simulate::ShapeFamily& family = parse_family(positional);
    for (const options::Option& option : table.options()) {
        if (table.is_given(option.name)) simulate::check_shape_option(family, option.name);
    }
    require(config.output, "output", "F.h5ad");
    check_output(config.output, "output", {config.config_file});
    config.shapes.family = family.name;
    const simulate::Shapes shapes = simulate::plan_shapes(config.shapes);
    SharedFile shared{.cells = {},
                      .create = [&] { return simulate::create_shapes_file(shapes, config.output); },
                      .write = [&](Indices own) { simulate::write_shapes(shapes, config.output, own); }};
    for (const simulate::ShapePopulation& population : shapes.populations)
        shared.cells.push_back(population.n_cells);
    write_file(shared, "populations", comm);
    if (comm.is_root()) {
        const std::size_t labels = shapes.law.treatments.size();
        print_result("%s: %s, %s, %s of %s to train on, %zu to test\n", config.output.c_str(),
                     core::counted(shapes.n_cells(), "cell").c_str(),
                     core::counted(shapes.law.markers.size(), "marker").c_str(),
                     core::counted(labels * shapes.options.populations, "population").c_str(), family.name,
                     labels * shapes.options.test_populations);
    }
    return done;
}

int simulate_images(const Arguments& arguments, const mpi::Communicator& comm) {
    options::SimulateConfig config;
    const options::OptionTable table = simulate_images_options(config);
    if (parse_or_help(table,
                      "simulate images --output FOLDER [options]\n\n"
                      "Draws landscapes in several palettes, as an example for the transfer of colours. "
                      "FOLDER/sheet.csv\nlists them for popflow import --sheet.",
                      arguments, {options::Section::simulate}, comm))
        return done;
    require(config.output, "output", "FOLDER");
    const simulate::LandscapesOptions& landscapes = config.landscapes;
    mpi::run_collectively(comm, [&] {
        std::error_code error;
        if (comm.is_root()) std::filesystem::create_directories(config.output, error);
        if (error) throw core::DataError(config.output, "", "cannot create the folder: " + error.message());
    });
    const std::size_t images = simulate::plan_landscapes(landscapes).size();
    const std::vector<std::size_t> own = mpi::lanes_of_rank(images, comm.rank(), comm.size());
    Progress progress("simulate", own.size(), 0, !comm.is_root());
    mpi::run_collectively(comm, [&] {
        for (std::size_t k = 0; k < own.size(); ++k) {
            simulate::write_landscapes(landscapes, config.output, std::span(own).subspan(k, 1));
            progress.update(k + 1, "images");
        }
    });
    mpi::run_collectively(comm, [&] {
        if (comm.is_root()) simulate::write_landscape_sheet(landscapes, config.output);
    });
    if (comm.is_root())
        std::printf("%s: %s of %zu x %zu pixels in %zu palettes, %s to train on, %zu to test\n",
                    config.output.c_str(), core::counted(images, "image").c_str(), landscapes.size,
                    landscapes.size, simulate::palette_names().size(),
                    core::counted(landscapes.scenes, "scene").c_str(), landscapes.test_scenes);
    return done;
}

// Kind of simulated data.
struct Kind {
    const char* name;
    int (*run)(const Arguments&, const mpi::Communicator&);
};

constexpr std::array<Kind, 5> kinds{{{"images", simulate_images},
                                     {"letters", simulate_letters},
                                     {"screen", simulate_screen},
                                     {"shapes", simulate_shapes},
                                     {"supply-demand", simulate_supply_demand}}};

// Prints the text of an argument such as --help for each kind.
int list_kinds(const std::string& argument, const std::string& between, const mpi::Communicator& comm) {
    for (const Kind& kind : kinds) {
        if (comm.is_root() && &kind != kinds.data()) print_result("%s", between.c_str());
        kind.run({argument}, comm);
    }
    return done;
}

}  // namespace

int verb_simulate(const Arguments& arguments, const mpi::Communicator& comm) {
    const std::string wanted = arguments.empty() ? "" : arguments.front();
    for (const Kind& kind : kinds) {
        if (kind.name == wanted) return kind.run({arguments.begin() + 1, arguments.end()}, comm);
    }
    std::vector<std::string> names;
    for (const Kind& kind : kinds) names.emplace_back(kind.name);
    if (arguments.size() == 1 && is_listing(wanted)) {
        if (comm.is_root() && is_completion(wanted)) {
            for (const std::string& name : names) print_result("%s ", name.c_str());
        }
        return list_kinds(wanted, wanted == "--markdown" ? "\n" : "", comm);
    }
    if (!asks_for_help(arguments)) {
        throw core::ConfigError("simulate",
                                "found '" + wanted + "'" + core::did_you_mean(wanted, names) +
                                    ". Give simulate images, simulate letters, simulate screen, simulate "
                                    "shapes or simulate supply-demand");
    }
    if (comm.is_root())
        print_result(
            "usage: popflow simulate images|letters|screen|shapes|supply-demand --output F.h5ad "
            "[options]\n\n");
    return list_kinds("--help", "\n", comm);
}

}  // namespace popflow::apps
