// SPDX-License-Identifier: MIT
#include "selection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <set>

#include "core/text.hpp"
#include "eval/fold_scores.hpp"
#include "eval/selection.hpp"
#include "log_file.hpp"
#include "mpi/run_collectively.hpp"
#include "mpi/same_on_all_ranks.hpp"
#include "progress.hpp"
#include "run_folder.hpp"
#include "screen/trainable.hpp"
#include "signals.hpp"
#include "training_setup.hpp"
#include "training_split.hpp"

namespace popflow::apps {

namespace {

constexpr std::size_t max_folds = 10;
constexpr std::array shrinkages{0.25, 0.5, 0.75, 1.0};

// Returns the options of the flow among the candidates. They were chosen on the EGF time course, see
// docs/choosing.md. With few units an embedding of the population is not worth its variance.
models::OptionValues flow_recipe(std::size_t units) {
    models::OptionValues recipe{{"guard", "1.5:4"}, {"coupling", "ot"}, {"hidden", "128"}, {"layers", "5"}};
    const models::OptionValues own =
        units < 8 ? models::OptionValues{{"method", "fm"},
                                         {"start-map", "moment-map"},
                                         {"steps", "400"},
                                         {"batch-pairs", "24"},
                                         {"cells", "64"}}
                  : models::OptionValues{
                        {"method", "mfm"}, {"shrink-to", "moment-map"}, {"embedding", "32"}, {"knn", "20"},
                        {"steps", "600"},  {"batch-pairs", "4"},        {"cells", "256"}};
    recipe.insert(recipe.end(), own.begin(), own.end());
    return recipe;
}

// Sets options that the user has not set, and the method.
void set_options(const options::OptionTable& table, const models::OptionValues& values) {
    for (const auto& [option, value] : values) {
        if (option == "method" || !table.is_given(option)) table.set_default(option, {value});
    }
    table.parse({}, {}, nullptr);  // defaults that follow from the method
}

// Sets the options of a chosen candidate.
void set_candidate(const options::OptionTable& table, const models::OptionValues& recipe,
                   const eval::Candidate& candidate) {
    models::OptionValues values = recipe;
    if (candidate.is_simple) {
        for (auto& [option, value] : values)
            value = option == "method" ? candidate.method : table.initial(option).front();
    }
    values.emplace_back("shrinkage", core::number_label(candidate.shrinkage));
    set_options(table, values);
}

std::vector<eval::Candidate> candidates_of(const std::string& flow) {
    std::vector<eval::Candidate> candidates{
        {.method = "identity"}, {.method = "mean-shift"}, {.method = "moment-map"}};
    for (const double shrinkage : shrinkages)
        candidates.push_back({.method = flow, .shrinkage = shrinkage, .is_simple = false});
    return candidates;
}

std::vector<double> energies_of(const eval::HeldOutEnergies& scores) {
    std::vector<double> energies{scores.identity, scores.mean_shift, scores.moment_map};
    energies.insert(energies.end(), scores.shrinkages.begin(), scores.shrinkages.end());
    return energies;
}

// Numbers the units of all pairs: those of validation_units(). If nothing is held out, they are patients,
// since the model will be used for new ones.
std::vector<std::size_t> selection_units(const screen::Screen& screen, const screen::Split& split) {
    std::vector<std::size_t> units;
    std::map<std::string, std::size_t> patients;
    for (const screen::PopulationPair& pair : screen.pairs) {
        const std::string& patient = screen.populations[pair.control].patient;
        units.push_back(patients.try_emplace(patient, patients.size()).first->second);
    }
    const bool is_by_patient = screen::holds_out_nothing(split.spec) && patients.size() > 1;
    return is_by_patient ? units : screen::validation_units(screen, split);
}

// The data of a selection, and its folds.
struct SelectionData {
    SelectionData(options::RunConfig& config, const options::OptionTable& table,
                  const mpi::Communicator& comm)
        : screen(open_training_screen(config, table, comm)),
          vectors(read_treatment_vectors(config, comm)),
          split(training_split(screen, config)),
          units(selection_units(screen, split)) {
        screen::check_can_train(screen, split, vectors);
        std::vector<std::size_t> trained;
        for (const std::size_t pair : split.pairs(screen::Part::train)) trained.push_back(units[pair]);
        folds = eval::cross_validation_folds(trained, max_folds, config.train.seed);
        count = std::set<std::size_t>(trained.begin(), trained.end()).size();
    }

    screen::Screen screen;
    screen::TreatmentVectors vectors;
    screen::Split split;
    std::vector<std::size_t> units;  // one for each pair of the screen
    std::size_t count = 0;           // number of units of the training part
    std::vector<std::vector<std::size_t>> folds;
};

eval::FoldTraining fold_training(const options::RunConfig& config) {
    return {.family = config.method,
            .settings = &config.method_settings(),
            .train = config.train,
            .sampling = config.sampling,
            .data = {.normalise = config.normalise,
                     .rows_correspond = train::draws_rows(config.sampling.coupling),
                     .latent = config.latent},
            .start = config.start,
            .precision = precision_of(config),
            .shrinkages = {shrinkages.begin(), shrinkages.end()}};
}

// Trains folds until all are done or a stop is requested.
class FoldRunner {
  public:
    FoldRunner(const SelectionData& data, const options::RunConfig& config, eval::StoredSelection& stored,
               const mpi::Communicator& comm)
        : data_(data),
          config_(config),
          stored_(stored),
          comm_(comm),
          self_(mpi::Communicator::self()),
          storage_(cell_storage(config, comm)),
          progress_("select", data.folds.size(), finished().size(), !comm.is_root(), config.log_seconds) {}

    // @return whether all folds are done
    bool run() {
        const std::set<std::size_t> done = finished();
        std::vector<std::size_t> rest;
        for (std::size_t fold = 0; fold < data_.folds.size(); ++fold) {
            if (!done.contains(fold)) rest.push_back(fold);
        }
        const auto ranks = static_cast<std::size_t>(comm_.size());
        for (std::size_t first = 0; first < rest.size(); first += ranks) {
            if (!run_round(std::span(rest).subspan(first, std::min(ranks, rest.size() - first))))
                return false;
            progress_.update(finished().size(), "folds");
        }
        return true;
    }

    // Returns the folds that have scores.
    std::set<std::size_t> finished() const {
        std::set<std::size_t> folds;
        for (const eval::CandidateScores& row : stored_.scores) folds.insert(row.fold);
        return folds;
    }

  private:
    // Trains one fold on each rank. @return false if a stop was requested
    bool run_round(std::span<const std::size_t> folds) {
        const auto rank = static_cast<std::size_t>(comm_.rank());
        const std::size_t candidates = stored_.candidates.size();
        // One row for each pair of the screen: whether it is scored, its distance, and the energies. One rank
        // sets a row, so the sum over the ranks is exact.
        linalg::Matrix<double> table(data_.screen.pairs.size(), 2 + candidates);
        std::int64_t was_stopped[] = {0};
        mpi::run_collectively(comm_, [&] {
            if (rank >= folds.size()) return;
            const auto scores = eval::score_fold(
                data_.screen, eval::fold_split(data_.split, data_.units, data_.folds[folds[rank]]),
                fold_training(config_), {.solver = config_.evaluate.solver}, data_.vectors, storage_, self_,
                stop_requested);
            was_stopped[0] = scores ? 0 : 1;
            if (!scores) return;
            for (const eval::HeldOutEnergies& pair : *scores) {
                const auto row = table.view().row_span(pair.pair);
                row[0] = 1;
                row[1] = pair.training_distance;
                std::ranges::copy(energies_of(pair), row.begin() + 2);
            }
        });
        comm_.sum(table.values());
        comm_.sum(std::span<std::int64_t>(was_stopped));
        add(table);
        if (comm_.is_root()) eval::write_selection(selection_path(config_.output), stored_);
        return was_stopped[0] == 0;
    }

    void add(const linalg::Matrix<double>& table) {
        for (std::size_t pair = 0; pair < table.rows(); ++pair) {
            const std::span<const double> row = table.view().row_span(pair);
            if (row[0] == 0) continue;
            const auto fold = std::ranges::find_if(data_.folds, [&](const std::vector<std::size_t>& units) {
                return std::ranges::binary_search(units, data_.units[pair]);
            });
            stored_.scores.push_back({.fold = static_cast<std::size_t>(fold - data_.folds.begin()),
                                      .unit = data_.units[pair],
                                      .pair = screen::pair_name(data_.screen, pair),
                                      .training_distance = row[1],
                                      .energies = {row.begin() + 2, row.end()}});
        }
    }

    const SelectionData& data_;
    const options::RunConfig& config_;
    eval::StoredSelection& stored_;
    const mpi::Communicator& comm_;
    mpi::Communicator self_;
    train::CellStorage storage_;
    Progress progress_;
};

// Returns the stored selection of the run folder if it is to be continued, otherwise an empty one.
eval::StoredSelection start_selection(const options::RunConfig& config, const options::OptionTable& table,
                                      const SelectionData& data, const models::OptionValues& recipe) {
    eval::StoredSelection now{.config = table.text(options::training_sections()),
                              .data_fingerprint = data.screen.fingerprint,
                              .recipe = recipe,
                              .candidates = candidates_of(config.method->name())};
    const std::string path = selection_path(config.output);
    if (!config.resume || !std::filesystem::exists(path)) return now;
    eval::StoredSelection before = eval::read_selection(path);
    const auto changed = core::changed_options(now.config, before.config, table.effects());
    if (!changed.empty())
        throw core::ConfigError("resume", "the configuration changed since the selection: " +
                                              core::joined(changed, changed.size()) +
                                              ". Use the earlier values, or another --output");
    if (before.data_fingerprint != now.data_fingerprint)
        throw core::DataError(
            config.data, "",
            "is not the file for which the run chose its method. Give that file, or another "
            "--output");
    return before;
}

}  // namespace

std::string selection_path(const std::string& run) {
    return run + "/selection.h5";
}

Selected select_method(options::RunConfig& config, const options::OptionTable& table,
                       const mpi::Communicator& comm) {
    SelectionData data(config, table, comm);
    const models::OptionValues recipe = flow_recipe(data.count);
    set_options(table, recipe);
    fit_config_to_data(config, table, data.screen, data.split);
    with_size_factor(data.screen, data.split, config, true, comm);
    eval::StoredSelection stored;
    mpi::run_collectively(comm, [&] { stored = start_selection(config, table, data, recipe); });
    if (!stored.is_complete) {
        FoldRunner runner(data, config, stored, comm);
        if (!runner.run()) return {.stopped = true};
        stored.choice = eval::choose(stored.candidates, stored.scores);
        if (const std::size_t scored = runner.finished().size(); 0 < scored && scored < data.folds.size())
            stored.choice.words += fmt::format(
                ". {} of {} could not be used: without the held-out pairs there are too few to train on, or "
                "none of these can be predicted",
                data.folds.size() - scored, core::counted(data.folds.size(), "fold"));
        stored.is_complete = true;
        if (comm.is_root()) eval::write_selection(selection_path(config.output), stored);
    }
    set_candidate(table, stored.recipe, stored.candidates[stored.choice.candidate]);
    return {.words = stored.choice.words};
}

bool apply_stored_selection(const options::RunConfig& config, const options::OptionTable& table) {
    const std::string path = selection_path(config.output);
    if (!config.selects_method || !std::filesystem::exists(path)) return false;
    const eval::StoredSelection stored = eval::read_selection(path);
    if (!stored.is_complete) return false;
    set_candidate(table, stored.recipe, stored.candidates[stored.choice.candidate]);
    return true;
}

PlannedSelection plan_selection(options::RunConfig& config, const options::OptionTable& table,
                                const mpi::Communicator& comm) {
    const SelectionData data(config, table, comm);
    const models::OptionValues recipe = flow_recipe(data.count);
    set_options(table, recipe);
    if (data.folds.empty()) {
        const std::vector<eval::Candidate> candidates = candidates_of(config.method->name());
        const eval::Choice choice = eval::choose(candidates, {});
        set_candidate(table, recipe, candidates[choice.candidate]);
        return {.text = choice.words, .folds = 0};
    }
    return {.text = fmt::format("{} over {}: {} candidates, one training of {} for each fold",
                                core::counted(data.folds.size(), "fold"), core::counted(data.count, "unit"),
                                candidates_of(config.method->name()).size(), config.method->name()),
            .folds = data.folds.size()};
}

}  // namespace popflow::apps
