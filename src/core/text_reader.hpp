// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace popflow::core {

/// Form in which a file stores its text.
enum class TextForm {
    plain,  ///< UTF-8 or Latin-1, with or without a byte order mark
    gzip,   ///< compressed
    utf16   ///< with a byte order mark, in either byte order
};

/// Reads the lines of a text file, in blocks of bounded size. Decompresses gzip and converts UTF-16 to UTF-8.
class TextReader {
  public:
    /// Opens a file at its start and recognises its form. Skips a byte order mark.
    /// @throws DataError if the file cannot be read, or is known to be no text: a workbook of a spreadsheet
    ///         program, another archive, HDF5, an R data file, Parquet, PDF, HTML. The message says what to
    ///         do
    explicit TextReader(const std::string& path);
    /// Opens a file of plain text at a byte offset.
    TextReader(const std::string& path, std::uint64_t offset);
    TextReader(const TextReader&) = delete;
    TextReader& operator=(const TextReader&) = delete;
    ~TextReader();

    TextForm form() const { return form_; }
    /// Number of bytes of a byte order mark at the start of plain text.
    std::size_t mark_bytes() const { return mark_bytes_; }
    /// Reads a line without its end. By default lines end in LF. Then a CR before it is part of the line.
    /// @param any_end  whether a CR also ends a line, alone or before an LF
    /// @return  false at the end of the file
    /// @throws DataError for damaged data, and for a line longer than max_line bytes
    bool next(std::string& line, bool any_end = false);
    /// End of the last line read: LF, CR, CR and LF, or empty at the end of the file.
    const std::string& line_end() const { return line_end_; }
    /// Maximum number of bytes of a line, and of a row of a table.
    static constexpr std::size_t max_line = std::size_t{64} << 20U;

  private:
    class Source;
    bool fill();
    void detect_form();

    std::string path_;
    TextForm form_ = TextForm::plain;
    std::size_t mark_bytes_ = 0;
    std::unique_ptr<Source> source_;
    std::string block_;   ///< text that has been read
    std::size_t at_ = 0;  ///< next character of block_
    std::string raw_;     ///< bytes of UTF-16 that are not converted yet
    bool is_utf16_ = false;
    bool is_big_ = false;  ///< byte order of UTF-16
    std::string line_end_;
};

}  // namespace popflow::core
