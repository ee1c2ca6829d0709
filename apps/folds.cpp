// SPDX-License-Identifier: MIT
#include "folds.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>

#include "console.hpp"
#include "core/folder_lock.hpp"
#include "core/parse.hpp"
#include "core/stored_file.hpp"
#include "core/text.hpp"
#include "core/utf8.hpp"
#include "eval/cell_sample.hpp"
#include "eval/joined_results.hpp"
#include "output_path.hpp"
#include "population_mode.hpp"
#include "precision.hpp"
#include "predict/run_model.hpp"
#include "problem_training.hpp"
#include "report/report.hpp"
#include "run_folder.hpp"
#include "same_data.hpp"
#include "screen/trainable.hpp"
#include "selection.hpp"
#include "train/fold_list.hpp"
#include "training_run.hpp"
#include "training_setup.hpp"
#include "training_split.hpp"

namespace popflow::apps {

namespace {

using train::FoldEntry;
using train::FoldState;

const std::vector<options::Section> scoring_sections{options::Section::transport, options::Section::evaluate};

// Configuration of one fold: that of the verb with another split and output.
struct FoldConfig {
    FoldConfig(const FoldVerb& verb, const options::RunConfig& whole, std::string split, std::string folder)
        : table(options::run_options(config)) {
        table.parse(verb.arguments, verb.sections, nullptr);
        config.split = std::move(split);
        config.output = std::move(folder);
        config.precision = whole.precision;
        config.fold.clear();
    }
    FoldConfig(const FoldConfig&) = delete;
    FoldConfig& operator=(const FoldConfig&) = delete;

    options::RunConfig config;
    options::OptionTable table;
};

// A fold, before it is run.
struct Fold {
    FoldEntry entry;
    std::size_t train_pairs = 0;
    std::size_t test_pairs = 0;
    std::string training_config{};       ///< resolved, as the checkpoint has it
    std::string config{};                ///< resolved, as the results have it
    screen::TreatmentVectors vectors{};  ///< vectors that the training uses
    std::unique_ptr<FoldConfig> work{};  ///< configuration to run
    bool is_finished = false;            ///< whether nothing is left to do

    bool is_skipped() const { return entry.state == FoldState::skipped; }
};

// All folds of a leave-one-out.
struct FoldPlan {
    std::string column;
    std::string stamp;        ///< file_stamp() of the data file before it was read
    std::string fingerprint;  ///< fingerprint of the data
    std::vector<Fold> folds;

    std::string label(std::size_t fold) const {
        return core::printable(
            fmt::format("fold {} of {}, {} {}", fold + 1, folds.size(), column, folds[fold].entry.value));
    }
};

// Returns the resolved configuration of a run.
std::string run_text(const options::OptionTable& table) {
    return table.text(options::training_sections()) + table.text(scoring_sections);
}

// Checks what a single run of each fold would refuse only after its training, or could not do.
void check_options(const FoldVerb& verb, const options::RunConfig& config,
                   const options::OptionTable& table) {
    if (trains_on_problems(config))
        throw core::ConfigError("split", "found `" + config.split + "`, but " + config.method->name() +
                                             " trains on transport problems, which have no folds. Leave out "
                                             "--split");
    refuse_problem_options(config, table);
    if (trains_on_populations(config) &&
        config.method->population_draws(config.method_settings()).is_unpaired())
        throw core::ConfigError("split", "found `" + config.split + "`, but " + config.method->name() +
                                             " trains without pairs, which have no folds. Use column:NAME or "
                                             "COLUMN:VALUE, or --source control --pairing known");
    if (!verb.has_scores) return;
    if (std::ranges::find(config.evaluate.parts, screen::Part::test) == config.evaluate.parts.end())
        throw core::ConfigError(
            "parts", "found no test, but " + config.split + " scores the test pairs of each fold. Add test");
    if (!config.predictions.empty())
        throw core::ConfigError("predictions",
                                "found '" + config.predictions + "', but " + config.split +
                                    " has one model for each value. Leave it out, and write the predictions "
                                    "of a fold with popflow evaluate --run " +
                                    config.output + "/FOLDER --predictions FILE");
}

// Sets the precision of a leave-one-out that is continued, as resolve_precision() does for a single run.
void keep_precision(options::RunConfig& config) {
    if (config.precision != options::PrecisionChoice::automatic) return;
    if (!train::is_leave_one_out_folder(config.output)) return;
    const std::string path = config.output + "/config.cfg";
    options::RunConfig before;
    run_options(before).parse_text(core::file_contents(path).value_or(""), path);
    config.precision = before.precision;
}

// Splits the pairs of a fold and fits the configuration to them. Marks the fold as skipped if it cannot be
// trained or scored.
void plan_fold(const FoldVerb& verb, const options::RunConfig& config, const screen::Screen& screen,
               const screen::TreatmentVectors& vectors, Fold& fold) {
    const options::RunConfig& work = fold.work->config;
    FoldConfig fitted(verb, config, work.split, work.output);
    screen::Split split;
    try {
        split = training_split(screen, work);
        fold.train_pairs = split.pairs(screen::Part::train).size();
        fold.test_pairs = split.pairs(screen::Part::test).size();
        (void)screen::check_can_train(screen, split, vectors);
        apply_stored_selection(fitted.config, fitted.table);
        (void)fit_config_to_data(fitted.config, fitted.table, screen, split);
        if (!vectors.empty())
            fold.vectors =
                screen::Conditions::from_pairs(screen, split.pairs(screen::Part::train), vectors).vectors();
        fold.training_config = fitted.table.text(options::training_sections());
        fold.config = run_text(fitted.table);
    } catch (const core::UserError& error) {
        fold.entry.state = FoldState::skipped;
        fold.entry.note = error.what();
        return;
    }
    if (!verb.has_scores || config.evaluate.sample.empty()) return;
    try {  // a run would name missing pairs only after its training
        (void)eval::named_pairs(screen, split.pairs(screen::Part::test), config.evaluate.sample,
                                config.evaluate.sample_pairs);
    } catch (const core::UserError& error) {
        throw core::ConfigError(
            "split", "each fold needs pairs for --sample, and " + work.split + " has none. " + error.what());
    }
}

// Reads the metadata of the data and plans all folds. Collective.
FoldPlan plan_folds(const FoldVerb& verb, const options::RunConfig& config, const options::OptionTable& table,
                    const mpi::Communicator& comm) {
    std::string stamp = file_stamp(config.data);
    const screen::Screen screen = open_training_screen(config, table, comm);
    const screen::TreatmentVectors vectors = read_treatment_vectors(config, comm);
    const std::vector<std::string> values = screen::left_out_values(screen, config.split);
    const std::vector<std::string> folders = train::fold_folders(values);
    FoldPlan plan{.column = screen::unit_column(config.split),
                  .stamp = std::move(stamp),
                  .fingerprint = screen.fingerprint,
                  .folds = {}};
    for (std::size_t i = 0; i < values.size(); ++i) {
        Fold fold{.entry = {.value = values[i], .folder = folders[i]}};
        fold.work = std::make_unique<FoldConfig>(
            verb, config, screen::left_out_split(config.split, values[i]), config.output + "/" + folders[i]);
        plan_fold(verb, config, screen, vectors, fold);
        plan.folds.push_back(std::move(fold));
    }
    if (std::ranges::all_of(plan.folds, &Fold::is_skipped))
        throw core::ConfigError(
            "split", fmt::format("found {}, of whose {} none can be trained. {} {}: {}", config.split,
                                 core::counted(values.size(), "fold"), plan.column, values.front(),
                                 plan.folds.front().entry.note));
    return plan;
}

// Returns the index of the fold that --fold names.
std::size_t chosen_fold(const FoldPlan& plan, const std::string& wanted) {
    std::vector<std::string> values;
    for (const Fold& fold : plan.folds) values.push_back(fold.entry.value);
    std::size_t index = static_cast<std::size_t>(std::ranges::find(values, wanted) - values.begin());
    // A value may be a number. `#K` is fold K also then.
    const std::string digits = wanted.starts_with('#') ? wanted.substr(1) : wanted;
    if (index == values.size()) {
        const bool is_number = !digits.empty() && digits.size() < 9 &&
                               digits.find_first_not_of("0123456789") == std::string::npos;
        const std::size_t number = is_number ? std::stoul(digits) : 0;
        if (number < 1 || number > values.size())
            throw core::ConfigError(
                "fold",
                fmt::format("found '{}'{}, which is no value of {} and no number from 1 to {}. Give one "
                            "of {}",
                            wanted, core::did_you_mean(wanted, values), plan.column, values.size(),
                            core::joined(values)));
        index = number - 1;
    }
    const Fold& fold = plan.folds[index];
    if (fold.is_skipped())
        throw core::ConfigError("fold", fmt::format("found '{}', but {} {} cannot be trained: {}", wanted,
                                                    plan.column, fold.entry.value, fold.entry.note));
    return index;
}

// Returns the lines of a configuration that belong to the options of a training.
std::string training_lines(const std::string& text, const options::OptionTable& table) {
    std::string kept;
    for (const std::string& line : core::split_text(text, '\n')) {
        const std::string key = line.substr(0, line.find(" = "));
        const auto option = std::ranges::find(table.options(), key, &options::Option::name);
        const auto& sections = options::training_sections();
        if (option == table.options().end() || std::ranges::find(sections, option->section) != sections.end())
            kept += line + "\n";
    }
    return kept;
}

// Checks that the folder can take this leave-one-out. @throws core::ConfigError if it cannot
void check_folder(const options::RunConfig& config, const options::OptionTable& table) {
    const std::string& folder = config.output;
    const std::string found = "found the folder '" + folder + "', which contains ";
    if (!train::is_leave_one_out_folder(folder)) {
        std::error_code ignored;
        check_output(folder + "/config.cfg", "output", {config.config_file}, RunFiles::all);
        if (predict::is_run_folder(folder) || std::filesystem::exists(folder + "/results.h5", ignored))
            throw core::ConfigError("output", found +
                                                  "a run of one split. Choose another folder for the folds "
                                                  "of " +
                                                  config.split);
        return;
    }
    if (!config.resume && config.fold.empty())
        throw core::ConfigError(
            "output", found + "a leave-one-out. Add --resume to continue it, or choose another folder");
    const std::string before = core::file_contents(folder + "/config.cfg").value_or("");
    if (before.empty()) return;  // a start was interrupted before it had written the file
    const auto changed = core::changed_options(table.text(options::training_sections()),
                                               training_lines(before, table), table.effects());
    if (!changed.empty())
        throw core::ConfigError("resume", "the configuration of the leave-one-out in '" + folder +
                                              "' changed: " + core::joined(changed, changed.size()) +
                                              ". Use the earlier values, or another --output for a new one");
}

// Locks the folder of the leave-one-out. @param seconds  how long to wait for another process
std::unique_ptr<core::FolderLock> lock_folder(const std::string& folder, int seconds) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error)
        throw core::ConfigError("output", "cannot create the folder '" + folder + "': " + error.message());
    if (::access(folder.c_str(), W_OK) != 0)
        throw core::ConfigError("output", "cannot write to the folder '" + folder +
                                              "'. Choose another folder, or change its permissions");
    return std::make_unique<core::FolderLock>(folder, std::chrono::seconds(seconds));
}

// Returns `now` with the target of --size-factor median that `before` has. The target is computed from the
// training cells, and so not known before a training.
std::string with_known_median(const std::string& now, const std::string& before) {
    const std::string key = "size-factor = ";
    const std::string unknown = key + "median\n";
    const std::size_t at = now.find(unknown);
    const std::size_t known = before.find(key + "median:");
    if (at == std::string::npos || known == std::string::npos) return now;
    const std::size_t end = std::min(before.find('\n', known), before.size());
    return now.substr(0, at) + before.substr(known, end - known) + now.substr(at + unknown.size() - 1);
}

bool has_same_vectors(const screen::TreatmentVectors& a, const screen::TreatmentVectors& b) {
    return a.names() == b.names() && std::ranges::equal(a.values().values(), b.values().values());
}

// Returns whether a fold is trained, and scored if the verb does, with the options and data of now. Reads the
// files of the fold.
bool has_finished(const FoldVerb& verb, const FoldPlan& plan, const Fold& fold,
                  const core::OptionEffects& effects) {
    const options::RunConfig& work = fold.work->config;
    std::error_code ignored;
    if (fold.is_skipped() || !std::filesystem::exists(work.output + "/weights.h5", ignored)) return false;
    train::Checkpoint run;
    std::optional<eval::Results> results;
    try {
        run = predict::read_run(work.output);
        if (verb.has_scores && train::fold_state(work.output) == FoldState::scored)
            results = eval::read_results(work.output + "/results.h5");
    } catch (const core::UserError&) {
        return false;  // a damaged file is written again
    }
    if (run.data_fingerprint != plan.fingerprint)
        throw core::DataError(
            work.data, "",
            "is not the file that '" + work.output + "' was trained on. Give that file, or another --output");
    const auto is_same = [&](const std::string& now, const std::string& before) {
        return core::changed_options(with_known_median(now, before), before, effects).empty();
    };
    if (!is_same(fold.training_config, run.config)) return false;
    if (!has_same_vectors(fold.vectors, run.conditions.vectors())) return false;
    if (!verb.has_scores) return true;
    return results && results->provenance.steps == run.adam.step &&
           is_same(fold.config, results->provenance.config);
}

// Sets Fold::is_finished of all folds. Rank 0 reads the files. Collective.
void find_finished(const FoldVerb& verb, FoldPlan& plan, const core::OptionEffects& effects,
                   const mpi::Communicator& comm) {
    std::vector<std::int64_t> finished(plan.folds.size(), 0);
    if (comm.is_root()) {
        for (std::size_t i = 0; i < plan.folds.size(); ++i)
            finished[i] = has_finished(verb, plan, plan.folds[i], effects) ? 1 : 0;
    }
    comm.sum(finished);
    for (std::size_t i = 0; i < plan.folds.size(); ++i) plan.folds[i].is_finished = finished[i] != 0;
}

void write_list(const std::string& folder, const FoldPlan& plan) {
    std::vector<FoldEntry> entries;
    for (const Fold& fold : plan.folds) {
        entries.push_back(fold.entry);
        if (!fold.is_skipped()) entries.back().state = train::fold_state(fold.work->config.output);
    }
    train::write_fold_list(folder, entries);
}

// Joins the results of all folds, which have finished, and prints the table.
void join(const FoldPlan& plan, const options::RunConfig& config, const options::OptionTable& table) {
    std::vector<eval::FoldResults> folds;
    for (const Fold& fold : plan.folds) {
        folds.push_back({.fold = fold.entry});
        if (fold.is_skipped()) continue;
        folds.back().fold.state = FoldState::scored;
        folds.back().results = eval::read_results(fold.work->config.output + "/results.h5");
    }
    const eval::Results joined = eval::join_folds(
        std::move(folds),
        {.split = config.split, .config = run_text(table), .sample_pairs = config.evaluate.sample_pairs});
    const std::string path = config.output + "/results.h5";
    eval::write_results(path, joined);
    print_result(
        "\n%s: %s\n\n%s\nThe results of all folds are in %s. For a page with figures: popflow report %s "
        "--output "
        "report.html\n",
        config.output.c_str(), core::printable(config.split).c_str(),
        report::report_text({joined}, table.effects()).c_str(), path.c_str(),
        core::shell_word(config.output).c_str());
}

std::string plan_line(const std::string& label, const std::string& text) {
    return fmt::format("{:<11} {}\n", label, core::printable(text));
}

// Describes the folds, one line each. The line `to run` lists the numbers of those that are left.
std::string plan_text(const FoldPlan& plan, const std::vector<std::size_t>& left) {
    std::size_t skipped = 0;
    std::string lines;
    for (std::size_t i = 0; i < plan.folds.size(); ++i) {
        const Fold& fold = plan.folds[i];
        skipped += fold.is_skipped() ? 1 : 0;
        lines += plan_line(
            fmt::format("fold {}", i + 1),
            fold.is_skipped()
                ? fmt::format("{} {}: skipped: {}", plan.column, fold.entry.value, fold.entry.note)
                : fmt::format("{} {}: {}, {}, {}, in {}", plan.column, fold.entry.value,
                              core::counted(fold.train_pairs, "training pair"),
                              core::counted(fold.test_pairs, "test pair"),
                              fold.is_finished
                                  ? "finished"
                                  : train::fold_state_name(train::fold_state(fold.work->config.output)),
                              fold.work->config.output));
    }
    std::string numbers;
    for (const std::size_t i : left) numbers += (numbers.empty() ? "" : ",") + std::to_string(i + 1);
    return plan_line("folds",
                     fmt::format("{}, one for each {}{}", core::counted(plan.folds.size(), "fold"),
                                 plan.column, skipped > 0 ? fmt::format(", {} skipped", skipped) : "")) +
           lines + plan_line("to run", numbers.empty() ? "none" : numbers);
}

// Prints the folds, and the plan of the first one that is left. Collective.
int dry_run_folds(FoldPlan& plan, const std::vector<std::size_t>& left, const options::RunConfig& config,
                  const options::OptionTable& table, const mpi::Communicator& comm) {
    if (comm.is_root()) {
        check_folder(config, table);
        print_result("%s", plan_text(plan, left).c_str());
        if (!left.empty()) print_result("%s", plan_line("plan of", plan.label(left.front())).c_str());
        std::fflush(stdout);
    }
    if (left.empty()) return done;
    FoldConfig& first = *plan.folds[left.front()].work;
    return dry_run_training(first.config, first.table, comm, left.size());
}

// Tells which folds are left out of the training, and why.
void print_skipped(const FoldPlan& plan) {
    for (std::size_t i = 0; i < plan.folds.size(); ++i) {
        if (plan.folds[i].is_skipped())
            print_message("note: %s is skipped: %s", plan.label(i).c_str(),
                          core::printable(plan.folds[i].entry.note).c_str());
    }
}

// Runs some folds. Collective. @return `done` or `stopped`
int run_each(const FoldVerb& verb, FoldPlan& plan, const std::vector<std::size_t>& chosen,
             const options::RunConfig& config, bool has_lock, const mpi::Communicator& comm) {
    for (const std::size_t i : chosen) {
        Fold& fold = plan.folds[i];
        if (comm.is_root())
            print_message("%s: %s%s", plan.label(i).c_str(), fold.work->config.output.c_str(),
                          fold.is_finished ? " is finished" : "");
        if (fold.is_finished) continue;
        if (comm.is_root() && file_stamp(config.data) != plan.stamp)
            throw core::DataError(config.data, "",
                                  "was changed after this program had read it. If it has the same content, "
                                  "continue with --resume");
        const int code = verb.run(fold.work->config, fold.work->table, comm);
        comm.barrier();
        if (comm.is_root() && has_lock) write_list(config.output, plan);
        if (code != done) return code;
    }
    return done;
}

// Joins the results of a fold with those of other processes, if all have finished.
void conclude(const FoldVerb& verb, FoldPlan& plan, const options::RunConfig& config,
              const options::OptionTable& table) {
    std::size_t finished = 0;
    std::size_t all = 0;
    for (Fold& fold : plan.folds) {
        if (fold.is_skipped()) continue;
        fold.is_finished = has_finished(verb, plan, fold, table.effects());
        finished += fold.is_finished ? 1 : 0;
        ++all;
    }
    if (finished == all && verb.has_scores) return join(plan, config, table);
    print_result("%s: %zu of %s %s.%s\n", config.output.c_str(), finished, core::counted(all, "fold").c_str(),
                 verb.has_scores ? "scored" : "trained",
                 verb.has_scores ? " The last one to end joins the results"
                                 : " popflow run with the same options and --resume scores them");
}

}  // namespace

void refuse_fold_option(const options::RunConfig& config) {
    if (config.fold.empty() || screen::is_leave_one_out(config.split)) return;
    throw core::ConfigError("fold", "found '" + config.fold + "', but the split is " + config.split +
                                        ". --fold chooses a fold of --split each:COLUMN");
}

int run_folds(const FoldVerb& verb, options::RunConfig& config, const options::OptionTable& table,
              const mpi::Communicator& comm) {
    check_options(verb, config, table);
    while (config.output.size() > 1 && config.output.back() == '/') config.output.pop_back();
    if (config.dry_run == options::DryRunMode::options) return done;
    if (config.resume || !config.fold.empty()) keep_precision(config);
    resolve_precision(config, comm);
    FoldPlan plan = plan_folds(verb, config, table, comm);
    const bool has_one = !config.fold.empty();
    std::vector<std::size_t> chosen;
    for (std::size_t i = 0; i < plan.folds.size(); ++i) {
        if (!has_one && !plan.folds[i].is_skipped()) chosen.push_back(i);
    }
    if (has_one) chosen.push_back(chosen_fold(plan, config.fold));
    if (config.dry_run != options::DryRunMode::none) {
        if (config.resume || has_one) find_finished(verb, plan, table.effects(), comm);
        std::erase_if(chosen, [&](std::size_t i) { return plan.folds[i].is_finished; });
        return dry_run_folds(plan, chosen, config, table, comm);
    }
    // A process that runs one fold holds the lock for a moment only. One that runs all folds keeps it.
    constexpr int seconds_at_start = 120;
    constexpr int seconds_at_end = 600;
    std::unique_ptr<core::FolderLock> lock;
    if (comm.is_root()) {
        lock = lock_folder(config.output, has_one ? seconds_at_start : 5);
        check_folder(config, table);
        write_list(config.output, plan);
        write_config(config.output, run_text(table));
        print_skipped(plan);
        if (has_one) lock.reset();
    }
    comm.barrier();
    if (config.resume) find_finished(verb, plan, table.effects(), comm);
    const int code = run_each(verb, plan, chosen, config, !has_one, comm);
    if (comm.is_root()) {
        if (has_one) lock = lock_folder(config.output, seconds_at_end);
        write_list(config.output, plan);
        if (code == done && !has_one && verb.has_scores) join(plan, config, table);
        if (code == done && (has_one || !verb.has_scores)) conclude(verb, plan, config, table);
    }
    comm.barrier();
    return code;
}

}  // namespace popflow::apps
