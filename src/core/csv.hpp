// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/text_reader.hpp"

namespace popflow::core {

/// Splits a row of separated values into its fields and strips white space around them. A field in double
/// quotes may contain the separator and line breaks, and `""` stands for a quote. So does `\"`, as R writes
/// it.
/// @param separator  a blank stands for any number of blanks and tabs
/// @param file, place  names of the file and of the row in it, for error messages
/// @param fields  overwritten
/// @throws core::DataError if a quoted field is not closed, or text follows its closing quote
void split_fields(const std::string& line, char separator, const std::string& file, const std::string& place,
                  std::vector<std::string>& fields);

/// Reading of a number with one comma.
enum class CommaNumber {
    none,      ///< the text is no number with one comma
    decimal,   ///< the comma is a decimal comma: `1,5`, `0,125`, `1234,567`
    ambiguous  ///< the comma may also separate thousands: `1,234`
};

/// Returns how the comma of a number is to be read.
CommaNumber comma_number(const std::string& text);

/// Returns whether the numbers of a table have a decimal comma.
/// @param path  name of the file, for messages
/// @throws core::DataError if every number with a comma may have a separator of thousands instead
bool has_decimal_comma(const std::vector<std::string>& numbers, const std::string& path);
/// Parses a number with a decimal point, or with a decimal comma. Returns nullopt for any other text.
std::optional<double> decimal_number(const std::string& text, bool has_comma);
/// Returns the text of the error for a number whose comma may separate thousands.
std::string ambiguous_comma(const std::string& number);

/// Table of separated values whose first line holds the column names.
///
/// Reads tables as spreadsheets, pandas and R write them:
///   - Separator: comma, tab or semicolon, whichever is most frequent in the first line outside quotes.
///   Without
///     any of them, a vertical bar or blanks if the first row has as many fields. A line `sep=;` at the start
///     names it.
///   - Encoding: UTF-8 with or without byte order mark, UTF-16 with byte order mark, or Latin-1. Any of them
///   may
///     be compressed by gzip.
///   - Lines end in LF, CRLF or CR. Empty lines are skipped.
///   - A quoted field may span lines.
///   - Row names: a first column without a name, or rows with one field more than there are column names.
///   - Empty fields behind the last column are left out, and so are columns without a name at the end that
///   are
///     empty in the first rows.
class CsvFile {
  public:
    /// Reads the column names and the first rows.
    /// @throws core::DataError if the file cannot be read, is no table, has no column names, or repeats one
    explicit CsvFile(std::string path);

    const std::string& path() const { return path_; }
    /// Names of the columns. Row names are column 0, with an empty name.
    const std::vector<std::string>& columns() const { return columns_; }
    char separator() const { return separator_; }
    /// Whether column 0 holds the names of the rows.
    bool has_row_names() const { return has_row_names_; }
    /// Whether columns other than the row names have no name.
    bool has_unnamed_columns() const { return has_unnamed_columns_; }
    /// Whether ranges of bytes of the file can be read on their own. If not, Rows reads the whole file. A
    /// quoted field that spans lines may also make ranges invalid, see Rows::spans_lines().
    bool is_divisible() const { return is_divisible_; }
    /// Byte offset of the first row, 0 if the file is not divisible.
    std::uint64_t data_begin() const { return data_begin_; }
    /// Size of the file in bytes.
    std::uint64_t bytes() const { return bytes_; }
    /// Splits a row into its fields, one for each column.
    /// @param place  name of the row, for error messages
    /// @param fields  overwritten
    /// @throws core::DataError if the number of fields differs from that of the columns, and the errors of
    /// split_fields()
    void split(const std::string& row, const std::string& place, std::vector<std::string>& fields) const;

    /// Reader of the rows that begin in bytes [begin, end) of a divisible file, or of all rows of another
    /// file. Ranges that cover the file without overlap read each row exactly once, unless a row spans lines.
    class Rows {
      public:
        explicit Rows(const CsvFile& file) : Rows(file, file.data_begin(), file.bytes()) {}
        Rows(const CsvFile& file, std::uint64_t begin, std::uint64_t end);
        /// Reads the next row that is not empty. Returns false after the last one.
        /// @throws core::DataError for damaged data or a row above TextReader::max_line bytes
        bool next(std::string& row);
        /// Whether a row contained a line break. The first such row of a file is always recognised by the
        /// range in which it begins. The file must then be read as a whole.
        bool spans_lines() const { return spans_lines_; }

      private:
        const CsvFile& file_;
        std::unique_ptr<TextReader> in_;
        std::uint64_t at_;
        std::uint64_t end_;
        bool spans_lines_ = false;
    };

  private:
    void find_line_ends();
    void read_header();
    char find_separator(const std::string& header, const std::string& row) const;
    bool splits_at_blanks(const std::string& header, const std::string& row) const;
    void find_layout();

    std::string path_;
    std::vector<std::string> columns_;
    char separator_ = ',';
    bool has_row_names_ = false;
    bool has_unnamed_columns_ = false;
    bool is_divisible_ = true;
    bool any_line_end_ = false;     ///< whether a CR ends a line
    std::size_t header_lines_ = 0;  ///< lines before the first row
    std::uint64_t data_begin_ = 0;
    std::uint64_t bytes_ = 0;
};

}  // namespace popflow::core
