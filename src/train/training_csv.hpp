// SPDX-License-Identifier: MIT
#pragma once

#include <fstream>
#include <string>
#include <vector>

#include "train/training_table.hpp"

namespace popflow::train {

/// Table of a training as a growing CSV file: a header and one line per row.
///
/// Each line is flushed at once, so that the file can be followed during a run (`tail -f`).
template <class Row>
class TableCsv {
  public:
    /// Overwrites the file with the header and the given rows. @throws core::WriteError with the cause
    TableCsv(const std::string& path, const std::vector<Row>& rows);
    /// Appends a line. @throws core::WriteError, for example if the disk is full
    void append(const Row& row);

  private:
    void check() const;

    std::string path_;
    std::ofstream out_;
};

using TrainingCsv = TableCsv<TrainingRow>;
using ValidationCsv = TableCsv<ValidationRow>;

}  // namespace popflow::train
