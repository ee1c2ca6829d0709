// SPDX-License-Identifier: MIT
#include "nn/icnn.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "nn/picnn.hpp"
#include "support/random_matrix.hpp"

using popflow::linalg::Matrix;
using popflow::support::random_matrix;
namespace nn = popflow::nn;

namespace {

// One input, two hidden layers of one unit: s(2x + 1)^2, then s(3 z - x - 5), then 0.5 z + 4 x + 7.
struct ExampleNetwork {
    ExampleNetwork() {
        const auto set = [&](const nn::Tensor& tensor, double value) { values[tensor.offset] = value; };
        set(icnn.input_weight(0), 2);
        set(icnn.bias(0), 1);
        set(icnn.hidden_weight(1), 3);
        set(icnn.input_weight(1), -1);
        set(icnn.bias(1), -5);
        set(icnn.hidden_weight(2), 0.5);
        set(icnn.input_weight(2), 4);
        set(icnn.bias(2), 7);
    }
    nn::ParameterLayout layout;
    nn::Icnn icnn{layout, "y", {.inputs = 1, .hidden = 1, .layers = 2}};
    std::vector<double> values = std::vector<double>(layout.size(), 0.0);
};

}  // namespace

TEST(Icnn, ValueAndInputGradientMatchAnExampleByHand) {
    const ExampleNetwork net;
    Matrix<double> x(3, 1);
    x(0, 0) = 1;     // z0 = 9, z1 = 27 - 1 - 5 = 21
    x(1, 0) = -1;    // s(-1) = -0.2, z0 = 0.04, a1 = 0.12 + 1 - 5 = -3.88, z1 = -0.776
    x(2, 0) = 0.25;  // z0 = 2.25, a1 = 6.75 - 0.25 - 5 = 1.5
    Matrix<double> y(3, 1);
    Matrix<double> p(3, 1);
    nn::Icnn::Cache<double> cache;

    net.icnn.forward<double>(net.values, x.view(), cache, y.view());
    net.icnn.backward<double>(net.values, cache);
    net.icnn.input_gradient<double>(net.values, cache, p.view());

    EXPECT_NEAR(y(0, 0), 10.5 + 4 + 7, 1e-14);
    EXPECT_NEAR(y(1, 0), -0.388 - 4 + 7, 1e-14);
    EXPECT_NEAR(y(2, 0), 0.75 + 1 + 7, 1e-14);
    EXPECT_NEAR(p(0, 0), 0.5 * (3 * 2 * 3 * 2 - 1) + 4, 1e-14);
    EXPECT_NEAR(p(1, 0), 0.5 * 0.2 * (3 * 2 * -0.2 * 0.2 * 2 - 1) + 4, 1e-14);
    EXPECT_NEAR(p(2, 0), 0.5 * (3 * 2 * 1.5 * 2 - 1) + 4, 1e-14);
}

TEST(Icnn, PenaltyIsTheNormOfTheNegativeWeights) {
    nn::ParameterLayout layout;
    const nn::Icnn icnn(layout, "y", {.inputs = 1, .hidden = 2, .layers = 2});
    std::vector<double> values(layout.size(), -9.0);
    std::vector<double> gradient(layout.size(), 0.0);
    const std::size_t first = icnn.hidden_weight(1).offset;
    const std::size_t last = icnn.hidden_weight(2).offset;
    const double w[] = {-3, 4, 2, -4};
    std::ranges::copy(w, values.begin() + static_cast<std::ptrdiff_t>(first));
    values[last] = 0;
    values[last + 1] = 1;

    EXPECT_DOUBLE_EQ(icnn.add_penalty<double>(values, gradient), 5);

    EXPECT_DOUBLE_EQ(gradient[first], -0.6);
    EXPECT_DOUBLE_EQ(gradient[first + 1], 0);
    EXPECT_DOUBLE_EQ(gradient[first + 3], -0.8);
    double nonzero = 0;
    for (double g : gradient) nonzero += g != 0 ? 1 : 0;
    EXPECT_EQ(nonzero, 2);
}

TEST(Icnn, InitialValuesAreConvexAndDependOnSeedAndNetwork) {
    nn::ParameterLayout layout;
    const nn::Picnn f(layout, "f", {.inputs = 3, .hidden = 5, .layers = 3}, 0);
    const nn::Picnn g(layout, "g", {.inputs = 3, .hidden = 5, .layers = 3}, 0);
    for (const bool identity : {true, false}) {
        std::vector<float> values(layout.size());
        f.initialise(values, 7, identity);
        g.initialise(values, 7, identity);
        std::vector<float> clamped = values;
        f.icnn().clamp(f.icnn_part(std::span<float>(clamped)));
        g.icnn().clamp(g.icnn_part(std::span<float>(clamped)));
        EXPECT_EQ(clamped, values);
        const std::size_t w = f.icnn().hidden_weight(1).offset;
        EXPECT_NE(values[f.offset() + w], values[g.offset() + w]);
        std::vector<float> other(layout.size());
        f.initialise(other, 8, identity);
        EXPECT_NE(values[f.offset() + w], other[f.offset() + w]);
    }
}

TEST(Picnn, EqualsTheIcnnIfTheGatesAreNeutral) {
    nn::ParameterLayout layout;
    const nn::Picnn y(layout, "y", {.inputs = 3, .hidden = 4, .layers = 2}, 2);
    auto values = random_matrix<double>(1, layout.size(), 1);
    for (const nn::Tensor& tensor : layout.tensors()) {
        const bool gate = tensor.name.find(".gate_") != std::string::npos;
        const bool shift = tensor.name.find(".shift_") != std::string::npos;
        if (!gate && !shift) continue;
        const bool bias = tensor.name.ends_with(".bias");
        const bool is_z_gate = tensor.name.find(".gate_z") != std::string::npos;
        const double neutral = is_z_gate ? std::log(std::exp(1.0) - 1) : 1.0;
        for (double& v : nn::elements_of(values.values(), tensor)) v = bias ? neutral : 0.0;
    }
    nn::Picnn::Bound<double> bound;

    y.bind<double>(values.values(), std::vector<double>{0.3, -2}, bound);

    const auto own = y.icnn_part(std::span<const double>(values.values()));
    for (std::size_t l = 0; l <= 2; ++l) {
        const nn::Tensor& tensor = y.icnn().input_weight(l);
        for (std::size_t i = tensor.offset; i < tensor.offset + tensor.size(); ++i) {
            EXPECT_NEAR(bound.values[i], own[i], 1e-14);
        }
        if (l == 0) continue;
        const nn::Tensor& hidden = y.icnn().hidden_weight(l);
        for (std::size_t i = hidden.offset; i < hidden.offset + hidden.size(); ++i) {
            EXPECT_NEAR(bound.values[i], own[i], 1e-14);
        }
    }
    EXPECT_THROW(y.bind<double>(values.values(), std::vector<double>{0.3}, bound),
                 popflow::core::ShapeMismatch);
}
