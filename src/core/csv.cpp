// SPDX-License-Identifier: MIT
#include "core/csv.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <limits>
#include <system_error>

#include "core/error.hpp"
#include "core/text.hpp"
#include "core/text_encoding.hpp"

namespace popflow::core {

namespace {

bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

void trim(std::string& text) {
    while (!text.empty() && is_blank(text.back())) text.pop_back();
    text.erase(0, text.find_first_not_of(" \t\r"));
}

// Returns the most frequent separator of a line, or the comma if it has none.
char detect_separator(const std::string& line) {
    char best = ',';
    std::ptrdiff_t max_count = 0;
    for (const char candidate : {',', '\t', ';'}) {
        const auto n = std::ranges::count(line, candidate);
        if (n > max_count) {
            best = candidate;
            max_count = n;
        }
    }
    return best;
}

}  // namespace

void split_fields(const std::string& line, char separator, const std::string& file, const std::string& place,
                  std::vector<std::string>& fields) {
    fields.clear();
    std::size_t i = 0;
    while (true) {
        std::string field;
        while (i < line.size() && line[i] != separator && is_blank(line[i])) ++i;
        if (i < line.size() && line[i] == '"') {
            for (++i;; ++i) {
                if (i >= line.size())
                    throw core::DataError(file, place,
                                          "a quoted field is not closed: it must end on its line");
                if (line[i] == '"') {
                    ++i;
                    if (i >= line.size() || line[i] != '"') break;
                }
                field += line[i];
            }
            while (i < line.size() && line[i] != separator && is_blank(line[i])) ++i;
            if (i < line.size() && line[i] != separator)
                throw core::DataError(file, place, "found text after a closing quote, allowed a separator");
        } else {
            const std::size_t end = std::min(line.find(separator, i), line.size());
            field = line.substr(i, end - i);
            trim(field);
            i = end;
        }
        fields.push_back(std::move(field));
        if (i >= line.size()) return;
        ++i;
        if (i == line.size()) {
            fields.emplace_back();
            return;
        }
    }
}

CsvFile::CsvFile(std::string path) : path_(std::move(path)) {
    std::error_code ignored;
    if (std::filesystem::is_directory(path_, ignored))
        throw core::DataError(path_, "", "cannot read: this is a folder, not a file");
    std::ifstream in(path_, std::ios::binary | std::ios::ate);
    const auto size = in ? static_cast<std::streamoff>(in.tellg()) : -1;
    if (size < 0 || size == std::numeric_limits<std::streamoff>::max())
        throw core::DataError(path_, "", "cannot read: " + std::generic_category().message(errno));
    bytes_ = static_cast<std::uint64_t>(size);
    in.seekg(0);
    std::string line;
    std::getline(in, line);
    data_begin_ = std::min<std::uint64_t>(line.size() + 1, bytes_);
    if (line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);  // byte order mark
    separator_ = detect_separator(line);
    while (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.find_first_not_of(" \t") == std::string::npos)
        throw core::DataError(path_, "line 1",
                              "the line is empty: the first line must hold the column names");
    split_fields(to_utf8(line), separator_, path_, "line 1", columns_);
    for (std::size_t j = 0; j < columns_.size(); ++j) {
        if (std::find(columns_.begin(), columns_.begin() + static_cast<std::ptrdiff_t>(j), columns_[j]) !=
            columns_.begin() + static_cast<std::ptrdiff_t>(j))
            throw core::DataError(path_, "line 1",
                                  "found column `" + columns_[j] + "` twice: column names must be unique");
    }
}

void CsvFile::split(const std::string& line, const std::string& place,
                    std::vector<std::string>& fields) const {
    split_fields(line, separator_, path_, place, fields);
    if (fields.size() == columns_.size()) return;
    throw core::DataError(path_, place,
                          fmt::format("found {}, allowed {}, one for each column",
                                      core::counted(fields.size(), "field"), columns_.size()));
}

CsvFile::Rows::Rows(const CsvFile& file, std::uint64_t begin, std::uint64_t end)
    : in_(file.path(), std::ios::binary), at_(begin), end_(end) {
    if (!in_)
        throw core::DataError(file.path(), "", "cannot read: " + std::generic_category().message(errno));
    if (begin <= file.data_begin()) {
        in_.seekg(static_cast<std::streamoff>(begin));
        return;
    }
    // Skips the rest of a line that begins before `begin`: it belongs to the range before.
    in_.seekg(static_cast<std::streamoff>(begin - 1));
    std::string rest;
    std::getline(in_, rest);
    at_ = begin + rest.size();
}

bool CsvFile::Rows::next(std::string& line) {
    while (at_ < end_ && std::getline(in_, line)) {
        at_ += line.size() + 1;
        while (!line.empty() && line.back() == '\r') line.pop_back();
        if (line.find_first_not_of(' ') != std::string::npos) return true;
    }
    return false;
}

}  // namespace popflow::core
