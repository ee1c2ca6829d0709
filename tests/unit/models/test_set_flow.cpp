// SPDX-License-Identifier: MIT
#include "models/set_flow.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>

#include "core/error.hpp"
#include "core/random.hpp"
#include "linalg/precision.hpp"
#include "nn/adam.hpp"
#include "ot/coupling.hpp"
#include "support/gradient_check.hpp"
#include "support/random_matrix.hpp"

using popflow::core::Purpose;
using popflow::core::Stream;
using popflow::linalg::AlignedVector;
using popflow::linalg::bfloat16;
using popflow::linalg::ConstMatrixView;
using popflow::linalg::Matrix;
using popflow::models::Constants;
using popflow::models::GeneratedPopulation;
using popflow::models::GenerateRequest;
using popflow::models::ItemKind;
using popflow::models::PopulationSource;
using popflow::models::SetFlow;
using popflow::models::SetFlowShape;
using popflow::support::random_matrix;
namespace models = popflow::models;
namespace ot = popflow::ot;

namespace {

constexpr std::size_t conditions = 2;

SetFlowShape small_shape(PopulationSource source) {
    return {.source = source,
            .subset = source == PopulationSource::subset ? std::size_t{12} : std::size_t{0},
            .markers = 3,
            .conditions = conditions,
            .width = 8,
            .blocks = 2,
            .heads = 2,
            .frequencies = 2,
            .part = 20};
}

SetFlow make_flow(const SetFlowShape& shape) {
    Constants constants;
    models::store_gaussian_noise(models::standard_noise(shape.markers), constants);
    constants.matrices["frequencies"] = random_matrix<float>(shape.markers, shape.frequencies, 70);
    return {shape, constants};
}

// Initial weights with noise, since the outputs start near zero.
template <class Real>
AlignedVector<Real> noisy_values(const SetFlow& flow, double scale) {
    const auto initial = flow.initial_values(5);
    AlignedVector<Real> values(initial.begin(), initial.end());
    for (const auto& tensor : flow.layout().tensors()) {
        const auto noise = random_matrix<Real>(1, tensor.size(), 10 + tensor.offset, scale);
        for (std::size_t i = 0; i < tensor.size(); ++i) values[tensor.offset + i] += noise.values()[i];
    }
    return values;
}

// Clouds of 3, 5 and 1 cells.
template <class Real>
models::CloudBatch<Real> small_batch() {
    models::CloudBatch<Real> batch{.bounds = {0, 3, 8, 9},
                                   .x0 = random_matrix<Real>(9, 3, 1),
                                   .x1 = random_matrix<Real>(9, 3, 2),
                                   .t = {Real(0.25), Real(0.5), Real(0.875)},
                                   .condition = Matrix<Real>(3, conditions)};
    batch.condition(0, 0) = batch.condition(1, 1) = 1;
    return batch;
}

template <class Real>
models::CoupledClouds<Real> view_of(const models::CloudBatch<Real>& batch) {
    return {batch.bounds, batch.t, batch.x0.view(), batch.x1.view(), batch.condition.view()};
}

}  // namespace

TEST(SetFlow, GradientAgreesWithCentralDifferences) {
    const SetFlow flow = make_flow(small_shape(PopulationSource::noise));
    const models::CloudBatch<double> batch = small_batch<double>();
    AlignedVector<double> values = noisy_values<double>(flow, 0.3);
    SetFlow::Weights<double> weights;
    SetFlow::Workspace<double> workspace;
    AlignedVector<double> gradients(values.size());
    const auto loss = [&] {
        AlignedVector<double> ignored(values.size());
        flow.pack<double>(values, weights);
        return flow.loss_and_gradient(weights, view_of(batch), workspace, std::span<double>(ignored));
    };
    flow.pack<double>(values, weights);
    flow.loss_and_gradient(weights, view_of(batch), workspace, std::span<double>(gradients));
    for (const auto& tensor : flow.layout().tensors()) {
        const auto part = popflow::nn::elements_of(std::span<double>(values), tensor);
        const auto expected = popflow::nn::elements_of(std::span<const double>(gradients), tensor);
        EXPECT_LT(popflow::support::gradient_error(part, expected, loss), 1e-6) << tensor.name;
    }
}

// The loss is the mean over clouds of the mean over cells. Outputs of zero leave |x1 - x0|^2.
TEST(SetFlow, LossOfZeroVelocityIsTheMeanSquaredDisplacement) {
    const SetFlow flow = make_flow(small_shape(PopulationSource::noise));
    const models::CloudBatch<float> batch = small_batch<float>();
    AlignedVector<float> values = noisy_values<float>(flow, 0.3);
    flow.start_at_identity(values);
    SetFlow::Weights<float> weights;
    SetFlow::Workspace<float> workspace;
    AlignedVector<float> gradients(values.size());
    flow.pack<float>(values, weights);
    double expected = 0;
    for (std::size_t c = 0; c < 3; ++c) {
        for (std::size_t i = batch.bounds[c]; i < batch.bounds[c + 1]; ++i) {
            for (std::size_t j = 0; j < 3; ++j) {
                const double u = static_cast<double>(batch.x1(i, j)) - static_cast<double>(batch.x0(i, j));
                expected += u * u / (3 * static_cast<double>(batch.bounds[c + 1] - batch.bounds[c]));
            }
        }
    }
    EXPECT_NEAR(flow.loss_and_gradient(weights, view_of(batch), workspace, std::span<float>(gradients)),
                expected, 1e-5 * expected);
}

TEST(SetFlow, PairIsACloudWithTheTimeOfItsFirstCell) {
    const SetFlow flow = make_flow(small_shape(PopulationSource::control));
    const AlignedVector<float> values = noisy_values<float>(flow, 0.3);
    const models::CloudBatch<float> batch = small_batch<float>();
    models::PairInput pair;
    const std::vector<float> t{0.25F, 0.5F, 0.75F};
    const std::vector<float> condition{1, 0};
    pair.slot = {.x0 = batch.x0.view().row_block(0, 3),
                 .x1 = batch.x1.view().row_block(0, 3),
                 .t = t,
                 .control = batch.x0.view().row_block(0, 3),
                 .control_type = {},
                 .condition = condition};
    models::CloudInput cloud;
    cloud.batch = {.bounds = {0, 3},
                   .x0 = Matrix<float>(3, 3),
                   .x1 = Matrix<float>(3, 3),
                   .t = {0.25F},
                   .condition = Matrix<float>(1, conditions)};
    std::copy_n(batch.x0.data(), 9, cloud.batch.x0.data());
    std::copy_n(batch.x1.data(), 9, cloud.batch.x1.data());
    cloud.batch.condition(0, 0) = 1;
    const auto scratch = flow.make_scratch();
    AlignedVector<float> pair_gradient(values.size());
    AlignedVector<float> cloud_gradient(values.size());
    const models::GradientTraining::Request request{.values = values, .phase = flow.phase(0)};
    EXPECT_EQ(flow.slot_gradient(request, pair, *scratch, pair_gradient),
              flow.slot_gradient(request, cloud, *scratch, cloud_gradient));
    EXPECT_EQ(pair_gradient, cloud_gradient);
}

TEST(SetFlow, Bf16GradientIsCloseToFp32) {
    if (!popflow::linalg::cpu_has_bf16()) GTEST_SKIP() << "no bf16 on this CPU";
    SetFlowShape shape = small_shape(PopulationSource::noise);
    const SetFlow exact = make_flow(shape);
    shape.precision = popflow::linalg::Precision::bf16;
    const SetFlow rounded = make_flow(shape);
    const AlignedVector<float> values = noisy_values<float>(exact, 0.3);
    models::CloudInput input;
    input.batch = small_batch<float>();
    std::vector<AlignedVector<float>> gradients(2, AlignedVector<float>(values.size()));
    double loss[2];
    for (std::size_t k = 0; k < 2; ++k) {
        const SetFlow& flow = k == 0 ? exact : rounded;
        const auto scratch = flow.make_scratch();
        loss[k] =
            flow.slot_gradient({.values = values, .phase = flow.phase(0)}, input, *scratch, gradients[k]);
    }
    EXPECT_NEAR(loss[1], loss[0], 0.05 * loss[0]);
    double difference = 0;
    double size = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double d = static_cast<double>(gradients[0][i]) - static_cast<double>(gradients[1][i]);
        difference += d * d;
        size += static_cast<double>(gradients[0][i]) * static_cast<double>(gradients[0][i]);
    }
    EXPECT_GT(difference, 0);
    EXPECT_LT(std::sqrt(difference / size), 0.12);
}

TEST(SetFlow, TransportSplitsLargePopulationsIntoInterleavedParts) {
    const SetFlow flow = make_flow(small_shape(PopulationSource::control));
    const AlignedVector<float> values = noisy_values<float>(flow, 0.3);
    const std::vector<float> condition{0, 1};
    const Matrix<float> start = random_matrix<float>(39, 3, 8);
    Matrix<float> whole = start;
    Matrix<float> middle(39, 3);
    const popflow::ode::Statistics statistics =
        flow.trajectory(values, {}, condition, {}, whole.view(), {{0.5}, {middle.view()}});
    // Two parts of 20 and 19 cells.
    popflow::ode::Statistics of_parts;
    for (std::size_t p = 0; p < 2; ++p) {
        Matrix<float> part(20 - p, 3);
        for (std::size_t i = 0; i < part.rows(); ++i)
            std::copy_n(start.view().row(p + 2 * i), 3, part.view().row(i));
        Matrix<float> part_middle(part.rows(), 3);
        of_parts += flow.trajectory(values, {}, condition, {}, part.view(), {{0.5}, {part_middle.view()}});
        for (std::size_t i = 0; i < part.rows(); ++i) {
            for (std::size_t j = 0; j < 3; ++j) {
                EXPECT_EQ(whole(p + 2 * i, j), part(i, j));
                EXPECT_EQ(middle(p + 2 * i, j), part_middle(i, j));
            }
        }
    }
    // The solver counts a part once, whatever its number of cells.
    EXPECT_EQ(statistics.evaluations, of_parts.evaluations);
    EXPECT_EQ(statistics.accepted, of_parts.accepted);
    EXPECT_EQ(statistics.evaluations, 2 + statistics.accepted + statistics.rejected);
}

TEST(SetFlow, UntrainedFlowFromControlsStartsAtTheIdentity) {
    const SetFlow flow = make_flow(small_shape(PopulationSource::control));
    AlignedVector<float> values = flow.initial_values(1);
    ASSERT_EQ(flow.population_sampler(), nullptr);
    flow.start_at_identity(values);
    const Matrix<float> control = random_matrix<float>(30, 3, 9);
    Matrix<float> x = control;
    flow.transport(values, {}, std::vector<float>{1, 0}, {}, x.view());
    for (std::size_t k = 0; k < x.size(); ++k) EXPECT_EQ(x.values()[k], control.values()[k]);
}

namespace {

std::vector<GeneratedPopulation> generated(const SetFlow& flow, const GenerateRequest& request,
                                           std::size_t first, std::size_t count) {
    const AlignedVector<float> values = noisy_values<float>(flow, 0.3);
    std::vector<Stream> streams;
    for (std::size_t k = first; k < first + count; ++k) streams.emplace_back(1, Purpose::test, 0, k);
    return flow.generate(values, request, streams);
}

}  // namespace

TEST(SetFlow, GeneratedPopulationDependsOnItsStreamAlone) {
    const SetFlow flow = make_flow(small_shape(PopulationSource::noise));
    const std::vector<float> label{1, 0};
    const std::vector<std::size_t> sizes{17, 4, 60, 17, 33};
    const auto together = generated(flow, {.condition = label, .cells = sizes, .times = {0, 1}}, 0, 5);
    for (std::size_t k = 0; k < 5; ++k) {
        const auto alone = generated(flow, {.condition = label, .cells = {sizes[k]}, .times = {0, 1}}, k, 1);
        EXPECT_EQ(alone[0].cells[1].rows(), sizes[k]);
        for (std::size_t t = 0; t < 2; ++t)
            EXPECT_TRUE(std::ranges::equal(alone[0].cells[t].values(), together[k].cells[t].values()));
    }
    EXPECT_FALSE(std::ranges::equal(together[0].cells[1].values(), together[3].cells[1].values()));
}

TEST(SetFlow, GuidanceBlendsLabelAndNoLabel) {
    const SetFlow flow = make_flow(small_shape(PopulationSource::noise));
    const std::vector<float> label{1, 0};
    const std::vector<float> no_label{0, 0};
    const auto end = [&](const std::vector<float>& condition, double guidance) {
        return generated(flow,
                         {.condition = condition,
                          .guidance = guidance,
                          .cells = {9},
                          .times = {1},
                          .fixed = {popflow::ode::FixedMethod::euler, 1}},
                         0, 1)[0]
            .cells[0];
    };
    const Matrix<float> with = end(label, 1);
    const Matrix<float> without = end(no_label, 1);
    const Matrix<float> guided = end(label, 1.5);
    EXPECT_TRUE(std::ranges::equal(end(label, 0).values(), without.values()));
    for (std::size_t k = 0; k < with.size(); ++k) {
        const float expected = without.values()[k] + 1.5F * (with.values()[k] - without.values()[k]);
        EXPECT_NEAR(guided.values()[k], expected, 1e-4F);
    }
}

TEST(SetFlow, CompletionStartsAtTheGivenCells) {
    const SetFlow flow = make_flow(small_shape(PopulationSource::subset));
    const Matrix<float> given = random_matrix<float>(12, 3, 30);
    const std::vector<float> label{1, 0};
    const GenerateRequest request{.condition = label, .cells = {4000}, .times = {0}, .given = given.view()};
    ASSERT_EQ(flow.given_cells(), 12U);
    const Matrix<float> start = generated(flow,
                                          {.condition = label,
                                           .cells = {4000},
                                           .times = {0},
                                           .fixed = {popflow::ode::FixedMethod::euler, 1},
                                           .given = given.view()},
                                          0, 1)[0]
                                    .cells[0];
    const ot::GaussianMoments expected = ot::gaussian_moments(given.view());
    const ot::GaussianMoments found = ot::gaussian_moments(start.view());
    for (std::size_t j = 0; j < 3; ++j) {
        EXPECT_NEAR(found.mean[j], expected.mean[j], 0.1);
        for (std::size_t k = 0; k < 3; ++k)
            EXPECT_NEAR(found.covariance(j, k), expected.covariance(j, k), 0.15);
    }
    GenerateRequest other = request;
    const Matrix<float> fewer = random_matrix<float>(11, 3, 30);
    other.given = fewer.view();
    EXPECT_THROW(generated(flow, other, 0, 1), popflow::core::ShapeMismatch);
}

// Learns one map from a fixed noise cloud to a fixed cloud, with partners from exact transport.
TEST(SetFlow, LearnsOneCloudFromOneNoiseCloud) {
    SetFlowShape shape = small_shape(PopulationSource::control);
    shape.markers = 2;
    shape.width = 48;
    shape.frequencies = 8;
    shape.conditions = 0;
    shape.part = 100;
    const SetFlow flow = make_flow(shape);
    constexpr std::size_t n = 48;
    const Matrix<float> x0 = random_matrix<float>(n, 2, 80);
    Matrix<float> ring(n, 2);
    for (std::size_t i = 0; i < n; ++i) {
        ring(i, 0) = 3 * std::cos(static_cast<float>(i) * 0.13F);
        ring(i, 1) = 3 * std::sin(static_cast<float>(i) * 0.13F);
    }
    models::CloudInput input;
    input.batch = {.bounds = {0, n}, .x0 = x0, .x1 = Matrix<float>(n, 2), .t = {0}, .condition = {}};
    input.batch.condition.reshape(1, 0);
    const std::vector<std::uint32_t> partners = ot::optimal_partners(x0.view(), ring.view());
    for (std::size_t i = 0; i < n; ++i)
        std::copy_n(ring.view().row(partners[i]), 2, input.batch.x1.view().row(i));
    const auto squared_distance = [&](const Matrix<float>& a) {
        const std::vector<std::uint32_t> p = ot::optimal_partners(a.view(), ring.view());
        double sum = 0;
        for (std::size_t i = 0; i < n; ++i) {
            for (std::size_t j = 0; j < 2; ++j) {
                const double u = static_cast<double>(a(i, j)) - static_cast<double>(ring(p[i], j));
                sum += u * u / static_cast<double>(n);
            }
        }
        return sum;
    };
    AlignedVector<float> values = flow.initial_values(3);
    popflow::nn::AdamState adam = popflow::nn::AdamState::start(values);
    const int threads = omp_get_max_threads();
    omp_set_num_threads(1);  // products of 48 rows
    const auto scratch = flow.make_scratch();
    AlignedVector<float> gradients(values.size());
    Stream times(4, Purpose::test);
    for (std::size_t step = 0; step < 2000; ++step) {
        input.batch.t[0] = static_cast<float>(times.uniform());
        std::ranges::fill(gradients, 0.0F);
        flow.slot_gradient({.values = values, .phase = flow.phase(step)}, input, *scratch, gradients);
        const double rate = 5e-3 * 0.5 * (1 + std::cos(3.14159 * static_cast<double>(step) / 2000));
        popflow::nn::adam_step({}, rate, 1, flow.phase(step), gradients, values, adam);
    }
    omp_set_num_threads(threads);
    Matrix<float> moved = x0;
    flow.transport(values, {}, {}, {}, moved.view());
    // 5 percent of W2
    EXPECT_LT(std::sqrt(squared_distance(moved)), 0.05 * std::sqrt(squared_distance(x0)));
}

TEST(SetFlow, ItemsArePairsIfTheyAreKnown) {
    const models::Family& family = *models::set_flow_family();
    const auto settings = family.make_settings();
    EXPECT_EQ(family.items(*settings), ItemKind::populations);
    EXPECT_NO_THROW(family.check(*settings, {}, 10));
    models::assign_text(*settings, "pairing", "known");
    EXPECT_THROW(family.check(*settings, {}, 10), popflow::core::ConfigError);
    models::assign_text(*settings, "source", "control");
    EXPECT_EQ(family.items(*settings), ItemKind::pairs);
    EXPECT_NO_THROW(family.check(*settings, {}, 10));
    models::assign_text(*settings, "pairing", "none");
    EXPECT_EQ(family.population_draws(*settings).outer, models::OuterCoupling::all);
    models::assign_text(*settings, "source", "subset:50");
    EXPECT_EQ(family.population_draws(*settings).subset, 50U);
    EXPECT_EQ(family.population_draws(*settings).outer, models::OuterCoupling::none);
    EXPECT_NO_THROW(family.check(*settings, {}, 10));
    models::assign_text(*settings, "outer", "batch");
    EXPECT_THROW(family.check(*settings, {}, 10), popflow::core::ConfigError);
    for (const char* text : {"subset", "subset:1", "noise:3", "cells"})
        EXPECT_THROW(models::assign_text(*settings, "source", text), popflow::core::ConfigError) << text;
    models::assign_text(*settings, "outer", "auto");
    models::assign_text(*settings, "attention-heads", "3");
    EXPECT_THROW(family.check(*settings, {}, 10), popflow::core::ConfigError);
}

TEST(SmoothedBootstrap, NeedsTwoCells) {
    const Matrix<float> one = random_matrix<float>(1, 2, 3);
    Matrix<float> cloud(5, 2);
    Stream stream(1, Purpose::test);
    EXPECT_THROW(models::smoothed_bootstrap(one.view(), stream, cloud.view()), popflow::core::ShapeMismatch);
}
