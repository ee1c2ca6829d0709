// SPDX-License-Identifier: MIT
#include "import/fcs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <optional>
#include <system_error>
#include <utility>

#include "core/error.hpp"
#include "core/text.hpp"
#include "core/text_encoding.hpp"
#include "linalg/inverse.hpp"

namespace popflow::data_import {

namespace {

constexpr std::size_t header_bytes = 58;

std::string trimmed(const std::string& text) {
    const auto first = text.find_first_not_of(" \t\r\n");
    if (first == std::string::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::string upper(std::string text) {
    for (char& c : text) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    return text;
}

std::optional<std::uint64_t> whole_number(const std::string& text) {
    const std::string digits = trimmed(text);
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    return value;
}

// Splits the text into alternating keys and values. A doubled delimiter stands for the character itself.
std::vector<std::string> split_keywords(const std::string& text) {
    const char delimiter = text.front();
    std::vector<std::string> parts;
    std::string part;
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] != delimiter) {
            part += text[i];
        } else if (i + 1 < text.size() && text[i + 1] == delimiter) {
            part += text[i++];
        } else {
            parts.push_back(std::move(part));
            part.clear();
        }
    }
    if (!trimmed(part).empty()) parts.push_back(std::move(part));
    return parts;
}

// Returns the mask of all bits that values below `range` use.
std::uint64_t mask_of(double range) {
    if (!(range > 1)) return ~std::uint64_t{0};
    if (range > 0x1p63) return ~std::uint64_t{0};
    return std::bit_ceil(static_cast<std::uint64_t>(std::ceil(range))) - 1;
}

}  // namespace

bool is_fcs(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    std::array<char, 3> start{};
    if (!in || (!in.read(start.data(), start.size()) && in.bad()))
        throw core::DataError(path, "", "cannot read: " + std::generic_category().message(errno));
    return in.gcount() == 3 && std::memcmp(start.data(), "FCS", 3) == 0;
}

FcsFile::FcsFile(std::string path) : path_(std::move(path)) {
    std::ifstream in(path_, std::ios::binary | std::ios::ate);
    if (!in) fail("", "cannot read: " + std::generic_category().message(errno));
    const auto size = static_cast<std::streamoff>(in.tellg());
    if (size < 0) fail("", "cannot read: not a regular file");
    file_bytes_ = static_cast<std::uint64_t>(size);
    read_header(in);
}

void FcsFile::fail(const std::string& field, const std::string& problem) const {
    throw core::DataError(path_, field, problem);
}

void FcsFile::read_header(std::ifstream& in) {
    std::string header(header_bytes, '\0');
    in.seekg(0);
    if (file_bytes_ < header_bytes || !in.read(header.data(), header_bytes))
        fail("header", fmt::format("found {} bytes, allowed 58 or more", file_bytes_));
    const std::string version = header.substr(0, 6);
    if (version != "FCS2.0" && version != "FCS3.0" && version != "FCS3.1")
        fail("header", "found '" + core::to_utf8(version) + "', allowed FCS2.0, FCS3.0, FCS3.1");
    const auto offset = [&](std::size_t at, const char* what) -> std::uint64_t {
        const std::string field = header.substr(at, 8);
        if (trimmed(field).empty()) return 0;
        const auto value = whole_number(field);
        if (!value)
            fail("header",
                 std::string(what) + ": found '" + core::to_utf8(field) + "', allowed a whole number");
        return *value;
    };
    const std::uint64_t text_begin = offset(10, "begin of TEXT");
    const std::uint64_t text_end = offset(18, "end of TEXT");
    const std::uint64_t data_begin = offset(26, "begin of DATA");
    const std::uint64_t data_end = offset(34, "end of DATA");
    read_text(in, text_begin, text_end);
    if (version != "FCS2.0") {
        const std::uint64_t begin = count_or_zero("$BEGINSTEXT");
        const std::uint64_t end = count_or_zero("$ENDSTEXT");
        if (end > begin && begin != text_begin) read_text(in, begin, end);
    }
    read_layout();
    place_data(data_begin, data_end);
}

void FcsFile::read_text(std::ifstream& in, std::uint64_t begin, std::uint64_t end) {
    if (begin < header_bytes || end <= begin || end >= file_bytes_) {
        fail("TEXT", fmt::format("found bytes {} to {}, allowed 58 to {}, the end of the file", begin, end,
                                 file_bytes_ - 1));
    }
    std::string text(end - begin + 1, '\0');
    in.seekg(static_cast<std::streamoff>(begin));
    if (!in.read(text.data(), static_cast<std::streamsize>(text.size()))) fail("TEXT", "cannot read");
    // Some cytometers count bytes of padding after the last delimiter.
    if (text.front() != '\0') text.erase(text.find_last_not_of('\0') + 1);
    const std::vector<std::string> parts = split_keywords(text);
    for (std::size_t i = 0; i + 1 < parts.size(); i += 2)
        keywords_.try_emplace(upper(trimmed(parts[i])), core::to_utf8(parts[i + 1]));
    if (parts.size() % 2 == 1)
        fail("TEXT", "found keyword '" + core::to_utf8(trimmed(parts.back())) +
                         "' without a value: the segment may be cut off");
}

std::string FcsFile::keyword(const std::string& name) const {
    const auto at = keywords_.find(name);
    return at == keywords_.end() ? std::string() : trimmed(at->second);
}

std::string FcsFile::require(const std::string& name) const {
    std::string text = keyword(name);
    if (text.empty()) fail(name, "missing");
    return text;
}

std::uint64_t FcsFile::count(const std::string& name) const {
    const std::string text = require(name);
    const auto value = whole_number(text);
    if (!value) fail(name, "found '" + text + "', allowed a whole number");
    return *value;
}

std::uint64_t FcsFile::count_or_zero(const std::string& name) const {
    return keyword(name).empty() ? 0 : count(name);
}

void FcsFile::read_layout() {
    if (const std::string mode = keyword("$MODE"); !mode.empty() && upper(mode) != "L")
        fail("$MODE", "found '" + mode + "', allowed L, a list of events");
    const std::string type = upper(require("$DATATYPE"));
    if (type == "I") {
        type_ = Type::integer;
    } else if (type == "F" || type == "D") {
        type_ = type == "F" ? Type::float32 : Type::float64;
    } else {
        fail("$DATATYPE", "found '" + type + "', allowed I, F, D");
    }
    const std::string order = require("$BYTEORD");
    const std::vector<std::string> bytes = core::split_text(order, ',');
    std::string ascending;
    std::string descending;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        ascending += (i > 0 ? "," : "") + std::to_string(i + 1);
        descending += (i > 0 ? "," : "") + std::to_string(bytes.size() - i);
    }
    const std::string found = core::joined(bytes, bytes.size());
    const auto without_spaces = [](std::string text) {
        std::erase(text, ' ');
        return text;
    };
    big_endian_ = bytes.size() > 1 && without_spaces(found) == descending;
    if (!big_endian_ && without_spaces(found) != ascending)
        fail("$BYTEORD", "found '" + order + "', allowed 1,2,3,4 or 4,3,2,1");
    const std::uint64_t parameters = count("$PAR");
    if (parameters == 0) fail("$PAR", "found 0, allowed 1 or more");
    // If $PAR is too large, this fails at the first parameter that the file does not describe.
    for (std::uint64_t n = 1; n <= parameters; ++n) read_parameter(n);
    for (const FcsParameter& parameter : parameters_) event_bytes_ += parameter.bytes;
}

void FcsFile::read_parameter(std::size_t n) {
    const std::string prefix = "$P" + std::to_string(n);
    FcsParameter p;
    const std::uint64_t bits = count(prefix + "B");
    const bool fits = type_ == Type::integer ? bits >= 8 && bits <= 64 && bits % 8 == 0
                                             : bits == (type_ == Type::float32 ? 32U : 64U);
    if (!fits) {
        fail(prefix + "B", fmt::format("found {}, allowed {}", bits,
                                       type_ == Type::integer   ? "8, 16, 24, ... 64 with $DATATYPE I"
                                       : type_ == Type::float32 ? "32 with $DATATYPE F"
                                                                : "64 with $DATATYPE D"));
    }
    p.bytes = bits / 8;
    p.stain = keyword(prefix + "S");
    p.name = keyword(prefix + "N");
    if (p.name.empty()) p.name = p.stain.empty() ? "P" + std::to_string(n) : p.stain;
    if (type_ != Type::integer) return parameters_.push_back(std::move(p));

    const std::string range = require(prefix + "R");
    const auto number = core::label_number(range);
    if (!number || *number < 1) fail(prefix + "R", "found '" + range + "', allowed a number of 1 or more");
    p.range = *number;
    p.mask = mask_of(p.range);
    const std::string scale = keyword(prefix + "E");
    if (!scale.empty()) {
        const std::vector<std::string> parts = core::split_text(scale, ',');
        const auto decades = parts.size() == 2 ? core::label_number(parts[0]) : std::nullopt;
        const auto offset = parts.size() == 2 ? core::label_number(parts[1]) : std::nullopt;
        if (!decades || !offset || *decades < 0 || *offset < 0 || *decades > 100)
            fail(prefix + "E", "found '" + scale + "', allowed two numbers, such as 0,0 or 4,1");
        p.decades = *decades;
        // By the standard, a logarithmic scale whose f2 is written as 0 is read as 1.
        p.offset = *offset > 0 ? *offset : 1;
    }
    parameters_.push_back(std::move(p));
}

void FcsFile::place_data(std::uint64_t header_begin, std::uint64_t header_end) {
    const bool in_header = header_begin > 0 && header_end > 0;
    // The fields of the header hold at most 99,999,999. For larger offsets they are 0.
    data_begin_ = in_header ? header_begin : count("$BEGINDATA");
    const std::uint64_t end = in_header ? header_end : count("$ENDDATA");
    const bool has_total = !keyword("$TOT").empty();
    if (has_total && count("$TOT") == 0) return;
    if (data_begin_ < header_bytes || end < data_begin_ || end > file_bytes_) {
        fail("DATA", fmt::format("found bytes {} to {}, allowed 58 to {}, the end of the file", data_begin_,
                                 end, file_bytes_ - 1));
    }
    // Some programs write the byte after the last one as the last one.
    const std::uint64_t bytes = std::min(end - data_begin_ + 1, file_bytes_ - data_begin_);
    events_ = has_total ? count("$TOT") : bytes / event_bytes_;
    if (events_ > bytes / event_bytes_) {
        fail("$TOT", fmt::format("found {} events of {} bytes, allowed {}, the number that fits into DATA",
                                 events_, event_bytes_, bytes / event_bytes_));
    }
    if (const std::uint64_t next = count_or_zero("$NEXTDATA"); next > 0 && next < file_bytes_)
        fail("$NEXTDATA", fmt::format("found {}, allowed 0: split files of several data sets first", next));
}

double FcsFile::value(const FcsParameter& parameter, const unsigned char* bytes) const {
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < parameter.bytes; ++i) {
        const std::size_t at = big_endian_ ? i : parameter.bytes - 1 - i;
        bits = bits << 8U | bytes[at];
    }
    if (type_ == Type::float32)
        return static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
    if (type_ == Type::float64) return std::bit_cast<double>(bits);
    const auto channel = static_cast<double>(bits & parameter.mask);
    if (parameter.decades == 0) return channel;
    return std::pow(10.0, parameter.decades * channel / parameter.range) * parameter.offset;
}

void FcsFile::read(std::uint64_t first, linalg::Matrix<float>& x) const {
    const std::size_t n = x.rows();
    core::check_shape("fcs.x", n, x.cols(), n, parameters_.size());
    if (n == 0) return;
    if (first > events_ || n > events_ - first)
        throw core::Error("fcs: events after the last one were requested");
    std::ifstream in(path_, std::ios::binary);
    std::vector<unsigned char> bytes(n * event_bytes_);
    in.seekg(static_cast<std::streamoff>(data_begin_ + first * event_bytes_));
    if (!in || !in.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size())))
        fail("DATA", fmt::format("cannot read events from number {} on", first + 1));
    const unsigned char* at = bytes.data();
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < parameters_.size(); ++j) {
            x(i, j) = static_cast<float>(value(parameters_[j], at));
            at += parameters_[j].bytes;
            if (!std::isfinite(x(i, j))) {
                fail(parameters_[j].name, fmt::format("event {}: found {}, allowed a finite number",
                                                      first + i + 1, core::number_label(x(i, j))));
            }
        }
    }
}

Spillover FcsFile::spillover() const {
    std::string name;
    for (const char* candidate : {"$SPILLOVER", "SPILLOVER", "SPILL", "$SPILL"}) {
        if (!keyword(candidate).empty()) {
            name = candidate;
            break;
        }
    }
    if (name.empty()) fail("$SPILLOVER", "missing: import without compensation with --compensate no");
    const std::vector<std::string> parts = core::split_text(keyword(name), ',');
    const auto size = core::label_number(parts.front());
    const std::size_t max_channels = parameters_.size();
    if (!size || *size < 1 || *size != std::floor(*size) || *size > static_cast<double>(max_channels)) {
        fail(name, fmt::format("found '{}' channels, allowed 1 to {}", parts.front(), max_channels));
    }
    const auto n = static_cast<std::size_t>(*size);
    if (parts.size() != 1 + n + n * n) {
        fail(name,
             fmt::format("found {} entries, allowed {} for {} channels", parts.size(), 1 + n + n * n, n));
    }
    Spillover spill{{parts.begin() + 1, parts.begin() + 1 + static_cast<std::ptrdiff_t>(n)}, {}};
    for (std::size_t i = 1 + n; i < parts.size(); ++i) {
        const auto value = core::label_number(parts[i]);
        if (!value) fail(name, "found '" + parts[i] + "', allowed a number");
        spill.values.push_back(*value);
    }
    return spill;
}

Compensation::Compensation(const FcsFile& file) {
    const Spillover spill = file.spillover();
    for (const std::string& channel : spill.channels) {
        const auto& all = file.parameters();
        const auto at = std::ranges::find(all, channel, &FcsParameter::name);
        if (at == all.end())
            throw core::DataError(file.path(), "$SPILLOVER",
                                  "found channel '" + channel + "', allowed the channels in $PnN");
        columns_.push_back(static_cast<std::size_t>(at - all.begin()));
    }
    std::optional<std::vector<double>> inverse = linalg::inverse(spill.values, columns_.size());
    if (!inverse)
        throw core::DataError(file.path(), "$SPILLOVER",
                              "found a singular matrix: import without compensation with --compensate no");
    inverse_ = std::move(*inverse);
}

void Compensation::apply(linalg::Matrix<float>& x) const {
    const std::size_t n = columns_.size();
    std::vector<double> measured(n);
    for (std::size_t i = 0; i < x.rows(); ++i) {
        for (std::size_t j = 0; j < n; ++j) measured[j] = static_cast<double>(x(i, columns_[j]));
        for (std::size_t j = 0; j < n; ++j) {
            double sum = 0;
            for (std::size_t k = 0; k < n; ++k) sum += measured[k] * inverse_[k * n + j];
            x(i, columns_[j]) = static_cast<float>(sum);
        }
    }
}

}  // namespace popflow::data_import
