// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <memory>
#include <string>

#include "models/family.hpp"
#include "train/checkpoint.hpp"

namespace popflow::support {

/// Returns the settings of a method, some of which have the given values.
inline std::shared_ptr<const models::Settings> make_settings(
    const std::string& method, const std::map<std::string, std::string>& values) {
    std::unique_ptr<models::Settings> settings = models::find_family(method)->make_settings();
    for (const auto& [name, value] : values) models::assign_text(*settings, name, value);
    return settings;
}

/// Settings of a small mfm network for tests of checkpoints.
inline const std::map<std::string, std::string> small_mfm{{"hidden", "5"},
                                                          {"layers", "2"},
                                                          {"time-frequencies", "2"},
                                                          {"space-frequencies", "3"},
                                                          {"encoder-hidden", "3"},
                                                          {"encoder-layers", "2"},
                                                          {"embedding", "2"},
                                                          {"knn", "1"},
                                                          {"encoder-frequencies", "2"}};

/// Sets method, settings and constants of a checkpoint, and initial weights, zeros for a method without
/// gradients. A fixed encoder has placeholders for four populations. Its sizes are set before.
inline void set_method(train::Checkpoint& checkpoint, const std::string& method,
                       const std::map<std::string, std::string>& values) {
    checkpoint.family = models::find_family(method);
    checkpoint.settings = make_settings(method, values);
    checkpoint.constants = checkpoint.family->draw_constants(*checkpoint.settings, checkpoint.data, 1);
    const models::EncoderChoice encoder = checkpoint.family->fixed_encoder(*checkpoint.settings);
    if (encoder.kind != nullptr) {
        const models::EncoderData data{4, checkpoint.data.markers, checkpoint.data.cell_types};
        checkpoint.constants.encoder = encoder.kind->placeholder(data, encoder.components);
    }
    const std::unique_ptr<models::Model> model = checkpoint.model();
    const models::GradientTraining* training = model->gradient_training();
    checkpoint.values = training != nullptr ? training->initial_values(9)
                                            : linalg::AlignedVector<float>(model->layout().size(), 0.0F);
    checkpoint.adam = nn::AdamState::start(checkpoint.values);
}

}  // namespace popflow::support
