// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.hpp"
#include "core/text.hpp"
#include "data/fcs.hpp"

namespace popflow::data {

namespace {

// Gauss-Jordan elimination with row pivots; false if the matrix is singular.
bool invert(std::vector<double> m, std::size_t n, std::vector<double>& inverse) {
    inverse.assign(n * n, 0.0);
    for (std::size_t i = 0; i < n; ++i) inverse[i * n + i] = 1;
    for (std::size_t c = 0; c < n; ++c) {
        std::size_t pivot = c;
        for (std::size_t r = c + 1; r < n; ++r) {
            if (std::abs(m[r * n + c]) > std::abs(m[pivot * n + c])) pivot = r;
        }
        if (!(std::abs(m[pivot * n + c]) > 1e-12)) return false;
        for (std::size_t j = 0; j < n; ++j) {
            std::swap(m[pivot * n + j], m[c * n + j]);
            std::swap(inverse[pivot * n + j], inverse[c * n + j]);
        }
        const double scale = 1 / m[c * n + c];
        for (std::size_t j = 0; j < n; ++j) {
            m[c * n + j] *= scale;
            inverse[c * n + j] *= scale;
        }
        for (std::size_t r = 0; r < n; ++r) {
            const double factor = m[r * n + c];
            if (r == c || factor == 0) continue;
            for (std::size_t j = 0; j < n; ++j) {
                m[r * n + j] -= factor * m[c * n + j];
                inverse[r * n + j] -= factor * inverse[c * n + j];
            }
        }
    }
    return true;
}

}  // namespace

Spillover FcsFile::spillover() const {
    std::string name;
    for (const char* candidate : {"$SPILLOVER", "SPILLOVER", "SPILL", "$SPILL"}) {
        if (!keyword(candidate).empty()) {
            name = candidate;
            break;
        }
    }
    if (name.empty()) fail("$SPILLOVER", "missing; --compensate no imports the values as they are");
    const std::vector<std::string> parts = core::split_text(keyword(name), ',');
    const auto size = core::label_number(parts.front());
    const std::size_t most = parameters_.size();
    if (!size || *size < 1 || *size != std::floor(*size) || *size > static_cast<double>(most)) {
        fail(name, "found '" + parts.front() + "' channels, allowed 1 to " + std::to_string(most));
    }
    const auto n = static_cast<std::size_t>(*size);
    if (parts.size() != 1 + n + n * n) {
        fail(name, "found " + std::to_string(parts.size()) + " entries, allowed " +
                       std::to_string(1 + n + n * n) + " for " + std::to_string(n) + " channels");
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
                                  "found channel '" + channel + "', allowed those of $PnN");
        columns_.push_back(static_cast<std::size_t>(at - all.begin()));
    }
    if (!invert(spill.values, columns_.size(), inverse_))
        throw core::DataError(file.path(), "$SPILLOVER", "found a singular matrix");
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

}  // namespace popflow::data
