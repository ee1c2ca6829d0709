// SPDX-License-Identifier: MIT
#include "models/gaussian_noise.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "ot/bures.hpp"

namespace popflow::models {

namespace {

using linalg::Matrix;

// Degrees of freedom of the Wishart matrix, per marker.
constexpr std::size_t degrees_per_marker = 5;
// Ridge of a covariance, relative to the mean variance.
constexpr double relative_ridge = 1e-3;

Matrix<float> in_float(std::span<const double> values, std::size_t rows, std::size_t cols) {
    Matrix<float> result(rows, cols);
    std::ranges::transform(values, result.values().begin(), [](double v) { return static_cast<float>(v); });
    return result;
}

std::vector<double> in_double(std::span<const float> values) {
    return {values.begin(), values.end()};
}

}  // namespace

const Matrix<float>& stored_matrix(const Constants& constants, const char* name, std::size_t rows,
                                   std::size_t cols) {
    const auto at = constants.matrices.find(name);
    const bool is_there = at != constants.matrices.end();
    core::check_shape(std::string("constants.") + name, is_there ? at->second.rows() : 0,
                      is_there ? at->second.cols() : 0, rows, cols);
    return at->second;
}

ot::GaussianMoments GaussianNoise::draw(core::Stream& stream) const {
    const std::size_t d = mean.size();
    ot::GaussianMoments drawn{std::vector<double>(d), Matrix<double>(d, d), {}};
    for (std::size_t j = 0; j < d; ++j) drawn.mean[j] = mean[j] + spread[j] * stream.normal();
    const std::size_t degrees = degrees_per_marker * d;
    std::vector<double> g(d);
    std::vector<double> moved(d);
    const double share = 1 / static_cast<double>(degrees);
    for (std::size_t f = 0; f < degrees; ++f) {
        for (double& value : g) value = stream.normal();
        for (std::size_t j = 0; j < d; ++j) {
            moved[j] = 0;
            for (std::size_t k = 0; k < d; ++k) moved[j] += root(j, k) * g[k];
        }
        for (std::size_t j = 0; j < d; ++j) {
            for (std::size_t k = 0; k <= j; ++k) drawn.covariance(j, k) += share * moved[j] * moved[k];
        }
    }
    for (std::size_t j = 0; j < d; ++j) {
        drawn.covariance(j, j) += ridge;
        for (std::size_t k = 0; k < j; ++k) drawn.covariance(k, j) = drawn.covariance(j, k);
    }
    drawn.root = ot::symmetric_root(drawn.covariance);
    return drawn;
}

GaussianNoise fit_gaussian_noise(std::span<const ot::GaussianMoments> populations, double spread) {
    const ot::GaussianMoments centre = ot::bures_barycentre(populations);
    const std::size_t d = centre.mean.size();
    GaussianNoise noise{centre.mean, std::vector<double>(d), centre.root, 0};
    for (std::size_t j = 0; j < d; ++j) {
        double squares = 0;
        for (const ot::GaussianMoments& population : populations) {
            const double difference = population.mean[j] - centre.mean[j];
            squares += difference * difference;
        }
        noise.spread[j] = spread * std::sqrt(squares / static_cast<double>(populations.size()));
        noise.ridge += relative_ridge * centre.covariance(j, j) / static_cast<double>(d);
    }
    if (!(noise.ridge > 0))
        throw core::NumericalError("gaussian_noise", "the cells of no population differ from each other");
    return noise;
}

GaussianNoise standard_noise(std::size_t d) {
    GaussianNoise noise{std::vector<double>(d, 0.0), std::vector<double>(d, 1.0), Matrix<double>(d, d),
                        relative_ridge};
    for (std::size_t j = 0; j < d; ++j) noise.root(j, j) = 1;
    return noise;
}

void store_gaussian_noise(const GaussianNoise& noise, Constants& constants) {
    const std::size_t d = noise.mean.size();
    constants.matrices["noise_mean"] = in_float(noise.mean, 1, d);
    constants.matrices["noise_spread"] = in_float(noise.spread, 1, d);
    constants.matrices["noise_root"] = in_float(noise.root.values(), d, d);
    constants.matrices["noise_ridge"] = in_float(std::span(&noise.ridge, 1), 1, 1);
}

GaussianNoise stored_gaussian_noise(const Constants& constants, std::size_t d) {
    const Matrix<float>& root = stored_matrix(constants, "noise_root", d, d);
    GaussianNoise noise{in_double(stored_matrix(constants, "noise_mean", 1, d).values()),
                        in_double(stored_matrix(constants, "noise_spread", 1, d).values()),
                        Matrix<double>(d, d),
                        static_cast<double>(stored_matrix(constants, "noise_ridge", 1, 1)(0, 0))};
    std::ranges::copy(root.values(), noise.root.values().begin());
    return noise;
}

}  // namespace popflow::models
