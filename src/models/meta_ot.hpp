// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "models/family.hpp"
#include "models/model.hpp"
#include "nn/linear.hpp"

namespace popflow::models {

/// Loss of a MetaOt.
enum class DualObjective {
    semidual,    ///< minus the semi-dual objective, which needs no solutions
    regression,  ///< squared distance from the solution
};
/// Features of a histogram, and form of the potentials.
enum class DualForm {
    /// Smooth for more than 400 atoms with one or two coordinates. Else scaled values for each atom, and
    /// where
    /// there is mass.
    automatic,
    atoms,   ///< the weight and the potential of each atom as they are, as published
    smooth,  ///< inputs: weights in bins of the positions. Outputs: a cosine series of the position
};
/// Sides of a problem that the network sees.
enum class DualInputs {
    automatic,  ///< both, unless the target has more than four times as many atoms as the source
    both,
    source,
};
/// Potentials to which the output of the network is added.
enum class DualBase { gaussian, zeros };

/// Sizes and choices of a MetaOt.
struct MetaOtShape {
    std::size_t hidden = 384;
    std::size_t layers = 3;  ///< number of hidden layers
    DualForm form = DualForm::automatic;
    DualInputs inputs = DualInputs::automatic;
    DualBase base = DualBase::gaussian;
    DualObjective objective = DualObjective::semidual;
};

/// Dual potentials of discrete transport problems between histograms over shared atoms (Meta OT).
///
/// A network maps the weights of both sides to potentials of the source. They are added to the potentials
/// between Gaussians. With P_ij = a_i b_j exp((f_i + g_j - c_ij) / epsilon) and the optimal g, the loss of a
/// problem is -(<a, f> - epsilon sum_j b_j log sum_i a_i exp((f_i - c_ij) / epsilon)) / scale, and its
/// gradient with respect to f_i is (sum_j P_ij - a_i) / scale. The network predicts potentials in units of
/// `scale`, which is 0.3 times the mean cost, or 1 with DualForm::atoms.
///
/// Source: Amos, Luise, Cohen and Redko, "Meta optimal transport", ICML 2023.
/// Deviations from the source: the output is a residual to the Gaussian potentials, and smooth on grids.
/// Atoms without mass do not enter the loss. Random target atoms may stand for all of them. Weights
/// start as Glorot's uniform ones.
class MetaOt : public Model, public GradientTraining, public DualPredictor {
  public:
    /// @param constants  source_positions [n, d], target_positions [m, d], epsilon [1, 1], scale [1, 1]
    MetaOt(const MetaOtShape& shape, const Constants& constants);

    const nn::ParameterLayout& layout() const override { return layout_; }
    const GradientTraining* gradient_training() const override { return this; }
    const DualPredictor* dual_predictor() const override { return this; }
    linalg::AlignedVector<float> initial_values(std::uint64_t seed) const override;
    std::unique_ptr<Scratch> make_scratch() const override;
    nn::UpdatePhase phase(std::uint64_t step) const override;
    /// @param input  a ProblemInput
    double slot_gradient(const Request& request, const SlotInput& input, Scratch& scratch,
                         std::span<float> gradients) const override;

    bool adds_gaussian() const override { return shape_.base == DualBase::gaussian; }
    bool needs_solutions() const override { return shape_.objective == DualObjective::regression; }
    void predict(std::span<const float> values, std::span<const HistogramPair> pairs,
                 linalg::MatrixView<float> residual) const override;

    /// Activations of one thread.
    struct Workspace : Scratch {
        linalg::Matrix<float> x;
        std::vector<linalg::Matrix<float>> z;
        linalg::Matrix<float> y;
        linalg::Matrix<float> f;
        linalg::Matrix<float> df;
        linalg::Matrix<float> dy;
        std::vector<linalg::Matrix<float>> dz;
    };

  private:
    void fill_inputs(std::span<const HistogramPair> pairs, linalg::Matrix<float>& x) const;
    void add_histogram(const ot::Histogram& histogram, const std::vector<std::uint32_t>& bins,
                       std::size_t size, float* features) const;
    void forward(std::span<const float> values, std::span<const HistogramPair> pairs, Workspace& w) const;
    void backward(std::span<const float> values, Workspace& w, std::span<float> gradients) const;
    double problem_gradient(const TrainingProblem& problem, std::span<const float> f,
                            std::span<float> df) const;

    MetaOtShape shape_;
    double epsilon_ = 1;
    double scale_ = 1;
    std::size_t atoms_ = 0;  // in the source
    std::size_t target_atoms_ = 0;
    bool is_smooth_ = false;
    bool is_published_ = false;
    bool sees_target_ = false;
    std::vector<std::uint32_t> source_bins_;  // bin of each atom, empty unless smooth
    std::vector<std::uint32_t> target_bins_;
    std::size_t bins_ = 0;
    linalg::Matrix<float> basis_;  // [outputs, atoms], empty unless smooth
    nn::ParameterLayout layout_;
    std::vector<nn::Linear> network_;
};

/// Meta optimal transport between histograms.
const Family* meta_ot_family();

}  // namespace popflow::models
