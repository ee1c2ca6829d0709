// SPDX-License-Identifier: MIT
#include "training_display.hpp"

#include <fmt/format.h>
#include <omp.h>

#include <limits>

#include "console.hpp"
#include "core/host_name.hpp"
#include "core/text.hpp"
#include "core/utf8.hpp"
#include "core/version.hpp"
#include "run_folder.hpp"
#include "same_data.hpp"
#include "signals.hpp"
#include "training_setup.hpp"

namespace popflow::apps {

TrainingDisplay::TrainingDisplay(const options::RunConfig& config, std::string config_text,
                                 DisplayedData data, const mpi::Communicator& comm)
    : config_(config), config_text_(std::move(config_text)), data_(std::move(data)), comm_(comm) {}

void TrainingDisplay::started(const train::TrainingRun& run) {
    if (comm_.is_root()) {
        log_.emplace(log_path(config_.output));
        log_->line(std::string("popflow ") + core::version() + " (" + core::commit() + "), rank 0 on " +
                   core::host_name());
        write_config(config_.output, config_text_);
    }
    if (!run.validation_rows().empty()) validated(run.validation_rows().back());
    for (const std::string& line : data_.describe(run)) print(core::printable(line));
    const auto ranks = static_cast<std::size_t>(comm_.size());
    const bool has_steps = run.model().gradient_training() != nullptr;
    if (has_steps && ranks > config_.train.batch_pairs) {
        print("note: " + core::counted(ranks, "rank") + " share " +
              core::counted(config_.train.batch_pairs, "slot") +
              " per step, so some ranks have no work (see --batch-pairs)");
    }
    progress_.emplace("train", run.total_steps(), run.steps_done(), !comm_.is_root(), config_.log_seconds,
                      log_ ? &*log_ : nullptr);
}

void TrainingDisplay::stepped(const train::StepReport& report, std::uint64_t steps_done, double loss) {
    progress_->add(report.cells, data_.unit.c_str());
    if (data_changed(steps_done)) {
        note("note: " + config_.data +
             " was changed. This training continues with the data that it has read, but cannot be resumed "
             "with "
             "the changed file");
    }
    std::string text = fmt::format("loss {:.4g}", loss);
    if (energy_) text += fmt::format("  energy {:.4g}", *energy_);
    progress_->set_losses(loss, energy_.value_or(std::numeric_limits<double>::quiet_NaN()));
    progress_->update(steps_done, text);
}

void TrainingDisplay::validated(const train::ValidationRow& row) {
    energy_ = row.energy;
}

void TrainingDisplay::note(const std::string& text) {
    if (progress_) return progress_->message(text);
    print(text);
}

bool TrainingDisplay::should_stop() {
    return stop_requested();
}

void TrainingDisplay::failed(const std::exception& error) {
    if (log_) log_->line(error.what());
}

// Prints a line on standard error and in the log. Only rank 0 does.
void TrainingDisplay::print(const std::string& text) {
    if (!comm_.is_root()) return;
    print_message("%s", text.c_str());
    if (log_) log_->line(text);
}

// Whether the data file has changed since it was opened. Returns true only once.
bool TrainingDisplay::data_changed(std::uint64_t steps_done) {
    if (!comm_.is_root() || change_reported_ || steps_done % config_.log_every != 0) return false;
    change_reported_ = file_stamp(config_.data) != data_.stamp;
    return change_reported_;
}

std::string run_text(const options::RunConfig& config, const train::TrainingRun& run,
                     linalg::Precision precision, const mpi::Communicator& comm) {
    using core::counted;
    return config.method->name() + ", " + counted(run.model().layout().count(), "parameter") + ", " +
           linalg::precision_name(precision) + "; " + counted(static_cast<std::size_t>(comm.size()), "rank") +
           " x " + counted(static_cast<std::size_t>(omp_get_max_threads()), "thread");
}

}  // namespace popflow::apps
