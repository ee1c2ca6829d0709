// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "h5/file.hpp"

namespace popflow::data_import {

/// What the markers of an FCS file are called.
enum class MarkerNames {
    stain,    ///< $PnS, or $PnN where there is none
    channel,  ///< $PnN
};

/// What to import, and how.
struct ImportOptions {
    std::string sheet;                         ///< CSV file with a row per file of cells; may be empty
    std::string file_column = "file";          ///< of the sheet
    std::string cells;                         ///< one table of cells, instead of a sheet
    std::vector<std::string> obs{};            ///< columns of tables of cells that are no markers
    std::vector<std::string> markers{};        ///< those taken, in this order; empty: all
    std::vector<std::string> exclude_markers;  ///< those left out
    MarkerNames names = MarkerNames::stain;
    bool compensate = false;
    std::size_t piece_bytes = std::size_t{8} << 20U;  ///< of a file that one rank reads at a time
};

/// A file of cells.
struct ImportSource {
    std::string path{};
    std::vector<std::string> labels{};  ///< of the columns of the sheet
    bool fcs = false;
    std::vector<std::size_t> columns{};      ///< of the file, for each marker
    std::vector<std::size_t> obs_columns{};  ///< of a table, for each of ImportOptions::obs
};

/// Part of a file: events of an FCS file, bytes of a table.
struct ImportPiece {
    std::size_t source = 0;
    std::uint64_t first = 0;
    std::uint64_t count = 0;
    std::size_t bytes = 0;  ///< to read
};

/// What is to be done, the same on every rank: it depends on the beginnings of the files alone.
struct ImportPlan {
    ImportOptions options{};
    std::vector<std::string> obs{};       ///< columns of the sheet, then ImportOptions::obs
    std::vector<std::string> markers{};   ///< names of var
    std::vector<std::string> channels{};  ///< $PnN of each marker in the first file; empty for tables
    std::vector<ImportSource> sources{};
    std::vector<ImportPiece> pieces{};
    bool has_unnamed_columns = false;  ///< columns without a name are no markers
};

/// Reads the sheet and the beginning of every file. @throws core::UserError
ImportPlan plan_import(const ImportOptions& options);

/// Rows of a piece, and the labels that its obs columns have.
struct PieceContents {
    std::uint64_t rows = 0;
    std::vector<std::vector<std::string>> labels;  ///< of each of ImportOptions::obs, sorted
};

/// @throws core::DataError
PieceContents scan_piece(const ImportPlan& plan, std::size_t piece);

/// What scanning every piece has told.
struct ImportLayout {
    std::vector<std::uint64_t> first_row;              ///< of each piece, then the number of all rows
    std::vector<std::vector<std::string>> categories;  ///< of each column of ImportPlan::obs, sorted

    std::uint64_t rows() const { return first_row.back(); }
};

/// A new AnnData file with its space taken and X, the codes of obs and the names of cells left to
/// write_pieces(). @return  the file, closed, not yet in its place
std::unique_ptr<h5::AtomicFile> create_imported_file(const ImportPlan& plan, const ImportLayout& layout,
                                                     const std::string& path);

/// Reads some pieces and writes their rows; ranks may do so side by side. Memory is that of a piece.
/// @param first_row  of every piece
/// @throws core::DataError
void write_pieces(const ImportPlan& plan, std::span<const std::uint64_t> first_row, const std::string& path,
                  std::span<const std::size_t> pieces);

}  // namespace popflow::data_import
