// SPDX-License-Identifier: MIT
#pragma once

#include <fstream>
#include <string>
#include <vector>

#include "train/training_table.hpp"

namespace popflow::train {

/// The training table as a CSV file that grows: a header, then a line per row, flushed at once, so that it
/// can be followed while a run goes on.
class TrainingCsv {
  public:
    /// Replaces the file by the header and these rows. @throws core::WriteError with the cause
    TrainingCsv(const std::string& path, const std::vector<TrainingRow>& rows);
    /// @throws core::WriteError, as on a full disk
    void append(const TrainingRow& row);

  private:
    void check() const;

    std::string path_;
    std::ofstream out_;
};

}  // namespace popflow::train
