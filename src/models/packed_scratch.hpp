// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <span>

#include "models/model.hpp"

namespace popflow::models {

/// Scratch of a model M with packed weights of type T: the weights of one thread or of all threads, and the
/// buffers of one thread. M has Weights<T>, Workspace<T> and pack().
template <class M, class T>
struct PackedScratch : GradientTraining::Scratch {
    using Weights = typename M::template Weights<T>;
    Weights own;
    const Weights* shared = nullptr;  ///< those of the step, null without share_packed_weights()
    typename M::template Workspace<T> workspace;

    /// Returns the weights of the step, or packs `values` outside of one.
    const Weights& weights(const M& model, std::span<const float> values) {
        if (shared != nullptr) return *shared;
        model.pack(values, own);
        return own;
    }
};

/// Packs the weights of a step once for the scratch of all threads.
///
/// @param scratch  of type PackedScratch<M, T>
template <class T, class M>
void share_packed_weights(const M& model, std::span<const float> values,
                          std::span<const std::unique_ptr<GradientTraining::Scratch>> scratch) {
    if (scratch.empty()) return;
    auto& weights = static_cast<PackedScratch<M, T>&>(*scratch.front()).own;
    model.pack(values, weights);
    for (const auto& s : scratch) static_cast<PackedScratch<M, T>&>(*s).shared = &weights;
}

}  // namespace popflow::models
