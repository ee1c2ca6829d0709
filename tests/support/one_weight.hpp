// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "models/model.hpp"

namespace popflow::support {

/// Model with one weight and initial value 1. It ignores populations and transports no cell. Subclasses in
/// the tests define the losses and gradients of its slots.
class OneWeight : public models::Model {
  public:
    OneWeight() { layout_.add("w", 1, 1); }
    const nn::ParameterLayout& layout() const override { return layout_; }
    linalg::AlignedVector<float> initial_values(std::uint64_t) const override {
        return linalg::AlignedVector<float>(layout_.size(), 1.0F);
    }
    std::unique_ptr<Scratch> make_scratch() const override { return std::make_unique<Scratch>(); }
    std::size_t context_size() const override { return 0; }
    std::vector<float> context(std::span<const float>, linalg::ConstMatrixView<float>,
                               std::span<const std::uint8_t>) const override {
        return {};
    }
    ode::Statistics transport(std::span<const float>, std::span<const float>, std::span<const float>,
                              const ode::Options&, linalg::MatrixView<float>) const override {
        return {};
    }

  private:
    nn::ParameterLayout layout_;
};

}  // namespace popflow::support
