// SPDX-License-Identifier: MIT
#include "training_run.hpp"

#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>

#include "core/host_name.hpp"
#include "core/stored_file.hpp"
#include "core/text.hpp"
#include "core/version.hpp"
#include "linalg/precision.hpp"
#include "log_file.hpp"
#include "progress.hpp"
#include "run_folder.hpp"
#include "same_on_all_ranks.hpp"
#include "signals.hpp"
#include "train/checkpoint_folder.hpp"
#include "train/training_csv.hpp"
#include "train/training_set.hpp"
#include "train/training_table.hpp"
#include "training_plan.hpp"
#include "training_setup.hpp"
#include "verbs.hpp"

namespace popflow::apps {

namespace {

// Splits the pairs. Unless --batch-pairs is given, limits it to the number of training pairs.
screen::Split make_split(const screen::Screen& screen, options::RunConfig& config,
                         const options::OptionTable& table) {
    screen::Split split = screen::make_split(screen, config.split, config.split_seed);
    const std::size_t pairs = split.pairs(screen::Part::train).size();
    if (pairs == 0)
        throw core::ConfigError("split", "found " + config.split + ", which leaves no pair to train on");
    if (!table.is_given("batch-pairs")) config.train.batch_pairs = std::min(config.train.batch_pairs, pairs);
    check_config_fits_data(config, screen, split);
    return split;
}

// A training, from opening the data to the last step.
class Training {
  public:
    Training(options::RunConfig& config, const options::OptionTable& table, const mpi::Communicator& comm)
        : config_(config),
          table_(table),
          comm_(comm),
          folder_(config.output),
          stamp_(file_stamp(config.data)),
          screen_(open_training_screen(config, table, comm)),
          split_(make_split(screen_, config, table)),
          storage_(cell_storage(config, comm)),
          set_(screen_, split_, config.train, comm, storage_, read_treatment_vectors(config, comm)) {
        if (file_stamp(config.data) != stamp_)
            throw core::DataError(config.data, "", "was changed while it was read. Start again");
        saved_.config = table.text(options::training_sections());
        saved_.data_fingerprint = screen_.fingerprint;
        saved_.method = config.method;
        saved_.shape = model_shape(config, screen_, set_);
        saved_.icnn = icnn_shape(config, saved_.shape);
        saved_.base = config.train.base;
        saved_.frequencies = models::draw_frequencies(saved_.shape, config.train.seed);
        saved_.markers = screen_.markers;
        saved_.cell_types = screen_.cell_types;
        saved_.normalisation = set_.normalisation();
        saved_.conditions = set_.conditions();
        saved_.mean_shifts = set_.mean_shifts();
        model_ = saved_.model();
        trainer_ = std::make_unique<train::Trainer>(*model_, config.train, set_.lanes(), comm);
    }

    int run() {
        if (comm_.is_root())
            files_ = std::make_unique<train::CheckpointFolder>(folder_, config_.keep_checkpoints);
        if (config_.resume) resume();
        // After resume(), so that a refused run does not change the folder of an earlier one.
        if (comm_.is_root()) {
            log_.emplace(log_path(folder_));
            log_->line(std::string("popflow ") + core::version() + " (" + core::commit() + "), rank 0 on " +
                       core::host_name());
            // Weights in the folder are those of fewer steps.
            if (trainer_->steps_done() < config_.train.steps)
                std::filesystem::remove(predict::weights_path(folder_));
            write_config(folder_, table_);
            train::write_training_table(table_path(), rows_);
            csv_.emplace(folder_ + "/training.csv", rows_);
        }
        describe();
        try {
            return run_steps();
        } catch (const std::exception& error) {
            if (log_) log_->line(error.what());
            throw;
        }
    }

    // Runs and times some steps, and prints the plan. Writes nothing.
    int dry_run() {
        constexpr std::uint64_t warm_up = 2;
        constexpr std::uint64_t timed = 5;
        DryRun dry_run{.parameters = model_->layout().count()};
        try {
            for (std::uint64_t i = 0; i < warm_up; ++i) trainer_->step({});
            const auto start = std::chrono::steady_clock::now();
            for (; dry_run.steps < timed; ++dry_run.steps) trainer_->step({});
            dry_run.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
            saved_.values = trainer_->values();
            saved_.adam = trainer_->adam();
            saved_.memory = trainer_->memory();
            dry_run.checkpoint_bytes = train::checkpoint_bytes(saved_).size();
        } catch (const core::NumericalError& error) {
            dry_run.fault = error.what();
        }
        std::fputs(training_plan(config_, screen_, split_, saved_, dry_run, comm_).c_str(), stdout);
        return dry_run.fault.empty() ? done : failed;
    }

  private:
    int run_steps() {
        Progress progress("train", config_.train.steps, trainer_->steps_done(), !comm_.is_root(),
                          config_.log_seconds, log_ ? &*log_ : nullptr);
        while (trainer_->steps_done() < config_.train.steps) {
            const train::StepReport report = step();
            const std::uint64_t done_now = trainer_->steps_done();
            if (report.skipped) {
                progress.message("note: skipped step " + std::to_string(done_now - 1) +
                                 ", whose loss is not finite");
            }
            record(report, done_now);
            progress.add(report.cells, "cells");
            if (report.stop && done_now < config_.train.steps) {
                save();
                if (files_) files_->wait();
                progress.message("stopped on request after step " + std::to_string(done_now) +
                                 ". Continue with --resume");
                return stopped;
            }
            if (report.save || done_now % config_.checkpoint_every == 0) save();
            if (files_) files_->check();
            if (data_changed()) {
                progress.message("note: " + config_.data +
                                 " was changed. This training continues with the data that it has read, "
                                 "but cannot be resumed with the changed file");
            }
            char note[64];
            std::snprintf(note, sizeof note, "loss %.4g", rows_.empty() ? report.loss : rows_.back().loss);
            progress.update(done_now, note);
        }
        if (saved_step_ != trainer_->steps_done()) save();
        saved_.adam = trainer_->adam();
        if (files_) {
            files_->wait();
            core::store_file(predict::weights_path(folder_), train::weights_bytes(saved_));
        }
        return done;
    }

    // Prints a line on standard error and in the log. Only rank 0 does.
    void print(const std::string& text) {
        if (!comm_.is_root()) return;
        std::fprintf(stderr, "%s\n", text.c_str());
        if (log_) log_->line(text);
    }

    std::string table_path() const { return folder_ + "/training.h5"; }

    train::StepReport step() {
        const std::chrono::duration<double, std::ratio<60>> since_save =
            std::chrono::steady_clock::now() - saved_at_;
        const bool due = comm_.is_root() && config_.checkpoint_minutes > 0 &&
                         since_save.count() >= config_.checkpoint_minutes;
        try {
            return trainer_->step(
                {.stop = stop_requested() || trainer_->steps_done() + 1 == config_.stop_after, .save = due});
        } catch (const core::NumericalError& error) {
            throw core::NumericalError(error.where, error.problem + checkpoint_hint());
        }
    }

    std::string checkpoint_hint() const {
        return (saved_step_ ? ". The last checkpoint is of step " + std::to_string(*saved_step_)
                            : ". There is no checkpoint yet") +
               " (see --on-nan, --rate and --clip-norm)";
    }

    void resume() {
        std::optional<train::FoundCheckpoint> found = train::newest_checkpoint(folder_);
        check_same_on_all_ranks(comm_, "checkpoint in " + folder_,
                                found ? "step " + std::to_string(found->checkpoint.adam.step) +
                                            ", checksum " + train::checkpoint_digest(found->checkpoint)
                                      : "none");
        if (!found) return;
        train::Checkpoint& before = found->checkpoint;
        check_unchanged(config_, table_.effects(), saved_, before);
        if (comm_.is_root()) {
            for (const std::string& why : found->skipped) {
                print("note: skipped " + why + ". Resuming from " + found->path + " at step " +
                      std::to_string(before.adam.step));
            }
            files_->resume_from(*found);
        }
        if (found->skipped.empty()) saved_step_ = before.adam.step;
        trainer_->restore(std::move(before.values), std::move(before.adam), before.memory);
        try {
            rows_ = train::read_training_table(table_path(), trainer_->steps_done());
        } catch (const core::DataError& error) {
            print(std::string("note: the training table starts again: ") + error.what());
        }
        if (!rows_.empty()) seconds_before_ = rows_.back().seconds;
    }

    void describe() {
        using core::counted;
        const auto ranks = static_cast<std::size_t>(comm_.size());
        print(config_.data + ": " + counted(set_.pairs().size(), "training pair") + ", " +
              counted(screen_.markers.size(), "marker") + ", " +
              counted(set_.conditions().treatments().size(), "treatment") + "; " +
              models::method_name(saved_.method) + ", " + counted(model_->layout().count(), "parameter") +
              ", " + linalg::precision_name(saved_.shape.precision) + "; " + counted(ranks, "rank") + " x " +
              counted(static_cast<std::size_t>(omp_get_max_threads()), "thread"));
        for (const screen::Dropped& dropped : screen_.dropped) {
            if (dropped.kind != screen::Dropped::Kind::rows) continue;
            if (dropped.n_cells == 0) print("note: " + dropped.why);
            if (dropped.why.starts_with(screen::missing_label_prefix))
                print("note: " + counted(dropped.n_cells, "row") + " left out: " + dropped.why);
        }
        if (set_.on_disk())
            print("note: rank 0 stores its cells in a file in " + storage_.folder + " (see --cache)");
        if (ranks > config_.train.batch_pairs) {
            print("note: " + counted(ranks, "rank") + " share " + counted(config_.train.batch_pairs, "slot") +
                  " per step, so some ranks have no work (see --batch-pairs)");
        }
    }

    void record(const train::StepReport& report, std::uint64_t step) {
        if (!report.skipped) {
            loss_ += report.loss;
            norm_ += report.gradient_norm;
            ++since_row_;
        }
        if (step % config_.log_every != 0 && step != config_.train.steps && !report.stop) return;
        const double n = static_cast<double>(since_row_);
        const double seconds =
            std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
        const double visits = static_cast<double>(step) * static_cast<double>(config_.train.batch_pairs);
        rows_.push_back({.step = step,
                         .epoch = visits / static_cast<double>(set_.pairs().size()),
                         .loss = loss_ / n,  // NaN if all steps were skipped
                         .rate = report.rate,
                         .gradient_norm = norm_ / n,
                         .seconds = seconds_before_ + seconds});
        if (csv_) csv_->append(rows_.back());
        loss_ = norm_ = 0;
        since_row_ = 0;
        if (comm_.is_root() && seconds - table_written_ > 10) {
            files_->store_others({{table_path(), train::training_table_bytes(rows_)}});
            table_written_ = seconds;
        }
    }

    // Stores a checkpoint. Rank 0 writes the file while the training continues.
    void save() {
        saved_.memory = trainer_->memory();
        if (!std::ranges::all_of(trainer_->values(), [](float w) { return std::isfinite(w); })) {
            throw core::NumericalError("training", "the weights are not finite after step " +
                                                       std::to_string(trainer_->steps_done()) +
                                                       checkpoint_hint());
        }
        saved_step_ = trainer_->steps_done();
        saved_at_ = std::chrono::steady_clock::now();
        saved_.adam = trainer_->adam();
        if (!comm_.is_root()) return;
        saved_.values = trainer_->values();
        files_->store({{table_path(), train::training_table_bytes(rows_)}}, *saved_step_,
                      train::checkpoint_bytes(saved_));
    }

    // Whether the data file has changed since it was opened. Returns true only once.
    bool data_changed() {
        if (!comm_.is_root() || change_reported_ || trainer_->steps_done() % config_.log_every != 0)
            return false;
        change_reported_ = file_stamp(config_.data) != stamp_;
        return change_reported_;
    }

    const options::RunConfig& config_;
    const options::OptionTable& table_;
    const mpi::Communicator& comm_;
    std::string folder_;
    std::string stamp_;  ///< file_stamp() of the data file before it was read
    screen::Screen screen_;
    screen::Split split_;
    train::CellStorage storage_;
    train::TrainingSet set_;
    train::Checkpoint saved_;
    std::unique_ptr<models::Model> model_;
    std::unique_ptr<train::Trainer> trainer_;
    std::unique_ptr<train::CheckpointFolder> files_;  ///< null except on rank 0
    std::optional<std::uint64_t> saved_step_;         ///< step of the last checkpoint
    bool change_reported_ = false;
    std::vector<train::TrainingRow> rows_;
    std::optional<train::TrainingCsv> csv_;  ///< empty except on rank 0
    std::optional<LogFile> log_;             ///< empty except on rank 0
    double loss_ = 0;
    double norm_ = 0;
    std::uint64_t since_row_ = 0;
    double seconds_before_ = 0;
    double table_written_ = 0;
    std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
    std::chrono::steady_clock::time_point saved_at_ = began_;
};

}  // namespace

int train_run(options::RunConfig& config, const options::OptionTable& table, const mpi::Communicator& comm) {
    return Training(config, table, comm).run();
}

int dry_run_training(options::RunConfig& config, const options::OptionTable& table,
                     const mpi::Communicator& comm) {
    return Training(config, table, comm).dry_run();
}

}  // namespace popflow::apps
