// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "models/icnn_transport.hpp"
#include "models/method.hpp"
#include "nn/adam.hpp"
#include "screen/conditions.hpp"
#include "screen/normalisation.hpp"
#include "train/trainer.hpp"

namespace popflow::train {

/// Everything that the next step, an evaluation or a prediction depends on.
///
/// The file holds nothing of where and when it was made: equal training gives equal bytes, on any number of
/// ranks.
struct Checkpoint {
    std::string config;            ///< resolved configuration, every key
    std::string data_fingerprint;  ///< Screen::fingerprint
    models::Method method = models::Method::mfm;
    models::FlowMatchingShape shape;    ///< of method icnn only what the data decide
    models::IcnnTransportShape icnn{};  ///< of method icnn
    Base base = Base::source;
    linalg::Matrix<float> frequencies;  ///< of the space features, models::draw_frequencies(); not of icnn
    std::vector<std::string> markers;
    std::vector<std::string> cell_types;
    screen::Normalisation normalisation;
    screen::Conditions conditions;
    linalg::Matrix<float> mean_shifts;  ///< TrainingSet::mean_shifts
    linalg::AlignedVector<float> values;
    nn::AdamState adam;
    linalg::Matrix<float> memory;  ///< Trainer::memory; may be empty

    std::unique_ptr<models::Model> model() const;
};

/// Digest of everything in a checkpoint, whatever the layout of the file.
std::string checkpoint_digest(const Checkpoint& checkpoint);

/// The checkpoint as an HDF5 file with its digest, and behind it a line with a digest of all its bytes.
std::vector<std::byte> checkpoint_bytes(const Checkpoint& checkpoint);

/// What a prediction needs of a checkpoint, and no more: the average weights and the constants, in the same
/// layout.
std::vector<std::byte> weights_bytes(Checkpoint checkpoint);

/// Stores checkpoint_bytes(), whole or not at all. @throws core::DataError, core::WriteError
void write_checkpoint(const std::string& path, const Checkpoint& checkpoint);

/// @throws core::DataError if the file is missing, damaged (its content has not its checksum) or of another
/// format
Checkpoint read_checkpoint(const std::string& path);

/// The checkpoint of weights_bytes(): the average stands for the last step's weights too, and no training can
/// go on from it. @throws core::DataError as read_checkpoint()
Checkpoint read_weights(const std::string& path);

}  // namespace popflow::train
