// SPDX-License-Identifier: MIT
#include "models/icnn_transport.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "support/gradient_check.hpp"
#include "support/random_matrix.hpp"

using popflow::linalg::Matrix;
using popflow::models::IcnnStart;
using popflow::models::IcnnTransport;
using popflow::models::IcnnTransportShape;
using popflow::models::TrainingSlot;
using popflow::support::random_matrix;
namespace linalg = popflow::linalg;
namespace nn = popflow::nn;

namespace {

constexpr IcnnTransportShape small{.markers = 3, .conditions = 2, .hidden = 6, .layers = 3, .inner_steps = 3};

template <class Real>
struct Example {
    explicit Example(const IcnnTransportShape& shape, std::size_t n = 9)
        : model(shape), x0(random_matrix<Real>(n, 3, 2)), x1(random_matrix<Real>(n, 3, 3)) {
        const auto initial = model.initial_values(5);
        values.assign(initial.begin(), initial.end());
        // Adds noise, because the initial values are linear or positive. Padding stays zero.
        for (const nn::Tensor& tensor : model.layout().tensors()) {
            const auto noise = random_matrix<Real>(1, tensor.size(), 10 + tensor.offset, 0.3);
            for (std::size_t i = 0; i < tensor.size(); ++i) values[tensor.offset + i] += noise.values()[i];
        }
    }
    TrainingSlot<Real> slot() const {
        return {.x0 = x0.view(),
                .x1 = x1.view(),
                .t = {},
                .control = {},
                .control_type = {},
                .condition = condition};
    }
    IcnnTransport model;
    linalg::AlignedVector<Real> values;
    Matrix<Real> x0;
    Matrix<Real> x1;
    std::vector<Real> condition{static_cast<Real>(0.5), static_cast<Real>(1)};
};

}  // namespace

class IcnnTransportGradients : public testing::TestWithParam<std::size_t> {};

TEST_P(IcnnTransportGradients, AgreeWithCentralDifferences) {
    IcnnTransportShape shape = small;
    shape.conditions = GetParam();
    Example<double> example(shape);
    IcnnTransport::Workspace<double> workspace;
    for (const bool is_g : {true, false}) {
        linalg::AlignedVector<double> gradient(example.values.size());
        linalg::AlignedVector<double> unused(example.values.size());
        const auto loss = [&](std::span<double> into) {
            const std::span<const double> values(example.values);
            return is_g ? example.model.g_loss<double>(values, example.slot(), workspace, into)
                        : example.model.f_loss<double>(values, example.slot(), workspace, into);
        };
        loss(gradient);

        for (const nn::Tensor& tensor : example.model.layout().tensors()) {
            if ((tensor.name.front() == 'g') != is_g) continue;
            const auto part = nn::elements_of(std::span<double>(example.values), tensor);
            const auto expected = nn::elements_of(std::span<const double>(gradient), tensor);
            double square = 0;
            for (double g : expected) square += g * g;
            // The gradient is zero for b of g above the first layer, and for the last b of f, which cancels.
            if (square < 1e-24) {
                const double before = loss(unused);
                part[0] += 1e-3;
                EXPECT_NEAR(loss(unused), before, 1e-12 * std::abs(before)) << tensor.name;
                part[0] -= 1e-3;
                continue;
            }
            // The losses are large compared with their change: eps * loss / h is 1e-8.
            EXPECT_LT(popflow::support::gradient_error(part, expected, [&] { return loss(unused); }), 1e-6)
                << tensor.name;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Conditions, IcnnTransportGradients, testing::Values(0U, 2U));

TEST(IcnnTransport, StartsAsTheIdentity) {
    IcnnTransportShape shape = small;
    shape.conditions = 0;
    const IcnnTransport model(shape);
    const auto values = model.initial_values(3);
    Matrix<float> x = random_matrix<float>(700, 3, 1, 0.5);
    for (float& v : x.values()) v = std::max(v, -1.9F);
    const Matrix<float> before = x;

    model.transport(values, {}, {}, {}, x.view());

    for (std::size_t i = 0; i < x.size(); ++i) ASSERT_NEAR(x.values()[i], before.values()[i], 2e-5);
}

TEST(IcnnTransport, TheMapOfAClampedPotentialIsMonotone) {
    Example<float> example(small, 40);
    nn::ParameterLayout layout;
    nn::Picnn g(layout, "g", {.inputs = 3, .hidden = 6, .layers = 3}, 2);
    g.icnn().clamp(g.icnn_part(std::span<float>(example.values)));
    Matrix<float> moved = example.x0;

    example.model.transport(example.values, {}, example.condition, {}, moved.view());

    for (std::size_t a = 0; a < 40; ++a) {
        for (std::size_t b = 0; b < a; ++b) {
            double dot = 0;
            for (std::size_t j = 0; j < 3; ++j) {
                dot += static_cast<double>(moved(a, j) - moved(b, j)) *
                       static_cast<double>(example.x0(a, j) - example.x0(b, j));
            }
            EXPECT_GE(dot, -1e-5);
        }
    }
}

TEST(IcnnTransport, UpdatesGForTheInnerStepsThenF) {
    const IcnnTransport model(small);
    const std::size_t parts[] = {0, 0, 0, 1, 0, 0, 0, 1, 0};
    const std::uint64_t updates[] = {0, 1, 2, 0, 3, 4, 5, 1, 6};
    for (std::uint64_t step = 0; step < 9; ++step) {
        const nn::UpdatePhase phase = model.phase(step);
        EXPECT_EQ(phase.part, parts[step]);
        EXPECT_EQ(phase.updates, updates[step]);
        EXPECT_EQ(phase.first, phase.part == 0 ? 0 : model.phase(0).count);
    }
    EXPECT_EQ(model.phase(0).count + model.phase(3).count, model.layout().size());
}

TEST(IcnnTransport, ProjectClampsOnlyF) {
    const IcnnTransport model(small);
    linalg::AlignedVector<float> values(model.layout().size(), -1.0F);
    model.project(model.phase(0), values);
    EXPECT_TRUE(std::ranges::all_of(values, [](float v) { return v == -1.0F; }));

    model.project(model.phase(3), values);

    for (const nn::Tensor& tensor : model.layout().tensors()) {
        const bool clamped = tensor.name.starts_with("f.hidden_");
        EXPECT_EQ(values[tensor.offset], clamped ? 0.0F : -1.0F) << tensor.name;
    }
}
