// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstdio>
#include <functional>
#include <memory>
#include <span>

#include "core/text.hpp"
#include "mpi/partition.hpp"
#include "mpi/run_collectively.hpp"
#include "output_path.hpp"
#include "progress.hpp"
#include "reference.hpp"
#include "simulate/letters.hpp"
#include "simulate/simulated_screen_file.hpp"
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

// Writes a file: rank 0 creates its layout, all ranks write their pieces, rank 0 commits it. Collective.
void write_file(const SharedFile& shared, const std::string& unit, const mpi::Communicator& comm) {
    std::unique_ptr<h5::AtomicFile> file;
    mpi::run_collectively(comm, [&] {
        if (comm.is_root()) file = shared.create();
    });
    const auto parts = mpi::partition_by_weight(shared.cells, static_cast<std::size_t>(comm.size()));
    const std::vector<std::size_t>& own = parts[static_cast<std::size_t>(comm.rank())];
    Progress progress("simulate", own.size(), 0, !comm.is_root());
    constexpr std::size_t group = 16;
    mpi::run_collectively(comm, [&] {
        for (std::size_t first = 0; first < own.size(); first += group) {
            const std::size_t count = std::min(group, own.size() - first);
            shared.write(std::span(own).subspan(first, count));
            progress.update(first + count, unit);
        }
    });
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
        std::printf("%s: %s, %s, %s, %s at the highest dose\n", config.output.c_str(),
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
        std::printf("%s: %s, %s to train on, %zu to test, %s, %s\n", config.output.c_str(),
                    core::counted(letters.n_points(), "point").c_str(),
                    core::counted(letters.options.letters.size(), "letter").c_str(),
                    letters.options.test_letters.size(),
                    core::counted(letters.experiments.size(), "pair").c_str(),
                    letters.alphabet.family.c_str());
    }
    return done;
}

}  // namespace

int verb_simulate(const Arguments& arguments, const mpi::Communicator& comm) {
    const std::string kind = arguments.empty() ? "" : arguments.front();
    Arguments rest = arguments;
    if (!rest.empty()) rest.erase(rest.begin());
    if (kind == "screen") return simulate_screen(rest, comm);
    if (kind == "letters") return simulate_letters(rest, comm);
    if (arguments.size() == 1 && is_listing(kind)) {
        if (comm.is_root() && is_completion(kind)) std::printf("letters screen ");
        simulate_letters(arguments, comm);
        if (comm.is_root() && kind == "--markdown") std::printf("\n");
        return simulate_screen(arguments, comm);
    }
    if (!asks_for_help(arguments)) {
        throw core::ConfigError("simulate", "found '" + kind + "'" +
                                                core::did_you_mean(kind, {"letters", "screen"}) +
                                                ". Give simulate letters or simulate screen");
    }
    if (comm.is_root()) std::printf("usage: popflow simulate letters|screen --output F.h5ad [options]\n\n");
    simulate_letters({"--help"}, comm);
    if (comm.is_root()) std::printf("\n");
    return simulate_screen({"--help"}, comm);
}

}  // namespace popflow::apps
