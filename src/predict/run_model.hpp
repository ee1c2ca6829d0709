// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>

#include "models/model.hpp"
#include "models/moment_map.hpp"
#include "predict/trained_model.hpp"
#include "train/checkpoint.hpp"

namespace popflow::predict {

/// Returns whether a folder has a configuration, a checkpoint or weights.
bool is_run_folder(const std::string& folder);

/// Reads the model of a run folder from checkpoint.h5, with weights.h5 as fallback.
/// @throws core::UserError if the folder has neither, or if the file is invalid
train::Checkpoint read_run(const std::string& run);

/// A model that owns everything it needs to predict. Needs no MPI. Thread-safe: predictions do not change it.
class RunModel {
  public:
    /// @throws core::ConfigError if the method does not predict treated cells
    explicit RunModel(train::Checkpoint checkpoint);
    /// Reads the model of a run folder. @throws core::UserError as read_run()
    static RunModel load(const std::string& run) { return RunModel(read_run(run)); }

    const train::Checkpoint& checkpoint() const { return *checkpoint_; }
    /// Non-owning view for the functions of trained_model.hpp, valid while this object lives.
    const TrainedModel& trained() const { return *trained_; }

  private:
    std::unique_ptr<const train::Checkpoint> checkpoint_;
    std::unique_ptr<const models::Model> model_;
    std::unique_ptr<const models::MomentMap> moment_map_;  ///< null if the checkpoint has none
    std::unique_ptr<const TrainedModel> trained_;
};

}  // namespace popflow::predict
