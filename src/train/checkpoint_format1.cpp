// SPDX-License-Identifier: MIT
#include "train/checkpoint_format1.hpp"

#include "core/digest.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "train/checkpoint_content.hpp"
#include "train/stored_tensors.hpp"

namespace popflow::train {

namespace {

// Sizes of flow matching, in the order in which the digest has them.
constexpr const char* size_names[] = {"markers",
                                      "cell_types",
                                      "conditions",
                                      "training_pairs",
                                      "hidden",
                                      "layers",
                                      "time_frequencies",
                                      "space_frequencies",
                                      "encoder_hidden",
                                      "encoder_layers",
                                      "embedding",
                                      "knn",
                                      "encoder_frequencies"};
constexpr const char* number_names[] = {"time_highest", "time_max_period", "space_scale", "embedding_norm",
                                        "encoder_scale"};
// Group with the sizes of the convex potentials, for the only method that is not flow matching.
constexpr const char* potentials = "icnn";

void add_shape(core::Digest& digest, const h5::Group& model) {
    for (const char* name : size_names) digest.add(read_size(model, name));
    digest.add(std::size_t{model.string_attribute("modulation") == "film" ? 1U : 0U});
    digest.add(std::size_t{model.has_attribute("encoder_activation") ? 1U : 0U});
    for (const char* name : number_names) digest.add(model.double_attribute(name));
}

}  // namespace

void read_model_format1(const h5::Group& root, Checkpoint& checkpoint) {
    const h5::Group model = root.open_group("model");
    checkpoint.family = require_family(model, model.string_attribute("method"));
    checkpoint.data = {.markers = read_size(model, "markers"),
                       .cell_types = read_size(model, "cell_types"),
                       .conditions = read_size(model, "conditions"),
                       .condition_rows = checkpoint.conditions.count(),
                       .training_pairs = read_size(model, "training_pairs")};
    std::map<std::string, std::string> texts;
    for (const auto& [name, values] : core::key_values(checkpoint.config)) texts[name] = values;
    auto settings = checkpoint.family->make_settings();
    try {
        models::assign_texts(*settings, texts);
    } catch (const core::ConfigError& error) {
        throw core::DataError(root.file(), "config", error.what());
    }
    checkpoint.settings = std::move(settings);
    if (root.contains_dataset("frequencies"))
        checkpoint.constants.matrices["frequencies"] = read_matrix(root, "frequencies");
}

std::string digest_format1(const h5::Group& root, const Checkpoint& checkpoint) {
    const h5::Group model_group = root.open_group("model");
    core::Digest digest;
    digest.add(checkpoint.config);
    digest.add(checkpoint.data_fingerprint);
    digest.add(checkpoint.adam.step);
    digest.add(checkpoint.family->name());
    digest.add(model_group.string_attribute("base") == "gaussian");
    add_shape(digest, model_group);
    if (root.contains_group(potentials)) {
        const h5::Group group = root.open_group(potentials);
        for (const char* name : {"conditions", "hidden", "layers", "inner_steps"})
            digest.add(read_size(group, name));
    } else {
        add_matrix(digest, checkpoint.constants.matrices.at("frequencies"));
    }
    add_content(digest, checkpoint);
    return digest.text();
}

}  // namespace popflow::train
