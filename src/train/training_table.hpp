// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "h5/dataframe.hpp"

namespace popflow::train {

/// One row of the training table: means over the steps since the row before, or since training went on from a
/// checkpoint after it.
struct TrainingRow {
    std::uint64_t step = 0;  ///< steps done
    double epoch = 0;        ///< visits of each pair, on average
    double loss = 0;  ///< of whatever the steps updated; those of icnn mix the losses of its two potentials
    double rate = 0;  ///< learning rate of the last step
    double gradient_norm = 0;
    double seconds = 0;  ///< since the start, over all parts of a resumed run
};

/// As a table with the columns step epoch loss lr grad_norm seconds.
h5::DataFrame training_frame(const std::vector<TrainingRow>& rows);
std::vector<TrainingRow> training_rows(const h5::DataFrame& frame);

/// An HDF5 file with the table `/training`.
std::vector<std::byte> training_table_bytes(const std::vector<TrainingRow>& rows);
/// Rewrites the table `/training` of a file, whole or not at all.
void write_training_table(const std::string& path, const std::vector<TrainingRow>& rows);
/// Rows up to `last_step`; none if there is no such file.
std::vector<TrainingRow> read_training_table(const std::string& path, std::uint64_t last_step);

}  // namespace popflow::train
