// SPDX-License-Identifier: MIT
#include "models/cloud_potentials.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "core/random.hpp"
#include "linalg/gather_rows.hpp"
#include "models/meta_icnn.hpp"
#include "nn/convex_conjugate.hpp"
#include "ot/gaussian_moments.hpp"

namespace popflow::models {

using linalg::ConstMatrixView;
using linalg::Matrix;

namespace {

// Share of the curvature that the units of a start have which is not predicted.
constexpr double unit_share = 0.3;
// Key of core::Purpose::weights for its random units.
constexpr std::uint64_t unit_stream = 1ULL << 40U;
// Keys `a` of core::Purpose::problems for the drawn cells.
constexpr std::uint64_t source_stream = 5;
constexpr std::uint64_t target_stream = 6;

// Returns the root of the mean squared coordinate of both clouds.
double typical_size(const BalancedClouds<float>& clouds) {
    double sum = 0;
    for (const Matrix<float>* side : {&clouds.source, &clouds.target}) {
        double squares = 0;
        for (const float v : side->values()) squares += static_cast<double>(v) * static_cast<double>(v);
        sum += squares / static_cast<double>(2 * side->size());
    }
    if (!(sum > 0)) throw core::NumericalError("start of potentials", "all cells are zero");
    return std::sqrt(sum);
}

}  // namespace

const std::vector<std::string>& potential_start_names() {
    static const std::vector<std::string> names{"predicted", "gaussian", "identity"};
    return names;
}

Matrix<float> CloudPotentials::mapped(ConstMatrixView<float> source_cells) const {
    const Matrix<float> u = coordinates.of_source(source_cells);
    Matrix<float> v(u.rows(), u.cols());
    nn::potential_map<float>(nn::ConvexPotential<float>(shape, source()), u.view(), v.view());
    return coordinates.to_target(v.view());
}

CloudPotentials::Dual CloudPotentials::dual_value(ConstMatrixView<float> source_cells,
                                                  ConstMatrixView<float> target_cells,
                                                  double tolerance) const {
    const std::vector<double> in_double(source().begin(), source().end());
    const nn::ConvexPotential<double> potential(shape, in_double);
    const Matrix<double> u = ot::affine_rows(source_cells, coordinates.source_mean, coordinates.root, {});
    const Matrix<double> v = ot::affine_rows(target_cells, coordinates.target_mean, coordinates.inverse, {});
    const nn::ConjugateValues conjugate = nn::convex_conjugate(potential, v.view(), tolerance);
    const auto mean = [](const std::vector<double>& values) {
        double sum = 0;
        for (const double value : values) sum += value;
        return sum / static_cast<double>(values.size());
    };
    return {mean(nn::potential_values(potential, u.view())) + mean(conjugate.values), conjugate.max_gap};
}

CloudPotentials start_potentials(const PotentialPredictor& model, std::span<const float> values,
                                 PotentialStart start, ConstMatrixView<float> source,
                                 ConstMatrixView<float> target, std::uint64_t seed) {
    const nn::PotentialShape shape = model.potential_shape();
    core::check_shape("start_potentials.source", source.rows, source.cols, source.rows, shape.inputs);
    ot::BalancedCoordinates coordinates =
        start == PotentialStart::identity
            ? ot::BalancedCoordinates::original(shape.inputs)
            : ot::BalancedCoordinates(ot::gaussian_moments(source), ot::gaussian_moments(target));
    BalancedClouds<float> clouds = balanced_clouds(coordinates, source, target);
    CloudPotentials potentials{std::move(coordinates), std::move(clouds), shape, {}};
    PredictedPotentials predicted;
    if (start == PotentialStart::predicted) {
        predicted = model.predict(values, potentials.clouds);
    } else {
        predicted.source =
            identity_potential(shape, unit_share, typical_size(potentials.clouds), seed, unit_stream);
        predicted.target = predicted.source;
    }
    potentials.parameters.assign(predicted.source.begin(), predicted.source.end());
    potentials.parameters.insert(potentials.parameters.end(), predicted.target.begin(),
                                 predicted.target.end());
    return potentials;
}

FineTuning::FineTuning(CloudPotentials& potentials, const FineTuneOptions& options, double cycle,
                       std::uint64_t seed, std::uint64_t problem)
    : potentials_(potentials),
      options_(options),
      cycle_(cycle),
      seed_(seed),
      problem_(problem),
      adam_(nn::AdamState::start(potentials.parameters)),
      gradient_(potentials.parameters.size()) {}

// Draws cells without replacement, all of them if there are no more than those of a batch.
void FineTuning::draw(const Matrix<float>& from, std::uint64_t kind, Matrix<float>& to) {
    if (from.rows() <= options_.batch) {
        if (adam_.step == 0) to = from;
        return;
    }
    core::Stream(seed_, core::Purpose::problems, kind, (problem_ << 32U) + adam_.step)
        .sample(from.rows(), options_.batch, rows_);
    to.reshape(options_.batch, from.cols());
    linalg::gather_rows(from.view(), rows_, to.view());
}

void FineTuning::run(std::uint64_t steps) {
    const std::size_t size = potentials_.shape.size();
    const nn::AdamOptions adam{.beta1 = 0.8, .beta2 = 0.9, .ema_decay = 0};
    while (adam_.step < steps) {
        draw(potentials_.clouds.source, source_stream, source_);
        draw(potentials_.clouds.target, target_stream, target_);
        std::ranges::fill(gradient_, 0.0F);
        pair_.set(potentials_.shape, potentials_.source(), potentials_.target());
        const double loss =
            pair_.loss_and_gradient(source_.view(), target_.view(), {.cycle = cycle_},
                                    std::span(gradient_).first(size), std::span(gradient_).last(size));
        if (!std::isfinite(loss))
            throw core::NumericalError("fine-tuning", "the loss is not finite. Give a smaller learning rate");
        nn::adam_step(adam, options_.rate, 1, gradient_, potentials_.parameters, adam_);
    }
}

}  // namespace popflow::models
