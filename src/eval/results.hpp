// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "eval/evaluator.hpp"
#include "h5/dataframe.hpp"
#include "predict/provenance.hpp"
#include "screen/screen.hpp"
#include "screen/splits.hpp"

namespace popflow::eval {

/// Column of the table of pairs by whose values the summary has means of groups.
struct Grouping {
    std::string column = "culture";
    std::string name = "culture";  ///< name of the column in aggregations, `NAME:VALUE`
    bool is_chosen = false;        ///< whether the user has named the column

    /// Returns the value of an aggregation, `A` of `culture:A`, nullopt for a mean over all groups.
    std::optional<std::string> group(const std::string& aggregation) const;
};

/// Contents of a result file.
struct Results {
    std::string file{};  ///< path that it was read from, empty for new results
    predict::Provenance provenance;
    h5::DataFrame pairs;         ///< one row per (pair, predictor)
    h5::DataFrame summary{};     ///< one row per (part, predictor, aggregation)
    Grouping grouping{};         ///< groups of the summary
    h5::DataFrame training{};    ///< table of the training steps in the run folder, may have no rows
    h5::DataFrame validation{};  ///< table of the validation checks in the run folder, may have no rows
    h5::DataFrame selection{};   ///< see selection_frame(), no rows if the method was given
    std::vector<std::string> embedding_names{};  ///< name of the pair of each row of `embeddings`
    linalg::Matrix<float> embeddings{};          ///< [pairs, context]
    /// One row per control population of the training pairs: pair patient culture treatment concentration
    /// replicate plate. `pair` is the first training pair of the population.
    h5::DataFrame training_populations{};
    linalg::Matrix<float> training_embeddings{};  ///< [training populations, context], no rows in older files
    std::vector<std::string> markers{};           ///< names of the columns of `samples`
    std::vector<CellSample> samples{};            ///< cells of some pairs, for plots, may be empty
    /// One row per fold of a leave-one-out: fold folder split status n_pairs note popflow. Without rows for a
    /// single run. See join_folds().
    h5::DataFrame folds{};
};

/// Returns the name in the table of an evaluation of the column by which a split holds out pairs, empty if
/// the table always has it, or if there is no such column.
std::string split_column_name(const screen::Split& split);

/// Returns the table of an evaluation, one row per (pair, predictor).
///
/// Columns: pair part patient culture treatment concentration replicate plate, split_column_name(),
/// predictor, the metrics, n_predicted n_target status message seconds rank.
h5::DataFrame pairs_frame(const screen::Screen& screen, const screen::Split& split,
                          const Evaluation& evaluation);

/// Returns the means over the pairs for which every predictor succeeded, one row per (part, predictor,
/// aggregation).
///
/// Columns: part predictor aggregation n_pairs n_failed, the metrics. Aggregations:
/// - `culture_mean`: mean within each culture, then over cultures, as in the published tables.
/// - `pair_mean`: mean over all pairs.
/// - `culture:NAME`: mean within one culture, if there are several. A chosen grouping has means within its
///   groups instead, also of a single one. An empty label is the group `none`.
///
/// A mean excludes the pairs for which its metric is not defined.
h5::DataFrame summarise(const h5::DataFrame& pairs, const Grouping& grouping = {});

/// Returns the rows of `pairs` over which means are taken: those of the pairs for which no predictor failed.
std::vector<std::size_t> scored_rows(const h5::DataFrame& pairs);

/// Returns the name of the group of a label.
std::string group_label(const std::string& label);

/// Checks that a file can be created at the path. Leaves no file.
/// @throws core::DataError
void check_writable(const std::string& path);

/// Writes a result file under a temporary name and renames it.
/// @throws core::DataError if the file cannot be created, core::WriteError if writing fails
void write_results(const std::string& path, const Results& results);
/// Reads a result file.
/// @throws core::DataError for another kind of file or another format version
Results read_results(const std::string& path);

}  // namespace popflow::eval
