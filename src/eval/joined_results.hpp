// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "eval/results.hpp"
#include "train/fold_list.hpp"

namespace popflow::eval {

/// Results of one fold of a leave-one-out.
struct FoldResults {
    train::FoldEntry fold;
    Results results{};  ///< empty for a skipped fold
};

/// Request of a leave-one-out.
struct LeaveOneOut {
    std::string split;   ///< `each:COLUMN`
    std::string config;  ///< resolved configuration, in which a fold changes only its split and limits
    std::size_t sample_pairs = 0;  ///< maximum number of pairs whose cells are stored
};

/// Joins the results of all folds of a leave-one-out as the results of one run.
///
/// - Pairs: the test pairs of all folds, each with the scores of the model that did not see it and of the
///   baselines of that fold's training part. The column `fold` has the held-out value. Pairs of other parts
///   stay in the results of their folds, because several models have scored them.
/// - Summary: summarise() of these pairs.
/// - Configuration: an entry on which all folds agree, such as a limited number of pairs per step, else the
///   value that was asked for. The split is `each:COLUMN`.
/// - Method: `auto` if --method auto has chosen that of each fold. Provenance::selection counts them.
/// - Training table: that of all folds, with the column `fold`.
/// - Embeddings: none, because those of different models cannot be compared.
/// - Cells: those of one sampled pair of each fold, of different treatments, then of another one, up to the
///   limit.
/// - Results::folds: one row per fold, also of those that were skipped.
///
/// @throws core::DataError if the results of the folds do not belong together: they differ in data, method,
///         steps or seed, or two of them have the same test pair
/// @throws core::DataError if a fold has no test pair
Results join_folds(std::vector<FoldResults> folds, const LeaveOneOut& asked);

}  // namespace popflow::eval
