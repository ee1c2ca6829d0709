// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/option_effect.hpp"
#include "linalg/precision.hpp"
#include "models/model.hpp"
#include "mpi/communicator.hpp"
#include "train/checkpoint.hpp"
#include "train/checkpoint_folder.hpp"
#include "train/trainer.hpp"
#include "train/training_csv.hpp"
#include "train/training_items.hpp"
#include "train/training_table.hpp"
#include "train/validation.hpp"

namespace popflow::train {

/// Files and cadence of a training. None of them changes a result.
struct TrainingRunOptions {
    std::string folder;                    ///< run folder, which exists
    std::string data_file;                 ///< name of the data file for messages
    std::uint64_t checkpoint_every = 500;  ///< steps between checkpoints
    double checkpoint_minutes = 30;        ///< 0: only after checkpoint_every steps
    std::size_t keep_checkpoints = 2;      ///< including the newest
    std::uint64_t log_every = 50;          ///< steps between rows of the training table
    std::uint64_t stop_after = 0;          ///< step after which to stop as on request, 0 for never
    bool resume = false;                   ///< continue from the newest checkpoint, if there is one
};

class TrainingRun;

/// Receives the events of a training. All functions are called on every rank. They do nothing by default.
class TrainingObserver {
  public:
    virtual ~TrainingObserver() = default;
    /// Called once before the first step, after a checkpoint was restored.
    virtual void started(const TrainingRun& /*run*/) {}
    /// Called after each step. @param loss  loss of the last row of the training table, or of the step
    virtual void stepped(const StepReport& /*report*/, std::uint64_t /*steps_done*/, double /*loss*/) {}
    /// Called after each validation check.
    virtual void validated(const ValidationRow& /*row*/) {}
    /// Called with a note for the user.
    virtual void note(const std::string& /*text*/) {}
    /// Returns whether this rank requests to stop after the next step. Asked before each step.
    virtual bool should_stop() { return false; }
};

/// How a training ended.
enum class TrainingEnd {
    done,
    stopped,  ///< on request. A checkpoint was stored.
};

/// Measurements of a dry run: some timed steps of a training that write nothing.
struct DryRun {
    std::uint64_t steps = 0;  ///< number of timed steps
    double seconds = 0;       ///< duration of the timed steps
    std::size_t parameters = 0;
    std::size_t checkpoint_bytes = 0;  ///< size of one checkpoint file
    std::string fault{};               ///< error that ended the dry run, empty for none
};

/// A training with its run folder: checkpoints, resume, training table and weights file.
///
/// Rank 0 writes these files into the folder: checkpoint.h5 and earlier checkpoints, training.h5,
/// training.csv, with validation also validation.csv, and weights.h5 at the end. They do not depend on the
/// number of ranks. A model that trains in one pass has a single step.
///
/// The training has the same bits with and without validation, unless the plan ends it early or keeps the
/// best weights.
class TrainingRun {
  public:
    /// Collective.
    /// @param constants  everything of a checkpoint except values, adam and memory
    /// @param precision  precision of matrix products
    /// @param effects  effects of the options in constants.config, for the check of a resume
    /// @param items, observer, plan.validation  must outlive this object
    TrainingRun(TrainingRunOptions options, const TrainOptions& train, Checkpoint constants,
                linalg::Precision precision, core::OptionEffects effects, const TrainingItems& items,
                const mpi::Communicator& communicator, TrainingObserver& observer,
                const ValidationPlan& plan = {});

    /// Trains until the last step, the end of the patience or a request to stop. Collective.
    /// @throws core::ConfigError, core::DataError for a checkpoint from which this training cannot resume
    /// @throws core::NumericalError on all ranks if the training diverges
    /// @throws core::WriteError, core::DataError on rank 0 if a file cannot be written
    TrainingEnd run();

    /// Runs and times some steps without writing anything. Collective.
    DryRun dry_run();

    const models::Model& model() const { return *model_; }
    /// Constants of the model. Its weights are those of the last checkpoint.
    const Checkpoint& checkpoint() const { return saved_; }
    /// Number of steps of the whole training, 1 for a training in one pass.
    std::uint64_t total_steps() const { return trainer_ ? train_.steps : 1; }
    std::uint64_t steps_done() const;
    /// Validation checks so far.
    const std::vector<ValidationRow>& validation_rows() const { return validation_rows_; }

  private:
    TrainingEnd run_steps();
    bool is_complete() const;
    bool is_patience_over() const;
    void read_tables(std::uint64_t step);
    std::string prepare_validation();
    void validate();
    void report_validation();
    void store_result();
    StepReport step();
    void resume();
    void record(const StepReport& report, std::uint64_t step);
    void add_row(const TrainingRow& row);
    void save();
    void take_state();
    std::string checkpoint_hint() const;
    std::string table_path() const { return options_.folder + "/training.h5"; }
    double elapsed_seconds() const;

    TrainingRunOptions options_;
    TrainOptions train_;
    core::OptionEffects effects_;
    const TrainingItems& items_;
    mpi::Communicator communicator_;
    TrainingObserver& observer_;
    Checkpoint saved_;
    std::unique_ptr<const models::Model> model_;
    std::unique_ptr<Sampler> sampler_;
    std::unique_ptr<Trainer> trainer_;         ///< null for a training in one pass
    std::unique_ptr<CheckpointFolder> files_;  ///< null except on rank 0
    std::optional<std::uint64_t> saved_step_;  ///< step of the last checkpoint
    std::vector<TrainingRow> rows_;
    std::optional<TrainingCsv> csv_;  ///< empty except on rank 0
    ValidationPlan plan_;
    std::unique_ptr<const models::Model> predictor_;  ///< model in fp32, null without validation
    std::vector<ValidationRow> validation_rows_;
    std::optional<ValidationCsv> validation_csv_;  ///< empty except on rank 0 of a training with validation
    double loss_ = 0;                              ///< sum over the steps since the last row
    double norm_ = 0;                              ///< sum over the steps since the last row
    std::uint64_t since_row_ = 0;  ///< number of steps since the last row, without skipped ones
    double seconds_before_ = 0;    ///< duration of the parts before a resume
    double table_written_ = 0;     ///< value of elapsed_seconds() when the table was last written
    std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
    std::chrono::steady_clock::time_point saved_at_ = began_;
};

}  // namespace popflow::train
