// SPDX-License-Identifier: MIT
#include "anndata/label_column.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "core/error.hpp"
#include "core/text.hpp"

namespace popflow::anndata {

namespace {

template <class Value>
std::string text_of(Value value, bool boolean) {
    if constexpr (std::is_floating_point_v<Value>) {
        return core::number_label(value);
    } else {
        if (boolean) return value != 0 ? "True" : "False";
        return std::to_string(value);
    }
}

template <class Value>
std::uint64_t bits_of(Value value) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof value);
    return bits;
}

void check_one_dimension(const h5::Dataset& values) {
    if (values.rank() != 1) {
        throw core::DataError(
            values.file(), values.path(),
            fmt::format("found {} dimensions, but a column of labels has 1", values.rank()));
    }
}

}  // namespace

LabelColumn::LabelColumn(h5::Dataset values) : values_(std::move(values)) {
    check_one_dimension(values_);
}

LabelColumn::LabelColumn(h5::Dataset values, h5::Dataset mask) : LabelColumn(std::move(values)) {
    if (mask.shape() != values_.shape()) {
        throw core::DataError(mask.file(), mask.path(),
                              fmt::format("found {} rows, but there are {} values: the file is damaged",
                                          mask.rows(), values_.rows()));
    }
    mask_ = std::move(mask);
}

LabelColumn LabelColumn::categorical(h5::Dataset codes, h5::Dataset categories) {
    if (codes.type().kind != h5::Kind::integer) {
        throw core::DataError(codes.file(), codes.path(),
                              "found " + codes.type().text() + ", but codes of categories must be integers");
    }
    LabelColumn column(std::move(codes));
    column.categorical_ = true;
    LabelColumn names(std::move(categories));
    column.labels_ = names.read_labels();
    for (const std::string& label : column.labels_) column.check_length(label);
    return column;
}

/// Limits the length of labels, because the names of populations and pairs repeat them. A label of a megabyte
/// is a sign of a damaged file.
void LabelColumn::check_length(const std::string& label) const {
    constexpr std::size_t max_bytes = 4096;
    if (label.size() <= max_bytes) return;
    throw core::DataError(
        values_.file(), values_.path(),
        fmt::format("found a value of {} bytes. Shorten it: labels may have {}", label.size(), max_bytes));
}

std::int32_t LabelColumn::add_label(std::string label) {
    if (labels_.size() >= static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
        throw core::DataError(values_.file(), values_.path(),
                              "found more than 2147483647 distinct values. Choose a column of labels");
    }
    check_length(label);
    labels_.push_back(std::move(label));
    return static_cast<std::int32_t>(labels_.size() - 1);
}

void LabelColumn::read_categories(std::size_t first, std::span<std::int32_t> out) const {
    values_.read_rows(first, out.size(), out);
    const auto n_categories = static_cast<std::int64_t>(labels_.size());
    for (std::int32_t& code : out) {
        if (code >= n_categories) {
            throw core::DataError(
                values_.file(), values_.path(),
                fmt::format("found code {}, but there are {} categories: the file is damaged", code,
                            n_categories));
        }
        if (code < 0) code = missing_code;
    }
}

void LabelColumn::read_strings(std::size_t first, std::span<std::int32_t> out) {
    const std::vector<std::string> block = values_.read_strings(first, out.size());
    for (std::size_t i = 0; i < block.size(); ++i) {
        if (i > 0 && block[i] == block[i - 1]) {
            out[i] = out[i - 1];
            continue;
        }
        const auto known = code_of_string_.find(block[i]);
        out[i] = known != code_of_string_.end()
                     ? known->second
                     : code_of_string_.emplace(block[i], add_label(block[i])).first->second;
    }
}

template <class Value>
void LabelColumn::read_numbers(std::size_t first, std::span<std::int32_t> out) {
    std::vector<Value> block(out.size());
    values_.read_rows(first, out.size(), std::span<Value>(block));
    const bool boolean = values_.type().kind == h5::Kind::boolean;
    for (std::size_t i = 0; i < block.size(); ++i) {
        if constexpr (std::is_floating_point_v<Value>) {
            if (std::isnan(block[i])) {
                out[i] = missing_code;
                continue;
            }
            block[i] += Value(0);  // turns -0 into 0
        }
        const std::uint64_t bits = bits_of(block[i]);
        const auto known = code_of_number_.find(bits);
        out[i] = known != code_of_number_.end()
                     ? known->second
                     : code_of_number_.emplace(bits, add_label(text_of(block[i], boolean))).first->second;
    }
}

void LabelColumn::read_codes(std::size_t first, std::span<std::int32_t> out) {
    const h5::StoredType& type = values_.type();
    if (categorical_) {
        read_categories(first, out);
    } else if (type.kind == h5::Kind::string) {
        read_strings(first, out);
    } else if (type.kind == h5::Kind::floating && type.bytes <= 4) {
        read_numbers<float>(first, out);
    } else if (type.kind == h5::Kind::floating) {
        read_numbers<double>(first, out);
    } else if (type.kind == h5::Kind::integer && !type.is_signed) {
        read_numbers<std::uint64_t>(first, out);
    } else {
        read_numbers<std::int64_t>(first, out);
    }
    if (!mask_) return;
    std::vector<std::uint8_t> masked(out.size());
    mask_->read_rows(first, out.size(), std::span<std::uint8_t>(masked));
    for (std::size_t i = 0; i < out.size(); ++i) {
        if (masked[i] != 0) out[i] = missing_code;
    }
}

std::vector<std::string> LabelColumn::read_labels() {
    std::vector<std::int32_t> codes(rows());
    read_codes(0, codes);
    std::vector<std::string> result;
    result.reserve(codes.size());
    for (const std::int32_t code : codes) result.push_back(code == missing_code ? "" : labels_[code]);
    return result;
}

}  // namespace popflow::anndata
