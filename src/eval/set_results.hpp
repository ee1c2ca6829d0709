// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "eval/set_evaluation.hpp"
#include "h5/dataframe.hpp"
#include "predict/provenance.hpp"

namespace popflow::eval {

/// Contents of a result file of generated populations.
///
/// Columns of `sets`, which has one row per (label, predictor, distance):
///   - `label`: treatment and dose, or `all`. `predictor`: see set_predictor_names(). `distance`: w1, w2,
///     chamfer, energy or bures.
///   - the scores of set_metrics(), NaN if there is none.
///   - `n_real`, `n_generated`, `n_training`: numbers of populations. `n_cells`: cells of each.
///   - `distances_computed`: pairs of populations whose distance was computed.
///   - `note`: why there are no scores. `seconds`: run time for all distances.
struct SetResults {
    std::string file{};  ///< path that it was read from, empty for new results
    predict::Provenance provenance{};
    h5::DataFrame sets{};
    h5::DataFrame training{};            ///< table of the training steps in the run folder, may have no rows
    std::vector<std::string> markers{};  ///< names of the columns of the samples
    std::vector<SetSample> samples{};
};

/// Returns the table `sets` of an evaluation.
h5::DataFrame sets_frame(const SetEvaluation& evaluation);

/// Writes a result file under a temporary name and renames it.
/// @throws core::DataError if the file cannot be created, core::WriteError if writing fails
void write_set_results(const std::string& path, const SetResults& results);

/// Reads a result file of generated populations.
/// @throws core::DataError for another kind of file, another format version and a damaged file
SetResults read_set_results(const std::string& path);

}  // namespace popflow::eval
