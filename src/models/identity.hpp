// SPDX-License-Identifier: MIT
#pragma once

#include "models/family.hpp"

namespace popflow::models {

/// Settings of the identity, which has none.
struct IdentitySettings final : Settings {
    std::unique_ptr<Settings> clone() const override { return std::make_unique<IdentitySettings>(*this); }
    void visit(FieldVisitor& /*visitor*/) override {}
};

/// Predicts that no cell changes. It has no weights.
class Identity : public Model, public OnePassTraining, public CellTransport {
  public:
    const nn::ParameterLayout& layout() const override { return layout_; }
    const OnePassTraining* one_pass_training() const override { return this; }
    const CellTransport* cell_transport() const override { return this; }

    /// The summary of a pair is the squared distance between the means of its populations.
    std::size_t summary_size() const override { return 1; }
    void summarise(const PairCells& pair, std::span<double> summary) const override;
    /// @return mean over the pairs of the summary
    double fit(linalg::ConstMatrixView<double> summaries, std::span<float> values) const override;

    ode::Statistics transport(std::span<const float> values, std::span<const float> context,
                              std::span<const float> condition, const ode::Options& options,
                              linalg::MatrixView<float> x) const override;

  private:
    nn::ParameterLayout layout_;
};

/// Identity: the control cells themselves.
const Family* identity_family();

}  // namespace popflow::models
