// SPDX-License-Identifier: MIT
#include "train/resume_check.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "core/text.hpp"

namespace popflow::train {

namespace {

// Whether two vectors are equal up to rounding, which may differ between processors.
bool nearly_equal(std::span<const float> a, std::span<const float> b) {
    return std::ranges::equal(a, b,
                              [](float x, float y) { return std::abs(x - y) <= 1e-4F * (1 + std::abs(x)); });
}

}  // namespace

void check_can_resume(const Checkpoint& now, const Checkpoint& before, const core::OptionEffects& effects,
                      const std::string& data_file) {
    const auto changed = core::changed_options(now.config, before.config, effects);
    if (!changed.empty()) {
        throw core::ConfigError("resume",
                                "the configuration changed: " + core::joined(changed, changed.size()) +
                                    ". Use the earlier values, or another --output for a new training");
    }
    if (before.data_fingerprint != now.data_fingerprint)
        throw core::DataError(data_file, "",
                              "is not the file that this run was trained on. Give that file, or another "
                              "--output for a new training");
    const screen::TreatmentVectors& vectors = now.conditions.vectors();
    const screen::TreatmentVectors& vectors_before = before.conditions.vectors();
    if (vectors.names() != vectors_before.names() ||
        !std::ranges::equal(vectors.values().values(), vectors_before.values().values())) {
        throw core::ConfigError("treatment-vectors",
                                "the vectors are not those that this run was trained on. Give the same "
                                "table, or another --output");
    }
    if (before.markers != now.markers || before.cell_types != now.cell_types ||
        !nearly_equal(before.normalisation.mean, now.normalisation.mean) ||
        !nearly_equal(before.mean_shifts.values(), now.mean_shifts.values()) ||
        before.latent.size() != now.latent.size()) {
        throw core::DataError(
            data_file, "X",
            "the cells are not those that this run was trained on. Give the same file, or another --output");
    }
    if (!nearly_equal(before.latent.components.values(), now.latent.components.values()))
        throw core::ConfigError("latent",
                                "the principal components differ from those that this run was trained on, as "
                                "components of nearly equal variance can on another processor. Resume on the "
                                "processor that began the run, or give another --output");
}

}  // namespace popflow::train
