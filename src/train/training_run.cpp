// SPDX-License-Identifier: MIT
#include "train/training_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "core/error.hpp"
#include "core/stored_file.hpp"
#include "mpi/same_on_all_ranks.hpp"
#include "train/resume_check.hpp"

namespace popflow::train {

TrainingRun::TrainingRun(TrainingRunOptions options, const TrainOptions& train, Checkpoint constants,
                         linalg::Precision precision, core::OptionEffects effects, const TrainingItems& items,
                         const mpi::Communicator& communicator, TrainingObserver& observer)
    : options_(std::move(options)),
      train_(train),
      effects_(std::move(effects)),
      items_(items),
      communicator_(communicator),
      observer_(observer),
      saved_(std::move(constants)),
      model_(saved_.model(precision)) {
    // The steps already done do not depend on the number of steps.
    if (train.schedule == Schedule::constant && !items.depends_on_steps())
        effects_["steps"].affects = core::Affects::nothing;
    if (model_->gradient_training() == nullptr) return;
    sampler_ = items.make_sampler(*model_, train_, communicator_);
    trainer_ = std::make_unique<Trainer>(*model_, train, *sampler_, communicator);
}

std::uint64_t TrainingRun::steps_done() const {
    return trainer_ ? trainer_->steps_done() : saved_.adam.step;
}

TrainingEnd TrainingRun::run() {
    const bool is_root = communicator_.is_root();
    if (is_root) files_ = std::make_unique<CheckpointFolder>(options_.folder, options_.keep_checkpoints);
    if (options_.resume) resume();
    // After resume(), so that a refused run does not change the folder of an earlier one.
    observer_.started(*this);
    if (is_root) {
        // Weights in the folder are those of fewer steps.
        if (steps_done() < total_steps()) std::filesystem::remove(weights_path(options_.folder));
        write_training_table(table_path(), rows_);
        csv_.emplace(options_.folder + "/training.csv", rows_);
    }
    if (trainer_ && run_steps() == TrainingEnd::stopped) return TrainingEnd::stopped;
    if (!trainer_ && steps_done() < total_steps()) take_state();
    store_result();
    return TrainingEnd::done;
}

DryRun TrainingRun::dry_run() {
    constexpr std::uint64_t warm_up = 2;
    constexpr std::uint64_t timed = 5;
    DryRun result{.parameters = model_->layout().count()};
    try {
        auto start = std::chrono::steady_clock::now();
        if (trainer_) {
            for (std::uint64_t i = 0; i < warm_up; ++i) trainer_->step({});
            start = std::chrono::steady_clock::now();
            for (; result.steps < timed; ++result.steps) trainer_->step({});
        } else {
            take_state();
            result.steps = 1;
        }
        result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        if (trainer_) take_state();
        result.checkpoint_bytes = checkpoint_bytes(saved_).size();
    } catch (const core::NumericalError& error) {
        result.fault = error.what();
    }
    return result;
}

TrainingEnd TrainingRun::run_steps() {
    while (trainer_->steps_done() < train_.steps) {
        const StepReport report = step();
        const std::uint64_t done_now = trainer_->steps_done();
        if (report.skipped) {
            observer_.note(fmt::format("note: skipped step {}, whose loss is not finite", done_now - 1));
        }
        record(report, done_now);
        if (report.stop && done_now < train_.steps) {
            save();
            if (files_) files_->wait();
            observer_.note(fmt::format("stopped on request after step {}. Continue with --resume", done_now));
            return TrainingEnd::stopped;
        }
        if (report.save || done_now % options_.checkpoint_every == 0) save();
        if (files_) files_->check();
        observer_.stepped(report, done_now, rows_.empty() ? report.loss : rows_.back().loss);
    }
    return TrainingEnd::done;
}

// Stores the last checkpoint, unless it is stored, and the weights. A resumed training that was complete
// writes the weights again, since it may have been killed before it stored them.
void TrainingRun::store_result() {
    if (saved_step_ != steps_done()) save();
    if (trainer_) saved_.adam = trainer_->adam();
    if (!files_) return;
    files_->wait();
    core::store_file(weights_path(options_.folder), weights_bytes(saved_));
}

StepReport TrainingRun::step() {
    const std::chrono::duration<double, std::ratio<60>> since_save =
        std::chrono::steady_clock::now() - saved_at_;
    const bool due = communicator_.is_root() && options_.checkpoint_minutes > 0 &&
                     since_save.count() >= options_.checkpoint_minutes;
    try {
        return trainer_->step(
            {.stop = observer_.should_stop() || trainer_->steps_done() + 1 == options_.stop_after,
             .save = due});
    } catch (const core::NumericalError& error) {
        throw core::NumericalError(error.where, error.problem + checkpoint_hint());
    }
}

std::string TrainingRun::checkpoint_hint() const {
    return (saved_step_ ? ". The last checkpoint is of step " + std::to_string(*saved_step_)
                        : ". There is no checkpoint yet") +
           " (see --on-nan, --rate and --clip-norm)";
}

void TrainingRun::resume() {
    std::optional<FoundCheckpoint> found = newest_checkpoint(options_.folder);
    mpi::check_same_on_all_ranks(communicator_, "checkpoint in " + options_.folder,
                                 found ? fmt::format("step {}, checksum {}", found->checkpoint.adam.step,
                                                     checkpoint_digest(found->checkpoint))
                                       : "none");
    if (!found) return;
    Checkpoint& before = found->checkpoint;
    check_can_resume(saved_, before, effects_, options_.data_file);
    if (saved_.selection.empty()) saved_.selection = before.selection;
    const std::uint64_t step = before.adam.step;
    if (communicator_.is_root()) {
        for (const std::string& why : found->skipped) {
            observer_.note(
                fmt::format("note: skipped {}. Resuming from {} at step {}", why, found->path, step));
        }
        files_->resume_from(*found);
    }
    // A checkpoint of an earlier version has no moment map or no distance. It is stored again with them.
    const bool is_complete = before.moment_map.empty() == saved_.moment_map.empty() &&
                             before.typical_distance == saved_.typical_distance;
    if (found->skipped.empty() && is_complete) saved_step_ = step;
    if (trainer_) {
        trainer_->restore(std::move(before.values), std::move(before.adam), before.memory);
    } else {
        saved_.values = std::move(before.values);
        saved_.adam = std::move(before.adam);
    }
    try {
        rows_ = read_training_table(table_path(), step);
    } catch (const core::DataError& error) {
        if (communicator_.is_root())
            observer_.note(std::string("note: the training table starts again: ") + error.what());
    }
    if (!rows_.empty()) seconds_before_ = rows_.back().seconds;
}

double TrainingRun::elapsed_seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
}

void TrainingRun::record(const StepReport& report, std::uint64_t step) {
    if (!report.skipped) {
        loss_ += report.loss;
        norm_ += report.gradient_norm;
        ++since_row_;
    }
    if (step % options_.log_every != 0 && step != train_.steps && !report.stop) return;
    const double n = static_cast<double>(since_row_);
    const double visits = static_cast<double>(step) * static_cast<double>(train_.batch_pairs);
    const double seconds = elapsed_seconds();
    add_row({.step = step,
             .epoch = visits / static_cast<double>(items_.count()),
             .loss = loss_ / n,  // NaN if all steps were skipped
             .rate = report.rate,
             .gradient_norm = norm_ / n,
             .seconds = seconds_before_ + seconds});
    loss_ = norm_ = 0;
    since_row_ = 0;
    if (communicator_.is_root() && seconds - table_written_ > 10) {
        files_->store_others({{table_path(), training_table_bytes(rows_)}});
        table_written_ = seconds;
    }
}

void TrainingRun::add_row(const TrainingRow& row) {
    rows_.push_back(row);
    if (csv_) csv_->append(row);
}

// Copies the state of the training to saved_. Trains first if that takes one pass.
void TrainingRun::take_state() {
    if (trainer_) {
        saved_.values = trainer_->values();
        saved_.adam = trainer_->adam();
        saved_.memory = trainer_->memory();
        return;
    }
    OnePassResult result =
        items_.train_in_one_pass(*model_->one_pass_training(), model_->layout().size(), communicator_);
    saved_.values = std::move(result.values);
    saved_.adam = nn::AdamState::start(saved_.values);
    saved_.adam.step = 1;
    add_row({.step = 1, .epoch = 1, .loss = result.loss, .seconds = elapsed_seconds()});
}

// Stores a checkpoint. Rank 0 writes the file while the training continues.
void TrainingRun::save() {
    if (trainer_) {
        if (!std::ranges::all_of(trainer_->values(), [](float w) { return std::isfinite(w); })) {
            throw core::NumericalError("training", fmt::format("the weights are not finite after step {}{}",
                                                               trainer_->steps_done(), checkpoint_hint()));
        }
        take_state();
    }
    saved_step_ = steps_done();
    saved_at_ = std::chrono::steady_clock::now();
    if (!communicator_.is_root()) return;
    files_->store({{table_path(), training_table_bytes(rows_)}}, *saved_step_, checkpoint_bytes(saved_));
}

}  // namespace popflow::train
