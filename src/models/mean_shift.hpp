// SPDX-License-Identifier: MIT
#pragma once

#include "models/family.hpp"

namespace popflow::models {

/// Settings of the mean shift, which has none.
struct MeanShiftSettings final : Settings {
    std::unique_ptr<Settings> clone() const override { return std::make_unique<MeanShiftSettings>(*this); }
    void visit(FieldVisitor& /*visitor*/) override {}
};

/// Adds the mean shift of a condition to each control cell.
///
/// The shift of a condition is the mean over its training pairs of (mean of the treated cells - mean of the
/// control cells). A condition that was not trained on has the shift of the trained condition whose condition
/// vector is nearest in Euclidean distance. The first one counts if several are equally near.
class MeanShift : public Model, public OnePassTraining, public CellTransport {
  public:
    explicit MeanShift(const DataShape& data);

    const nn::ParameterLayout& layout() const override { return layout_; }
    const OnePassTraining* one_pass_training() const override { return this; }
    const CellTransport* cell_transport() const override { return this; }

    /// Returns the size of [row of the condition | condition vector | shift of the pair].
    std::size_t summary_size() const override { return 1 + data_.conditions + data_.markers; }
    void summarise(const PairCells& pair, std::span<double> summary) const override;
    /// @return mean over the pairs of the squared distance between the shift of the pair and that of its
    /// condition
    double fit(linalg::ConstMatrixView<double> summaries, std::span<float> values) const override;

    ode::Statistics transport(std::span<const float> values, std::span<const float> context,
                              std::span<const float> condition, const ode::Options& options,
                              linalg::MatrixView<float> x) const override;

  private:
    DataShape data_;
    nn::ParameterLayout layout_;
};

/// Mean shift of each condition.
const Family* mean_shift_family();

}  // namespace popflow::models
