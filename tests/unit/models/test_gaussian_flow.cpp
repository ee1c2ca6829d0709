// SPDX-License-Identifier: MIT
#include "models/gaussian_flow.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>

#include "core/error.hpp"
#include "core/random.hpp"
#include "models/gaussian_state.hpp"
#include "ot/bures.hpp"
#include "support/gradient_check.hpp"
#include "support/random_matrix.hpp"

using popflow::core::Purpose;
using popflow::core::Stream;
using popflow::linalg::Matrix;
using popflow::linalg::MatrixView;
using popflow::models::Constants;
using popflow::models::GaussianBatch;
using popflow::models::GaussianFlow;
using popflow::models::GaussianFlowShape;
using popflow::models::GeneratedPopulation;
using popflow::models::GenerateRequest;
using popflow::models::PopulationSource;
using popflow::ot::GaussianMoments;
using popflow::support::random_matrix;
namespace linalg = popflow::linalg;
namespace models = popflow::models;
namespace ot = popflow::ot;

namespace {

// Moments of random cells with d markers.
std::vector<GaussianMoments> populations(std::size_t count, std::size_t d, std::uint64_t key) {
    std::vector<GaussianMoments> result;
    for (std::size_t p = 0; p < count; ++p) {
        const Matrix<float> mix = random_matrix<float>(d, d, key + 2 * p);
        const Matrix<float> z = random_matrix<float>(40, d, key + 2 * p + 1);
        Matrix<float> x(40, d);
        for (std::size_t i = 0; i < 40; ++i) {
            for (std::size_t j = 0; j < d; ++j) {
                x(i, j) = static_cast<float>(p % 3) + z(i, j);
                for (std::size_t k = 0; k < d; ++k) x(i, j) += mix(j, k) * z(i, k);
            }
        }
        result.push_back(ot::gaussian_moments(x));
    }
    return result;
}

GaussianFlow make_flow(std::size_t d, PopulationSource source = PopulationSource::noise) {
    const GaussianFlowShape shape{.source = source, .markers = d, .conditions = 2, .hidden = 7, .layers = 2};
    return {shape, models::gaussian_flow_constants(populations(6, d, 100), {}, 1, 3)};
}

// Initial weights with noise, since the outputs start at zero.
template <class Real>
linalg::AlignedVector<Real> noisy_values(const GaussianFlow& flow, double scale) {
    const auto initial = flow.initial_values(5);
    linalg::AlignedVector<Real> values(initial.begin(), initial.end());
    for (const auto& tensor : flow.layout().tensors()) {
        const auto noise = random_matrix<Real>(1, tensor.size(), 10 + tensor.offset, scale);
        for (std::size_t i = 0; i < tensor.size(); ++i) values[tensor.offset + i] += noise.values()[i];
    }
    return values;
}

GaussianBatch<double> batch_of(std::size_t n, std::size_t d) {
    GaussianBatch<double> batch{.mean = random_matrix<double>(n, d, 1),
                                .covariance = Matrix<double>(n, d * d),
                                .mean_velocity = random_matrix<double>(n, d, 2),
                                .velocity = Matrix<double>(n, d * d),
                                .t = {},
                                .condition = Matrix<double>(n, 2)};
    for (std::size_t i = 0; i < n; ++i) {
        batch.t.push_back(static_cast<double>(i) / static_cast<double>(n));
        batch.condition(i, i % 2) = 1;
        const Matrix<double> factor = random_matrix<double>(d, d, 20 + i);
        const Matrix<double> other = random_matrix<double>(d, d, 40 + i);
        for (std::size_t j = 0; j < d; ++j) {
            for (std::size_t k = 0; k < d; ++k) {
                batch.velocity(i, j * d + k) = other(j, k) + other(k, j);
                for (std::size_t l = 0; l < d; ++l)
                    batch.covariance(i, j * d + k) += factor(j, l) * factor(k, l);
            }
        }
    }
    return batch;
}

// Moves a state by one step of Euler's method: m + h v, (I + h V) F.
void euler_step(double h, const std::vector<double>& derivative, std::vector<double>& state) {
    for (std::size_t k = 0; k < state.size(); ++k) state[k] += h * derivative[k];
}

// State of a Gaussian whose factor is the root of the covariance.
std::vector<double> state_of(const GaussianMoments& moments) {
    std::vector<double> state = moments.mean;
    state.insert(state.end(), moments.root.values().begin(), moments.root.values().end());
    return state;
}

}  // namespace

TEST(GaussianFlow, GradientAgreesWithCentralDifferences) {
    const GaussianFlow flow = make_flow(3);
    const GaussianBatch<double> batch = batch_of(5, 3);
    linalg::AlignedVector<double> values = noisy_values<double>(flow, 0.3);
    GaussianFlow::Weights<double> weights;
    GaussianFlow::Workspace<double> workspace;
    linalg::AlignedVector<double> gradients(values.size());
    const auto loss = [&] {
        linalg::AlignedVector<double> ignored(values.size());
        flow.pack(std::span<const double>(values), weights);
        return flow.loss_and_gradient(weights, batch, workspace, std::span<double>(ignored));
    };
    flow.pack(std::span<const double>(values), weights);
    flow.loss_and_gradient(weights, batch, workspace, std::span<double>(gradients));
    for (const auto& tensor : flow.layout().tensors()) {
        const auto part = popflow::nn::elements_of(std::span<double>(values), tensor);
        const auto expected = popflow::nn::elements_of(std::span<const double>(gradients), tensor);
        EXPECT_LT(popflow::support::gradient_error(part, expected, loss), 1e-6) << tensor.name;
    }
}

TEST(GaussianFlow, LossIsZeroForTheExactVelocity) {
    const GaussianFlow flow = make_flow(2);
    GaussianBatch<double> batch = batch_of(4, 2);
    const linalg::AlignedVector<double> values = noisy_values<double>(flow, 0.3);
    GaussianFlow::Weights<double> weights;
    GaussianFlow::Workspace<double> workspace;
    flow.pack(std::span<const double>(values), weights);
    flow.velocity<double>(weights, {batch.t, batch.mean, batch.covariance, batch.condition}, false,
                          workspace);
    for (std::size_t i = 0; i < 4; ++i) {
        for (std::size_t j = 0; j < 2; ++j) batch.mean_velocity(i, j) = workspace.v(i, j);
        batch.velocity(i, 0) = workspace.triangle(i, 0);
        batch.velocity(i, 1) = batch.velocity(i, 2) = workspace.triangle(i, 1);
        batch.velocity(i, 3) = workspace.triangle(i, 2);
    }
    linalg::AlignedVector<double> gradients(values.size());
    EXPECT_NEAR(flow.loss_and_gradient(weights, batch, workspace, std::span<double>(gradients)), 0, 1e-24);
}

// With the velocity of a geodesic, Euler's method is exact for any number of steps.
TEST(GaussianState, EulerStepsWithTheExactVelocityEndAtTheTarget) {
    for (const std::size_t d : {1, 2, 3, 8}) {
        const std::vector<GaussianMoments> pair = populations(2, d, 7);
        const Matrix<double> map = ot::gaussian_map(pair[0], pair[1]);
        const double distance = ot::squared_bures_distance(pair[0], pair[1]);
        for (const std::size_t steps : {1, 3, 10}) {
            std::vector<double> state = state_of(pair[0]);
            std::vector<double> derivative(state.size());
            for (std::size_t step = 0; step < steps; ++step) {
                const double t = static_cast<double>(step) / static_cast<double>(steps);
                const ot::GeodesicPoint point = ot::geodesic_point(pair[0], pair[1], map, t);
                models::gaussian_derivative<double>(state.data(), d, point.mean_velocity.data(),
                                                    point.velocity, derivative.data());
                euler_step(1 / static_cast<double>(steps), derivative, state);
            }
            Matrix<double> covariance(d, d);
            models::gaussian_covariance<double>(state.data(), d, covariance.view());
            for (std::size_t j = 0; j < d; ++j) {
                EXPECT_NEAR(state[j], pair[1].mean[j], 1e-12 * (1 + distance));
                for (std::size_t k = 0; k < d; ++k)
                    EXPECT_NEAR(covariance(j, k), pair[1].covariance(j, k), 1e-12 * (1 + distance));
            }
        }
    }
}

TEST(GaussianState, CovarianceIsPositiveForAnyVelocity) {
    const std::size_t d = 3;
    const Matrix<double> other = random_matrix<double>(d, d, 3, 50);
    Matrix<double> velocity(d, d);
    for (std::size_t j = 0; j < d; ++j) {
        for (std::size_t k = 0; k < d; ++k) velocity(j, k) = other(j, k) + other(k, j);
    }
    const std::vector<double> v(d, 1);
    std::vector<double> state = state_of(populations(1, d, 7)[0]);
    std::vector<double> derivative(state.size());
    for (int step = 0; step < 4; ++step) {
        models::gaussian_derivative<double>(state.data(), d, v.data(), velocity, derivative.data());
        euler_step(0.7, derivative, state);
        Matrix<double> covariance(d, d);
        models::gaussian_covariance<double>(state.data(), d, covariance.view());
        const Matrix<double> factor = ot::cholesky_factor(covariance);
        for (std::size_t j = 0; j < d; ++j) EXPECT_GT(factor(j, j), 0);
    }
}

TEST(GaussianNoise, HasTheMomentsOfItsLaw) {
    const std::size_t d = 2;
    const std::vector<GaussianMoments> training = populations(30, d, 7);
    const models::GaussianNoise noise = models::fit_gaussian_noise(training, 1);
    const GaussianMoments centre = ot::bures_barycentre(training);
    constexpr std::size_t draws = 20000;
    std::vector<double> mean(d);
    std::vector<double> squares(d);
    Matrix<double> covariance(d, d);
    Stream stream(1, Purpose::test, 1);
    for (std::size_t n = 0; n < draws; ++n) {
        const GaussianMoments drawn = noise.draw(stream);
        for (std::size_t j = 0; j < d; ++j) {
            const double difference = drawn.mean[j] - centre.mean[j];
            mean[j] += difference / draws;
            squares[j] += difference * difference / draws;
            for (std::size_t k = 0; k < d; ++k) covariance(j, k) += drawn.covariance(j, k) / draws;
        }
    }
    for (std::size_t j = 0; j < d; ++j) {
        // Five standard errors.
        EXPECT_NEAR(mean[j], 0, 5 * noise.spread[j] / std::sqrt(1.0 * draws));
        EXPECT_NEAR(std::sqrt(squares[j]), noise.spread[j], 5 * noise.spread[j] / std::sqrt(2.0 * draws));
        for (std::size_t k = 0; k < d; ++k) {
            const double ridge = j == k ? noise.ridge : 0;
            const double scale = std::sqrt(centre.covariance(j, j) * centre.covariance(k, k));
            EXPECT_NEAR(covariance(j, k), centre.covariance(j, k) + ridge,
                        5 * scale * std::sqrt(0.2 / draws));
        }
    }
}

TEST(GaussianFlow, GeneratesPopulationsThatDependOnTheirStreamAlone) {
    const GaussianFlow flow = make_flow(2);
    const linalg::AlignedVector<float> values = noisy_values<float>(flow, 0.1F);
    const std::vector<float> condition{1, 0};
    const auto generated = [&](const std::vector<std::uint64_t>& keys) {
        GenerateRequest request{.condition = condition, .guidance = 1.5, .cells = {}, .times = {0, 0.5, 1}};
        std::vector<Stream> streams;
        for (const std::uint64_t key : keys) {
            streams.emplace_back(1, Purpose::test, key);
            request.cells.push_back(5 + key % 13);
        }
        return flow.generate(values, request, streams);
    };
    std::vector<std::uint64_t> many(70);
    for (std::size_t k = 0; k < many.size(); ++k) many[k] = k;
    const std::vector<GeneratedPopulation> all = generated(many);
    const GeneratedPopulation one = generated({64}).front();
    ASSERT_EQ(one.cells.size(), 3U);
    for (std::size_t t = 0; t < 3; ++t) {
        EXPECT_TRUE(std::ranges::equal(one.cells[t].values(), all[64].cells[t].values()));
        EXPECT_FALSE(std::ranges::equal(one.cells[t].values(), all[63].cells[t].values()));
    }
    EXPECT_TRUE(std::ranges::equal(one.covariance.values(), all[64].covariance.values()));
}

TEST(GaussianFlow, GeneratedCellsHaveTheReportedMoments) {
    const GaussianFlow flow = make_flow(2);
    const linalg::AlignedVector<float> values = noisy_values<float>(flow, 0.1F);
    const std::vector<float> condition{0, 1};
    constexpr std::size_t cells = 40000;
    std::vector<Stream> streams{Stream(1, Purpose::test, 2)};
    const GeneratedPopulation one =
        flow.generate(values, {.condition = condition, .cells = {cells}, .times = {1}}, streams).front();
    const GaussianMoments moments = ot::gaussian_moments(one.cells.front());
    for (std::size_t j = 0; j < 2; ++j) {
        const double deviation = std::sqrt(static_cast<double>(one.covariance(0, 3 * j)));
        EXPECT_NEAR(moments.mean[j], static_cast<double>(one.mean(0, j)),
                    5 * deviation / std::sqrt(1.0 * cells));
        EXPECT_NEAR(std::sqrt(moments.covariance(j, j)), deviation, 5 * deviation / std::sqrt(2.0 * cells));
    }
}

// The solver of adaptive steps and many small steps of Euler's method reach the same Gaussians.
TEST(GaussianFlow, EulerStepsConvergeToTheAdaptiveSolver) {
    const GaussianFlow flow = make_flow(2);
    const linalg::AlignedVector<float> values = noisy_values<float>(flow, 0.1F);
    const std::vector<float> condition{0, 1};
    const auto end = [&](std::size_t steps) {
        std::vector<Stream> streams{Stream(1, Purpose::test, 2)};
        return flow
            .generate(values,
                      {.condition = condition,
                       .cells = {1},
                       .times = {1},
                       .solver = {.tolerance = 1e-6},
                       .fixed = {popflow::ode::FixedMethod::euler, steps}},
                      streams)
            .front();
    };
    const GeneratedPopulation exact = end(0);
    double before = 1e9;
    for (const std::size_t steps : {4, 16, 64, 256}) {
        const GeneratedPopulation euler = end(steps);
        double error = 0;
        for (std::size_t k = 0; k < 4; ++k)
            error += std::abs(static_cast<double>(euler.covariance(0, k) - exact.covariance(0, k)));
        for (std::size_t k = 0; k < 2; ++k)
            error += std::abs(static_cast<double>(euler.mean(0, k) - exact.mean(0, k)));
        EXPECT_LT(error, 0.5 * before);
        before = error;
    }
    EXPECT_LT(before, 0.02);
}

TEST(GaussianFlow, UntrainedFlowFromControlsIsTheIdentity) {
    const GaussianFlow flow = make_flow(3, PopulationSource::control);
    const linalg::AlignedVector<float> values = flow.initial_values(1);
    const Matrix<float> control = random_matrix<float>(50, 3, 9);
    Matrix<float> x = control;
    const std::vector<float> context = flow.context(values, control, {});
    ASSERT_EQ(flow.population_sampler(), nullptr);
    flow.transport(values, context, std::vector<float>{1, 0}, {}, x.view());
    for (std::size_t k = 0; k < x.size(); ++k) EXPECT_NEAR(x.values()[k], control.values()[k], 1e-4F);
}

TEST(GaussianFlow, RejectsSettingsThatContradictEachOther) {
    const models::Family& family = *models::gaussian_flow_family();
    const auto settings = family.make_settings();
    EXPECT_NO_THROW(family.check(*settings, {}, 10));
    models::assign_text(*settings, "outer", "all");
    EXPECT_THROW(family.check(*settings, {}, 10), popflow::core::ConfigError);
    models::assign_text(*settings, "source", "control");
    EXPECT_NO_THROW(family.check(*settings, {}, 10));
    models::assign_text(*settings, "pairing", "known");
    models::assign_text(*settings, "source", "noise");
    EXPECT_THROW(family.check(*settings, {}, 10), popflow::core::ConfigError);
}
