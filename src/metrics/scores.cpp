// SPDX-License-Identifier: MIT
#include "metrics/scores.hpp"

#include <numeric>

#include "metrics/correlation.hpp"
#include "metrics/mean_change.hpp"
#include "metrics/mmd.hpp"
#include "metrics/wasserstein.hpp"

namespace popflow::metrics {

bool needs_kernels(const Selection& selection) {
    return selection.mmd || selection.energy || selection.mmd_scaled;
}

KernelMeans truth_kernel_means(linalg::ConstMatrixView<float> truth, const Selection& selection) {
    return own_kernel_means(truth, selection.mmd_scaled ? inverse_median_distance(truth) : 0);
}

Scores score(linalg::ConstMatrixView<float> predicted, linalg::ConstMatrixView<float> truth,
             const Selection& selection, const SharedWork& shared) {
    Scores scores;
    if (selection.w1 && selection.w2) {
        const Wasserstein both =
            shared.distance != nullptr ? (*shared.distance)(predicted) : wasserstein(predicted, truth);
        scores.w1 = both.w1;
        scores.w2 = both.w2;
    } else if (selection.w1) {
        scores.w1 = wasserstein1(predicted, truth);
    } else if (selection.w2) {
        scores.w2 = wasserstein2(predicted, truth);
    }
    if (needs_kernels(selection)) {
        const KernelDistances all = kernel_distances(
            predicted, truth,
            shared.truth_means != nullptr ? *shared.truth_means : truth_kernel_means(truth, selection));
        if (selection.mmd) scores.mmd = all.mmd;
        if (selection.energy) scores.energy = all.energy;
        if (selection.mmd_scaled) scores.mmd_scaled = all.mmd_scaled;
    }
    if (selection.r2) scores.r2 = correlation_r2(predicted, truth);
    if (selection.r2_means) scores.r2_means = r2_of_means(predicted, truth);
    if (shared.control_means != nullptr && (selection.change_correlation || selection.recall_top)) {
        const std::vector<double>& control = *shared.control_means;
        const std::vector<double> p = marker_means(predicted);
        const std::vector<double> t = marker_means(truth);
        if (selection.change_correlation) scores.change_correlation = change_correlation(control, p, t);
        if (selection.recall_top) scores.recall_top = recall_of_changed(control, p, t);
    }
    if (selection.sinkhorn)
        scores.sinkhorn = sinkhorn_divergence(predicted, truth, selection.sinkhorn_options);
    if (selection.w1_markers) {
        const std::vector<double> w1 = per_marker_w1(predicted, truth);
        scores.w1_markers = std::accumulate(w1.begin(), w1.end(), 0.0) / static_cast<double>(w1.size());
    }
    return scores;
}

}  // namespace popflow::metrics
