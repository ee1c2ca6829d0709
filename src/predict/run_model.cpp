// SPDX-License-Identifier: MIT
#include "predict/run_model.hpp"

#include <filesystem>

#include "core/error.hpp"
#include "train/checkpoint_folder.hpp"
#include "train/fold_list.hpp"

namespace popflow::predict {

namespace {

bool is_file(const std::string& path) {
    std::error_code ignored;
    return std::filesystem::is_regular_file(path, ignored);
}

bool exists(const std::string& path) {
    std::error_code ignored;
    return std::filesystem::exists(path, ignored);
}

std::unique_ptr<const models::MomentMap> make_moment_map(const train::Checkpoint& checkpoint) {
    if (checkpoint.moment_map.empty()) return nullptr;
    return std::make_unique<const models::MomentMap>(models::make_moment_map_baseline(checkpoint.data));
}

std::unique_ptr<const TrainedModel> make_trained_model(const models::Model& model,
                                                       const models::MomentMap* moment_map,
                                                       const train::Checkpoint& checkpoint) {
    const models::CellTransport* transport = model.cell_transport();
    if (transport == nullptr && model.population_sampler() != nullptr)
        throw core::ConfigError("run", "'" + checkpoint.family->name() +
                                           "' was trained with --source noise, so that it generates "
                                           "populations and predicts no treated cells. Use popflow predict "
                                           "--number N");
    if (transport == nullptr)
        throw core::ConfigError("run", "'" + checkpoint.family->name() +
                                           "' is a method that does not predict treated cells. Give the run "
                                           "of another method, or use this one with popflow " +
                                           (model.dual_predictor() != nullptr
                                                ? "ot --start RUN"
                                                : "predict --run RUN, which maps populations to other ones"));
    return std::make_unique<const TrainedModel>(
        TrainedModel{.model = *transport,
                     .values = checkpoint.result(),
                     .normalisation = checkpoint.normalisation,
                     .conditions = checkpoint.conditions,
                     .mean_shifts = checkpoint.mean_shifts,
                     .cell_types = checkpoint.cell_types,
                     .moment_map = moment_map,
                     .moment_map_values = checkpoint.moment_map,
                     .start = checkpoint.start,
                     .typical_distance = checkpoint.typical_distance,
                     .latent = checkpoint.latent.if_used(),
                     .marker_shifts = checkpoint.latent.is_empty() ? nullptr : &checkpoint.marker_shifts});
}

}  // namespace

bool is_run_folder(const std::string& folder) {
    return is_file(folder + "/config.cfg") || is_file(train::checkpoint_path(folder)) ||
           is_file(train::weights_path(folder));
}

train::Checkpoint read_run(const std::string& run) {
    if (exists(train::checkpoint_path(run))) return train::read_checkpoint(train::checkpoint_path(run));
    if (exists(train::weights_path(run))) return train::read_weights(train::weights_path(run));
    if (train::is_leave_one_out_folder(run))
        throw core::ConfigError("run",
                                "found '" + run +
                                    "', which is a leave-one-out and has a model for each fold. Give the "
                                    "folder of one of them (" +
                                    train::fold_list_text(run) + ")");
    if (is_run_folder(run))
        throw core::ConfigError(
            "run", "found '" + run + "', which has no checkpoint.h5 yet: its training has not stored one");
    throw core::ConfigError("run",
                            "found '" + run +
                                "', which is not a run folder: it has neither checkpoint.h5 nor weights.h5. "
                                "Give a folder that popflow train --output has written");
}

RunModel::RunModel(train::Checkpoint checkpoint)
    : checkpoint_(std::make_unique<const train::Checkpoint>(std::move(checkpoint))),
      model_(checkpoint_->model()),
      moment_map_(make_moment_map(*checkpoint_)),
      trained_(make_trained_model(*model_, moment_map_.get(), *checkpoint_)) {}

}  // namespace popflow::predict
