// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "h5/file.hpp"
#include "import/fcs_names.hpp"

namespace popflow::data_import {

/// Reading of numbers with a comma in tables of cells.
enum class Decimal {
    automatic,  ///< a decimal comma, unless all commas of the file may separate thousands
    point,      ///< numbers with a comma are refused
    comma,      ///< every comma is a decimal comma
};

/// Options of an import.
struct ImportOptions {
    std::string sheet;                         ///< CSV file with a row per file of cells; may be empty
    std::string file_column = "file";          ///< column of the sheet that names the files of cells
    std::string cells;                         ///< one file of cells, instead of a sheet
    std::vector<std::string> images{};         ///< images and folders of images, instead of a sheet
    std::size_t pixels = 0;                    ///< number of pixels to draw from each image; 0: all
    std::size_t max_side = 0;                  ///< longer side to which larger images are shrunk; 0: none
    std::uint64_t seed = 0;                    ///< seed of the drawn pixels
    std::vector<std::string> obs{};            ///< label columns of tables of cells
    std::vector<std::string> markers{};        ///< markers to import, in this order; empty: all
    std::vector<std::string> exclude_markers;  ///< markers to leave out
    MarkerNames names = MarkerNames::stain;
    bool compensate = false;
    std::size_t data_set = 1;  ///< data set of FCS files that have several, from 1 on
    Decimal decimal = Decimal::automatic;
    std::size_t piece_bytes = std::size_t{8} << 20U;  ///< bytes of a file that one rank reads at a time

    /// Returns the sheet, the file of cells, or the images, for messages.
    std::string input() const;
};

/// Format of a file of cells.
enum class SourceKind {
    table,  ///< CSV or TSV
    fcs,
    image  ///< PNG or JPEG, whose pixels are the cells
};

/// A file of cells.
struct ImportSource {
    std::string path{};
    std::vector<std::string> labels{};  ///< value of each column of the sheet that is used, empty if missing
    SourceKind kind = SourceKind::table;
    std::string image_label{};               ///< label of an image, which names its population
    bool is_divisible = true;                ///< whether ranks may read ranges of bytes of a table
    bool has_row_names = false;              ///< whether a table names its rows
    bool has_decimal_comma = false;          ///< whether numbers have a decimal comma
    std::string name_suffix{};               ///< appended to row names, so that files do not share names
    std::vector<std::size_t> columns{};      ///< column of the file for each marker
    std::vector<std::size_t> obs_columns{};  ///< column of a table for each entry of ImportOptions::obs
};

/// Line for the user about something in the files that is not as expected, but can be read.
struct ImportNote {
    std::string text{};
    std::string path{};     ///< first file that it applies to. Empty if the text names its place
    std::size_t files = 1;  ///< number of files that it applies to

    /// Returns the line: `PATH: TEXT`, with the number of the other files, or the text alone.
    std::string line() const;
};

/// Part of a file: a range of events of an FCS file, a range of bytes of a table, or all pixels of an image.
struct ImportPiece {
    std::size_t source = 0;  ///< index into ImportPlan::sources
    std::uint64_t first = 0;
    std::uint64_t count = 0;
    std::size_t bytes = 0;  ///< number of bytes to read
};

/// Work list of an import. It depends only on the options and on the start and the length of the files, so
/// all ranks compute the same plan.
struct ImportPlan {
    ImportOptions options{};
    /// Columns of the sheet, for images the column of their labels, then ImportOptions::obs.
    std::vector<std::string> obs{};
    std::vector<std::string> places{};    ///< columns with the place of a pixel; empty without images
    std::vector<std::string> markers{};   ///< names of var
    std::vector<std::string> channels{};  ///< $PnN of each marker in the first file; empty for tables
    std::vector<ImportSource> sources{};
    std::vector<ImportPiece> pieces{};
    std::vector<ImportNote> notes{};
    bool has_unnamed_columns = false;  ///< true if columns without a name were left out
};

/// Reads the sheet and the start of every file. @throws core::UserError for invalid options or files
ImportPlan plan_import(const ImportOptions& options);

/// Size and labels of a piece.
struct PieceContents {
    std::uint64_t rows = 0;
    /// Sorted labels for each entry of ImportOptions::obs, without missing ones.
    std::vector<std::vector<std::string>> labels;
    /// Number of rows with a text such as `NA` instead of a label, for each entry of ImportOptions::obs.
    std::vector<std::uint64_t> missing;
    /// Whether the file has to be read as a whole: a row spans lines, or the piece cannot be read on its own.
    bool needs_whole_file = false;
    std::string comma_number{};      ///< a number with a decimal comma, if there is one
    std::string ambiguous_number{};  ///< a number whose comma may separate thousands, if there is one
    std::size_t name_length = 0;     ///< length of the longest row name, in bytes
    std::vector<std::uint64_t> name_hashes{};  ///< one for each row name
};

/// Counts the rows of a piece and collects its labels. @throws core::DataError for an invalid file
PieceContents scan_piece(const ImportPlan& plan, std::size_t piece);

/// Replaces the pieces of some files by one piece each, which is the whole file.
/// @param whole  for each source, whether it is to be read as a whole
void read_as_a_whole(ImportPlan& plan, std::span<const std::int64_t> whole);

/// Layout of the new file, computed from the scans of all pieces.
struct ImportLayout {
    std::vector<std::uint64_t> first_row;  ///< first row of each piece, then the total number of rows
    std::vector<std::vector<std::string>>
        categories;               ///< sorted categories for each entry of ImportPlan::obs
    std::size_t name_length = 0;  ///< length of the longest row name, with its suffix

    std::uint64_t rows() const { return first_row.back(); }
};

/// Creates the AnnData file and allocates its space. write_pieces() fills in X, the codes of obs and the
/// names of the cells.
/// @return  the closed file, still under its temporary name
std::unique_ptr<h5::AtomicFile> create_imported_file(const ImportPlan& plan, const ImportLayout& layout,
                                                     const std::string& path);

/// Reads the given pieces and writes their rows. Not collective: ranks may write different pieces at the same
/// time. Memory use is that of one piece, or of a block of rows of a table.
/// @param first_row  ImportLayout::first_row
/// @param pieces  indices into plan.pieces
/// @throws core::DataError for an invalid value, and for a file that changed since it was scanned
void write_pieces(const ImportPlan& plan, std::span<const std::uint64_t> first_row, const std::string& path,
                  std::span<const std::size_t> pieces);

}  // namespace popflow::data_import
