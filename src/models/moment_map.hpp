// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <vector>

#include "linalg/kernel_ridge.hpp"
#include "models/family.hpp"
#include "models/moment_change.hpp"

namespace popflow::models {

/// Settings of the moment map.
struct MomentMapSettings final : Settings {
    linalg::RidgeKernel kernel = linalg::RidgeKernel::rbf;

    std::unique_ptr<Settings> clone() const override { return std::make_unique<MomentMapSettings>(*this); }
    void visit(FieldVisitor& visitor) override;
};

/// Moments of a training pair.
struct PairMoments {
    std::size_t condition_row = 0;
    std::size_t unit = 0;                       ///< see PairCells::unit
    std::span<const float> condition;           ///< [conditions] condition vector
    std::span<const double> type_shares;        ///< [cell_types] share of each cell type in the control
    std::span<const double> control_mean;       ///< [d]
    std::span<const double> control_deviation;  ///< [d] standard deviations with the divisor n
    std::span<const double> treated_mean;       ///< [d]
    std::span<const double> treated_deviation;  ///< [d]
};

/// Moves and scales the control cells of a population, as a kernel ridge regression predicts from their mean.
///
/// The features of a population are the means of its control cells and, with several cell types, the share of
/// each type. For each condition two regressions on the features of its training pairs predict
///
///   - the shift: mean of the treated cells - mean of the control cells,
///   - the log ratio: log((s_treated + e) / (s_control + e)) with the standard deviations s of each marker.
///     e is 0.05 times the mean s of the controls, so that a constant marker has a finite ratio.
///
/// Width and penalty of each are chosen by leaving out each unit (PairCells::unit) in turn. The infinite
/// penalty is the mean over the pairs, so far from the training data the rbf kernel predicts the mean shift.
/// The log ratio is 0 if that has a smaller error than every regression. A condition with pairs of fewer than
/// three units has the mean shift and the log ratio 0.
///
/// A condition that was not trained on has the regressions of the trained condition whose condition vector is
/// nearest in Euclidean distance. The first one counts if several are equally near.
class MomentMap : public Model, public OnePassTraining, public CellTransport {
  public:
    MomentMap(const DataShape& data, linalg::RidgeKernel kernel);

    const nn::ParameterLayout& layout() const override { return layout_; }
    const OnePassTraining* one_pass_training() const override { return this; }
    const CellTransport* cell_transport() const override { return this; }

    /// Returns the size of [row of the condition | unit | condition vector | means of the control | type
    /// shares | deviations of the control | means | deviations of the treated cells].
    std::size_t summary_size() const override { return treated_deviation_at() + data_.markers; }
    void summarise(const PairCells& pair, std::span<double> summary) const override;
    /// Overwrites a summary with known moments. Thread-safe.
    ///
    /// Shape: summary [summary_size()].
    void write_summary(const PairMoments& moments, std::span<double> summary) const;
    /// @return mean over the pairs of the squared distance between the shift of the pair and the prediction
    double fit(linalg::ConstMatrixView<double> summaries, std::span<float> values) const override;

    /// Length of [means of the markers | shares of the cell types].
    std::size_t context_size() const override { return data_.markers + data_.cell_types; }
    std::vector<float> context(std::span<const float> values, linalg::ConstMatrixView<float> control,
                               std::span<const std::uint8_t> control_type) const override;
    ode::Statistics transport(std::span<const float> values, std::span<const float> context,
                              std::span<const float> condition, const ode::Options& options,
                              linalg::MatrixView<float> x) const override;

    /// Predicts the change of a population under a trained condition.
    /// @param condition_row  index of the condition, see DataShape::condition_rows
    MomentChange change(std::span<const float> values, std::span<const float> context,
                        std::size_t condition_row) const;
    /// Returns the row of the trained condition whose condition vector is nearest, see
    /// DataShape::condition_rows.
    std::size_t condition_row(std::span<const float> values, std::span<const float> condition) const;
    /// Returns the features of the control of each training pair.
    ///
    /// Shape: result [training_pairs, context_size()].
    linalg::ConstMatrixView<float> features(std::span<const float> values) const;

  private:
    // Columns of a summary.
    std::size_t features_at() const { return 2 + data_.conditions; }
    std::size_t control_deviation_at() const { return features_at() + context_size(); }
    std::size_t treated_mean_at() const { return control_deviation_at() + data_.markers; }
    std::size_t treated_deviation_at() const { return treated_mean_at() + data_.markers; }

    double fit_condition(linalg::ConstMatrixView<double> summaries, std::span<const std::size_t> pairs,
                         double offset, std::span<float> values) const;

    DataShape data_;
    linalg::RidgeKernel kernel_;
    nn::ParameterLayout layout_;
};

/// Makes the moment map that is a baseline of every training: the default kernel, and the means of the
/// markers alone as features. It depends on no settings and no cell types.
MomentMap make_moment_map_baseline(DataShape data);

/// Moment map: kernel ridge regression of means and standard deviations.
const Family* moment_map_family();

}  // namespace popflow::models
