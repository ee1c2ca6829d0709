// SPDX-License-Identifier: MIT
#include <cstdio>

#include "core/progress.hpp"
#include "core/text.hpp"
#include "data/simulated_screen_file.hpp"
#include "dist/partition.hpp"
#include "verbs.hpp"

namespace popflow::apps {

int simulate(const Arguments& arguments, const dist::Communicator& comm) {
    config::SimulateConfig config;
    const config::OptionTable table = simulate_options(config);
    const std::string usage = "simulate screen --output F.h5ad [options]";
    std::vector<std::string> kind;
    if (parse_or_help(table, usage, arguments, {config::Section::simulate}, comm, &kind)) return done;
    if (kind != std::vector<std::string>{"screen"}) {
        throw core::ConfigError("simulate", "found '" + core::joined(kind) + "', allowed screen");
    }
    require(config.output, "output", "F.h5ad");

    const data::SimulatedScreen screen = data::plan_simulated_screen(config.screen);
    std::unique_ptr<h5::AtomicFile> file;
    if (comm.root()) file = data::create_simulated_screen_file(screen, config.output);
    comm.barrier();
    std::vector<std::size_t> cells;
    for (const data::Population& population : screen.populations) cells.push_back(population.n_cells);
    const auto dealt = dist::deal(cells, static_cast<std::size_t>(comm.size()));
    const std::vector<std::size_t>& own = dealt[static_cast<std::size_t>(comm.rank())];
    core::Progress progress("simulate", own.size(), 0, !comm.root());
    constexpr std::size_t at_once = 16;
    for (std::size_t first = 0; first < own.size(); first += at_once) {
        const std::size_t count = std::min(at_once, own.size() - first);
        data::write_simulated_populations(screen, config.output, std::span(own).subspan(first, count));
        progress.update(first + count, "populations");
    }
    comm.barrier();
    if (comm.root()) {
        file->commit();
        std::printf("%s: %zu cells, %zu markers, %zu populations, %zu pairs at the highest dose\n",
                    config.output.c_str(), screen.n_cells(), screen.markers.size(), screen.populations.size(),
                    screen.pairs);
    }
    return done;
}

}  // namespace popflow::apps
