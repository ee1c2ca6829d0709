// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "log_file.hpp"
#include "progress.hpp"
#include "train/training_run.hpp"
#include "verbs.hpp"

namespace popflow::apps {

/// Statements of a TrainingDisplay about the data of a training.
struct DisplayedData {
    std::string stamp;  ///< file_stamp() of the data file before it was read
    std::string unit;   ///< unit of the speed, such as `cells`
    /// Returns the lines that describe the training before its first step.
    std::function<std::vector<std::string>(const train::TrainingRun& run)> describe;
};

/// Displays a training on the terminal and in its log file, and passes requests to stop to it.
class TrainingDisplay : public train::TrainingObserver {
  public:
    /// The arguments must outlive the display, except for `data`. @param config_text  text of config.cfg
    TrainingDisplay(const options::RunConfig& config, std::string config_text, DisplayedData data,
                    const mpi::Communicator& comm);

    void started(const train::TrainingRun& run) override;
    void stepped(const train::StepReport& report, std::uint64_t steps_done, double loss) override;
    void validated(const train::ValidationRow& row) override;
    void note(const std::string& text) override;
    bool should_stop() override;
    /// Writes the error that ended the training to the log.
    void failed(const std::exception& error);

  private:
    void print(const std::string& text);
    bool data_changed(std::uint64_t steps_done);

    const options::RunConfig& config_;
    std::string config_text_;
    DisplayedData data_;
    const mpi::Communicator& comm_;
    bool change_reported_ = false;
    std::optional<double> energy_;  ///< energy of the last validation check, empty without one
    std::optional<LogFile> log_;    ///< empty except on rank 0
    std::optional<Progress> progress_;
};

/// Returns method, parameters, precision, ranks and threads of a training, for its first line.
std::string run_text(const options::RunConfig& config, const train::TrainingRun& run,
                     linalg::Precision precision, const mpi::Communicator& comm);

}  // namespace popflow::apps
