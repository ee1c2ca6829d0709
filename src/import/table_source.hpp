// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/csv.hpp"
#include "import/import_plan.hpp"
#include "linalg/matrix.hpp"

namespace popflow::data_import {

/// Returns the position of a column. @throws core::DataError if it is missing
std::size_t column_of(const std::vector<std::string>& columns, const std::string& name,
                      const std::string& file);
/// Returns the note that labels such as `NA` were read as missing.
std::string missing_labels_note(const std::string& file, const std::string& column, std::uint64_t count);
/// Throws the error of a file that differs from what an earlier pass read. @throws core::DataError
[[noreturn]] void fail_changed(const std::string& path);

/// Reads the first lines of a table, fills in what they say about the source, and returns the names of its
/// columns. Finds the columns of ImportOptions::obs.
/// @throws core::DataError for an invalid table
std::vector<std::string> open_table(ImportPlan& plan, std::size_t source);
/// Appends the pieces of a table to the plan: ranges of bytes if it is divisible, otherwise the whole file.
void add_table_pieces(ImportPlan& plan, std::size_t source);

/// Scans a piece of a table, see scan_piece().
PieceContents scan_table(const ImportPlan& plan, const ImportPiece& piece);

/// A block of rows of a table.
struct TableRows {
    linalg::Matrix<float> x;                       ///< [rows, markers]
    std::vector<std::vector<std::string>> labels;  ///< by entry of ImportOptions::obs, empty if missing
    std::vector<std::string> names;                ///< row names, empty if the table has none
};

/// Reads the rows of a piece one block after another.
class TablePieceReader {
  public:
    /// @param first_row  number of rows of the file before the piece
    TablePieceReader(const ImportPlan& plan, const ImportPiece& piece, std::uint64_t first_row);
    /// Reads the next `count` rows.
    /// @throws core::DataError for an invalid value, or if the file has fewer rows than when it was scanned
    void read(std::size_t count, TableRows& rows);

  private:
    float parse_cell(const std::string& text, std::size_t marker) const;

    const ImportPlan& plan_;
    const ImportSource& source_;
    core::CsvFile table_;
    core::CsvFile::Rows rows_;
    std::uint64_t row_;  ///< number of the last row read
};

}  // namespace popflow::data_import
