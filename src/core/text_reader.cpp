// SPDX-License-Identifier: MIT
#include "core/text_reader.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "core/error.hpp"
#include "core/text.hpp"

namespace popflow::core {

namespace {

constexpr std::size_t block_bytes = std::size_t{256} << 10U;

[[noreturn]] void fail_to_read(const std::string& path, int error) {
    throw DataError(path, "", "cannot read: " + std::generic_category().message(error));
}

// Start of a file that is no text, and what it is.
struct Signature {
    std::string_view bytes;
    const char* text;
};

using std::string_view_literals::operator""sv;

const char* const save_as_csv = ": open it in the program that wrote it and save the sheet as CSV";

constexpr Signature signatures[] = {
    {"PK\x03\x04"sv, "a workbook of a spreadsheet program (.xlsx, .ods) or another zip archive"},
    {"PK\x05\x06"sv, "an empty zip archive"},
    {"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"sv, "a workbook of Excel (.xls)"},
    {"\x09\x08\x10\x00"sv, "a workbook of an old Excel (.xls)"},
    {"<?xml"sv, "XML, as old spreadsheet programs write it"},
    {"<html"sv, "a web page, as some programs write it instead of a table"},
    {"<!doctype"sv, "a web page, as some programs write it instead of a table"},
    {"<table"sv, "a web page, as some programs write it instead of a table"},
    {"%PDF"sv, "a PDF file"},
    {"{\\rtf"sv, "a text document (RTF)"},
};

struct Remedy {
    std::string_view bytes;
    const char* text;
};

constexpr Remedy remedies[] = {
    {"\x89HDF\r\n\x1A\n"sv,
     "an HDF5 file. popflow reads AnnData files (.h5ad) with --data, without an import"},
    {"RDX2\n"sv, "an R data file: save the table in R with write.csv()"},
    {"RDX3\n"sv, "an R data file: save the table in R with write.csv()"},
    {"X\n\x00\x00"sv, "an R data file: save the table in R with write.csv()"},
    {"PAR1"sv, "a Parquet file: save the table as CSV"},
    {"ARROW1"sv, "a Feather file: save the table as CSV"},
    {"\x93NUMPY"sv, "a NumPy file: save the table as CSV"},
    {"BZh"sv, "a file compressed by bzip2: decompress it, or compress it by gzip"},
    {"\xFD"
     "7zXZ"sv,
     "a file compressed by xz: decompress it, or compress it by gzip"},
    {"\x28\xB5\x2F\xFD"sv, "a file compressed by zstd: decompress it, or compress it by gzip"},
    {"7z\xBC\xAF"sv, "a 7z archive: unpack it"},
    {"\xFF\xFE\x00\x00"sv, "UTF-32: save the file as UTF-8"},
    {"\x00\x00\xFE\xFF"sv, "UTF-32: save the file as UTF-8"},
    {"\x1F\x8B"sv, "a file that is compressed twice: decompress it once"},
};

void check_is_text(const std::string& path, const std::string& start) {
    const std::string lower = lower_case(start.substr(0, 16));
    for (const Signature& signature : signatures) {
        if (start.starts_with(signature.bytes) || lower.starts_with(signature.bytes))
            throw DataError(path, "", std::string("found ") + signature.text + save_as_csv);
    }
    for (const Remedy& remedy : remedies) {
        if (start.starts_with(remedy.bytes)) throw DataError(path, "", std::string("found ") + remedy.text);
    }
}

void check_has_no_nul(const std::string& path, const std::string& start) {
    const std::size_t nul = std::min(start.find('\0'), start.size());
    if (nul == start.size()) return;
    // Latin letters in UTF-16 have a zero as every second byte.
    const bool is_utf16 = nul < 2 && start.size() > nul + 2 && start[nul + 2] == '\0';
    throw DataError(path, "",
                    is_utf16 ? "found UTF-16 without a byte order mark: save the file as UTF-8"
                             : fmt::format("found a zero byte at offset {}: this is no table of text", nul));
}

void append_utf8(std::string& out, std::uint32_t c) {
    const auto add = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
    if (c < 0x80) {
        add(c);
    } else if (c < 0x800) {
        add(0xC0U | (c >> 6U));
        add(0x80U | (c & 0x3FU));
    } else if (c < 0x10000) {
        add(0xE0U | (c >> 12U));
        add(0x80U | ((c >> 6U) & 0x3FU));
        add(0x80U | (c & 0x3FU));
    } else {
        add(0xF0U | (c >> 18U));
        add(0x80U | ((c >> 12U) & 0x3FU));
        add(0x80U | ((c >> 6U) & 0x3FU));
        add(0x80U | (c & 0x3FU));
    }
}

// Converts the whole characters of UTF-16 and removes their bytes. @return  false for an invalid surrogate
bool convert_utf16(std::string& bytes, bool is_big, std::string& out) {
    const auto unit = [&](std::size_t i) {
        const auto low = static_cast<unsigned char>(bytes[i + (is_big ? 1 : 0)]);
        const auto high = static_cast<unsigned char>(bytes[i + (is_big ? 0 : 1)]);
        return std::uint32_t{low} | (std::uint32_t{high} << 8U);
    };
    std::size_t i = 0;
    for (; i + 1 < bytes.size(); i += 2) {
        std::uint32_t c = unit(i);
        if (c >= 0xDC00 && c < 0xE000) return false;
        if (c >= 0xD800 && c < 0xDC00) {
            if (i + 3 >= bytes.size()) break;  // the second half is in the next block
            const std::uint32_t second = unit(i + 2);
            if (second < 0xDC00 || second >= 0xE000) return false;
            c = 0x10000 + ((c - 0xD800) << 10U) + (second - 0xDC00);
            i += 2;
        }
        append_utf8(out, c);
    }
    bytes.erase(0, i);
    return true;
}

}  // namespace

// Bytes of the file, decompressed.
class TextReader::Source {
  public:
    Source(const std::string& path, std::uint64_t offset) : path_(path) {
        std::error_code ignored;
        if (std::filesystem::is_directory(path, ignored))
            throw DataError(path, "", "cannot read: this is a folder, not a file");
        fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
        if (fd_ < 0) fail_to_read(path, errno);
        std::array<unsigned char, 2> start{};
        is_gzip_ =
            offset == 0 && ::pread(fd_, start.data(), 2, 0) == 2 && start[0] == 0x1F && start[1] == 0x8B;
        if (!is_gzip_) {
            if (offset > 0 && ::lseek(fd_, static_cast<off_t>(offset), SEEK_SET) < 0) close_and_fail();
            return;
        }
        gz_ = ::gzdopen(fd_, "rb");
        if (gz_ == nullptr) close_and_fail();
        fd_ = -1;  // gz_ owns it
        ::gzbuffer(gz_, 1U << 17U);
    }
    Source(const Source&) = delete;
    Source& operator=(const Source&) = delete;
    ~Source() {
        if (gz_ != nullptr) ::gzclose(gz_);
        if (fd_ >= 0) ::close(fd_);
    }
    bool is_gzip() const { return is_gzip_; }

    // Reads at most `count` bytes and appends them. @return  false at the end of the file
    bool read(std::string& out, std::size_t count) {
        const std::size_t size = out.size();
        out.resize(size + count);
        const std::ptrdiff_t n = is_gzip_ ? read_gzip(&out[size], count) : read_plain(&out[size], count);
        out.resize(size + static_cast<std::size_t>(n));
        return n > 0;
    }

  private:
    [[noreturn]] void close_and_fail() {
        const int error = errno;
        ::close(fd_);
        fail_to_read(path_, error);
    }
    std::ptrdiff_t read_plain(char* out, std::size_t count) {
        while (true) {
            const ssize_t n = ::read(fd_, out, count);
            if (n >= 0) return n;
            if (errno != EINTR) fail_to_read(path_, errno);
        }
    }
    std::ptrdiff_t read_gzip(char* out, std::size_t count) {
        const int n = ::gzread(gz_, out, static_cast<unsigned>(count));
        int error = Z_OK;
        const char* text = ::gzerror(gz_, &error);
        if (n < 0 || (n == 0 && error != Z_OK && error != Z_STREAM_END)) {
            if (error == Z_ERRNO) fail_to_read(path_, errno);
            throw DataError(path_, "",
                            error == Z_BUF_ERROR
                                ? "the compressed file is truncated: copy or download it again"
                                : std::string("the compressed file is damaged (") + text + ")");
        }
        return n;
    }

    std::string path_;
    int fd_ = -1;
    gzFile gz_ = nullptr;
    bool is_gzip_ = false;
};

TextReader::TextReader(const std::string& path) : path_(path), source_(std::make_unique<Source>(path, 0)) {
    detect_form();
}

TextReader::TextReader(const std::string& path, std::uint64_t offset)
    : path_(path), source_(std::make_unique<Source>(path, offset)) {}

TextReader::~TextReader() = default;

void TextReader::detect_form() {
    if (source_->is_gzip()) form_ = TextForm::gzip;
    std::string start;
    while (start.size() < 4096 && source_->read(start, 4096 - start.size())) {
    }
    check_is_text(path_, start);
    if (start.starts_with("\xFF\xFE") || start.starts_with("\xFE\xFF")) {
        is_big_ = start.starts_with("\xFE\xFF");
        // A compressed file stays one that is read as a whole.
        if (form_ == TextForm::plain) form_ = TextForm::utf16;
        is_utf16_ = true;
        raw_ = start.substr(2);
        return;
    }
    if (start.starts_with("\xEF\xBB\xBF")) {
        mark_bytes_ = 3;
        start.erase(0, 3);
        check_is_text(path_, start);
    }
    check_has_no_nul(path_, start);
    block_ = std::move(start);
}

bool TextReader::fill() {
    block_.erase(0, at_);
    at_ = 0;
    if (!is_utf16_) return source_->read(block_, block_bytes);
    const std::size_t before = block_.size();
    while (block_.size() == before) {
        // Bytes of detect_form() may wait to be converted.
        if (!convert_utf16(raw_, is_big_, block_))
            throw DataError(path_, "", "found invalid UTF-16: save the file as UTF-8");
        if (block_.size() > before) return true;
        if (!source_->read(raw_, block_bytes)) {
            if (!raw_.empty()) throw DataError(path_, "", "the UTF-16 text ends within a character");
            return false;
        }
    }
    return true;
}

bool TextReader::next(std::string& line, bool any_end) {
    line.clear();
    line_end_.clear();
    while (true) {
        if (at_ == block_.size() && !fill()) return !line.empty();
        const char* begin = block_.data() + at_;
        const std::size_t left = block_.size() - at_;
        const auto* end = static_cast<const char*>(std::memchr(begin, '\n', left));
        if (any_end) {
            const std::size_t before = end == nullptr ? left : static_cast<std::size_t>(end - begin);
            if (const void* cr = std::memchr(begin, '\r', before)) end = static_cast<const char*>(cr);
        }
        const std::size_t n = end == nullptr ? left : static_cast<std::size_t>(end - begin);
        if (line.size() + n > max_line)
            throw DataError(
                path_, "",
                fmt::format("found a line of more than {} MiB: check the line ends", max_line >> 20U));
        line.append(begin, n);
        at_ += n;
        if (end == nullptr) continue;
        if (block_[at_] == '\n') {
            line_end_ = "\n";
        } else {
            if (at_ + 1 == block_.size()) fill();  // keeps the CR, which becomes the first character
            line_end_ = at_ + 1 < block_.size() && block_[at_ + 1] == '\n' ? "\r\n" : "\r";
        }
        at_ += line_end_.size();
        return true;
    }
}

}  // namespace popflow::core
