// SPDX-License-Identifier: MIT
#include "import/fcs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <string_view>
#include <system_error>
#include <utility>

#include "core/error.hpp"
#include "core/text.hpp"
#include "core/text_encoding.hpp"

namespace popflow::data_import {

namespace {

constexpr std::size_t header_bytes = 58;
constexpr const char* header_place = "the header";
constexpr const char* keyword_place = "$BEGINDATA and $ENDDATA";
constexpr std::string_view non_finite_advice = "leave the channel out with --exclude-markers";

std::optional<std::uint64_t> whole_number(const std::string& text) {
    const std::string digits = stripped(text);
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    return value;
}

std::string value_of(const FcsKeywords& keywords, const std::string& name) {
    const auto at = keywords.find(name);
    return at == keywords.end() ? std::string() : stripped(at->second);
}

// Parses $BYTEORD: a permutation of 1 to n, separated by commas or blanks.
std::optional<std::vector<unsigned>> parse_byte_order(std::string text) {
    std::ranges::replace(text, ' ', ',');
    std::vector<unsigned> order;
    for (const std::string& part : core::split_text(text, ',')) {
        if (part.empty()) continue;
        const auto byte = whole_number(part);
        if (!byte || *byte == 0 || *byte > 64) return std::nullopt;
        order.push_back(static_cast<unsigned>(*byte));
    }
    std::vector<unsigned> sorted = order;
    std::ranges::sort(sorted);
    for (std::size_t i = 0; i < sorted.size(); ++i) {
        if (sorted[i] != i + 1) return std::nullopt;
    }
    if (order.empty()) return std::nullopt;
    return order;
}

bool is_ascending(std::span<const unsigned> order) {
    return std::ranges::is_sorted(order);
}

bool is_descending(std::span<const unsigned> order) {
    return order.size() > 1 && std::ranges::is_sorted(order, std::greater<>());
}

// Returns the position in a value of each of its `bytes` stored bytes, in bits. Returns nothing if a byte
// order does not tell the order of that number of bytes.
std::optional<std::array<unsigned char, 8>> byte_shifts(std::span<const unsigned> order, std::size_t bytes) {
    std::array<unsigned char, 8> shifts{};
    const auto set = [&](std::size_t at, std::size_t significance) {
        shifts[at] = static_cast<unsigned char>(8 * significance);
    };
    if (bytes == 1 || is_ascending(order) || is_descending(order)) {
        for (std::size_t i = 0; i < bytes; ++i) set(i, is_descending(order) ? bytes - 1 - i : i);
        return shifts;
    }
    // Ranks the bytes of each value within a word. All values of the word must have the same ranks.
    if (order.size() % bytes != 0) return std::nullopt;
    for (std::size_t begin = 0; begin < order.size(); begin += bytes) {
        const auto value = order.subspan(begin, bytes);
        if (*std::ranges::max_element(value) - *std::ranges::min_element(value) != bytes - 1)
            return std::nullopt;
        for (std::size_t i = 0; i < bytes; ++i) {
            const std::size_t rank = value[i] - *std::ranges::min_element(value);
            if (begin > 0 && shifts[i] != 8 * rank) return std::nullopt;
            set(i, rank);
        }
    }
    return shifts;
}

// Returns the mask of all bits that values below `range` use.
std::uint64_t mask_of(double range) {
    if (!(range > 1)) return ~std::uint64_t{0};
    if (range > 0x1p63) return ~std::uint64_t{0};
    return std::bit_ceil(static_cast<std::uint64_t>(std::ceil(range))) - 1;
}

// Parses $PnE: f1 and f2. By the standard, an f2 of 0 of a logarithmic scale is read as 1.
std::optional<std::pair<double, double>> parse_scale(const std::string& text) {
    const std::vector<std::string> parts = core::split_text(text, ',');
    if (parts.size() != 2) return std::nullopt;
    const auto decades = core::label_number(parts[0]);
    const auto offset = core::label_number(parts[1]);
    if (!decades || !offset || *decades < 0 || *offset < 0 || *decades > 100) return std::nullopt;
    return std::pair{*decades, *offset > 0 ? *offset : 1};
}

// Counts the required keywords that are missing or invalid. Those without which DATA cannot be read count
// more than any number of others.
std::size_t count_defects(const FcsKeywords& keywords) {
    const auto get = [&](const std::string& name) { return value_of(keywords, name); };
    const std::string type = core::upper_case(get("$DATATYPE"));
    const auto parameters = whole_number(get("$PAR"));
    std::size_t defects = 0;
    const auto expect = [&](bool is_valid) { defects += is_valid ? 0 : 1; };
    const auto need = [&](bool is_valid) { defects += is_valid ? 0 : std::size_t{1} << 32U; };
    need(parameters && *parameters > 0);
    need(type == "I" || type == "F" || type == "D" || type == "A");
    need(type == "A" || parse_byte_order(get("$BYTEORD")));
    expect(!get("$MODE").empty());
    for (const char* name : {"$TOT", "$NEXTDATA"}) expect(whole_number(get(name)).has_value());
    const std::uint64_t n_parameters = std::min<std::uint64_t>(parameters.value_or(0), keywords.size() + 1);
    for (std::uint64_t n = 1; n <= n_parameters; ++n) {
        const std::string prefix = "$P" + std::to_string(n);
        const std::string bits = get(prefix + "B");
        need(bits == "*" || whole_number(bits));
        expect(!get(prefix + "N").empty());
        expect(core::label_number(get(prefix + "R")).has_value());
        expect(parse_scale(get(prefix + "E")).has_value());
    }
    return defects;
}

// Returns whether the values or the names of an import depend on a keyword.
bool is_used(const std::string& name) {
    constexpr std::array used{"$BEGINDATA", "$BYTEORD", "$COMP",      "$DATATYPE", "$ENDDATA", "$MODE",
                              "$NEXTDATA",  "$PAR",     "$SPILLOVER", "$TOT",      "SPILL",    "SPILLOVER"};
    if (std::ranges::find(used, name) != used.end()) return true;
    return name.size() > 3 && name.starts_with("$P") && name[2] >= '0' && name[2] <= '9' &&
           std::string_view("BENRS").find(name.back()) != std::string_view::npos;
}

// Returns the first used keyword whose value in `keywords` differs from that in `others`.
std::string other_keyword(const FcsKeywords& keywords, const FcsKeywords& others) {
    for (const auto& [name, value] : keywords) {
        if (is_used(name) && !stripped(value).empty() && value_of(others, name) != stripped(value))
            return name;
    }
    return "";
}

bool is_name_character(char c) {
    return c == '$' || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

// Possible delimiters of a TEXT segment: its first character, the first one behind padding, and the one
// behind the first name if the delimiter at the begin is missing.
std::vector<FcsTextReading> possible_starts(const std::string& text) {
    std::vector<FcsTextReading> starts{{.delimiter = text.front(), .first = 1}};
    const std::size_t visible = text.find_first_not_of(std::string_view(" \t\r\n\0", 5));
    if (visible == std::string::npos) return starts;
    if (visible > 0) starts.push_back({.delimiter = text[visible], .first = visible + 1});
    if (is_name_character(text[visible])) {
        std::size_t end = visible;
        while (end < text.size() && (is_name_character(text[end]) || text[end] == '_')) ++end;
        if (end < text.size()) starts.push_back({.delimiter = text[end], .first = visible});
    }
    return starts;
}

// Cursor over numbers in ASCII that blanks, commas and line breaks separate.
class NumberCursor {
  public:
    NumberCursor(std::ifstream& in, std::uint64_t bytes) : in_(in), left_(bytes) {}
    /// Reads the next number. Returns false at the end of the range.
    bool next(std::string& token) {
        token.clear();
        for (int c = get(); c >= 0; c = get()) {
            const bool is_separator =
                c == ' ' || c == ',' || c == '\t' || c == '\r' || c == '\n' || c == '\0';
            if (!is_separator) {
                // Longer ones are no numbers. Keeps enough of them for the message.
                if (token.size() < max_token) token += static_cast<char>(c);
            } else if (!token.empty()) {
                return true;
            }
        }
        return !token.empty();
    }

  private:
    static constexpr std::size_t max_token = 64;
    int get() {
        if (at_ == filled_) {
            const std::uint64_t n = std::min<std::uint64_t>(left_, buffer_.size());
            if (n == 0 || !in_.read(buffer_.data(), static_cast<std::streamsize>(n))) return -1;
            left_ -= n;
            filled_ = n;
            at_ = 0;
        }
        return static_cast<unsigned char>(buffer_[at_++]);
    }
    std::ifstream& in_;
    std::uint64_t left_;
    std::array<char, 1U << 16U> buffer_{};
    std::size_t at_ = 0;
    std::size_t filled_ = 0;
};

// Returns `width` bits from bit `at` on. The first bit of a byte is the highest one for big-endian data, and
// the lowest one for little-endian data.
std::uint64_t bits_at(const unsigned char* bytes, std::uint64_t at, std::uint64_t width, bool big_endian) {
    std::uint64_t value = 0;
    for (std::uint64_t k = 0; k < width;) {
        const std::uint64_t byte = bytes[(at + k) / 8];
        const std::uint64_t begin = (at + k) % 8;
        const std::uint64_t n = std::min(8 - begin, width - k);
        const std::uint64_t mask = (std::uint64_t{1} << n) - 1;
        if (big_endian) {
            value = value << n | (byte >> (8 - begin - n) & mask);
        } else {
            value |= (byte >> begin & mask) << k;
        }
        k += n;
    }
    return value;
}

// Bytes of the header: a version such as FCS3.1, four blanks, and the offsets of TEXT in eight bytes each.
constexpr std::size_t version_end = 6;
constexpr std::size_t blanks_end = 10;
constexpr std::size_t offsets_end = 26;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// Whether a file starts like an FCS file. A table may have a first column called FCS, or even FCS3.1. In a
// file whose name ends in .fcs, the version alone decides, so that a damaged header is reported as such.
bool is_fcs_header(std::string_view start, const std::string& extension) {
    if (start.size() < version_end || !start.starts_with("FCS") || !is_digit(start[3]) || start[4] != '.' ||
        !is_digit(start[5]))
        return false;
    if (core::lower_case(extension) == ".fcs") return true;
    const auto is_blank = [](char c) { return c == ' ' || c == '\0'; };
    const std::string_view blanks = start.substr(version_end, blanks_end - version_end);
    const std::string_view offsets = start.substr(std::min(blanks_end, start.size()));
    return start.size() == offsets_end && std::ranges::all_of(blanks, is_blank) &&
           std::ranges::all_of(offsets, [&](char c) { return is_blank(c) || is_digit(c); });
}

}  // namespace

bool is_fcs(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    std::string start(offsets_end, '\0');
    if (!in || (!in.read(start.data(), static_cast<std::streamsize>(start.size())) && in.bad()))
        throw core::DataError(path, "", "cannot read: " + std::generic_category().message(errno));
    start.resize(static_cast<std::size_t>(in.gcount()));
    return is_fcs_header(start, std::filesystem::path(path).extension().string());
}

FcsFile::FcsFile(std::string path, std::size_t data_set) : path_(std::move(path)) {
    std::ifstream in(path_, std::ios::binary | std::ios::ate);
    if (!in) fail("", "cannot read: " + std::generic_category().message(errno));
    const auto size = static_cast<std::streamoff>(in.tellg());
    if (size < 0) fail("", "cannot read: not a regular file");
    file_bytes_ = static_cast<std::uint64_t>(size);
    for (std::size_t n = 1; n < data_set; ++n) {
        read_data_set(in);
        const auto next = next_data_set(in);
        if (!next) {
            fail("", fmt::format("found {}, but --data-set asks for number {}", core::counted(n, "data set"),
                                 data_set));
        }
        base_ = *next;
    }
    read_data_set(in);
    read_layout();
    place_data();
    // Counts the data sets that follow, as far as their keywords can be read.
    FcsFile other = *this;
    data_sets_ = data_set;
    std::optional<std::uint64_t> next = next_data_set(in);
    for (; next; next = other.next_data_set(in)) {
        ++data_sets_;
        other.base_ = *next;
        try {
            other.read_data_set(in);
        } catch (const core::DataError&) {
            break;
        }
    }
    if (data_sets_ > 1) {
        notes_.push_back(fmt::format("data set {} of {} is imported: choose another with --data-set",
                                     data_set, data_sets_));
    }
}

void FcsFile::fail(const std::string& field, const std::string& problem) const {
    throw core::DataError(path_, field, problem);
}

std::string FcsFile::read_bytes(std::ifstream& in, std::uint64_t begin, std::uint64_t end) const {
    std::string bytes(end - begin, '\0');
    in.clear();
    in.seekg(static_cast<std::streamoff>(base_ + begin));
    if (!in.read(bytes.data(), static_cast<std::streamsize>(bytes.size())))
        fail("", fmt::format("cannot read bytes {} to {}", base_ + begin, base_ + end));
    return bytes;
}

void FcsFile::read_data_set(std::ifstream& in) {
    notes_.clear();
    read_header(in);
    read_text(in);
}

void FcsFile::read_header(std::ifstream& in) {
    if (available() < header_bytes)
        fail("header",
             fmt::format("found {} bytes, but a header has 58: the file is truncated", available()));
    const std::string header = read_bytes(in, 0, header_bytes);
    version_ = header.substr(0, 6);
    if (version_ != "FCS2.0" && version_ != "FCS3.0" && version_ != "FCS3.1" && version_ != "FCS3.2")
        fail("header",
             "found '" + core::to_utf8(version_) + "'. Convert the file to FCS2.0, FCS3.0, FCS3.1 or FCS3.2");
    const auto text_offset = [&](std::size_t at, const char* what) -> std::uint64_t {
        const std::string field = header.substr(at, 8);
        if (stripped(field).empty()) return 0;
        const auto value = whole_number(field);
        if (!value)
            fail("header", std::string(what) + ": found '" + core::to_utf8(field) +
                               "', which is no whole number: the file is damaged");
        return *value;
    };
    text_ = {text_offset(10, "begin of TEXT"), text_offset(18, "end of TEXT")};
    // Offsets that do not fit into eight digits are 0 or unreadable here. Then the keywords hold them.
    const auto begin = whole_number(header.substr(26, 8));
    const auto end = whole_number(header.substr(34, 8));
    header_data_.reset();
    if (begin && end && (*begin != 0 || *end != 0)) header_data_ = ByteRange{*begin, *end};
}

void FcsFile::read_text(std::ifstream& in) {
    if (text_.end == available()) --text_.end;  // some programs count one byte too many
    if (text_.begin < header_bytes || text_.end <= text_.begin || text_.end >= available()) {
        fail("TEXT", fmt::format("found bytes {} to {}, which are not within 58 to {}, the end of the file",
                                 text_.begin, text_.end, available() - 1));
    }
    struct Candidate {
        FcsText text{};
        std::size_t defects = ~std::size_t{0};
        FcsTextReading reading{};
        std::string supplement_problem{};
    };
    Candidate best;
    bool needs_fewer_defects = false;
    std::optional<Candidate> standard;  // the first reading, that of the standard
    std::string bytes = read_bytes(in, text_.begin, text_.end + 1);
    const auto consider = [&](const std::string& text, const FcsTextReading& reading, bool compares_form) {
        Candidate candidate{.text = parse_fcs_text(text, reading), .reading = reading};
        candidate.supplement_problem = add_supplement(in, candidate.text.keywords, reading.delimiter);
        candidate.defects = count_defects(candidate.text.keywords);
        const bool is_better =
            candidate.defects < best.defects || (compares_form && candidate.defects == best.defects &&
                                                 candidate.text.oddities < best.text.oddities);
        if (!standard) standard = candidate;
        if (is_better) best = std::move(candidate);
    };
    const auto consider_all = [&](const std::string& text) {
        for (FcsTextReading start : possible_starts(text)) {
            for (const bool should_resynchronise : {false, true}) {
                start.should_resynchronise = should_resynchronise;
                for (const auto doubled : {DoubledDelimiter::escape, DoubledDelimiter::by_position,
                                           DoubledDelimiter::empty_value, DoubledDelimiter::stray}) {
                    if (best.defects == 0 && best.text.oddities == 0) return;
                    start.doubled = doubled;
                    // Unusual readings must complete the required keywords. A better form alone is no reason.
                    const bool is_usual = !needs_fewer_defects && start.first == 1 && !should_resynchronise &&
                                          doubled <= DoubledDelimiter::by_position;
                    consider(text, start, is_usual);
                    // The standard's way, and the one for empty values, suffice for most files.
                    if (best.defects == 0 && doubled == DoubledDelimiter::by_position) return;
                }
            }
        }
    };
    consider_all(bytes);
    // The end of TEXT may be too small or too large. DATA, or the end of the file, ends it in any case.
    const std::uint64_t limit = header_data_ && header_data_->begin > text_.begin
                                    ? std::min(header_data_->begin, available())
                                    : available();
    const bool can_be_longer = header_data_ && limit > text_.end + 1;
    needs_fewer_defects = true;
    if (best.defects > 0 && can_be_longer) consider_all(read_bytes(in, text_.begin, limit));
    if (best.defects > 0 && limit > text_.begin + 1 && limit <= text_.end)
        consider_all(bytes.substr(0, limit - text_.begin));
    if (!best.text.is_terminated && can_be_longer) {
        const std::string more = read_bytes(in, text_.end + 1, limit);
        const std::size_t length = more.find(best.reading.delimiter);
        const auto control = std::ranges::find_if(more, [](char c) { return c >= 0 && c < ' '; });
        if (length != std::string::npos && static_cast<std::size_t>(control - more.begin()) >= length)
            consider(bytes + more.substr(0, length + 1), best.reading, true);
    }
    if (best.text.keywords.empty()) {
        fail("TEXT",
             fmt::format("found no keywords in bytes {} to {}, which must hold pairs of a name and a value",
                         text_.begin, text_.end));
    }
    if (const std::string name = other_keyword(best.text.keywords, standard->text.keywords);
        best.defects == standard->defects && !name.empty()) {
        notes_.push_back("TEXT has keywords without values: " + name +
                         " is read as a keyword of its own, not as a part of the value before it");
    }
    if (!best.text.cut_name.empty() && !best.text.keywords.contains(best.text.cut_name))
        notes_.push_back("TEXT ends within the keyword " + best.text.cut_name + ", which is ignored");
    text_.end = text_.begin + std::max<std::size_t>(best.text.end, 1) - 1;
    keywords_ = std::move(best.text.keywords);
    supplement_problem_ = std::move(best.supplement_problem);
    if (!supplement_problem_.empty())
        notes_.push_back("the supplemental TEXT is ignored: " + supplement_problem_);
}

// Adds the keywords of a supplemental TEXT segment. Returns why it is not used, or an empty text.
std::string FcsFile::add_supplement(std::ifstream& in, FcsKeywords& keywords, char delimiter) const {
    if (version_ == "FCS2.0") return "";
    const std::string begin_text = value_of(keywords, "$BEGINSTEXT");
    const std::string end_text = value_of(keywords, "$ENDSTEXT");
    if (begin_text.empty() && end_text.empty()) return "";
    const auto begin = whole_number(begin_text);
    const auto end = whole_number(end_text);
    const std::string place =
        fmt::format("$BEGINSTEXT and $ENDSTEXT: found '{}' and '{}'", begin_text, end_text);
    if (!begin || !end) return place + ", which are no whole numbers";
    if (*begin == 0 && *end == 0) return "";
    // Some programs repeat the offsets of the primary segment, or of a part of it.
    if (*begin >= text_.begin && *end <= text_.end) return "";
    if (*begin < header_bytes || *end <= *begin || *end > available()) {
        return place + fmt::format(", which are not within 58 to {}, the end of the file", available() - 1);
    }
    const std::string text = read_bytes(in, *begin, std::min(*end + 1, available()));
    if (text.front() != delimiter) return place + ", which does not begin with the delimiter of TEXT";
    const FcsText more =
        parse_fcs_text(text, {.delimiter = delimiter, .doubled = DoubledDelimiter::by_position});
    const bool is_readable =
        !more.keywords.empty() && std::ranges::all_of(more.keywords, [](const auto& pair) {
            return std::ranges::all_of(pair.first,
                                       [](char c) { return static_cast<unsigned char>(c) >= ' '; });
        });
    if (!is_readable) return place + ", which holds no keywords";
    keywords.insert(more.keywords.begin(), more.keywords.end());
    return "";
}

std::string FcsFile::keyword(const std::string& name) const {
    return value_of(keywords_, name);
}

std::string FcsFile::require(const std::string& name) const {
    std::string text = keyword(name);
    if (text.empty()) {
        fail(name, supplement_problem_.empty() ? "missing"
                                               : "missing: it may be in the supplemental TEXT, which cannot "
                                                 "be read (" +
                                                     supplement_problem_ + ")");
    }
    return text;
}

std::uint64_t FcsFile::count(const std::string& name) const {
    const std::string text = require(name);
    const auto value = whole_number(text);
    if (!value) fail(name, "found '" + text + "', which is no whole number");
    return *value;
}

std::optional<std::uint64_t> FcsFile::next_data_set(std::ifstream& in) {
    const std::string text = keyword("$NEXTDATA");
    if (text.empty()) return std::nullopt;
    const auto next = whole_number(text);
    if (next == 0U) return std::nullopt;
    if (next) {
        // By the standard the offset starts at this data set. Some programs count from the begin of the file.
        // TEXT of this data set lies before the next one.
        for (const std::uint64_t begin : {base_, std::uint64_t{0}}) {
            if (*next > file_bytes_ || begin + *next <= base_ + text_.end ||
                begin + *next + header_bytes > file_bytes_)
                continue;
            if (read_bytes(in, begin + *next - base_, begin + *next - base_ + 3) == "FCS")
                return begin + *next;
        }
        if (*next >= available()) return std::nullopt;
    }
    notes_.push_back("$NEXTDATA is ignored: found '" + text + "', where no data set begins");
    return std::nullopt;
}

void FcsFile::read_byte_order(bool is_required) {
    const std::string order = is_required ? require("$BYTEORD") : keyword("$BYTEORD");
    const auto parsed = parse_byte_order(order);
    if (!parsed && is_required) {
        fail("$BYTEORD",
             "found '" + order + "'. It must number the bytes in any order, such as 1,2,3,4 or 4,3,2,1");
    }
    byte_order_ = parsed.value_or(std::vector<unsigned>{1});
    big_endian_ = is_descending(byte_order_);
}

void FcsFile::read_layout() {
    if (const std::string mode = keyword("$MODE"); !mode.empty() && core::upper_case(mode) != "L")
        fail("$MODE", "found '" + mode + "'. popflow reads only L, a list of events");
    const std::string type = core::upper_case(require("$DATATYPE"));
    const std::size_t at = std::string("IFDA").find(type);
    if (type.size() != 1 || at == std::string::npos)
        fail("$DATATYPE", "found '" + type + "'. popflow reads only I, F, D and A");
    read_byte_order(type != "A");
    const std::uint64_t parameters = count("$PAR");
    if (parameters == 0) fail("$PAR", "found 0. Give a file with parameters");
    // If $PAR is too large, this fails at the first parameter that the file does not describe.
    for (std::uint64_t n = 1; n <= parameters; ++n) read_parameter(n, static_cast<FcsType>(at));
    const auto is_delimited = [](const FcsParameter& p) { return p.bits == 0; };
    is_delimited_ = std::ranges::all_of(parameters_, is_delimited);
    if (!is_delimited_ && std::ranges::any_of(parameters_, is_delimited))
        fail("$PnB", "found both * and numbers of characters. It must be one of them for all parameters");
    note_unused_scales();
}

void FcsFile::read_parameter(std::size_t n, FcsType file_type) {
    const std::string prefix = "$P" + std::to_string(n);
    FcsParameter p;
    p.type = file_type;
    std::string type_name = "$DATATYPE";
    if (const std::string own = core::upper_case(keyword(prefix + "DATATYPE")); !own.empty()) {
        const std::size_t at = std::string("IFD").find(own);
        if (own.size() != 1 || at == std::string::npos || file_type == FcsType::ascii) {
            fail(prefix + "DATATYPE",
                 "found '" + own + "'. It must be I, F or D, with one of these as $DATATYPE");
        }
        if (p.type != static_cast<FcsType>(at) && version_ != "FCS3.2")
            notes_.push_back(prefix + "DATATYPE of FCS 3.2 is used in a file of version " +
                             version_.substr(3));
        p.type = static_cast<FcsType>(at);
        type_name = prefix + "DATATYPE";
    }
    const std::string width = require(prefix + "B");
    if (p.type == FcsType::ascii) {
        if (width == "*") {
            p.bits = 0;
        } else {
            const std::uint64_t characters = count(prefix + "B");
            if (characters == 0 || characters > available())
                fail(prefix + "B",
                     "found " + width + ". It must be * or a number of characters with $DATATYPE A");
            p.bits = 8 * characters;
        }
    } else {
        p.bits = width == "*" ? 0 : count(prefix + "B");
        const bool fits = p.type == FcsType::integer ? p.bits >= 1 && p.bits <= 64
                                                     : p.bits == (p.type == FcsType::float32 ? 32U : 64U);
        if (!fits) {
            fail(prefix + "B", "found " + width + ". It must be " +
                                   (p.type == FcsType::integer   ? "1 to 64 with " + type_name + " I"
                                    : p.type == FcsType::float32 ? "32 with " + type_name + " F"
                                                                 : "64 with " + type_name + " D"));
        }
    }
    p.stain = keyword(prefix + "S");
    p.name = keyword(prefix + "N");
    if (p.name.empty()) p.name = p.stain.empty() ? "P" + std::to_string(n) : p.stain;
    if (p.type == FcsType::integer || p.type == FcsType::ascii) read_scale(prefix, p);
    parameters_.push_back(std::move(p));
}

// Reads $PnR and $PnE. A mistake matters only if the channel is used: check() reports it.
void FcsFile::read_scale(const std::string& prefix, FcsParameter& p) const {
    const auto invalid = [&](const std::string& name, const std::string& problem) {
        p.invalid_keyword = name;
        p.problem = problem;
    };
    const std::string scale_text = keyword(prefix + "E");
    const auto scale = scale_text.empty() ? std::pair{0.0, 1.0} : parse_scale(scale_text);
    if (!scale)
        return invalid(prefix + "E",
                       "found '" + scale_text + "'. It must have two numbers, such as 0,0 or 4,1");
    p.decades = scale->first;
    p.offset = scale->second;
    const std::string range = keyword(prefix + "R");
    // The range of numbers in ASCII matters only for a logarithmic scale.
    if (p.type == FcsType::ascii && p.decades == 0) return;
    if (range.empty()) return invalid(prefix + "R", "missing");
    const auto number = core::label_number(range);
    if (!number || *number < 1)
        return invalid(prefix + "R", "found '" + range + "'. It must be a number of 1 or more");
    p.range = *number;
    if (p.type == FcsType::integer) p.mask = mask_of(p.range);
}

// Adds a note of the logarithmic scales of floats, which the standard does not allow.
void FcsFile::note_unused_scales() {
    std::vector<std::string> names;
    for (std::size_t j = 0; j < parameters_.size(); ++j) {
        const FcsParameter& p = parameters_[j];
        if (p.type == FcsType::integer || p.type == FcsType::ascii) continue;
        const auto scale = parse_scale(keyword("$P" + std::to_string(j + 1) + "E"));
        if (scale && scale->first > 0) names.push_back(p.name);
    }
    if (!names.empty()) {
        notes_.push_back("logarithmic $PnE is ignored for floats, which are linear: " +
                         core::joined(names, 5));
    }
}

void FcsFile::check(std::span<const std::size_t> columns) const {
    for (const std::size_t column : columns) {
        const FcsParameter& p = parameters_.at(column);
        if (!p.invalid_keyword.empty()) fail(p.invalid_keyword, p.problem);
    }
}

std::size_t FcsFile::event_bytes() const {
    if (is_delimited_)
        return events_ == 0 ? 1 : static_cast<std::size_t>(std::max<std::uint64_t>(1, data_bytes_ / events_));
    // Values of a few bits take at least a byte here, which bounds the memory of an event.
    return std::accumulate(parameters_.begin(), parameters_.end(), std::size_t{0},
                           [](std::size_t sum, const FcsParameter& p) { return sum + (p.bits + 7) / 8; });
}

// Returns the ways in which the values may be stored: without gaps, as the standard says, or with each
// integer in whole bytes.
std::vector<FcsFile::Layout> FcsFile::layouts() const {
    std::vector<Layout> all;
    const auto add = [&](bool is_padded, const auto& stored_bits) {
        Layout layout{.is_padded = is_padded};
        for (const FcsParameter& p : parameters_) {
            layout.bits.push_back(p.type == FcsType::integer ? stored_bits(p.bits) : p.bits);
            layout.event_bits += layout.bits.back();
        }
        const bool is_new = std::ranges::find(all, layout.bits, &Layout::bits) == all.end();
        if (is_new) all.push_back(std::move(layout));
    };
    add(false, [](std::uint64_t bits) { return bits; });
    const bool is_odd = std::ranges::any_of(
        parameters_, [](const FcsParameter& p) { return p.type == FcsType::integer && p.bits % 8 != 0; });
    if (!is_odd) return all;
    add(true, [](std::uint64_t bits) { return (bits + 7) / 8 * 8; });
    add(true, [](std::uint64_t bits) { return std::bit_ceil(std::max<std::uint64_t>(bits, 8)); });
    return all;
}

FcsFile::Fit FcsFile::fit(const DataCandidate& data, const Layout& layout) const {
    if (!data.range) return {};
    const auto [begin, end] = *data.range;
    if (end < begin) return {0, "whose end lies before their begin"};
    if (begin < header_bytes) return {0, "which begin within the header"};
    // Some programs write the byte after the last one as the last one.
    if (end > available()) return {0, fmt::format("which leave the file of {} bytes", available())};
    const std::uint64_t bytes = std::min(end - begin + 1, available() - begin);
    if (begin <= text_.end && begin + bytes > text_.begin) {
        // A range that ends one byte too far may end within TEXT.
        const bool is_one_too_far = begin < text_.begin && begin + bytes - 1 == text_.begin;
        if (!is_one_too_far)
            return {0, fmt::format("which overlap TEXT, bytes {} to {}", text_.begin, text_.end)};
    }
    const bool has_total = !keyword("$TOT").empty();
    const std::uint64_t total = has_total ? count("$TOT") : 0;
    if (is_delimited_) {
        const std::uint64_t numbers = parameters_.size();
        const bool is_short = total > 0 && total > (bytes + 1) / 2 / numbers;
        if (is_short) return {0, fmt::format("which cannot hold the {} events of $TOT", total)};
        return {1, ""};
    }
    const std::uint64_t bits = 8 * bytes;
    const std::uint64_t fitting = bits / layout.event_bits;
    if (!has_total) {
        if (fitting == 0) return {0, "which hold no event"};
        return {bits - fitting * layout.event_bits < 16 ? 2 : 1, ""};
    }
    if (total > fitting) {
        const std::string size = layout.event_bits % 8 == 0 ? core::counted(layout.event_bits / 8, "byte")
                                                            : core::counted(layout.event_bits, "bit");
        return {0, fmt::format("which hold {} of the {} events of {} in $TOT", fitting, total, size)};
    }
    return {bits - total * layout.event_bits < 16 ? 2 : 1, ""};
}

void FcsFile::place_data() {
    const bool has_total = !keyword("$TOT").empty();
    if (has_total && count("$TOT") == 0) return;
    std::array<DataCandidate, 2> candidates{{{header_place, header_data_}, {keyword_place, {}}}};
    const auto begin = whole_number(keyword("$BEGINDATA"));
    const auto end = whole_number(keyword("$ENDDATA"));
    if (begin && end && (*begin != 0 || *end != 0)) candidates[1].range = ByteRange{*begin, *end};
    const std::vector<Layout> all = layouts();
    const Layout* layout = nullptr;
    const DataCandidate* data = nullptr;
    int quality = 0;
    for (const Layout& one : all) {
        for (const DataCandidate& candidate : candidates) {
            const int found = fit(candidate, one).quality;
            if (found <= quality) continue;
            quality = found;
            layout = &one;
            data = &candidate;
        }
    }
    const auto range_text = [](const DataCandidate& candidate) {
        return fmt::format("bytes {} to {}", candidate.range->begin, candidate.range->end);
    };
    if (!data) {
        const auto describe = [&](const DataCandidate& candidate) {
            if (!candidate.range) return "no range in " + candidate.place;
            return range_text(candidate) + " in " + candidate.place + ", " +
                   fit(candidate, all.front()).problem;
        };
        const auto& [header, keywords] = candidates;
        const bool is_same = header.range && keywords.range && header.range->begin == keywords.range->begin &&
                             header.range->end == keywords.range->end;
        const std::string found =
            is_same ? describe({std::string(header_place) + " and in " + keyword_place, header.range})
                    : describe(header) + ", and " + describe(keywords);
        fail("DATA", "found " + found + ": the file is cut off or damaged, export it again");
    }
    for (const DataCandidate& other : candidates) {
        if (&other == data || !other.range) continue;
        const Fit its_fit = fit(other, *layout);
        const auto events_to = [&](std::uint64_t last) {
            return is_delimited_ ? last : 8 * (last - data->range->begin + 1) / layout->event_bits;
        };
        const bool has_same_events =
            has_total || (other.range->end >= other.range->begin &&
                          events_to(other.range->end) == events_to(data->range->end));
        if (other.range->begin == data->range->begin && has_same_events) continue;
        notes_.push_back(fmt::format("DATA is read from {} of {}, not from {} of {}{}", range_text(*data),
                                     data->place, range_text(other), other.place,
                                     its_fit.problem.empty() ? "" : ", " + its_fit.problem));
    }
    apply(*layout, *data);
    if (quality == 1 && has_total && !is_delimited_) {
        notes_.push_back(
            fmt::format("DATA has {} more than the {} events of $TOT need: these bytes are ignored",
                        core::counted(data_bytes_ - (events_ * event_bits_ + 7) / 8, "byte"), events_));
    }
    if (layout->is_padded) {
        notes_.push_back(
            "integers are stored in whole bytes, although $PnB is not a multiple of 8: DATA has the length "
            "of "
            "such a list");
    }
}

// Places the parameters in an event, and the events in the file.
void FcsFile::apply(const Layout& layout, const DataCandidate& data) {
    const std::uint64_t bytes =
        std::min(data.range->end - data.range->begin + 1, available() - data.range->begin);
    data_begin_ = base_ + data.range->begin;
    data_bytes_ = bytes;
    event_bits_ = layout.event_bits;
    std::uint64_t bit = 0;
    for (std::size_t j = 0; j < parameters_.size(); ++j) {
        FcsParameter& p = parameters_[j];
        p.bits = layout.bits[j];
        p.bit_offset = bit;
        bit += p.bits;
        if (p.bits % 8 != 0) is_bitwise_ = true;
    }
    if (is_bitwise_ && !big_endian_ && !is_ascending(byte_order_)) {
        fail("$BYTEORD", "found '" + keyword("$BYTEORD") +
                             "'. It must be 1,2,3,4 or 4,3,2,1 if $PnB is not a multiple of 8");
    }
    for (std::size_t j = 0; j < parameters_.size() && !is_bitwise_; ++j) {
        FcsParameter& p = parameters_[j];
        if (p.type == FcsType::ascii) continue;
        const auto shifts = byte_shifts(byte_order_, p.bits / 8);
        if (!shifts) {
            fail("$BYTEORD", fmt::format("found '{}', which does not tell the order of the {} of $P{}B",
                                         keyword("$BYTEORD"), core::counted(p.bits / 8, "byte"), j + 1));
        }
        p.shifts = *shifts;
    }
    if (!keyword("$TOT").empty()) {
        events_ = count("$TOT");
    } else if (is_delimited_) {
        count_delimited();
    } else {
        events_ = 8 * bytes / event_bits_;
    }
}

double FcsFile::scaled(const FcsParameter& parameter, double channel) const {
    if (parameter.decades == 0) return channel;
    return std::pow(10.0, parameter.decades * channel / parameter.range) * parameter.offset;
}

double FcsFile::number(const FcsParameter& parameter, std::string_view text, std::uint64_t event) const {
    const std::string digits = stripped(text);
    const auto value = core::label_number(digits);
    if (!value) {
        fail(parameter.name,
             fmt::format("event {}: found '{}', which is no number", event + 1, core::to_utf8(digits)));
    }
    return scaled(parameter, *value);
}

double FcsFile::value(const FcsParameter& parameter, const unsigned char* bytes, std::uint64_t bit,
                      std::uint64_t event) const {
    const unsigned char* at = bytes + bit / 8;
    if (parameter.type == FcsType::ascii) {
        const auto* text = reinterpret_cast<const char*>(at);
        return number(parameter, {text, static_cast<std::size_t>(parameter.bits / 8)}, event);
    }
    std::uint64_t bits = 0;
    if (is_bitwise_) {
        bits = bits_at(bytes, bit, parameter.bits, big_endian_);
    } else {
        for (std::size_t i = 0; i < parameter.bits / 8; ++i)
            bits |= std::uint64_t{at[i]} << parameter.shifts[i];
    }
    if (parameter.type == FcsType::float32)
        return static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
    if (parameter.type == FcsType::float64) return std::bit_cast<double>(bits);
    return scaled(parameter, static_cast<double>(bits & parameter.mask));
}

float FcsFile::checked(double value, std::size_t column, std::uint64_t event, std::string_view advice) const {
    const auto result = static_cast<float>(value);
    if (!std::isfinite(result)) {
        fail(parameters_[column].name, fmt::format("event {}: found {}, which is no finite number: {}",
                                                   event + 1, core::number_label(result), advice));
    }
    return result;
}

void FcsFile::read(std::uint64_t first, linalg::Matrix<float>& x) const {
    std::vector<std::size_t> all(parameters_.size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    read(first, x, all, non_finite_advice);
}

void FcsFile::read(std::uint64_t first, linalg::Matrix<float>& x, std::span<const std::size_t> columns,
                   std::string_view advice) const {
    const std::size_t n = x.rows();
    core::check_shape("fcs.x", n, x.cols(), n, parameters_.size());
    check(columns);
    if (n == 0) return;
    if (first > events_ || n > events_ - first)
        throw core::Error("fcs: events after the last one were requested");
    if (is_delimited_) return read_delimited(first, x, columns, advice);
    std::ifstream in(path_, std::ios::binary);
    const std::uint64_t begin = first * event_bits_ / 8;
    const std::uint64_t end = ((first + n) * event_bits_ + 7) / 8;
    std::vector<unsigned char> bytes(end - begin);
    in.seekg(static_cast<std::streamoff>(data_begin_ + begin));
    if (!in || !in.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size())))
        fail("DATA", fmt::format("cannot read events from number {} on", first + 1));
    std::uint64_t bit = first * event_bits_ - 8 * begin;
    for (std::size_t i = 0; i < n; ++i, bit += event_bits_) {
        for (const std::size_t j : columns) {
            const FcsParameter& p = parameters_[j];
            x(i, j) = checked(value(p, bytes.data(), bit + p.bit_offset, first + i), j, first + i, advice);
        }
    }
}

void FcsFile::read_delimited(std::uint64_t first, linalg::Matrix<float>& x,
                             std::span<const std::size_t> columns, std::string_view advice) const {
    std::ifstream in(path_, std::ios::binary);
    in.seekg(static_cast<std::streamoff>(data_begin_));
    if (!in) fail("DATA", fmt::format("cannot read events from number {} on", first + 1));
    NumberCursor cursor(in, data_bytes_);
    std::vector<bool> is_used(parameters_.size());
    for (const std::size_t j : columns) is_used[j] = true;
    std::string token;
    for (std::uint64_t i = 0; i < first + x.rows(); ++i) {
        for (std::size_t j = 0; j < parameters_.size(); ++j) {
            if (!cursor.next(token)) {
                fail("DATA",
                     fmt::format("found {} events, but $TOT is {}: export the file again", i, events_));
            }
            if (i < first || !is_used[j]) continue;
            x(i - first, j) = checked(number(parameters_[j], token, i), j, i, advice);
        }
    }
}

// Counts the events of delimited ASCII data without $TOT.
void FcsFile::count_delimited() {
    std::ifstream in(path_, std::ios::binary);
    in.seekg(static_cast<std::streamoff>(data_begin_));
    NumberCursor cursor(in, data_bytes_);
    std::uint64_t numbers = 0;
    for (std::string token; cursor.next(token);) ++numbers;
    events_ = numbers / parameters_.size();
}

}  // namespace popflow::data_import
