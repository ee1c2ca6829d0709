// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

namespace popflow::core {

/// Splits a line of separated values into its fields and strips white space around them. A field in double
/// quotes may contain the separator, and `""` stands for a quote.
/// @param file, place  names of the file and of the line in it, for error messages
/// @param fields  overwritten
/// @throws core::DataError if a quoted field is not closed, or text follows its closing quote
void split_fields(const std::string& line, char separator, const std::string& file, const std::string& place,
                  std::vector<std::string>& fields);

/// Table of separated values whose first line holds the column names.
///
/// The separator is comma, tab or semicolon, whichever is most frequent in the first line. Lines end in LF or
/// CRLF. Empty lines are skipped. Each line is one row: a quoted field cannot span lines.
class CsvFile {
  public:
    /// Reads the column names.
    /// @throws core::DataError if the file cannot be read, has no column names, or repeats one
    explicit CsvFile(std::string path);

    const std::string& path() const { return path_; }
    const std::vector<std::string>& columns() const { return columns_; }
    char separator() const { return separator_; }
    /// Byte offset of the first row.
    std::uint64_t data_begin() const { return data_begin_; }
    /// Size of the file in bytes.
    std::uint64_t bytes() const { return bytes_; }
    /// Splits a row into its fields, one for each column.
    /// @param place  name of the row, for error messages
    /// @param fields  overwritten
    /// @throws core::DataError if the number of fields differs from that of the columns, and the errors of
    /// split_fields()
    void split(const std::string& line, const std::string& place, std::vector<std::string>& fields) const;

    /// Reader of the rows that begin in bytes [begin, end) of the file. Ranges that cover the file without
    /// overlap read each row exactly once.
    class Rows {
      public:
        Rows(const CsvFile& file, std::uint64_t begin, std::uint64_t end);
        /// Reads the next line that is not empty. Returns false after the last one.
        bool next(std::string& line);

      private:
        std::ifstream in_;
        std::uint64_t at_;
        std::uint64_t end_;
    };

  private:
    std::string path_;
    std::vector<std::string> columns_;
    char separator_ = ',';
    std::uint64_t data_begin_ = 0;
    std::uint64_t bytes_ = 0;
};

}  // namespace popflow::core
