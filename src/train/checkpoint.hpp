// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "h5/group.hpp"
#include "models/family.hpp"
#include "models/start_map.hpp"
#include "nn/adam.hpp"
#include "screen/conditions.hpp"
#include "screen/latent_space.hpp"
#include "screen/normalisation.hpp"
#include "screen/value_range.hpp"

namespace popflow::train {

/// Average weights of the validation check with the lowest energy, see ValidationPlan::keeps_best.
struct BestWeights {
    std::uint64_t step = 0;  ///< number of steps done at the check
    double energy = 0;       ///< energy distance of the check
    linalg::AlignedVector<float> average{};

    bool empty() const { return average.empty(); }
};

/// Complete state of a training: everything that the next step, an evaluation or a prediction depends on.
///
/// The file contains no time stamps and no names of hosts. Equal training gives equal bytes on any number of
/// ranks.
struct Checkpoint {
    std::string config;            ///< resolved configuration with all keys
    std::string data_fingerprint;  ///< see Screen::fingerprint
    /// Why --method auto has chosen the method, in words. Empty if the method was given.
    std::string selection{};
    const models::Family* family = nullptr;  ///< training method
    std::shared_ptr<const models::Settings> settings;
    models::DataShape data;       ///< sizes that the training data gave to the model
    models::Constants constants;  ///< constants of the model, see models::Family::make()
    std::vector<std::string> markers;
    std::vector<std::string> cell_types;
    screen::Normalisation normalisation;  ///< that of the markers
    /// Components in whose coordinates the model works, empty for the normalised markers. `data`,
    /// mean_shifts, moment_map and typical_distance are those of the coordinates.
    screen::LatentSpace latent{};
    linalg::Matrix<float> marker_shifts{};  ///< see TrainingSet::marker_shifts
    screen::Conditions conditions;
    screen::ValueRange range{};         ///< see TrainingSet::range, empty in files of earlier versions
    linalg::Matrix<float> mean_shifts;  ///< see TrainingSet::mean_shifts
    /// See TrainingSet::moment_map, empty in files of earlier versions.
    linalg::AlignedVector<float> moment_map{};
    models::StartOptions start{};
    double typical_distance = 0;          ///< see models::StartStatistics, 0 in files of earlier versions
    linalg::AlignedVector<float> values;  ///< weights after the last step
    nn::AdamState adam;
    linalg::Matrix<float> memory;  ///< see Trainer::memory, may be empty
    BestWeights best{};            ///< empty unless the training keeps the best weights

    /// Weights for prediction: the best ones if there are any, otherwise the average.
    const linalg::AlignedVector<float>& result() const { return best.empty() ? adam.average : best.average; }
    /// Number of steps after which result() was the average.
    std::uint64_t result_step() const { return best.empty() ? adam.step : best.step; }

    /// Returns a model with the settings, sizes and constants of the checkpoint. It does not contain the
    /// weights. @param precision  of matrix products in training
    std::unique_ptr<models::Model> model(linalg::Precision precision = linalg::Precision::fp32) const;
};

/// Returns the method with this name. @throws core::DataError for an unknown method
const models::Family* require_family(const h5::Group& group, const std::string& name);

/// Returns a digest of the content of a checkpoint. It does not depend on the layout of the file.
std::string checkpoint_digest(const Checkpoint& checkpoint);

/// Returns the bytes of a checkpoint file: an HDF5 file that contains its digest, then the checksum trailer.
std::vector<std::byte> checkpoint_bytes(const Checkpoint& checkpoint);

/// Returns the bytes of a weights file, which has the layout of a checkpoint file. It contains only what a
/// prediction needs: Checkpoint::result() as the average weights, and the constants. Its step is
/// result_step().
std::vector<std::byte> weights_bytes(Checkpoint checkpoint);

/// Stores checkpoint_bytes() atomically. @throws core::DataError, core::WriteError
void write_checkpoint(const std::string& path, const Checkpoint& checkpoint);

/// Reads and validates a checkpoint file of format 1 or 2.
///
/// @throws core::DataError if the file is missing, does not match its checksum, or has another format
Checkpoint read_checkpoint(const std::string& path);

/// Reads and validates a file of weights_bytes().
///
/// The average weights also take the place of the weights of the last step. Training cannot resume from this
/// checkpoint. If the training kept the best weights, they are both `best` and the average.
/// @throws core::DataError as read_checkpoint()
Checkpoint read_weights(const std::string& path);

}  // namespace popflow::train
