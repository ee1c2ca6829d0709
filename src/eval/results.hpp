// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "eval/evaluator.hpp"
#include "h5/dataframe.hpp"
#include "predict/provenance.hpp"
#include "screen/screen.hpp"
#include "screen/splits.hpp"

namespace popflow::eval {

/// A result file in memory.
struct Results {
    std::string file{};  ///< that it was read from; empty if it was not
    predict::Provenance provenance;
    h5::DataFrame pairs;       ///< one row per (pair, predictor)
    h5::DataFrame summary{};   ///< one row per (part, predictor, aggregation)
    h5::DataFrame training{};  ///< as in the run folder; may be without rows
    std::vector<std::string>
        embedding_names{};  ///< row names of `/pairs` of the model, one per row of `embeddings`
    linalg::Matrix<float> embeddings{};
    std::vector<std::string> markers{};  ///< columns of `samples`
    std::vector<CellSample> samples{};   ///< cells of some pairs, for pictures; may be none
};

/// Table of an evaluation: pair part patient culture treatment concentration replicate plate predictor, the
/// metrics, n_predicted n_target status message seconds rank.
h5::DataFrame pairs_frame(const screen::Screen& screen, const screen::Split& split,
                          const Evaluation& evaluation);

/// Means over the pairs that did not fail: part predictor aggregation n_pairs n_failed, the metrics.
///
/// Aggregation `culture_mean` is the published one, the mean within each culture, then over cultures;
/// `pair_mean` is flat; `culture:NAME` is one culture. A metric that is not defined for a pair is left out of
/// its mean.
h5::DataFrame summarise(const h5::DataFrame& pairs);

/// Tries whether a file can be made there, without leaving one. @throws core::DataError
void check_writable(const std::string& path);

/// Writes to a temporary name and renames. @throws core::DataError if there cannot be such a file,
/// core::WriteError if it cannot be written
void write_results(const std::string& path, const Results& results);
/// @throws core::DataError
Results read_results(const std::string& path);

}  // namespace popflow::eval
