// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

namespace popflow::core {

/// Fields of one line of separated values; a field in double quotes may hold the separator, and "" for a
/// quote. Spaces around a field are left out. @throws core::DataError, naming file and `place`, for a quote
/// without an end
void split_fields(const std::string& line, char separator, const std::string& file, const std::string& place,
                  std::vector<std::string>& fields);

/// A table of separated values with a line of column names: comma, tab or semicolon, whichever the first line
/// has most of. Lines end in LF or CRLF; empty lines are left out; a line is a row, also with quotes.
class CsvFile {
  public:
    /// Reads the column names. @throws core::DataError if there are none, or one is there twice, or the file
    /// cannot be read
    explicit CsvFile(std::string path);

    const std::string& path() const { return path_; }
    const std::vector<std::string>& columns() const { return columns_; }
    char separator() const { return separator_; }
    /// Where the first row begins, and how long the file is, in bytes.
    std::uint64_t data_begin() const { return data_begin_; }
    std::uint64_t bytes() const { return bytes_; }
    /// The fields of a row, one for each column. @throws core::DataError, naming file and `place`, if there
    /// are more or fewer, and as split_fields()
    void split(const std::string& line, const std::string& place, std::vector<std::string>& fields) const;

    /// The rows that begin in bytes [begin, end) of the file.
    class Rows {
      public:
        Rows(const CsvFile& file, std::uint64_t begin, std::uint64_t end);
        /// The next line that is not empty; false behind the last.
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
