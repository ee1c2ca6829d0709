// SPDX-License-Identifier: MIT
#include "watch.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "core/folder_lock.hpp"
#include "options/run_config.hpp"
#include "progress_line.hpp"
#include "report/plot/markup.hpp"
#include "report/plot/text_chart.hpp"
#include "train/training_table.hpp"

namespace popflow::apps {

namespace {

namespace fs = std::filesystem;

constexpr double max_silence = 600;          // seconds
constexpr std::chrono::seconds patience{2};  // of a folder that nobody has; a training may be about to begin

// A run folder as it is at the moment.
struct Sight {
    std::uint64_t steps = 0;  ///< asked for
    std::vector<train::TrainingRow> rows;
    double age = 0;  ///< seconds since the last rows were written

    std::uint64_t done() const { return rows.empty() ? 0 : rows.back().step; }
    bool finished() const { return steps > 0 && done() >= steps; }
};

Sight look(const std::string& run) {
    Sight sight;
    const std::string config_path = run + "/config.cfg";
    std::ifstream in(config_path);
    if (!in)
        throw core::ConfigError("watch", "found '" + run + "', which is not a run folder: no config.cfg");
    options::RunConfig config;
    options::run_options(config).parse_text({std::istreambuf_iterator<char>(in), {}}, config_path);
    sight.steps = config.train.steps;
    const std::string table = run + "/training.h5";
    sight.rows = train::read_training_table(table, ~std::uint64_t{0});
    std::error_code error;
    const auto written = fs::last_write_time(table, error);
    if (!error) sight.age = std::chrono::duration<double>(fs::file_time_type::clock::now() - written).count();
    return sight;
}

ProgressState state_of(const Sight& sight, const std::string& run) {
    ProgressState state{.what = run, .done = sight.done(), .total = sight.steps};
    if (sight.rows.empty()) return state;
    const train::TrainingRow& last = sight.rows.back();
    state.note = "loss " + report::plot::value_text(last.loss);
    const train::TrainingRow first =
        sight.rows.size() > 1 ? sight.rows[sight.rows.size() - std::min<std::size_t>(sight.rows.size(), 20)]
                              : train::TrainingRow{};
    if (last.seconds > first.seconds && last.step > first.step) {
        state.rate = static_cast<double>(last.step - first.step) / (last.seconds - first.seconds);
        state.unit = "steps";
        if (!sight.finished()) state.left = static_cast<double>(sight.steps - last.step) / state.rate;
    }
    return state;
}

std::vector<double> losses(const Sight& sight) {
    std::vector<double> y;
    for (const train::TrainingRow& row : sight.rows) y.push_back(row.loss);
    return y;
}

void draw(const Sight& sight, const std::string& run) {
    winsize size{};
    const bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 4 && size.ws_row > 4;
    const std::size_t width = known ? size.ws_col - 1U : 79;
    const std::size_t height = std::min<std::size_t>(known ? size.ws_row - 3U : 15, 20);
    std::string text = progress_line(state_of(sight, run), width) + "\n";
    std::string age = "last written " + duration_text(sight.age) + " ago";
    if (sight.rows.empty()) age = "no row of the training table yet";
    age.resize(std::min(age.size(), width));
    text += age + "\n" + report::plot::text_chart(losses(sight), width, height);
    std::string out = "\033[H";
    for (const char c : text) out += c == '\n' ? std::string("\033[K\n") : std::string(1, c);
    std::printf("%s\033[J", out.c_str());
    std::fflush(stdout);
}

}  // namespace

void watch_run(const std::string& run, double seconds) {
    const bool terminal = isatty(STDOUT_FILENO) != 0;
    if (terminal) std::printf("\033[2J");
    std::uint64_t told = ~std::uint64_t{0};
    auto in_use = std::chrono::steady_clock::now();
    for (;;) {
        const core::FolderUse use = core::folder_use(run);  // first: a training that ends leaves its last row
        const Sight sight = look(run);
        if (terminal) {
            draw(sight, run);
        } else if (sight.done() != told) {
            std::printf("%s\n", progress_line(state_of(sight, run), 0).c_str());
            std::fflush(stdout);
            told = sight.done();
        }
        if (sight.finished()) return;
        // From another host a lock may not be seen; a training that lives writes now and then.
        const bool idle =
            use == core::FolderUse::none || (use == core::FolderUse::elsewhere && sight.age > max_silence);
        const auto now = std::chrono::steady_clock::now();
        if (!idle) in_use = now;
        if (now - in_use > patience) {
            std::printf("%s: stopped at step %llu of %llu; go on with --resume\n", run.c_str(),
                        static_cast<unsigned long long>(sight.done()),
                        static_cast<unsigned long long>(sight.steps));
            return;
        }
        std::this_thread::sleep_for(std::chrono::duration<double>(std::max(seconds, 0.1)));
    }
}

}  // namespace popflow::apps
