// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "report/comparison.hpp"
#include "report/figure.hpp"
#include "report/pair_statistics.hpp"
#include "report/sample_panels.hpp"

namespace popflow::report {

/// Figures of one model of a comparison.
struct ModelFigures {
    const ComparisonRow* row;
    std::vector<Figure> scores{};  ///< scores of each pair, and embeddings
    std::vector<SampledPairFigures> pairs{};
};

/// All figures of a comparison.
struct ComparisonFigures {
    FigureScope scope{};
    const ComparisonRow* best = nullptr;  ///< model with the lowest mean score, nullptr without one
    std::vector<Figure> training{};
    std::vector<ModelFigures> models{};  ///< models that have figures
};

/// Makes the figures of a comparison. The result keeps references to the rows of the comparison.
ComparisonFigures comparison_figures(const std::vector<eval::Results>& results, const Comparison& comparison);

/// Returns the figures of all comparisons, each with a unique file name without its extension, as in
/// `mfm-k-5-w2-per-pair-against-mean_shift`.
std::vector<std::pair<std::string, Figure>> named_figures(const std::vector<eval::Results>& results,
                                                          const std::vector<Comparison>& comparisons);

}  // namespace popflow::report
