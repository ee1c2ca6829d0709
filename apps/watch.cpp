// SPDX-License-Identifier: MIT
#include "watch.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <thread>

#include "core/folder_lock.hpp"
#include "core/stored_file.hpp"
#include "options/run_config.hpp"
#include "progress_line.hpp"
#include "report/plot/markup.hpp"
#include "report/plot/text_chart.hpp"
#include "train/checkpoint_folder.hpp"
#include "train/fold_list.hpp"
#include "train/training_table.hpp"

namespace popflow::apps {

namespace {

namespace fs = std::filesystem;

constexpr double max_silence = 600;          // seconds without a new row, for a training on another host
constexpr std::chrono::seconds max_idle{2};  // time without a training, since one may be about to start

// Current contents of a run folder.
struct RunState {
    std::uint64_t steps = 0;  ///< number of steps of the whole training
    std::vector<train::TrainingRow> rows;
    std::vector<train::ValidationRow> checks;
    bool has_weights = false;  ///< whether the training has stored its result
    double age = 0;            ///< seconds since the last rows were written

    std::uint64_t done() const { return rows.empty() ? 0 : rows.back().step; }
    bool is_finished() const { return has_weights || (steps > 0 && done() >= steps); }
};

RunState read_state(const std::string& run) {
    RunState state;
    const std::string config_path = run + "/config.cfg";
    const std::optional<std::string> text = core::file_contents(config_path);
    if (!text)
        throw core::ConfigError("watch", "found '" + run +
                                             "', which is not a run folder: it has no config.cfg. Give the "
                                             "--output of a training");
    options::RunConfig config;
    options::run_options(config).parse_text(*text, config_path);
    state.steps = config.train.steps;
    const std::string table = run + "/training.h5";
    // Before the rows: a training stores its last rows and then the weights.
    state.has_weights = fs::exists(train::weights_path(run));
    state.rows = train::read_training_table(table, ~std::uint64_t{0});
    state.checks = train::read_validation_table(table, ~std::uint64_t{0});
    std::error_code error;
    const auto written = fs::last_write_time(table, error);
    if (!error) state.age = std::chrono::duration<double>(fs::file_time_type::clock::now() - written).count();
    return state;
}

ProgressState progress_of(const RunState& state, const std::string& run) {
    ProgressState progress{.what = run, .done = state.done(), .total = state.steps};
    if (state.rows.empty()) return progress;
    const train::TrainingRow& last = state.rows.back();
    progress.note = "loss " + report::plot::value_text(last.loss);
    if (!state.checks.empty())
        progress.note += "  energy " + report::plot::value_text(state.checks.back().energy);
    const train::TrainingRow first =
        state.rows.size() > 1 ? state.rows[state.rows.size() - std::min<std::size_t>(state.rows.size(), 20)]
                              : train::TrainingRow{};
    if (last.seconds > first.seconds && last.step > first.step) {
        progress.rate = static_cast<double>(last.step - first.step) / (last.seconds - first.seconds);
        progress.unit = "steps";
        if (!state.is_finished())
            progress.left = static_cast<double>(state.steps - last.step) / progress.rate;
    }
    return progress;
}

std::vector<double> losses(const RunState& state) {
    std::vector<double> y;
    for (const train::TrainingRow& row : state.rows) y.push_back(row.loss);
    return y;
}

void draw(const RunState& state, const std::string& run) {
    winsize size{};
    const bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 4 && size.ws_row > 4;
    const std::size_t width = known ? size.ws_col - 1U : 79;
    const std::size_t height = std::min<std::size_t>(known ? size.ws_row - 3U : 15, 20);
    std::string text = progress_line(progress_of(state, run), width) + "\n";
    std::string age = "last written " + duration_text(state.age) + " ago";
    if (state.rows.empty()) age = "no row of the training table yet";
    age.resize(std::min(age.size(), width));
    text += age + "\n" + report::plot::text_chart(losses(state), width, height);
    std::string out = "\033[H";
    for (const char c : text) out += c == '\n' ? std::string("\033[K\n") : std::string(1, c);
    std::printf("%s\033[J", out.c_str());
    std::fflush(stdout);
}

// Names the fold to watch in the folder of a leave-one-out.
[[noreturn]] void refuse_leave_one_out(const std::string& run) {
    std::string running;
    for (const train::FoldEntry& fold : train::read_fold_list(run)) {
        const std::string folder = run + "/" + fold.folder;
        if (core::folder_use(folder) != core::FolderUse::none) running = folder;
    }
    throw core::ConfigError("watch",
                            "found '" + run + "', which is a leave-one-out (" + train::fold_list_text(run) +
                                "). Give the folder of a fold" +
                                (running.empty() ? ": none of them runs" : ", for example " + running));
}

}  // namespace

void watch_run(const std::string& run, double seconds) {
    if (train::is_leave_one_out_folder(run)) refuse_leave_one_out(run);
    const bool terminal = isatty(STDOUT_FILENO) != 0;
    if (terminal) std::printf("\033[2J");
    std::uint64_t printed_step = ~std::uint64_t{0};
    auto last_used = std::chrono::steady_clock::now();
    for (;;) {
        // Before reading the rows: a training writes its last row and then unlocks the folder.
        const core::FolderUse use = core::folder_use(run);
        const RunState state = read_state(run);
        if (terminal) {
            draw(state, run);
        } else if (state.done() != printed_step) {
            std::printf("%s\n", progress_line(progress_of(state, run), 0).c_str());
            std::fflush(stdout);
            printed_step = state.done();
        }
        if (state.is_finished()) return;
        // A lock of another host may not be visible. A running training writes from time to time.
        const bool idle =
            use == core::FolderUse::none || (use == core::FolderUse::elsewhere && state.age > max_silence);
        const auto now = std::chrono::steady_clock::now();
        if (!idle) last_used = now;
        if (now - last_used > max_idle) {
            std::printf("%s: stopped at step %llu of %llu. Continue with --resume\n", run.c_str(),
                        static_cast<unsigned long long>(state.done()),
                        static_cast<unsigned long long>(state.steps));
            return;
        }
        std::this_thread::sleep_for(std::chrono::duration<double>(std::max(seconds, 0.1)));
    }
}

}  // namespace popflow::apps
