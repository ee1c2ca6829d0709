// SPDX-License-Identifier: MIT
#pragma once

#include <fstream>
#include <string>
#include <vector>

#include "train/training_table.hpp"

namespace popflow::train {

/// Training table as a growing CSV file: a header and one line per row.
///
/// Each line is flushed at once, so that the file can be followed during a run (`tail -f`).
class TrainingCsv {
  public:
    /// Overwrites the file with the header and the given rows. @throws core::WriteError with the cause
    TrainingCsv(const std::string& path, const std::vector<TrainingRow>& rows);
    /// Appends a line. @throws core::WriteError, for example if the disk is full
    void append(const TrainingRow& row);

  private:
    void check() const;

    std::string path_;
    std::ofstream out_;
};

}  // namespace popflow::train
