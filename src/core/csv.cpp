// SPDX-License-Identifier: MIT
#include "core/csv.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <set>
#include <string_view>
#include <system_error>

#include "core/error.hpp"
#include "core/text.hpp"
#include "core/text_encoding.hpp"

namespace popflow::core {

namespace {

// Separators of a first line of which nothing else is known.
constexpr std::string_view any_separator = ",;\t|";
// Number of rows that decide on the layout.
constexpr std::size_t sampled_rows = 100;

bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

void trim(std::string& text) {
    while (!text.empty() && is_blank(text.back())) text.pop_back();
    text.erase(0, std::min(text.find_first_not_of(" \t\r"), text.size()));
}

bool is_separator(char c, std::string_view separators) {
    return separators.find(c) != std::string_view::npos || (c == '\t' && separators == " ");
}

// Role of a quote at position i within a quoted field.
enum class Quote { closes, doubled, escaped };

Quote quote_at(const std::string& text, std::size_t i, std::string_view separators) {
    // Whether a field ends at position j, but for blanks.
    const auto ends = [&](std::size_t j) {
        while (j < text.size() && is_blank(text[j]) && !is_separator(text[j], separators)) ++j;
        return j >= text.size() || is_separator(text[j], separators) || text[j] == '\n';
    };
    const bool is_escaped = i > 0 && text[i - 1] == '\\';
    if (i + 1 < text.size() && text[i + 1] == '"')
        return is_escaped && ends(i + 2) ? Quote::escaped : Quote::doubled;
    return is_escaped && !ends(i + 1) ? Quote::escaped : Quote::closes;
}

// Whether the text is within a quoted field at its end. Continues a scan that was within one (`is_open`) or
// between fields at position `begin`.
bool ends_in_quotes(const std::string& text, std::size_t begin, bool is_open, std::string_view separators) {
    bool at_start = true;
    for (std::size_t i = begin; i < text.size(); ++i) {
        const char c = text[i];
        if (is_open) {
            if (c != '"') continue;
            const Quote quote = quote_at(text, i, separators);
            if (quote == Quote::doubled) ++i;
            is_open = quote != Quote::closes;
        } else if (c == '"' && at_start) {
            is_open = true;
            at_start = false;
        } else {
            at_start = is_separator(c, separators) || (at_start && is_blank(c));
        }
    }
    return is_open;
}

// Counts the characters of a kind outside quotes.
std::size_t count_outside_quotes(const std::string& text, std::string_view separators) {
    std::string outside;
    bool is_open = false;
    bool at_start = true;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '"' && (is_open || at_start)) {
            const Quote quote = is_open ? quote_at(text, i, any_separator) : Quote::closes;
            if (quote == Quote::doubled) ++i;
            if (quote == Quote::closes) is_open = !is_open;
            at_start = false;
        } else if (!is_open) {
            outside += text[i];
            at_start = is_separator(text[i], any_separator) || is_blank(text[i]);
        }
    }
    return static_cast<std::size_t>(
        std::ranges::count_if(outside, [&](char c) { return is_separator(c, separators); }));
}

std::string without_line_end(std::string line) {
    while (!line.empty() && line.back() == '\r') line.pop_back();
    return line;
}

// Whether the last field of a row is in quotes.
bool ends_with_quote(const std::string& row, char separator) {
    std::size_t end = row.size();
    while (end > 0 && is_blank(row[end - 1]) && row[end - 1] != separator) --end;
    return end > 0 && row[end - 1] == '"';
}

bool is_empty_line(const std::string& line) {
    return line.find_first_not_of(" \r") == std::string::npos;
}

}  // namespace

void split_fields(const std::string& line, char separator, const std::string& file, const std::string& place,
                  std::vector<std::string>& fields) {
    fields.clear();
    const std::string_view separators(&separator, 1);
    const auto at_separator = [&](std::size_t i) { return is_separator(line[i], separators); };
    std::size_t i = 0;
    while (true) {
        std::string field;
        // With blanks as the separator, blanks before the first and after the last field are not fields.
        while (i < line.size() && is_blank(line[i]) && (separator == ' ' || !at_separator(i))) ++i;
        if (separator == ' ' && i == line.size() && !fields.empty()) return;
        if (i < line.size() && line[i] == '"') {
            for (++i;; ++i) {
                if (i >= line.size()) throw core::DataError(file, place, "a quoted field is not closed");
                if (line[i] == '"') {
                    const Quote quote = quote_at(line, i, separators);
                    if (quote == Quote::closes) break;
                    if (quote == Quote::doubled) ++i;
                    if (quote == Quote::escaped) field.pop_back();
                }
                field += line[i];
            }
            for (++i; i < line.size() && is_blank(line[i]) && !at_separator(i);) ++i;
            if (i < line.size() && !at_separator(i))
                throw core::DataError(file, place,
                                      "found text after a closing quote. Write a quote in a field twice");
        } else {
            const std::size_t end = std::min(
                line.find_first_of(separator == ' ' ? " \t" : std::string(1, separator), i), line.size());
            field = line.substr(i, end - i);
            trim(field);
            i = end;
        }
        fields.push_back(std::move(field));
        if (i >= line.size()) return;
        ++i;
        if (i == line.size() && separator != ' ') {
            fields.emplace_back();
            return;
        }
    }
}

CommaNumber comma_number(const std::string& text) {
    std::size_t i = text.starts_with('+') || text.starts_with('-') ? 1 : 0;
    const auto skip_digits = [&] {
        const std::size_t begin = i;
        while (i < text.size() && text[i] >= '0' && text[i] <= '9') ++i;
        return i - begin;
    };
    const char first = i < text.size() ? text[i] : '\0';
    const std::size_t before = skip_digits();
    if (i == text.size() || text[i] != ',') return CommaNumber::none;
    ++i;
    const std::size_t after = skip_digits();
    if (before + after == 0) return CommaNumber::none;
    if (i == text.size())
        return after == 3 && before >= 1 && before <= 3 && first != '0' ? CommaNumber::ambiguous
                                                                        : CommaNumber::decimal;
    if (text[i] != 'e' && text[i] != 'E') return CommaNumber::none;
    ++i;
    if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
    return skip_digits() > 0 && i == text.size() ? CommaNumber::decimal : CommaNumber::none;
}

bool has_decimal_comma(const std::vector<std::string>& numbers, const std::string& path) {
    std::string ambiguous;
    for (const std::string& number : numbers) {
        const CommaNumber kind = comma_number(number);
        if (kind == CommaNumber::decimal) return true;
        if (kind == CommaNumber::ambiguous) ambiguous = number;
    }
    if (!ambiguous.empty()) throw DataError(path, "", ambiguous_comma(ambiguous));
    return false;
}

std::optional<double> decimal_number(const std::string& text, bool has_comma) {
    if (!has_comma || text.find(',') == std::string::npos) {
        // A point in a table with decimal commas may separate thousands.
        return has_comma && text.find('.') != std::string::npos ? std::nullopt : label_number(text);
    }
    if (comma_number(text) == CommaNumber::none) return std::nullopt;
    std::string number = text.substr(text.starts_with('+') ? 1 : 0);
    std::ranges::replace(number, ',', '.');
    return label_number(number);
}

std::string ambiguous_comma(const std::string& number) {
    std::string point = number;
    std::ranges::replace(point, ',', '.');
    std::string plain = number;
    std::erase(plain, ',');
    return "found '" + number + "', which may be " + point + " or " + plain +
           ": write numbers with a decimal point and without separators of thousands";
}

CsvFile::CsvFile(std::string path) : path_(std::move(path)) {
    find_line_ends();
    read_header();
    find_layout();
    std::set<std::string_view> names;
    for (std::size_t j = 0; j < columns_.size(); ++j) {
        if (columns_[j].empty()) {
            has_unnamed_columns_ = has_unnamed_columns_ || !has_row_names_ || j > 0;
        } else if (!names.insert(columns_[j]).second) {
            throw core::DataError(path_, "line " + std::to_string(header_lines_),
                                  "found column `" + columns_[j] + "` twice: column names must be unique");
        }
    }
}

// Finds out whether the lines end in CR alone, as classic Mac programs write them.
void CsvFile::find_line_ends() {
    std::error_code ignored;
    const std::filesystem::file_status status = std::filesystem::status(path_, ignored);
    if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status) &&
        !std::filesystem::is_directory(status))
        throw DataError(path_, "",
                        "cannot read: this is a pipe or a device, write the table to a file first");
    TextReader in(path_);
    std::string line;
    in.next(line, true);
    // An LF after several CRs ends the line. Some programs write two.
    while (in.line_end() == "\r" && in.next(line, true)) {
        if (in.line_end() == "\r\n" && line.empty()) break;
        any_line_end_ = !line.empty() || in.line_end() != "\r";
        if (any_line_end_) break;
    }
    is_divisible_ = in.form() == TextForm::plain && !any_line_end_;
    std::error_code error;
    bytes_ = std::filesystem::file_size(path_, error);
    if (error) throw DataError(path_, "", "cannot read: " + error.message());
}

// Reads the first line that is not empty. It may span several lines of text.
void CsvFile::read_header() {
    TextReader in(path_);
    std::uint64_t at = in.mark_bytes();
    const auto next = [&](std::string& line) {
        if (!in.next(line, any_line_end_)) return false;
        at += line.size() + in.line_end().size();
        ++header_lines_;
        return true;
    };
    std::string header;
    char named_separator = '\0';
    while (next(header)) {
        const std::string text = lower_case(without_line_end(header));
        if (text.size() == 5 && text.starts_with("sep=")) {
            named_separator = header[4];
        } else if (!is_empty_line(header) && header.find_first_not_of(" \t\r") != std::string::npos) {
            break;
        }
    }
    const std::string place = "line " + std::to_string(std::max<std::size_t>(header_lines_, 1));
    if (header.find_first_not_of(" \t\r") == std::string::npos)
        throw core::DataError(path_, "line 1",
                              "the line is empty: the first line must hold the column names");
    bool is_open = ends_in_quotes(header, 0, false, any_separator);
    std::string line_end = in.line_end();
    for (std::string line; is_open && next(line); line_end = in.line_end()) {
        const std::size_t before = header.size() + line_end.size();
        header += line_end + line;
        is_open = ends_in_quotes(header, before, true, any_separator);
        if (header.size() > TextReader::max_line)
            throw core::DataError(path_, place, "a quoted field is not closed");
    }
    header = to_utf8(without_line_end(header));
    data_begin_ = is_divisible_ ? std::min<std::uint64_t>(at, bytes_) : 0;

    const std::size_t lines = header_lines_;
    std::string row;
    while (row.empty() && next(row)) row = is_empty_line(row) ? "" : without_line_end(row);
    header_lines_ = lines;
    separator_ = named_separator != '\0' ? named_separator : find_separator(header, row);
    split_fields(header, separator_, path_, place, columns_);
}

// Finds the separator of the first line. `row` is the first line behind it, empty if there is none.
char CsvFile::find_separator(const std::string& header, const std::string& row) const {
    const auto count = [](const std::string& line, char separator) {
        return count_outside_quotes(line, std::string_view(&separator, 1));
    };
    char best = ',';
    std::size_t max_count = 0;
    for (const char candidate : {',', '\t', ';'}) {
        const std::size_t n = count(header, candidate);
        const bool wins_tie = n > 0 && n == max_count && count(row, candidate) == n && count(row, best) != n;
        if (n <= max_count && !wins_tie) continue;
        best = candidate;
        max_count = n;
    }
    if (max_count > 0) return best;
    const std::size_t bars = count(header, '|');
    if (bars > 0 && count(row, '|') == bars) return '|';
    return count_outside_quotes(row, ",;\t") == 0 && splits_at_blanks(header, row) ? ' ' : ',';
}

// Whether blanks separate the names and the values of the first row, with or without a name of the row.
bool CsvFile::splits_at_blanks(const std::string& header, const std::string& row) const {
    std::vector<std::string> names;
    std::vector<std::string> values;
    try {
        split_fields(header, ' ', path_, "", names);
        split_fields(row, ' ', path_, "", values);
    } catch (const core::DataError&) {
        return false;
    }
    if (names.size() > 1) return values.size() == names.size() || values.size() == names.size() + 1;
    // A name in quotes, and two values: R's row names and one column.
    return values.size() == 2 && header.starts_with('"') && row.starts_with('"');
}

// Finds row names, and fields behind the last column, in the first rows.
void CsvFile::find_layout() {
    const std::size_t n = columns_.size();
    std::size_t named = n;
    while (named > 0 && columns_[named - 1].empty()) --named;
    if (named == 0)
        throw core::DataError(path_, "line " + std::to_string(header_lines_), "found no column names");

    bool all_have_one_more = true;
    bool all_are_comma_numbers = n == 1;
    bool all_are_numbered = true;  // the first fields are 0, 1, ... or 1, 2, ...
    bool last_is_empty = true;
    std::size_t used = named;  // number of fields up to the last one that is not empty in some row
    std::size_t sampled = 0;
    Rows rows(*this);
    std::vector<std::string> fields;
    try {
        for (std::string row; sampled < sampled_rows && rows.next(row); ++sampled) {
            split_fields(row, separator_, path_, "", fields);
            all_are_comma_numbers = all_are_comma_numbers && comma_number(row) != CommaNumber::none;
            all_are_numbered = all_are_numbered && (fields.front() == std::to_string(sampled) ||
                                                    fields.front() == std::to_string(sampled + 1));
            all_have_one_more = all_have_one_more && fields.size() == n + 1;
            last_is_empty = last_is_empty && fields.back().empty() && !ends_with_quote(row, separator_);
            while (!fields.empty() && fields.back().empty()) fields.pop_back();
            used = std::max(used, fields.size());
        }
    } catch (const core::DataError&) {
        all_have_one_more = false;  // reported by the reader of this row
    }
    if (sampled > 0 && all_are_comma_numbers && separator_ == ',') {
        if (all_are_numbered)
            throw core::DataError(
                path_, "row 1",
                "found a comma in the only column: write a decimal point if it is a decimal comma, or "
                "a name above the row numbers if it separates them");
        separator_ = ';';  // one column of numbers with a decimal comma
    } else if (sampled > 0 && all_have_one_more && !last_is_empty) {
        columns_.insert(columns_.begin(), "");
        has_row_names_ = true;
    } else {
        columns_.resize(std::min(n, used));
        has_row_names_ = columns_.front().empty() && columns_.size() > 1;
    }
}

void CsvFile::split(const std::string& row, const std::string& place,
                    std::vector<std::string>& fields) const {
    split_fields(row, separator_, path_, place, fields);
    while (fields.size() > columns_.size() && fields.back().empty()) fields.pop_back();
    if (fields.size() == columns_.size()) return;
    const std::size_t breaks = std::ranges::count(row, '\n');
    throw core::DataError(
        path_, place,
        fmt::format("found {}, but the table has {} columns", core::counted(fields.size(), "field"),
                    columns_.size()) +
            (breaks == 0 ? ""
                         : fmt::format(". The row spans {} lines: check for a quote too many", breaks + 1)));
}

CsvFile::Rows::Rows(const CsvFile& file, std::uint64_t begin, std::uint64_t end)
    : file_(file), at_(begin), end_(end) {
    std::string line;
    if (!file.is_divisible()) {
        in_ = std::make_unique<TextReader>(file.path());
        for (std::size_t i = 0; i < file.header_lines_; ++i) in_->next(line, file.any_line_end_);
    } else if (begin <= file.data_begin()) {
        in_ = std::make_unique<TextReader>(file.path(), begin);
    } else {
        // Skips the rest of a line that begins before `begin`: it belongs to the range before.
        in_ = std::make_unique<TextReader>(file.path(), begin - 1);
        in_->next(line);
        at_ = begin - 1 + line.size() + in_->line_end().size();
    }
}

bool CsvFile::Rows::next(std::string& row) {
    const std::string_view separators(&file_.separator_, 1);
    const auto read = [&](std::string& line) {
        const bool found = in_->next(line, file_.any_line_end_);
        at_ += line.size() + in_->line_end().size();
        return found;
    };
    while ((!file_.is_divisible() || at_ < end_) && read(row)) {
        if (row.find('"') != std::string::npos) {
            bool is_open = ends_in_quotes(row, 0, false, separators);
            std::string line_end = in_->line_end();
            for (std::string line; is_open && read(line); line_end = in_->line_end()) {
                spans_lines_ = true;
                const std::size_t before = row.size();
                row += line_end + line;
                if (row.size() > TextReader::max_line)
                    throw core::DataError(
                        file_.path(), "",
                        fmt::format("a row is longer than {} MiB: a quoted field is not closed",
                                    TextReader::max_line >> 20U));
                is_open = ends_in_quotes(row, before + line_end.size(), true, separators);
            }
        }
        while (!row.empty() && row.back() == '\r') row.pop_back();
        if (row.find('\0') != std::string::npos)
            throw core::DataError(file_.path(), "", "found a zero byte in a row: this is no table of text");
        if (row.find_first_not_of(' ') != std::string::npos) return true;
    }
    return false;
}

}  // namespace popflow::core
