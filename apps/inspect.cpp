// SPDX-License-Identifier: MIT
#include <cstdio>
#include <optional>

#include "console.hpp"
#include "core/text.hpp"
#include "inspect/inspection_json.hpp"
#include "inspect/inspection_text.hpp"
#include "population_mode.hpp"
#include "problems/histogram_summary.hpp"
#include "screen/trainable.hpp"
#include "screen/value_notes.hpp"
#include "verbs.hpp"

namespace popflow::apps {

namespace {

void print(const options::RunConfig& config, const screen::Screen& screen, const screen::Split* split,
           std::vector<std::string> notes) {
    if (!screen.populations.empty()) {
        for (std::string& note : screen::value_notes(screen)) notes.push_back(std::move(note));
    }
    const std::string text = config.json ? inspect::inspection_json(screen, split, notes) + "\n"
                                         : inspect::inspection_text(screen, split, notes);
    print_result("%s", text.c_str());
}

// Returns a note on the folds of a leave-one-out, and one for each fold that cannot be trained.
// @throws core::UserError if none can
std::vector<std::string> fold_notes(const options::RunConfig& config, const screen::Screen& screen,
                                    const screen::TreatmentVectors& vectors) {
    std::vector<std::string> folds;
    std::vector<std::string> notes;
    for (const std::string& value : screen::left_out_values(screen, config.split)) {
        try {
            const screen::Split split =
                screen::make_split(screen, screen::left_out_split(config.split, value), config.split_seed);
            (void)screen::check_can_train(screen, split, vectors);
            folds.push_back(value + " (" +
                            core::counted(split.pairs(screen::Part::test).size(), "test pair") + ")");
        } catch (const core::UserError& error) {
            notes.push_back("the fold " + value + " cannot be trained: " + error.what());
        }
    }
    if (folds.empty())
        throw core::ConfigError(
            "split", "found " + config.split + ", of whose folds none can be trained: " + notes.front());
    notes.insert(notes.begin(), "split " + config.split + ": " + core::counted(folds.size(), "fold") + ": " +
                                    core::joined(folds));
    return notes;
}

// Splits the pairs and checks that they can be trained and scored. Sets `split` even if they cannot.
std::vector<std::string> check_split(const options::RunConfig& config, const screen::Screen& screen,
                                     std::optional<screen::Split>& split) {
    if (!screen.nothing_kept.empty())
        throw core::DataError(screen.file, screen.nothing_kept_at, screen.nothing_kept);
    screen::TreatmentVectors vectors;
    if (!config.treatment_vectors.empty()) vectors = screen::TreatmentVectors::read(config.treatment_vectors);
    if (screen::is_leave_one_out(config.split)) return fold_notes(config, screen, vectors);
    split = screen::make_split(screen, config.split, config.split_seed);
    if (split->pairs(screen::Part::train).empty()) return {};  // all pairs are for the evaluation of a run
    return screen::check_can_train(screen, *split, vectors);
}

}  // namespace

int verb_inspect(const Arguments& arguments, const mpi::Communicator& comm) {
    options::RunConfig config;
    config.split.clear();  // the split is printed only if --split is given
    const options::OptionTable table = run_options(config);
    const std::vector<options::Section> sections{options::Section::inspect, options::Section::data,
                                                 options::Section::split};
    std::vector<std::string> files;
    if (parse_or_help(table, "inspect F.h5ad [--split S] [--json] [options]", arguments, sections, comm,
                      &files))
        return done;
    if (!files.empty() && !config.data.empty()) files.push_back(config.data);
    if (files.size() > 1)
        throw core::ConfigError("inspect",
                                "found " + core::counted(files.size(), "file") + ". Give one data file");
    if (!files.empty()) config.data = files.front();
    require(config.data, "data", "F.h5ad");
    if (!comm.is_root()) return done;
    problems::HistogramOptions histograms = config.problems.histograms;
    histograms.source = config.screen.source;
    histograms.exclude = config.screen.exclude;
    if (!table.is_given("column") && problems::has_histograms(config.data, histograms)) {
        if (config.json)
            throw core::ConfigError("json", "describes screens only. Omit it for a file of histograms");
        print_result("%s", problems::histogram_summary(config.data, histograms).c_str());
        return done;
    }
    if (table.is_given("population")) read_without_pairs(config);
    const screen::Screen screen = screen::survey_screen(config.data, config.screen);
    const bool names_no_control = screen.nothing_kept_at.starts_with("obs/") && table.is_given("control");
    std::optional<screen::Split> split;
    std::vector<std::string> notes;
    try {
        if (!config.split.empty()) notes = check_split(config, screen, split);
        if (names_no_control) throw core::DataError(screen.file, screen.nothing_kept_at, screen.nothing_kept);
    } catch (const core::UserError&) {
        // The tables show why the file cannot be split in this way.
        if (!config.json) print(config, screen, split ? &*split : nullptr, {});
        std::fflush(stdout);
        throw;
    }
    print(config, screen, split ? &*split : nullptr, notes);
    return done;
}

}  // namespace popflow::apps
