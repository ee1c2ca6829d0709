// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "models/model.hpp"

namespace popflow::support {

/// Model with one weight and initial value 1. It ignores populations and transports no cell. Subclasses in
/// the tests define the losses and gradients of its slots.
class OneWeight : public models::Model, public models::GradientTraining, public models::CellTransport {
  public:
    OneWeight() { layout_.add("w", 1, 1); }
    const nn::ParameterLayout& layout() const override { return layout_; }
    const models::GradientTraining* gradient_training() const override { return this; }
    const models::CellTransport* cell_transport() const override { return this; }
    linalg::AlignedVector<float> initial_values(std::uint64_t) const override {
        return linalg::AlignedVector<float>(layout_.size(), 1.0F);
    }
    std::unique_ptr<Scratch> make_scratch() const override { return std::make_unique<Scratch>(); }
    nn::UpdatePhase phase(std::uint64_t step) const override { return {0, 0, layout_.size(), step}; }
    double slot_gradient(const Request&, const models::SlotInput&, Scratch&,
                         std::span<float>) const override {
        return 0;
    }
    ode::Statistics transport(std::span<const float>, std::span<const float>, std::span<const float>,
                              const ode::Options&, linalg::MatrixView<float>) const override {
        return {};
    }

  private:
    nn::ParameterLayout layout_;
};

}  // namespace popflow::support
