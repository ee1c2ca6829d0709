// SPDX-License-Identifier: MIT
#pragma once

#include <limits>
#include <vector>

#include "linalg/matrix.hpp"
#include "metrics/mmd.hpp"
#include "metrics/sinkhorn_divergence.hpp"
#include "metrics/wasserstein.hpp"

namespace popflow::metrics {

/// How far a predicted population is from the true one. NaN where not asked for or not defined.
struct Scores {
    static constexpr double none = std::numeric_limits<double>::quiet_NaN();
    double w1 = none;          ///< wasserstein()
    double w2 = none;          ///< wasserstein()
    double mmd = none;         ///< kernel_distances()
    double r2 = none;          ///< correlation_r2()
    double energy = none;      ///< kernel_distances()
    double r2_means = none;    ///< r2_of_means()
    double w1_markers = none;  ///< mean over the markers of per_marker_w1()
    double sinkhorn = none;    ///< sinkhorn_divergence()
};

/// Which scores to compute; w1 with w2, and mmd with energy, share their work.
struct Selection {
    bool w1 = true;
    bool w2 = true;
    bool mmd = true;
    bool r2 = true;
    bool energy = true;
    bool r2_means = true;
    bool w1_markers = true;
    bool sinkhorn = false;
    SinkhornDivergenceOptions sinkhorn_options{};
};

/// What the scores of several predictions against one population share; each may be empty.
struct SharedWork {
    const KernelMeans* truth_means = nullptr;  ///< own_kernel_means() of the truth
    TranslatesDistance* distance = nullptr;    ///< from the truth, of predictions that are translates
};

/// The chosen scores of a prediction.
///
/// Shapes:  predicted [n, d], truth [m, d].
/// @throws core::ShapeMismatch if the populations differ in markers or one is empty
/// @throws core::NumericalError if a value is not finite
Scores score(linalg::ConstMatrixView<float> predicted, linalg::ConstMatrixView<float> truth,
             const Selection& selection = {}, const SharedWork& shared = {});

}  // namespace popflow::metrics
