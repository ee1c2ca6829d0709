// SPDX-License-Identifier: MIT
#include "training_run.hpp"

#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "console.hpp"
#include "core/host_name.hpp"
#include "core/stored_file.hpp"
#include "core/text.hpp"
#include "core/utf8.hpp"
#include "core/version.hpp"
#include "eval/pair_validation.hpp"
#include "linalg/kernel_ridge.hpp"
#include "linalg/precision.hpp"
#include "log_file.hpp"
#include "mpi/run_collectively.hpp"
#include "population_mode.hpp"
#include "problem_training.hpp"
#include "progress.hpp"
#include "report/report_formats.hpp"
#include "run_folder.hpp"
#include "same_data.hpp"
#include "screen/trainable.hpp"
#include "screen/value_notes.hpp"
#include "selection.hpp"
#include "signals.hpp"
#include "train/latent_fit.hpp"
#include "train/population_items.hpp"
#include "train/resume_check.hpp"
#include "train/training_run.hpp"
#include "train/training_set.hpp"
#include "training_display.hpp"
#include "training_plan.hpp"
#include "training_setup.hpp"
#include "training_split.hpp"
#include "verbs.hpp"

namespace popflow::apps {

namespace {

// Checks that the split has a validation part if an option needs one. @throws core::ConfigError
void check_validation(const options::RunConfig& config, const screen::Split& split) {
    if (!split.pairs(screen::Part::validation).empty()) return;
    const std::string problem = "needs a validation, but --split " + config.split +
                                " has no validation part. Give --validation N to hold out N units";
    if (config.keeps_best()) throw core::ConfigError("keep", "found best, which " + problem);
    if (config.patience > 0)
        throw core::ConfigError("patience", fmt::format("found {}, which {}", config.patience, problem));
}

// Splits the pairs. Checks that they can be trained and scored, and that the configuration fits them. Appends
// notes for the user.
screen::Split make_split(const screen::Screen& screen, options::RunConfig& config,
                         const options::OptionTable& table, const screen::TreatmentVectors& vectors,
                         std::vector<std::string>& notes) {
    screen::Split split = training_split(screen, config);
    check_validation(config, split);
    notes = screen::reading_notes(screen);
    for (std::string& note : screen::check_can_train(screen, split, vectors))
        notes.push_back(std::move(note));
    for (std::string& note : fit_config_to_data(config, table, screen, split))
        notes.push_back(std::move(note));
    return split;
}

// Returns a note about cell types that no training control has, empty if there are none.
std::string untrained_types_note(const screen::Screen& screen, const train::TrainingSet& set) {
    if (set.shape().cell_types == 0) return "";  // a single type is no input
    std::vector<std::string> untrained;
    for (const std::string& type : screen.cell_types) {
        if (std::ranges::find(set.cell_types(), type) == set.cell_types().end()) untrained.push_back(type);
    }
    if (untrained.empty()) return "";
    return "no training control has cells of type " + core::joined(untrained) +
           ". The encoder gets zeros instead of such a type";
}

// Returns a note if the moment map cannot follow the population under some conditions, empty otherwise.
std::string few_units_note(const options::RunConfig& config, const train::TrainingSet& set) {
    if (!models::uses_setting(config.method->name(), "moment-kernel")) return "";
    const std::size_t few = set.conditions_with_few_units(linalg::min_ridge_groups);
    if (few == 0) return "";
    return fmt::format(
        "{} predicts the mean shift for {} of {}: a regression needs pairs of {} or more units, which are "
        "the "
        "values that the split holds out, for example patients",
        config.method->name(), few, core::counted(set.conditions().count(), "condition"),
        linalg::min_ridge_groups);
}

// Whether unpaired controls have no condition, since the flow starts at them.
bool starts_at_unpaired_controls(const options::RunConfig& config) {
    return config.screen.unpaired && config.method->population_draws(config.method_settings()).source ==
                                         models::PopulationSource::control;
}

// Whether the cells of unpaired controls are needed where their targets are.
bool shares_sources(const options::RunConfig& config) {
    return starts_at_unpaired_controls(config) &&
           config.method->population_draws(config.method_settings()).form == models::PopulationForm::clouds;
}

// The data of a training, from opening the file to the normalised cells.
struct TrainingData {
    TrainingData(options::RunConfig& config, const options::OptionTable& table, const mpi::Communicator& comm,
                 bool reads_cells = true)
        : stamp(file_stamp(config.data)),
          screen(open_training_screen(config, table, comm)),
          vectors(read_treatment_vectors(config, comm)),
          split(make_split(screen, config, table, vectors, notes)),
          storage(cell_storage(config, comm)),
          set(with_size_factor(screen, split, config, reads_cells, comm), split,
              {.lanes = config.train.batch_pairs,
               .normalise = config.normalise,
               .rows_correspond = train::draws_rows(config.sampling.coupling),
               .reads_cells = reads_cells,
               // The moves of unpaired populations need no regression.
               .start = config.screen.unpaired ? models::StartKind::none : config.start.kind,
               .controls_are_sources = starts_at_unpaired_controls(config),
               .shares_sources = shares_sources(config),
               .latent = config.latent},
              comm, storage, vectors),
          items(std::make_unique<train::PairItems>(set, config.sampling)),
          constants(
              train::make_model_constants(*config.method, config.method_settings(), set, config.train.seed)) {
        if (reads_cells && trains_on_populations(config)) make_population_items(config, comm);
        if (file_stamp(config.data) != stamp)
            throw core::DataError(config.data, "", "was changed while it was read. Start again");
        for (std::string note :
             {untrained_types_note(screen, set), few_units_note(config, set),
              train::encoder_note(*config.method, config.method_settings(), set, constants)}) {
            if (!note.empty()) notes.push_back(std::move(note));
        }
        mpi::run_collectively(comm, [&] {
            if (!comm.is_root()) return;
            for (std::string& note : screen::value_notes(screen)) notes.push_back(std::move(note));
        });
    }

    // Replaces the items, and the constants, which depend on the moments of the populations.
    void make_population_items(const options::RunConfig& config, const mpi::Communicator& comm) {
        const models::PopulationDraws draws = config.method->population_draws(config.method_settings());
        auto populations = train::make_population_items(
            screen, set, {draws, config.sampling, config.start.kind == models::StartKind::mean_shift},
            std::move(constants), config.train.seed, comm);
        constants = populations->constants();
        coupling = populations->families().coupling();
        items = std::move(populations);
    }

    std::string stamp;  ///< file_stamp() of the data file before it was read
    screen::Screen screen;
    screen::TreatmentVectors vectors;
    std::vector<std::string> notes;  ///< notes for the user, all of them on rank 0
    screen::Split split;
    train::CellStorage storage;
    train::TrainingSet set;
    std::unique_ptr<train::TrainingItems> items;
    models::Constants constants;                     ///< matrices of the model
    std::vector<train::CoupledPopulation> coupling;  ///< see train::PopulationFamilies::coupling()
};

// @param selection  why --method auto has chosen the method, in words
train::Checkpoint make_constants(const options::RunConfig& config, const options::OptionTable& table,
                                 const TrainingData& data, const std::string& selection = "") {
    train::Checkpoint constants;
    constants.selection = selection;
    constants.config = table.text(options::training_sections());
    constants.data_fingerprint = data.screen.fingerprint;
    constants.family = config.method;
    constants.settings = config.method_settings().clone();
    constants.data = data.set.shape();
    constants.constants = data.constants;
    constants.markers = data.screen.markers;
    constants.cell_types = data.set.cell_types();
    constants.normalisation = data.set.normalisation();
    constants.latent = data.set.latent();
    constants.marker_shifts = data.set.marker_shifts();
    constants.range = data.set.range();
    constants.conditions = data.set.conditions();
    constants.mean_shifts = data.set.mean_shifts();
    constants.moment_map = data.set.moment_map();
    constants.start = config.start;
    constants.typical_distance = data.set.typical_distance();
    return constants;
}

train::TrainOptions train_options(const options::RunConfig& config) {
    train::TrainOptions options = config.train;
    options.start_at_identity = config.start.kind != models::StartKind::none;
    return options;
}

// Returns the latent space of a training in words, with its share of the variance once it is known. Empty
// without one.
std::string latent_text(const options::RunConfig& config, const TrainingData& data) {
    if (config.latent == 0) return "";
    const std::size_t markers = data.screen.markers.size();
    std::string text = fmt::format("{} of {}", core::counted(config.latent, "principal component"),
                                   core::counted(markers, "marker"));
    const screen::LatentSpace& latent = data.set.latent();
    if (!latent.is_empty())
        return text + ", with " + core::percent_text(latent.total_share()) +
               " of the variance of the training cells";
    return text + fmt::format(", whose computation takes up to {:.0f} MiB on a rank",
                              train::latent_fit_bytes(config.latent, markers) / (1024.0 * 1024));
}

// Writes the coupling of whole families to `coupling.csv` in the run folder, one line for each pair of a
// treated population and a control that it takes mass from.
void write_coupling(const options::RunConfig& config, const TrainingData& data) {
    if (data.coupling.empty()) return;
    std::string text = "population,treatment,control,share,distance\n";
    for (const train::CoupledPopulation& one : data.coupling) {
        const screen::Population& target = data.screen.populations[one.target];
        const screen::Population& source = data.screen.populations[one.source];
        text += fmt::format("{},{},{},{},{}\n",
                            report::csv_cell(data.screen.experiments[target.experiment].label),
                            report::csv_cell(screen::condition_name(target.treatment, target.concentration)),
                            report::csv_cell(data.screen.experiments[source.experiment].label),
                            core::number_label(one.share), core::number_label(one.distance));
    }
    core::store_file(config.output + "/coupling.csv", std::as_bytes(std::span(text)));
}

// Returns the lines that describe a training before its first step.
std::vector<std::string> describe(const options::RunConfig& config, const TrainingData& data,
                                  const train::TrainingRun& run, const mpi::Communicator& comm) {
    using core::counted;
    const train::TrainingSet& set = data.set;
    const char* noun = config.screen.unpaired ? "training population" : "training pair";
    std::vector<std::string> lines{config.data + ": " + counted(set.pairs().size(), noun) + ", " +
                                   counted(data.screen.markers.size(), "marker") + ", " +
                                   counted(set.conditions().treatments().size(), "treatment") + "; " +
                                   run_text(config, run, precision_of(config), comm)};
    if (config.latent > 0) lines.push_back("latent space: " + latent_text(config, data));
    for (const std::string& note : data.notes) lines.push_back("note: " + note);
    if (set.on_disk())
        lines.push_back("note: rank 0 stores its cells in a file in " + data.storage.folder +
                        " (see --cache)");
    return lines;
}

// Returns the mean number of cells that a slot draws.
double cells_of_a_slot(const options::RunConfig& config, const TrainingData& data) {
    double sum = 0;
    for (const std::size_t p : data.set.pairs()) {
        const screen::PopulationPair& pair = data.screen.pairs[p];
        sum += static_cast<double>(
            std::min({config.sampling.cells, data.screen.populations[pair.control].n_cells,
                      data.screen.populations[pair.treated].n_cells}));
    }
    return sum / static_cast<double>(data.set.pairs().size());
}

// A training with its validation, which may have no object.
struct ValidatedTraining {
    ValidatedTraining(const options::RunConfig& config, const options::OptionTable& table,
                      const TrainingData& data, const mpi::Communicator& comm,
                      train::TrainingObserver& observer, const std::string& selection = "")
        : run(files_and_cadence(config), train_options(config),
              make_constants(config, table, data, selection), precision_of(config), table.effects(),
              *data.items, comm, observer, make_plan(config, data, comm)) {}

    std::unique_ptr<eval::PairValidation> validation;
    train::TrainingRun run;

  private:
    train::ValidationPlan make_plan(const options::RunConfig& config, const TrainingData& data,
                                    const mpi::Communicator& comm) {
        std::vector<std::size_t> pairs = data.split.pairs(screen::Part::validation);
        if (!config.validates || pairs.empty()) return {};
        const bool is_one_pass =
            config.method
                ->make(config.method_settings(), data.set.shape(), data.constants, linalg::Precision::fp32)
                ->gradient_training() == nullptr;
        train::ValidationPlan plan{.keeps_best = config.keeps_best(), .patience = config.patience};
        eval::PairValidationOptions options{.pairs = std::move(pairs),
                                            .units = screen::validation_units(data.screen, data.split),
                                            .seed = config.train.seed,
                                            .context_cells = config.sampling.cells};
        if (!is_one_pass) {
            plan.budget =
                train::validation_budget(config.train.steps, static_cast<double>(config.train.batch_pairs) *
                                                                 cells_of_a_slot(config, data));
            options.work = *plan.budget / train::validation_checks;
        }
        validation = std::make_unique<eval::PairValidation>(data.screen, data.set, std::move(options), comm);
        plan.validation = validation.get();
        return plan;
    }
};

}  // namespace

int train_run(options::RunConfig& config, const options::OptionTable& table, const mpi::Communicator& comm) {
    if (trains_on_problems(config)) return train_problem_run(config, table, comm);
    refuse_problem_options(config, table);
    set_population_mode(config, table);
    Selected selected;
    if (config.selects_method) selected = select_method(config, table, comm);
    if (selected.stopped) {
        if (comm.is_root()) print_message("stopped on request. Continue with --resume");
        return stopped;
    }
    TrainingData data(config, table, comm);
    if (!selected.words.empty()) data.notes.insert(data.notes.begin(), selected.words);
    const auto lines = [&](const train::TrainingRun& run) { return describe(config, data, run, comm); };
    TrainingDisplay display(config,
                            table.text(options::training_sections()) +
                                table.text({options::Section::transport, options::Section::evaluate}),
                            {.stamp = data.stamp, .unit = "cells", .describe = lines}, comm);
    ValidatedTraining training(config, table, data, comm, display, selected.words);
    mpi::run_collectively(comm, [&] {
        if (comm.is_root()) write_coupling(config, data);
    });
    try {
        return training.run.run() == train::TrainingEnd::done ? done : stopped;
    } catch (const std::exception& error) {
        display.failed(error);
        throw;
    }
}

namespace {

// Prints what a training would do. Reads only the metadata of the data file. Collective.
// @param selection  what --method auto would do before the training, empty if the method was given
int plan_training(options::RunConfig& config, const options::OptionTable& table,
                  const mpi::Communicator& comm, const std::string& selection) {
    TrainingData data(config, table, comm, false);
    if (!selection.empty()) data.notes.insert(data.notes.begin(), "selection: " + selection);
    train::Checkpoint constants = make_constants(config, table, data);
    if (comm.is_root()) {
        check_run_folder(config);
        const auto found = config.resume ? train::newest_checkpoint(config.output) : std::nullopt;
        if (found) {
            // These need the cells.
            constants.normalisation = found->checkpoint.normalisation;
            constants.latent = found->checkpoint.latent;
            constants.marker_shifts = found->checkpoint.marker_shifts;
            constants.range = found->checkpoint.range;
            constants.mean_shifts = found->checkpoint.mean_shifts;
            constants.constants = found->checkpoint.constants;
            train::check_can_resume(constants, found->checkpoint, table.effects(), config.data);
        }
    }
    const std::unique_ptr<models::Model> model = config.method->make(
        *constants.settings, constants.data, constants.constants, linalg::Precision::fp32);
    const std::string text = training_plan(config, data.screen, data.split, data.notes,
                                           {.treatments = constants.conditions.treatments().size(),
                                            .parameters = model->layout().count(),
                                            .is_one_pass = model->gradient_training() == nullptr,
                                            .latent = latent_text(config, data)},
                                           comm);
    print_result("%s", text.c_str());
    return done;
}

}  // namespace

int dry_run_training(options::RunConfig& config, const options::OptionTable& table,
                     const mpi::Communicator& comm, std::size_t trainings) {
    if (trains_on_problems(config)) return dry_run_problem_training(config, table, comm);
    refuse_problem_options(config, table);
    set_population_mode(config, table);
    if (config.dry_run == options::DryRunMode::options) return done;
    PlannedSelection selection;
    if (config.selects_method) selection = plan_selection(config, table, comm);
    if (config.dry_run == options::DryRunMode::plan)
        return plan_training(config, table, comm, selection.text);
    TrainingData data(config, table, comm);
    if (!selection.text.empty()) data.notes.insert(data.notes.begin(), "selection: " + selection.text);
    train::TrainingObserver silent;
    ValidatedTraining training(config, table, data, comm, silent);
    train::TrainingRun& run = training.run;
    const train::DryRun dry_run = run.dry_run();
    const std::string plan = training_plan(config, data.screen, data.split, data.notes,
                                           {.treatments = run.checkpoint().conditions.treatments().size(),
                                            .parameters = dry_run.parameters,
                                            .is_one_pass = run.model().gradient_training() == nullptr,
                                            .latent = latent_text(config, data)},
                                           comm);
    print_result("%s", (plan + timed_plan(config, run, dry_run, comm, trainings, selection.folds)).c_str());
    return dry_run.fault.empty() ? done : failed;
}

}  // namespace popflow::apps
