// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "eval/map_task.hpp"
#include "h5/dataframe.hpp"
#include "predict/provenance.hpp"

namespace popflow::eval {

/// Contents of a result file of maps between populations.
///
/// Columns of `problems`, which has one row per problem and predictor:
///   - `problem`, `source`, `target`: names. `predictor`, `steps`: see MapRow.
///   - `n`, `m`: numbers of scored cells of the source and of the target.
///   - `value`, `exact`, `normalised`, `gap`, `certified`, `energy`, `w2`: see MapRow, in units of the model.
///   - `seconds`: duration of the prediction and the fine-tuning.
///   - `message`: why there are no scores, empty if there are.
struct MapResults {
    std::string file{};  ///< path that it was read from, empty for new results
    predict::Provenance provenance{};
    h5::DataFrame problems{};
    h5::DataFrame training{};  ///< table of the training steps in the run folder, may have no rows
};

/// Returns the table `problems`.
h5::DataFrame map_frame(const screen::Screen& screen, const std::vector<predict::MapProblem>& problems,
                        const std::vector<MapRow>& rows);

/// Writes a result file under a temporary name and renames it.
/// @throws core::DataError if the file cannot be created, core::WriteError if writing fails
void write_map_results(const std::string& path, const MapResults& results);

/// Reads a result file of maps.
/// @throws core::DataError for another kind of file, another format version and a damaged file
MapResults read_map_results(const std::string& path);

}  // namespace popflow::eval
