// SPDX-License-Identifier: MIT
#pragma once

#include <limits>
#include <vector>

#include "linalg/matrix.hpp"
#include "metrics/mmd.hpp"
#include "metrics/sinkhorn_divergence.hpp"
#include "metrics/wasserstein.hpp"

namespace popflow::metrics {

/// Scores of a predicted population against the true one. NaN if a score was not selected or is undefined.
struct Scores {
    static constexpr double none = std::numeric_limits<double>::quiet_NaN();
    double w1 = none;                  ///< wasserstein()
    double w2 = none;                  ///< wasserstein()
    double mmd = none;                 ///< kernel_distances()
    double r2 = none;                  ///< correlation_r2()
    double energy = none;              ///< kernel_distances()
    double r2_means = none;            ///< r2_of_means()
    double w1_markers = none;          ///< mean over the markers of per_marker_w1()
    double sinkhorn = none;            ///< sinkhorn_divergence()
    double mmd_scaled = none;          ///< kernel_distances()
    double change_correlation = none;  ///< change_correlation(), needs SharedWork::control_means
    double recall_top = none;          ///< recall_of_changed(), needs SharedWork::control_means
};

/// Selects the scores to compute. w1 and w2 share most of their work, and so do mmd, mmd_scaled and energy.
struct Selection {
    bool w1 = true;
    bool w2 = true;
    bool mmd = true;
    bool r2 = true;
    bool energy = true;
    bool r2_means = true;
    bool w1_markers = true;
    bool sinkhorn = false;
    bool mmd_scaled = true;
    bool change_correlation = true;
    bool recall_top = true;
    SinkhornDivergenceOptions sinkhorn_options{};
};

/// Results that the scores of several predictions against one true population share. Null pointers are
/// allowed. Without the means of the control, the scores of changes are NaN.
struct SharedWork {
    const KernelMeans* truth_means = nullptr;  ///< own_kernel_means() of the truth, see needs_kernels()
    CachedWasserstein* distance = nullptr;     ///< constructed with the truth
    const std::vector<double>* control_means = nullptr;  ///< marker_means() of the control
};

/// Returns whether a selected score needs the kernel means.
bool needs_kernels(const Selection& selection);
/// Returns own_kernel_means() of the truth for the selected scores.
/// @throws as own_kernel_means()
KernelMeans truth_kernel_means(linalg::ConstMatrixView<float> truth, const Selection& selection);

/// Computes the selected scores of a prediction.
///
/// Shapes:  predicted [n, d], truth [m, d].
/// @throws core::ShapeMismatch if the populations differ in their number of markers or one is empty
/// @throws core::NumericalError if a value is not finite
Scores score(linalg::ConstMatrixView<float> predicted, linalg::ConstMatrixView<float> truth,
             const Selection& selection = {}, const SharedWork& shared = {});

}  // namespace popflow::metrics
