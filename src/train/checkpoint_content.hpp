// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "models/moment_map.hpp"
#include "train/checkpoint.hpp"

namespace popflow::train {

/// Adds a matrix to a digest (core::Digest of format 1, core::Checksum of format 2).
template <class Digest>
void add_matrix(Digest& digest, linalg::ConstMatrixView<float> m) {
    digest.add(m.rows);
    digest.add(m.cols);
    digest.add(std::span<const float>(m.data, m.rows * m.cols));
}

/// Adds a list of texts to a digest.
template <class Digest>
void add_texts(Digest& digest, const std::vector<std::string>& texts) {
    digest.add(texts.size());
    for (const std::string& text : texts) digest.add(text);
}

/// Adds treatments, doses and vectors to a digest.
template <class Digest>
void add_conditions(Digest& digest, const screen::Conditions& conditions) {
    const bool all = conditions.doses() == screen::Doses::all;
    digest.add(all);
    for (const auto& treatment : conditions.treatments()) {
        digest.add(treatment.name);
        if (all) digest.add(std::span<const double>(treatment.concentrations));
    }
    const auto has_highest = [](const auto& treatment) { return !treatment.highest.empty(); };
    if (std::ranges::any_of(conditions.treatments(), has_highest)) {
        for (const auto& treatment : conditions.treatments()) digest.add(treatment.highest);
    }
    if (all && conditions.dose_quantity() != core::Quantity::number)
        digest.add(std::string(core::unit_name(conditions.dose_quantity())));
    const auto has_vehicle = [](const auto& treatment) { return !treatment.vehicle.empty(); };
    if (std::ranges::any_of(conditions.treatments(), has_vehicle)) {
        for (const auto& treatment : conditions.treatments()) digest.add(treatment.vehicle);
    }
    if (conditions.vectors().empty()) return;
    add_texts(digest, conditions.vectors().names());
    add_matrix(digest, conditions.vectors().values());
}

/// Adds a buffer tensor by tensor, as in the file. The padding between tensors is not stored.
template <class Digest>
void add_tensors(Digest& digest, const nn::ParameterLayout& layout, std::span<const float> buffer) {
    for (const nn::Tensor& tensor : layout.tensors()) {
        digest.add(tensor.name);
        digest.add(nn::elements_of(buffer, tensor));
    }
}

/// Adds what both formats have in common and in the same order: names, statistics of the cells, and tensors.
template <class Digest>
void add_content(Digest& digest, const Checkpoint& checkpoint) {
    add_texts(digest, checkpoint.markers);
    add_texts(digest, checkpoint.cell_types);
    digest.add(std::span<const float>(checkpoint.normalisation.mean));
    digest.add(checkpoint.normalisation.scale);
    add_conditions(digest, checkpoint.conditions);
    if (!checkpoint.range.empty()) {
        digest.add(std::span<const float>(checkpoint.range.min));
        digest.add(std::span<const float>(checkpoint.range.max));
    }
    add_matrix(digest, checkpoint.mean_shifts);
    if (!checkpoint.moment_map.empty())
        add_tensors(digest, models::make_moment_map_baseline(checkpoint.data).layout(),
                    checkpoint.moment_map);
    if (!checkpoint.selection.empty()) digest.add(checkpoint.selection);
    if (const screen::LatentSpace& latent = checkpoint.latent; !latent.is_empty()) {
        digest.add(std::span<const float>(latent.mean));
        add_matrix(digest, latent.components);
        digest.add(latent.scale);
        digest.add(std::span<const double>(latent.variance_share));
        add_matrix(digest, checkpoint.marker_shifts);
    }
    if (checkpoint.typical_distance > 0) digest.add(checkpoint.typical_distance);
    if (const models::StartOptions& start = checkpoint.start; start != models::StartOptions{}) {
        digest.add(static_cast<std::uint64_t>(start.kind));
        digest.add(static_cast<std::uint64_t>(start.shrink_to));
        for (const double value : {start.shrinkage, start.guard_distance, start.guard_power})
            digest.add(value);
    }
    const std::unique_ptr<models::Model> model = checkpoint.model();
    const auto& adam = checkpoint.adam;
    for (const auto* buffer : {&checkpoint.values, &adam.average, &adam.first, &adam.second})
        add_tensors(digest, model->layout(), *buffer);
    add_matrix(digest, checkpoint.memory);
    if (checkpoint.best.empty()) return;
    digest.add(checkpoint.best.step);
    digest.add(std::span<const double>(&checkpoint.best.energy, 1));
    add_tensors(digest, model->layout(), checkpoint.best.average);
}

}  // namespace popflow::train
