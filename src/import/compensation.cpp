// SPDX-License-Identifier: MIT
#include "import/compensation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "core/error.hpp"
#include "core/text.hpp"
#include "linalg/inverse.hpp"

namespace popflow::data_import {

namespace {

using Strings = std::vector<std::string>;

// Parses the n x n values from entry `first` on.
std::vector<double> parse_values(const FcsFile& file, const std::string& keyword, const Strings& parts,
                                 std::size_t first) {
    std::vector<double> values;
    for (std::size_t i = first; i < parts.size(); ++i) {
        const auto value = core::label_number(parts[i]);
        if (!value)
            throw core::DataError(
                file.path(), keyword,
                "found '" + parts[i] + "', which is no number. Import with --compensate no");
        values.push_back(*value);
    }
    return values;
}

// Returns the parameter with a name. Some instruments write the number of the parameter instead.
std::size_t find_channel(const FcsFile& file, const std::string& keyword, const std::string& channel) {
    const auto& all = file.parameters();
    const auto at = std::ranges::find(all, channel, &FcsParameter::name);
    if (at != all.end()) {
        if (std::ranges::count(all, channel, &FcsParameter::name) > 1) {
            throw core::DataError(
                file.path(), keyword,
                "found channel '" + channel +
                    "', which two parameters have as $PnN: import without compensation with "
                    "--compensate no");
        }
        return static_cast<std::size_t>(at - all.begin());
    }
    const auto number = core::label_number(channel);
    if (number && *number >= 1 && *number == std::floor(*number) &&
        *number <= static_cast<double>(all.size()))
        return static_cast<std::size_t>(*number) - 1;
    throw core::DataError(
        file.path(), keyword,
        "found channel '" + channel + "', which no $PnN names. Import with --compensate no");
}

// Reads $COMP without names of channels. By FCS 3.0 its elements are percentages that the instrument has
// subtracted. Programs also store a spillover matrix under this keyword, with ones on its diagonal.
Spillover read_comp(const FcsFile& file, const std::string& keyword, const Strings& parts, std::size_t n) {
    Spillover spill{.keyword = keyword, .values = parse_values(file, keyword, parts, 1)};
    bool is_diagonal = true;
    bool is_fractions = true;
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < n; ++j) {
            const double value = spill.values[i * n + j];
            if (i != j && value != 0) is_diagonal = false;
            if (i == j ? value != 1 : value < 0 || value >= 1) is_fractions = false;
        }
    }
    if (is_diagonal) return {.keyword = keyword};
    if (!is_fractions) {
        throw core::DataError(
            file.path(), keyword,
            "found percentages, which the instrument has already subtracted by the standard "
            "FCS 3.0: import the values as they are with --compensate no");
    }
    if (n != file.parameters().size()) {
        throw core::DataError(
            file.path(), keyword,
            fmt::format("found a matrix of {} channels without their names, but the file has {} "
                        "parameters. Import with --compensate no",
                        n, file.parameters().size()));
    }
    spill.columns.resize(n);
    std::iota(spill.columns.begin(), spill.columns.end(), std::size_t{0});
    return spill;
}

}  // namespace

Spillover read_spillover(const FcsFile& file) {
    const Strings candidates{"$SPILLOVER", "SPILLOVER", "SPILL", "$SPILL", "$COMP", "COMP"};
    const auto at = std::ranges::find_if(
        candidates, [&](const std::string& name) { return !file.keyword(name).empty(); });
    if (at == candidates.end()) {
        throw core::DataError(file.path(), "$SPILLOVER",
                              "missing, and so are SPILL and $COMP: import without compensation with "
                              "--compensate no");
    }
    const std::string& keyword = *at;
    const auto fail = [&](const std::string& problem) {
        throw core::DataError(file.path(), keyword, problem);
    };
    const Strings parts = core::split_text(file.keyword(keyword), ',');
    const auto size = core::label_number(parts.front());
    const std::size_t max_channels = file.parameters().size();
    if (!size || *size < 1 || *size != std::floor(*size) || *size > static_cast<double>(max_channels))
        fail(fmt::format("found '{}' channels, but the file has {}. Import with --compensate no",
                         parts.front(), max_channels));
    const auto n = static_cast<std::size_t>(*size);
    if (keyword.ends_with("COMP") && parts.size() == 1 + n * n) return read_comp(file, keyword, parts, n);
    if (parts.size() == 1 + n) fail("found names of channels without a matrix: import with --compensate no");
    if (parts.size() != 1 + n + n * n)
        fail(fmt::format("found {} entries, but {} channels need {}. Import with --compensate no",
                         parts.size(), n, 1 + n + n * n));
    Spillover spill{.keyword = keyword, .values = parse_values(file, keyword, parts, 1 + n)};
    for (std::size_t i = 1; i <= n; ++i) {
        const std::size_t column = find_channel(file, keyword, parts[i]);
        if (std::ranges::find(spill.columns, column) != spill.columns.end())
            fail("found channel '" + parts[i] + "' twice. Import with --compensate no");
        spill.columns.push_back(column);
    }
    return spill;
}

Compensation::Compensation(const FcsFile& file) : spillover_(read_spillover(file)) {
    if (spillover_.columns.empty()) return;
    const std::optional<std::vector<double>> inverse =
        linalg::inverse(spillover_.values, spillover_.columns.size());
    if (!inverse) {
        throw core::DataError(file.path(), keyword(),
                              "found a singular matrix: import without compensation with --compensate no");
    }
    inverse_ = *inverse;
}

void Compensation::apply(linalg::Matrix<float>& x) const {
    const std::vector<std::size_t>& columns = spillover_.columns;
    const std::size_t n = columns.size();
    std::vector<double> measured(n);
    for (std::size_t i = 0; i < x.rows(); ++i) {
        for (std::size_t j = 0; j < n; ++j) measured[j] = static_cast<double>(x(i, columns[j]));
        for (std::size_t j = 0; j < n; ++j) {
            double sum = 0;
            for (std::size_t k = 0; k < n; ++k) sum += measured[k] * inverse_[k * n + j];
            x(i, columns[j]) = static_cast<float>(sum);
        }
    }
}

}  // namespace popflow::data_import
