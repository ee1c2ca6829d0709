// SPDX-License-Identifier: MIT
#include "nn/skip_mlp.hpp"

#include <gtest/gtest.h>

#include "support/gradient_check.hpp"
#include "support/random_matrix.hpp"

using popflow::linalg::ConstMatrixView;
using popflow::linalg::Matrix;
using popflow::support::random_matrix;
namespace nn = popflow::nn;

namespace {

struct Network {
    nn::ParameterLayout layout;
    nn::SkipMlp mlp{
        layout,
        "m",
        {.shared_before = 3, .row_inputs = 4, .shared_after = 2, .hidden = 6, .layers = 3, .outputs = 5}};
    Matrix<double> values = random_matrix<double>(1, layout.size(), 1, 0.5);
    Matrix<double> before = random_matrix<double>(1, 3, 2);
    Matrix<double> after = random_matrix<double>(1, 2, 3);
    Matrix<double> x = random_matrix<double>(7, 4, 4);
    Matrix<double> target = random_matrix<double>(7, 5, 5);
    nn::SkipMlp::Cache<double> cache;
    nn::SkipMlp::Packed<double> packed;

    // Returns 1/2 || y - target ||^2 and stores y - target in `dy`.
    double loss(Matrix<double>& dy) {
        mlp.pack<double>(values.values(), packed);
        mlp.forward<double>(values.values(), packed, before.values(), x.view(), after.values(), true, cache,
                            dy.view());
        double sum = 0;
        for (std::size_t i = 0; i < dy.size(); ++i) {
            dy.values()[i] -= target.values()[i];
            sum += 0.5 * dy.values()[i] * dy.values()[i];
        }
        return sum;
    }
};

}  // namespace

TEST(SkipMlp, GradientsAgreeWithCentralDifferences) {
    Network net;
    Matrix<double> dy(7, 5);
    Matrix<double> gradient(1, net.layout.size());
    std::vector<double> dbefore(3);

    net.loss(dy);
    net.mlp.backward<double>(net.values.values(), net.packed, net.before.values(), net.after.values(),
                             dy.view(), net.cache, gradient.values(), dbefore);

    Matrix<double> scratch(7, 5);
    for (const nn::Tensor& tensor : net.layout.tensors()) {
        const auto part = nn::elements_of(net.values.values(), tensor);
        const auto expected = nn::elements_of(std::span<const double>(gradient.values()), tensor);
        EXPECT_LT(popflow::support::gradient_error(part, expected, [&] { return net.loss(scratch); }), 1e-8)
            << tensor.name;
    }
    EXPECT_LT(
        popflow::support::gradient_error(net.before.values(), dbefore, [&] { return net.loss(scratch); }),
        1e-8);
}

TEST(SkipMlp, ParameterGradientsAccumulate) {
    Network net;
    Matrix<double> dy(7, 5);
    Matrix<double> once(1, net.layout.size());
    Matrix<double> twice(1, net.layout.size());
    std::vector<double> dbefore(3);
    net.loss(dy);
    const auto backward = [&](Matrix<double>& gradient) {
        net.mlp.backward<double>(net.values.values(), net.packed, net.before.values(), net.after.values(),
                                 dy.view(), net.cache, gradient.values(), dbefore);
    };

    backward(once);
    backward(twice);
    backward(twice);

    for (std::size_t i = 0; i < once.size(); ++i) {
        EXPECT_NEAR(twice.values()[i], 2 * once.values()[i], 1e-12 * std::abs(once.values()[i]) + 1e-14);
    }
}
