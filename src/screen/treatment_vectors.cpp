// SPDX-License-Identifier: MIT
#include "screen/treatment_vectors.hpp"

#include <algorithm>
#include <cmath>

#include "core/csv.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "core/text_encoding.hpp"

namespace popflow::screen {

namespace {

const char* const name_column = "treatment";

void scale_to_unit_mean_square(linalg::Matrix<float>& values) {
    double squares = 0;
    for (const float v : values.values()) squares += double{v} * double{v};
    if (squares == 0) return;
    const double factor = std::sqrt(static_cast<double>(values.rows()) / squares);
    for (float& v : values.values()) v = static_cast<float>(v * factor);
}

// Returns the position of the names of the treatments: the column treatment, or the row names.
std::size_t find_names(const core::CsvFile& table) {
    const auto at = std::ranges::find(table.columns(), name_column);
    if (at != table.columns().end()) return static_cast<std::size_t>(at - table.columns().begin());
    if (table.has_row_names()) return 0;
    throw core::DataError(table.path(), "line 1",
                          "found the columns " + core::joined(table.columns()) +
                              ", but no column treatment: add one that names the treatment of each row");
}

}  // namespace

TreatmentVectors::TreatmentVectors(std::vector<std::string> names, linalg::Matrix<float> values)
    : names_(std::move(names)), values_(std::move(values)) {
    core::check_shape("treatment_vectors", values_.rows(), 0, names_.size(), 0);
}

TreatmentVectors TreatmentVectors::read(const std::string& path) {
    const core::CsvFile table(path);
    const std::size_t name_at = find_names(table);
    if (table.columns().size() == 1)
        throw core::DataError(path, "line 1",
                              "found only the column treatment: add one or more columns of features");
    std::vector<std::size_t> features;
    for (std::size_t j = 0; j < table.columns().size(); ++j) {
        if (j != name_at && !table.columns()[j].empty()) features.push_back(j);
    }
    std::vector<std::string> names;
    std::vector<std::string> texts;
    core::CsvFile::Rows rows(table);
    std::string line;
    std::vector<std::string> fields;
    while (rows.next(line)) {
        const std::string place = "row " + std::to_string(names.size() + 1);
        table.split(core::to_utf8(line), place, fields);
        const std::string& name = fields[name_at];
        if (name.empty())
            throw core::DataError(path, place, "found no name of a treatment. Give each row a name");
        if (std::ranges::find(names, name) != names.end())
            throw core::DataError(path, place,
                                  "found treatment '" + name + "' twice. Give each treatment one row");
        names.push_back(name);
        for (const std::size_t j : features) texts.push_back(fields[j]);
    }
    if (names.empty()) throw core::DataError(path, "", "found no rows. Give one for each treatment");
    const bool has_comma = core::has_decimal_comma(texts, path);
    linalg::Matrix<float> values(names.size(), features.size());
    for (std::size_t k = 0; k < texts.size(); ++k) {
        const auto value = core::decimal_number(texts[k], has_comma);
        if (!value || !std::isfinite(static_cast<float>(*value))) {
            throw core::DataError(path,
                                  "row " + std::to_string(k / features.size() + 1) + ", column " +
                                      table.columns()[features[k % features.size()]],
                                  "found '" + texts[k] + "'. Give a number");
        }
        values.values()[k] = static_cast<float>(*value);
    }
    scale_to_unit_mean_square(values);
    return {std::move(names), std::move(values)};
}

bool TreatmentVectors::add(const std::string& name, std::vector<float>& sum) const {
    const auto at = std::ranges::find(names_, name);
    if (at == names_.end()) return false;
    const auto row = values_.view().row_span(static_cast<std::size_t>(at - names_.begin()));
    std::ranges::transform(sum, row, sum.begin(), std::plus<>());
    return true;
}

std::optional<std::vector<float>> TreatmentVectors::find(const std::string& treatment) const {
    std::vector<float> sum(features(), 0.0F);
    if (add(treatment, sum)) return sum;
    const std::vector<std::string> parts = core::split_text(treatment, '+');
    if (parts.size() < 2) return std::nullopt;
    for (const std::string& part : parts) {
        if (!add(part, sum)) return std::nullopt;
    }
    return sum;
}

}  // namespace popflow::screen
