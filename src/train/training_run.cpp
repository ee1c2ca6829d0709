// SPDX-License-Identifier: MIT
#include "train/training_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "core/error.hpp"
#include "core/stored_file.hpp"
#include "core/text.hpp"
#include "mpi/same_on_all_ranks.hpp"
#include "train/resume_check.hpp"

namespace popflow::train {

namespace {

// With fewer cells, the energy distance of a check is mostly the noise of their draw.
constexpr std::uint64_t few_validation_cells = 100;

}  // namespace

TrainingRun::TrainingRun(TrainingRunOptions options, const TrainOptions& train, Checkpoint constants,
                         linalg::Precision precision, core::OptionEffects effects, const TrainingItems& items,
                         const mpi::Communicator& communicator, TrainingObserver& observer,
                         const ValidationPlan& plan)
    : options_(std::move(options)),
      train_(train),
      effects_(std::move(effects)),
      items_(items),
      communicator_(communicator),
      observer_(observer),
      saved_(std::move(constants)),
      model_(saved_.model(precision)),
      plan_(plan) {
    // The steps already done do not depend on when the training ends.
    effects_["patience"].affects = core::Affects::nothing;
    if (plan_.validation != nullptr) predictor_ = saved_.model();
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
    const std::string no_validation = prepare_validation();
    // After resume(), so that a refused run does not change the folder of an earlier one.
    observer_.started(*this);
    if (!no_validation.empty()) observer_.note("note: no validation: " + no_validation);
    if (is_root) {
        // Weights in the folder are those of fewer steps.
        if (!is_complete()) std::filesystem::remove(weights_path(options_.folder));
        write_training_table(table_path(), rows_, validation_rows_);
        csv_.emplace(options_.folder + "/training.csv", rows_);
        if (plan_.validation != nullptr)
            validation_csv_.emplace(options_.folder + "/validation.csv", validation_rows_);
    }
    if (trainer_ && run_steps() == TrainingEnd::stopped) return TrainingEnd::stopped;
    if (!trainer_ && steps_done() < total_steps()) {
        take_state();
        validate();
    }
    store_result();
    report_validation();
    return TrainingEnd::done;
}

bool TrainingRun::is_complete() const {
    return steps_done() >= total_steps() || is_patience_over();
}

bool TrainingRun::is_patience_over() const {
    return plan_.patience > 0 && !validation_rows_.empty() &&
           checks_without_improvement(validation_rows_) >= plan_.patience;
}

// Prepares the checks that are left. If no pair can be scored, the training has no validation.
// @return  why it has none, empty if it has one or none was planned
std::string TrainingRun::prepare_validation() {
    if (plan_.validation == nullptr || is_complete()) return "";
    std::string problem = plan_.validation->prepare(*predictor_, validation_rows_);
    if (problem.empty()) return "";
    if (plan_.keeps_best || plan_.patience > 0) {
        throw core::ConfigError("validation",
                                problem +
                                    ", but --keep best and --patience need one that can be scored. Hold "
                                    "out other pairs");
    }
    plan_ = {};
    return problem;
}

// Runs the check that is due after the current step, if there is one.
void TrainingRun::validate() {
    const std::uint64_t step = steps_done();
    if (plan_.validation == nullptr || !is_check_step(step, total_steps())) return;
    if (plan_.budget && step < total_steps() && !fits_budget(validation_rows_, *plan_.budget)) return;
    const linalg::AlignedVector<float> average = trainer_ ? trainer_->adam().average : saved_.adam.average;
    const ValidationRow row = plan_.validation->check(*predictor_, average, step);
    validation_rows_.push_back(row);
    if (validation_csv_) validation_csv_->append(row);
    if (plan_.keeps_best && (saved_.best.empty() || row.energy < saved_.best.energy) &&
        !std::isnan(row.energy))
        saved_.best = {.step = step, .energy = row.energy, .average = average};
    observer_.validated(row);
}

// Tells the user the last scores, and which weights are the result.
void TrainingRun::report_validation() {
    if (validation_rows_.empty()) return;
    const ValidationRow& last = validation_rows_.back();
    observer_.note(fmt::format(
        "validation after step {}: energy {:.4g}, mean shift {:.4g}, moment map {:.4g} ({} pairs, {} cells)",
        last.step, last.energy, last.mean_shift, last.moment_map, last.pairs, last.cells));
    if (is_patience_over() && steps_done() < total_steps()) {
        observer_.note(
            fmt::format("ended after step {} of {}: the last {} checks did not lower the energy "
                        "(--patience)",
                        steps_done(), total_steps(), plan_.patience));
    }
    if (!plan_.keeps_best || !trainer_) return;
    if (last.cells < few_validation_cells)
        observer_.note(
            fmt::format("note: the validation chose among the checks by {} cells of {}, which is little more "
                        "than chance. More --steps allow more cells, and --keep last takes the last weights",
                        last.cells, core::counted(last.pairs, "pair")));
    observer_.note(saved_.best.empty()
                       ? fmt::format("note: the weights of step {} are the result, since no check has an "
                                     "energy: predictions failed",
                                     steps_done())
                       : fmt::format("the weights of step {} are the result: energy {:.4g}, the lowest of {} "
                                     "checks (--keep best)",
                                     saved_.best.step, saved_.best.energy, validation_rows_.size()));
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
    while (!is_complete()) {
        const StepReport report = step();
        const std::uint64_t done_now = trainer_->steps_done();
        if (report.skipped) {
            observer_.note(fmt::format("note: skipped step {}, whose loss is not finite", done_now - 1));
        }
        record(report, done_now);
        validate();
        if (report.stop && !is_complete()) {
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
    saved_.best = std::move(before.best);
    read_tables(step);
}

// Reads the rows of the tables up to a step, which are equal on all ranks.
void TrainingRun::read_tables(std::uint64_t step) {
    try {
        rows_ = read_training_table(table_path(), step);
        if (plan_.validation != nullptr) validation_rows_ = read_validation_table(table_path(), step);
    } catch (const core::DataError& error) {
        rows_.clear();
        if (communicator_.is_root())
            observer_.note(std::string("note: the training table starts again: ") + error.what());
    }
    if (!rows_.empty()) seconds_before_ = rows_.back().seconds;
    if (plan_.validation == nullptr) return;
    // The checks decide when the training ends, so a rank with other rows would block the others.
    std::string checks;
    for (const ValidationRow& row : validation_rows_)
        checks += fmt::format("step {}: energy {}, work {}\n", row.step, row.energy, row.evaluations);
    mpi::check_same_on_all_ranks(communicator_, "validation table in " + table_path(), checks);
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
        files_->store_others({{table_path(), training_table_bytes(rows_, validation_rows_)}});
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
    files_->store({{table_path(), training_table_bytes(rows_, validation_rows_)}}, *saved_step_,
                  checkpoint_bytes(saved_));
}

}  // namespace popflow::train
