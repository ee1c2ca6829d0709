// SPDX-License-Identifier: MIT
#include "models/fixed_encoder.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"

namespace popflow::models {

using linalg::Matrix;

namespace {

// Deviations of means of equal values are rounding errors, which a division would amplify.
constexpr double smallest_deviation = 1e-6;

const Matrix<double>& require_row(const EncoderConstants& constants, const std::string& name, std::size_t p) {
    const Matrix<double>& row = require_constant(constants, name);
    core::check_shape("encoder." + name, row.rows(), row.cols(), 1, p);
    return row;
}

}  // namespace

const Matrix<double>& require_constant(const EncoderConstants& constants, const std::string& name) {
    const auto at = constants.find(name);
    if (at == constants.end()) throw core::ShapeMismatch("encoder." + name, "a matrix", 0, 0);
    return at->second;
}

void check_populations_differ(bool is_constant, const std::string& encoder, std::size_t populations) {
    if (!is_constant) return;
    throw core::ConfigError(
        "encoder",
        "found '" + encoder + "', which needs two training control populations that differ, but " +
            (populations == 1 ? "there is 1" : "all " + std::to_string(populations) + " are equal") +
            ". Use --encoder learned, or --method fm");
}

void Standardisation::fit(linalg::ConstMatrixView<double> features, EncoderConstants& constants) {
    Matrix<double> centre(1, features.cols);
    Matrix<double> scale(1, features.cols);
    const auto n = static_cast<double>(features.rows);
    for (std::size_t j = 0; j < features.cols; ++j) {
        for (std::size_t i = 0; i < features.rows; ++i) centre(0, j) += features(i, j) / n;
        double squares = 0;
        for (std::size_t i = 0; i < features.rows; ++i) {
            const double difference = features(i, j) - centre(0, j);
            squares += difference * difference;
        }
        const double deviation = std::sqrt(squares / n);
        if (deviation > smallest_deviation * std::max(1.0, std::abs(centre(0, j)))) scale(0, j) = deviation;
    }
    constants["centre"] = std::move(centre);
    constants["scale"] = std::move(scale);
}

Standardisation::Standardisation(const EncoderConstants& constants, std::size_t p)
    : centre_(require_row(constants, "centre", p)), scale_(require_row(constants, "scale", p)) {}

void Standardisation::apply(std::span<double> features) const {
    core::check_shape("encoder.features", 1, features.size(), 1, centre_.cols());
    for (std::size_t j = 0; j < features.size(); ++j)
        features[j] = scale_(0, j) > 0 ? (features[j] - centre_(0, j)) / scale_(0, j) : 0;
}

bool Standardisation::is_constant() const {
    return std::ranges::all_of(scale_.values(), [](double scale) { return scale == 0; });
}

}  // namespace popflow::models
