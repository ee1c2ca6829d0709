// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "h5/dataframe.hpp"
#include "train/validation.hpp"

namespace popflow::train {

/// One row of the training table.
///
/// Loss and gradient norm are means over the steps since the previous row, without skipped steps. The first
/// row after a resume covers the steps since the checkpoint.
struct TrainingRow {
    std::uint64_t step = 0;  ///< number of steps done, skipped ones included
    double epoch = 0;        ///< mean number of visits of a pair
    double loss = 0;         ///< loss of the updated parameters, mixed if a method updates its parts in turn
    double rate = 0;         ///< learning rate of the last step
    double gradient_norm = 0;
    double seconds = 0;  ///< time since the start, over all parts of a resumed run
};

/// Returns the rows as a table with the columns step epoch loss lr grad_norm seconds.
h5::DataFrame training_frame(const std::vector<TrainingRow>& rows);
/// Returns the rows of such a table.
std::vector<TrainingRow> training_rows(const h5::DataFrame& frame);

/// Returns the rows as a table with the columns step energy w2 mean_shift moment_map pairs cells evaluations.
h5::DataFrame validation_frame(const std::vector<ValidationRow>& rows);

/// Returns the bytes of an HDF5 file with the table `/training`, and `/validation` if it has rows.
std::vector<std::byte> training_table_bytes(const std::vector<TrainingRow>& rows,
                                            const std::vector<ValidationRow>& validation = {});
/// Replaces a file atomically by one with these tables. @throws core::DataError, core::WriteError
void write_training_table(const std::string& path, const std::vector<TrainingRow>& rows,
                          const std::vector<ValidationRow>& validation = {});
/// Reads the rows up to `last_step`. Returns no rows if the file does not exist.
std::vector<TrainingRow> read_training_table(const std::string& path, std::uint64_t last_step);
/// Reads the rows of the table `/validation` up to `last_step`. Returns no rows if there is no such table.
std::vector<ValidationRow> read_validation_table(const std::string& path, std::uint64_t last_step);

}  // namespace popflow::train
