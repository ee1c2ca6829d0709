// SPDX-License-Identifier: MIT
#include "training_run.hpp"

#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>

#include "core/host_name.hpp"
#include "core/text.hpp"
#include "core/utf8.hpp"
#include "core/version.hpp"
#include "linalg/precision.hpp"
#include "log_file.hpp"
#include "mpi/run_collectively.hpp"
#include "progress.hpp"
#include "run_folder.hpp"
#include "same_data.hpp"
#include "screen/trainable.hpp"
#include "screen/value_notes.hpp"
#include "signals.hpp"
#include "train/median_total.hpp"
#include "train/resume_check.hpp"
#include "train/training_run.hpp"
#include "train/training_set.hpp"
#include "training_plan.hpp"
#include "training_setup.hpp"
#include "verbs.hpp"

namespace popflow::apps {

namespace {

// Splits the pairs. Checks that they can be trained and scored, and that the configuration fits them. Appends
// notes for the user.
screen::Split make_split(const screen::Screen& screen, options::RunConfig& config,
                         const options::OptionTable& table, const screen::TreatmentVectors& vectors,
                         std::vector<std::string>& notes) {
    screen::Split split = screen::make_split(screen, config.split, config.split_seed);
    notes = screen::reading_notes(screen);
    for (std::string& note : screen::check_can_train(screen, split, vectors))
        notes.push_back(std::move(note));
    for (std::string& note : fit_config_to_data(config, table, screen, split))
        notes.push_back(std::move(note));
    return split;
}

// Computes the target of --size-factor median and stores it in the screen and in the configuration, which
// goes to the checkpoint. Needs the cells. Collective. @return the screen
const screen::Screen& resolve_size_factor(screen::Screen& screen, const screen::Split& split,
                                          options::RunConfig& config, bool reads_cells,
                                          const mpi::Communicator& comm) {
    screen::SizeFactor& size_factor = config.screen.size_factor;
    if (reads_cells && size_factor.is_set() && !size_factor.has_target())
        size_factor.target = train::median_total(screen, split, comm);
    screen.options.size_factor = size_factor;
    return screen;
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

// The data of a training, from opening the file to the normalised cells.
struct TrainingData {
    TrainingData(options::RunConfig& config, const options::OptionTable& table, const mpi::Communicator& comm,
                 bool reads_cells = true)
        : stamp(file_stamp(config.data)),
          screen(open_training_screen(config, table, comm)),
          vectors(read_treatment_vectors(config, comm)),
          split(make_split(screen, config, table, vectors, notes)),
          storage(cell_storage(config, comm)),
          set(resolve_size_factor(screen, split, config, reads_cells, comm), split,
              {.lanes = config.train.batch_pairs,
               .normalise = config.normalise,
               .rows_correspond = train::draws_rows(config.sampling.coupling),
               .reads_cells = reads_cells},
              comm, storage, vectors),
          items(set, config.sampling) {
        if (file_stamp(config.data) != stamp)
            throw core::DataError(config.data, "", "was changed while it was read. Start again");
        if (const std::string note = untrained_types_note(screen, set); !note.empty()) notes.push_back(note);
        mpi::run_collectively(comm, [&] {
            if (!comm.is_root()) return;
            for (std::string& note : screen::value_notes(screen)) notes.push_back(std::move(note));
        });
    }

    std::string stamp;  ///< file_stamp() of the data file before it was read
    screen::Screen screen;
    screen::TreatmentVectors vectors;
    std::vector<std::string> notes;  ///< notes for the user, all of them on rank 0
    screen::Split split;
    train::CellStorage storage;
    train::TrainingSet set;
    train::PairItems items;
};

train::Checkpoint make_constants(const options::RunConfig& config, const options::OptionTable& table,
                                 const TrainingData& data) {
    train::Checkpoint constants;
    constants.config = table.text(options::training_sections());
    constants.data_fingerprint = data.screen.fingerprint;
    constants.family = config.method;
    constants.settings = config.method_settings().clone();
    constants.data = data.set.shape();
    constants.constants =
        config.method->draw_constants(*constants.settings, constants.data, config.train.seed);
    constants.markers = data.screen.markers;
    constants.cell_types = data.set.cell_types();
    constants.normalisation = data.set.normalisation();
    constants.range = data.set.range();
    constants.conditions = data.set.conditions();
    constants.mean_shifts = data.set.mean_shifts();
    return constants;
}

linalg::Precision precision_of(const options::RunConfig& config) {
    return config.precision == options::PrecisionChoice::bf16 ? linalg::Precision::bf16
                                                              : linalg::Precision::fp32;
}

// Displays a training on the terminal and in its log file, and passes requests to stop to it.
class Display : public train::TrainingObserver {
  public:
    Display(const options::RunConfig& config, const options::OptionTable& table, const TrainingData& data,
            const mpi::Communicator& comm)
        : config_(config), table_(table), data_(data), comm_(comm) {}

    void started(const train::TrainingRun& run) override {
        if (comm_.is_root()) {
            log_.emplace(log_path(config_.output));
            log_->line(std::string("popflow ") + core::version() + " (" + core::commit() + "), rank 0 on " +
                       core::host_name());
            write_config(config_.output, table_);
        }
        describe(run);
        progress_.emplace("train", run.total_steps(), run.steps_done(), !comm_.is_root(), config_.log_seconds,
                          log_ ? &*log_ : nullptr);
    }

    void stepped(const train::StepReport& report, std::uint64_t steps_done, double loss) override {
        progress_->add(report.cells, "cells");
        if (data_changed(steps_done)) {
            note("note: " + config_.data +
                 " was changed. This training continues with the data that it has read, but cannot be "
                 "resumed with the changed file");
        }
        progress_->update(steps_done, fmt::format("loss {:.4g}", loss));
    }

    void note(const std::string& text) override {
        if (progress_) return progress_->message(text);
        print(text);
    }

    bool should_stop() override { return stop_requested(); }

    // Writes the error that ended the training to the log.
    void failed(const std::exception& error) {
        if (log_) log_->line(error.what());
    }

  private:
    // Prints a line on standard error and in the log. Only rank 0 does.
    void print(const std::string& text) {
        if (!comm_.is_root()) return;
        std::fprintf(stderr, "%s\n", text.c_str());
        if (log_) log_->line(text);
    }

    void describe(const train::TrainingRun& run) {
        using core::counted;
        const auto ranks = static_cast<std::size_t>(comm_.size());
        const train::TrainingSet& set = data_.set;
        print(config_.data + ": " + counted(set.pairs().size(), "training pair") + ", " +
              counted(data_.screen.markers.size(), "marker") + ", " +
              counted(set.conditions().treatments().size(), "treatment") + "; " + config_.method->name() +
              ", " + counted(run.model().layout().count(), "parameter") + ", " +
              linalg::precision_name(precision_of(config_)) + "; " + counted(ranks, "rank") + " x " +
              counted(static_cast<std::size_t>(omp_get_max_threads()), "thread"));
        for (const std::string& note : data_.notes) print("note: " + core::printable(note));
        if (set.on_disk())
            print("note: rank 0 stores its cells in a file in " + data_.storage.folder + " (see --cache)");
        if (ranks > config_.train.batch_pairs) {
            print("note: " + counted(ranks, "rank") + " share " + counted(config_.train.batch_pairs, "slot") +
                  " per step, so some ranks have no work (see --batch-pairs)");
        }
    }

    // Whether the data file has changed since it was opened. Returns true only once.
    bool data_changed(std::uint64_t steps_done) {
        if (!comm_.is_root() || change_reported_ || steps_done % config_.log_every != 0) return false;
        change_reported_ = file_stamp(config_.data) != data_.stamp;
        return change_reported_;
    }

    const options::RunConfig& config_;
    const options::OptionTable& table_;
    const TrainingData& data_;
    const mpi::Communicator& comm_;
    bool change_reported_ = false;
    std::optional<LogFile> log_;  ///< empty except on rank 0
    std::optional<Progress> progress_;
};

train::TrainingRun make_run(const options::RunConfig& config, const options::OptionTable& table,
                            const TrainingData& data, const mpi::Communicator& comm,
                            train::TrainingObserver& observer) {
    return {{.folder = config.output,
             .data_file = config.data,
             .checkpoint_every = config.checkpoint_every,
             .checkpoint_minutes = config.checkpoint_minutes,
             .keep_checkpoints = config.keep_checkpoints,
             .log_every = config.log_every,
             .stop_after = config.stop_after,
             .resume = config.resume},
            config.train,
            make_constants(config, table, data),
            precision_of(config),
            table.effects(),
            data.items,
            comm,
            observer};
}

}  // namespace

int train_run(options::RunConfig& config, const options::OptionTable& table, const mpi::Communicator& comm) {
    const TrainingData data(config, table, comm);
    Display display(config, table, data, comm);
    train::TrainingRun run = make_run(config, table, data, comm, display);
    try {
        return run.run() == train::TrainingEnd::done ? done : stopped;
    } catch (const std::exception& error) {
        display.failed(error);
        throw;
    }
}

namespace {

// Prints what a training would do. Reads only the metadata of the data file. Collective.
int plan_training(options::RunConfig& config, const options::OptionTable& table,
                  const mpi::Communicator& comm) {
    const TrainingData data(config, table, comm, false);
    train::Checkpoint constants = make_constants(config, table, data);
    if (comm.is_root()) {
        check_run_folder(config);
        const auto found = config.resume ? train::newest_checkpoint(config.output) : std::nullopt;
        if (found) {
            // These need the cells.
            constants.normalisation = found->checkpoint.normalisation;
            constants.range = found->checkpoint.range;
            constants.mean_shifts = found->checkpoint.mean_shifts;
            train::check_can_resume(constants, found->checkpoint, table.effects(), config.data);
        }
    }
    const std::unique_ptr<models::Model> model = config.method->make(
        *constants.settings, constants.data, constants.constants, linalg::Precision::fp32);
    const std::string text = training_plan(config, data.screen, data.split, data.notes,
                                           {.treatments = constants.conditions.treatments().size(),
                                            .parameters = model->layout().count(),
                                            .is_one_pass = model->gradient_training() == nullptr},
                                           comm);
    std::fputs(text.c_str(), stdout);
    return done;
}

}  // namespace

int dry_run_training(options::RunConfig& config, const options::OptionTable& table,
                     const mpi::Communicator& comm) {
    if (config.dry_run == options::DryRunMode::options) return done;
    if (config.dry_run == options::DryRunMode::plan) return plan_training(config, table, comm);
    const TrainingData data(config, table, comm);
    train::TrainingObserver silent;
    train::TrainingRun run = make_run(config, table, data, comm, silent);
    const train::DryRun dry_run = run.dry_run();
    const std::string plan = training_plan(config, data.screen, data.split, data.notes,
                                           {.treatments = run.checkpoint().conditions.treatments().size(),
                                            .parameters = dry_run.parameters,
                                            .is_one_pass = run.model().gradient_training() == nullptr},
                                           comm);
    std::fputs((plan + timed_plan(config, run, dry_run, comm)).c_str(), stdout);
    return dry_run.fault.empty() ? done : failed;
}

}  // namespace popflow::apps
