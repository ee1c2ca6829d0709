// SPDX-License-Identifier: MIT
// Writes a simulated screen for the Python tests.
// Usage: write_screen FILE SEED PAIRS MIN_CELLS MAX_CELLS DOSES
#include <cstdio>
#include <numeric>
#include <string>
#include <vector>

#include "simulate/simulated_screen_file.hpp"

int main(int argc, char** argv) {
    using namespace popflow::simulate;
    if (argc != 7) return 2;
    const SimulatedScreen screen = plan_simulated_screen({.seed = std::stoull(argv[2]),
                                                          .doses = std::stoul(argv[6]),
                                                          .min_cells = std::stoul(argv[4]),
                                                          .max_cells = std::stoul(argv[5]),
                                                          .pairs = std::stoul(argv[3])});
    const auto file = create_simulated_screen_file(screen, argv[1]);
    std::vector<std::size_t> populations(screen.populations.size());
    std::iota(populations.begin(), populations.end(), std::size_t{0});
    write_simulated_populations(screen, argv[1], populations);
    file->commit();
    std::printf("%zu populations, %zu cells\n", screen.populations.size(), screen.n_cells());
    return 0;
}
