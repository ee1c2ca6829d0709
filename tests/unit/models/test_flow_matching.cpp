// SPDX-License-Identifier: MIT
#include "models/flow_matching.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include "support/gradient_check.hpp"
#include "support/random_matrix.hpp"

using popflow::linalg::ConstMatrixView;
using popflow::linalg::Matrix;
using popflow::models::Context;
using popflow::models::FlowMatching;
using popflow::models::FlowMatchingShape;
using popflow::models::TrainingSlot;
using popflow::support::random_matrix;
namespace nn = popflow::nn;

namespace {

FlowMatchingShape small_shape(Context context, std::size_t knn, std::size_t encoder_layers) {
    return {.context = context,
            .markers = 3,
            .cell_types = 2,
            .conditions = 4,
            .training_pairs = 5,
            .hidden = 8,
            .layers = 3,
            .time_frequencies = 2,
            .space_frequencies = 3,
            .space_scale = 0.3,
            .encoder = {.hidden = 6, .layers = encoder_layers, .embedding = 4, .knn = knn}};
}

FlowMatching small_model(const FlowMatchingShape& shape) {
    return {shape, popflow::models::draw_frequencies(shape, 1)};
}

template <class Real>
struct Slot {
    Matrix<Real> x0 = random_matrix<Real>(9, 3, 11);
    Matrix<Real> x1 = random_matrix<Real>(9, 3, 12);
    Matrix<Real> control = random_matrix<Real>(12, 3, 13);
    std::vector<Real> t{0.1, 0.9, 0.5, 0.3, 0.2, 0.7, 0.4, 0.6, 0.8};
    std::vector<std::uint8_t> type{0, 1, 0, 0, 1, 1, 0, 1, 0, 0, 1, 0};
    std::vector<Real> condition{0, 1, 0, 0.5};
    TrainingSlot<Real> view() const { return {x0.view(), x1.view(), t, control.view(), type, condition, 3}; }
};

struct Case {
    Context context;
    std::size_t knn;
    std::size_t encoder_layers;
};

class FlowMatchingGradient : public testing::TestWithParam<Case> {};

}  // namespace

TEST_P(FlowMatchingGradient, AgreesWithCentralDifferences) {
    const Case c = GetParam();
    const FlowMatching model = small_model(small_shape(c.context, c.knn, c.encoder_layers));
    Matrix<double> values = random_matrix<double>(1, model.layout().size(), 7, 0.5);
    Matrix<double> gradient(1, values.size());
    Matrix<double> ignored(1, values.size());
    const Slot<double> slot;
    FlowMatching::Workspace<double> workspace;

    model.loss_and_gradient<double>(values.values(), slot.view(), workspace, gradient.values());

    for (const nn::Tensor& tensor : model.layout().tensors()) {
        const auto part = nn::elements_of(values.values(), tensor);
        const auto expected = nn::elements_of(std::span<const double>(gradient.values()), tensor);
        const double error = popflow::support::gradient_error(part, expected, [&] {
            return model.loss_and_gradient<double>(values.values(), slot.view(), workspace, ignored.values());
        });
        EXPECT_LT(error, 1e-7) << tensor.name;
    }
}

INSTANTIATE_TEST_SUITE_P(Contexts, FlowMatchingGradient,
                         testing::Values(Case{Context::none, 0, 2}, Case{Context::pair_index, 0, 2},
                                         Case{Context::population, 0, 2}, Case{Context::population, 4, 2},
                                         Case{Context::population, 4, 3}, Case{Context::population, 0, 3},
                                         Case{Context::population, 4, 1}));

TEST(FlowMatching, EmbeddingHasUnitNormAndIgnoresTheOrderOfCells) {
    const FlowMatching model = small_model(small_shape(Context::population, 4, 3));
    const auto values = model.initial_values(3);
    Slot<float> slot;
    FlowMatching::Workspace<float> workspace;

    const auto h = model.context(values, slot.control.view(), slot.type, workspace);
    Matrix<float> reordered(12, 3);
    std::vector<std::uint8_t> reordered_type(12);
    for (std::size_t i = 0; i < 12; ++i) {
        std::copy_n(slot.control.view().row((i + 5) % 12), 3, reordered.view().row(i));
        reordered_type[i] = slot.type[(i + 5) % 12];
    }
    const auto same = model.context(values, reordered.view(), reordered_type, workspace);

    double norm = 0;
    for (float e : h) norm += double{e} * double{e};
    EXPECT_NEAR(norm, 1, 1e-6);
    for (std::size_t j = 0; j < h.size(); ++j) EXPECT_NEAR(h[j], same[j], 1e-6);
}

TEST(FlowMatching, OrganoidConfigurationHasThePublishedSize) {
    const FlowMatchingShape shape{.markers = 43, .cell_types = 2, .conditions = 11};
    const FlowMatching model(shape, popflow::models::draw_frequencies(shape, 1));
    // Velocity: 566 x 512 + 512, six times 512 x 512 + 512, 512 x 43 + 43.
    // Encoder: 45 x 128 + 128, 128 x 128 + 128.
    EXPECT_EQ(model.layout().count(),
              566U * 512 + 512 + 6U * (512 * 512 + 512) + 512 * 43 + 43 + 45 * 128 + 128 + 128 * 128 + 128);
}

namespace {

void expect_bitwise_equal_for_any_threads(popflow::linalg::Precision precision) {
    FlowMatchingShape shape = small_shape(Context::population, 10, 3);
    shape.hidden = 160;  // more than one row block of a weight gradient
    shape.precision = precision;
    const FlowMatching model = small_model(shape);
    const auto values = model.initial_values(3);
    const auto x0 = random_matrix<float>(700, 3, 1);
    const auto x1 = random_matrix<float>(700, 3, 2);
    const auto t = random_matrix<float>(1, 700, 3);
    const std::vector<std::uint8_t> type(700, 1);
    const std::vector<float> condition{0, 1, 0, 0};
    const TrainingSlot<float> slot{x0.view(), x1.view(), t.values(), x0.view(), type, condition, 0};
    const auto run = [&](int threads) {
        omp_set_num_threads(threads);
        FlowMatching::Workspace<float> workspace;
        std::vector<float> out(model.layout().size(), 0.0F);
        out.push_back(
            model.loss_and_gradient<float>(values, slot, workspace, std::span(out).first(out.size())));
        Matrix<float> moved = x0;
        model.transport(values, model.context(values, x0.view(), type, workspace), condition, {},
                        moved.view());
        out.insert(out.end(), moved.values().begin(), moved.values().end());
        return out;
    };

    const auto one = run(1);
    const auto three = run(3);
    omp_set_num_threads(2);

    EXPECT_EQ(one, three);
}

}  // namespace

TEST(FlowMatching, GradientAndTransportAreBitwiseEqualForAnyNumberOfThreads) {
    expect_bitwise_equal_for_any_threads(popflow::linalg::Precision::fp32);
}

TEST(FlowMatching, Bfloat16IsBitwiseEqualForAnyNumberOfThreads) {
    if (!popflow::linalg::cpu_has_bf16()) GTEST_SKIP() << "no bf16 on this CPU";
    expect_bitwise_equal_for_any_threads(popflow::linalg::Precision::bf16);
}
