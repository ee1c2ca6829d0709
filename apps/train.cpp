// SPDX-License-Identifier: MIT
#include <omp.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>

#include "core/progress.hpp"
#include "linalg/precision.hpp"
#include "train/checkpoint.hpp"
#include "train/training_csv.hpp"
#include "train/training_set.hpp"
#include "train/training_table.hpp"
#include "verbs.hpp"

namespace popflow::apps {

namespace {

namespace fs = std::filesystem;

void make_run_folder(const std::string& folder) {
    std::error_code error;
    fs::create_directories(folder, error);
    if (error)
        throw core::ConfigError("output", "cannot make the folder '" + folder + "': " + error.message());
    if (::access(folder.c_str(), W_OK) != 0)
        throw core::ConfigError("output", "cannot write to the folder '" + folder + "'");
}

void write_config(const std::string& folder, const config::OptionTable& table) {
    std::error_code error;
    const std::string path = folder + "/config.cfg";
    std::ofstream out(path + ".tmp");
    out << table.text(config::training_sections())
        << table.text({config::Section::transport, config::Section::evaluate});
    out.close();
    fs::rename(path + ".tmp", path, error);
    if (!out || error) throw core::ConfigError("output", "cannot write '" + path + "'");
}

models::FlowMatchingShape model_shape(const config::RunConfig& config, const data::Screen& screen,
                                      const train::TrainingSet& set) {
    models::FlowMatchingShape shape = config.model;
    shape.markers = screen.markers.size();
    shape.precision =
        config.precision == config::PrecisionChoice::bf16 ? linalg::Precision::bf16 : linalg::Precision::fp32;
    shape.cell_types = screen.cell_types.size() > 1 ? screen.cell_types.size() : 0;
    shape.conditions = set.conditions().size();
    shape.training_pairs = set.pairs().size();
    const std::size_t cells = std::min(config.train.cells, set.smallest_population());
    if (shape.context == models::Context::population && shape.encoder.knn >= cells) {
        throw core::ConfigError("knn", "found " + std::to_string(shape.encoder.knn) + ", allowed 0 to " +
                                           std::to_string(cells - 1) + ", fewer than the cells of a slot");
    }
    return shape;
}

models::IcnnTransportShape icnn_shape(const config::RunConfig& config,
                                      const models::FlowMatchingShape& data) {
    models::IcnnTransportShape shape = config.icnn;
    shape.markers = data.markers;
    shape.conditions = config.condition == config::Condition::treatment ? data.conditions : 0;
    return shape;
}

// One training from its data to its last step.
class Training {
  public:
    Training(const config::RunConfig& config, const config::OptionTable& table,
             const dist::Communicator& comm)
        : config_(config),
          table_(table),
          comm_(comm),
          folder_(config.output),
          screen_(data::open_screen(config.data, config.screen)),
          set_(screen_, data::make_split(screen_, config.split, config.split_seed), config.train, comm) {
        train::check_augmentation(config.train.augmentation, screen_.markers.size(),
                                  config.train.coupling == train::Coupling::rows, config.model.context);
        saved_.config = table.text(config::training_sections());
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
        if (config_.resume && fs::exists(checkpoint_path())) resume();
        // Only now: a refused run leaves the folder of an earlier one as it is.
        if (comm_.root()) {
            write_config(folder_, table_);
            train::write_training_table(table_path(), rows_);
            csv_.emplace(folder_ + "/training.csv", rows_);
        }
        describe();
        core::Progress progress("train", config_.train.steps, trainer_->steps_done(), !comm_.root(),
                                config_.log_seconds);
        while (trainer_->steps_done() < config_.train.steps) {
            const train::StepReport report =
                trainer_->step(stop_requested() || trainer_->steps_done() + 1 == config_.stop_after);
            const std::uint64_t step = trainer_->steps_done();
            record(report, step);
            progress.add(report.cells, "cells");
            if (report.stop && step < config_.train.steps) {
                save();
                progress.message("stopped on request after step " + std::to_string(step) +
                                 "; go on with --resume");
                return stopped;
            }
            if (step % config_.checkpoint_every == 0) save();
            char note[64];
            std::snprintf(note, sizeof note, "loss %.4g", rows_.empty() ? report.loss : rows_.back().loss);
            progress.update(step, note);
        }
        save();
        return done;
    }

  private:
    std::string checkpoint_path() const { return folder_ + "/checkpoint.h5"; }
    std::string table_path() const { return folder_ + "/training.h5"; }

    void resume() {
        train::Checkpoint before = train::read_checkpoint(checkpoint_path());
        std::vector<std::string> ignored{"data", "checkpoint-every"};
        // With a constant rate more steps do not change those that were made.
        const bool any_length = config_.train.schedule == train::Schedule::constant &&
                                (config_.train.augment_until == 1 || !config_.train.augmentation.any());
        if (any_length) ignored.emplace_back("steps");
        const auto changed = config::differences(saved_.config, before.config, ignored);
        if (!changed.empty())
            throw core::ConfigError("resume", "the configuration changed: " + changed.front());
        if (before.data_fingerprint != saved_.data_fingerprint) {
            throw core::DataError(config_.data, "", "not the file that this run was trained on");
        }
        trainer_->restore(std::move(before.values), std::move(before.adam), before.memory);
        rows_ = train::read_training_table(table_path(), trainer_->steps_done());
        if (!rows_.empty()) seconds_before_ = rows_.back().seconds;
    }

    void describe() const {
        if (!comm_.root()) return;
        std::fprintf(
            stderr,
            "%s: %zu training pairs, %zu markers, %zu treatments; %s, %zu parameters, %s; %d ranks x "
            "%d threads\n",
            config_.data.c_str(), set_.pairs().size(), screen_.markers.size(),
            set_.conditions().treatments().size(), models::method_name(saved_.method),
            model_->layout().count(), linalg::precision_name(saved_.shape.precision), comm_.size(),
            omp_get_max_threads());
        if (static_cast<std::size_t>(comm_.size()) > config_.train.batch_pairs) {
            std::fprintf(stderr,
                         "note: %d ranks share %zu slots a step; some have no work (see --batch-pairs)\n",
                         comm_.size(), config_.train.batch_pairs);
        }
    }

    void record(const train::StepReport& report, std::uint64_t step) {
        loss_ += report.loss;
        norm_ += report.gradient_norm;
        ++since_row_;
        if (step % config_.log_every != 0 && step != config_.train.steps && !report.stop) return;
        const double n = static_cast<double>(since_row_);
        const double seconds =
            std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
        const double visits = static_cast<double>(step) * static_cast<double>(config_.train.batch_pairs);
        rows_.push_back({.step = step,
                         .epoch = visits / static_cast<double>(set_.pairs().size()),
                         .loss = loss_ / n,
                         .rate = report.rate,
                         .gradient_norm = norm_ / n,
                         .seconds = seconds_before_ + seconds});
        if (csv_) csv_->append(rows_.back());
        loss_ = norm_ = 0;
        since_row_ = 0;
        if (comm_.root() && seconds - table_written_ > 10) {
            train::write_training_table(table_path(), rows_);
            table_written_ = seconds;
        }
    }

    void save() {
        saved_.memory = trainer_->memory();
        saved_.adam = trainer_->adam();
        if (!comm_.root()) return;
        saved_.values = trainer_->values();
        train::write_training_table(table_path(), rows_);
        train::write_checkpoint(checkpoint_path(), saved_);
    }

    const config::RunConfig& config_;
    const config::OptionTable& table_;
    const dist::Communicator& comm_;
    std::string folder_;
    data::Screen screen_;
    train::TrainingSet set_;
    train::Checkpoint saved_;
    std::unique_ptr<models::Model> model_;
    std::unique_ptr<train::Trainer> trainer_;
    std::vector<train::TrainingRow> rows_;
    std::optional<train::TrainingCsv> csv_;  ///< of rank 0
    double loss_ = 0;
    double norm_ = 0;
    std::uint64_t since_row_ = 0;
    double seconds_before_ = 0;
    double table_written_ = 0;
    std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

}  // namespace

int train_run(config::RunConfig& config, const config::OptionTable& table, const dist::Communicator& comm) {
    settle_precision(config, comm);
    if (comm.root()) make_run_folder(config.output);
    return Training(config, table, comm).run();
}

int train(const Arguments& arguments, const dist::Communicator& comm) {
    config::RunConfig config;
    const config::OptionTable table = run_options(config);
    using enum config::Section;
    const std::vector<config::Section> sections{general, config::Section::data, split, model,
                                                config::Section::train};
    if (parse_or_help(table, "train --data F.h5ad --output RUN [options]", arguments, sections, comm))
        return done;
    require(config.data, "data", "F.h5ad");
    require(config.output, "output", "RUN");
    return train_run(config, table, comm);
}

}  // namespace popflow::apps
