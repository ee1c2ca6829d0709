// SPDX-License-Identifier: MIT
// Opens a data file (everything but the cells) and reads its cells. One file is the sample in data/
// (compressed, 36 markers). The other is a simulated screen (not compressed, 43 markers) in the folder for
// temporary files.
#include <unistd.h>

#include <filesystem>
#include <numeric>

#include "screen/read_populations.hpp"
#include "screen/screen.hpp"
#include "simulate/simulated_screen_file.hpp"
#include "step/measure.hpp"

namespace popflow::bench {

namespace {

std::vector<std::size_t> first_indices(std::size_t n) {
    std::vector<std::size_t> indices(n);
    std::iota(indices.begin(), indices.end(), 0);
    return indices;
}

// Simulated screen that the destructor removes.
class SimulatedFile {
  public:
    SimulatedFile()
        : path_(std::filesystem::temp_directory_path() /
                ("step_bench." + std::to_string(::getpid()) + ".h5ad")) {
        const simulate::SimulatedScreenOptions options{.min_cells = 2000, .max_cells = 8000, .pairs = 50};
        const simulate::SimulatedScreen screen = simulate::plan_simulated_screen(options);
        const auto file = simulate::create_simulated_screen_file(screen, path_);
        simulate::write_simulated_populations(screen, path_, first_indices(screen.populations.size()));
        file->commit();
    }
    ~SimulatedFile() {
        std::error_code ignored;
        std::filesystem::remove(path_, ignored);
    }
    SimulatedFile(const SimulatedFile&) = delete;
    SimulatedFile& operator=(const SimulatedFile&) = delete;
    std::string path() const { return path_; }

  private:
    std::filesystem::path path_;
};

std::string sample() {
    return POPFLOW_SAMPLE;
}

std::string simulated() {
    static const SimulatedFile file;
    return file.path();
}

void open_file(benchmark::State& state, const std::string& path) {
    std::size_t cells = 0;
    for (auto _ : state) cells = screen::open_screen(path, screen::ScreenOptions()).n_obs;
    state.counters["cells/s"] =
        benchmark::Counter(static_cast<double>(cells), benchmark::Counter::kIsIterationInvariantRate);
}

void read_file(benchmark::State& state, const std::string& path) {
    const screen::Screen screen = screen::open_screen(path, screen::ScreenOptions());
    const std::vector<std::size_t> populations = first_indices(screen.populations.size());
    std::size_t cells = 0;
    for (auto _ : state) {
        cells = 0;
        for (const screen::Cells& population : screen::read_populations(screen, populations)) {
            cells += population.x.rows();
        }
    }
    state.counters["cells/s"] =
        benchmark::Counter(static_cast<double>(cells), benchmark::Counter::kIsIterationInvariantRate);
}

}  // namespace

void add_input() {
    add("input/open/sample", [](auto& state) { open_file(state, sample()); });
    add("input/open/simulated", [](auto& state) { open_file(state, simulated()); });
    add("input/read/sample", [](auto& state) { read_file(state, sample()); });
    add("input/read/simulated", [](auto& state) { read_file(state, simulated()); });
}

}  // namespace popflow::bench
