// SPDX-License-Identifier: MIT
// Row kernels of the set transformer, and its attention for CPUs with AVX2.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>

#include "linalg/avx2_attention.hpp"
#include "linalg/exponential.hpp"
#include "linalg/leaky_relu.hpp"
#include "linalg/normalise_rows.hpp"
#include "linalg/softmax.hpp"
#include "support/random_matrix.hpp"

namespace {

namespace linalg = popflow::linalg;
using linalg::Matrix;
using popflow::support::random_matrix;

constexpr std::size_t widths[] = {1, 5, 16, 31, 64, 77};

}  // namespace

TEST(Exponential, PowersOfTwoAreAccurate) {
    for (int i = -12400; i <= 3200; ++i) {
        const float x = static_cast<float>(i) / 100.0F;
        const double exact = std::exp2(static_cast<double>(x));
        EXPECT_NEAR(linalg::exp2_bounded(x) / exact, 1, 3e-7) << x;
    }
    EXPECT_EQ(linalg::exp2_bounded(0.0F), 1.0F);
    EXPECT_EQ(linalg::exp2_bounded(-1e30F), std::exp2(-125.0F));
    EXPECT_EQ(linalg::exp2_bounded(-std::numeric_limits<float>::infinity()), std::exp2(-125.0F));
}

TEST(LeakyRelu, ForwardAndBackwardByHand) {
    Matrix<float> x(1, 3);
    x(0, 0) = 1;
    x(0, 1) = -1;
    x(0, 2) = -3;
    const std::vector<float> bias{1, 2, 1};
    Matrix<float> z(1, 3);

    linalg::leaky_relu_forward<float>(x.view(), bias, z.view());

    EXPECT_FLOAT_EQ(z(0, 0), 2);
    EXPECT_FLOAT_EQ(z(0, 1), 1);
    EXPECT_FLOAT_EQ(z(0, 2), -0.02F);

    Matrix<float> dx(1, 3);
    dx.fill(5);
    Matrix<float> dz(1, 3);
    std::vector<float> sums{1, 1, 1};
    linalg::leaky_relu_backward<float>(z.view(), dx.view(), dz.view(), sums);
    EXPECT_FLOAT_EQ(dz(0, 0), 5);
    EXPECT_FLOAT_EQ(dz(0, 2), 0.05F);
    EXPECT_FLOAT_EQ(sums[0], 6);
    EXPECT_FLOAT_EQ(sums[2], 1.05F);
}

TEST(NormaliseRows, AgreesWithDouble) {
    for (const std::size_t width : widths) {
        const Matrix<double> x = random_matrix<double>(5, width, 1, 3);
        const Matrix<double> shift = random_matrix<double>(1, width, 2, 10);
        const Matrix<double> d = random_matrix<double>(5, width, 3);
        const auto run = [&]<class Real>(std::vector<Real>& inverse, Matrix<Real>& out, Matrix<Real>& dx) {
            const auto convert = [](const Matrix<double>& m) {
                Matrix<Real> to(m.rows(), m.cols());
                std::ranges::transform(m.values(), to.values().begin(),
                                       [](double v) { return static_cast<Real>(v); });
                return to;
            };
            const Matrix<Real> s = convert(shift);
            inverse.resize(5);
            out.reshape(5, width);
            dx.reshape(5, width);
            dx.fill(1);
            const Matrix<Real> rows = convert(x);
            linalg::normalise_rows<Real>(rows.view(), s.values(), out.view(), inverse);
            std::vector<Real> sums(width, Real{2});
            const Matrix<Real> gradient = convert(d);
            linalg::normalise_rows_backward<Real>(std::as_const(out).view(), inverse, gradient.view(),
                                                  dx.view(), sums);
            for (std::size_t j = 0; j < width; ++j) {
                Real expected = 2;
                for (std::size_t i = 0; i < 5; ++i) expected += dx(i, j) - 1;
                EXPECT_NEAR(sums[j], expected, 1e-4);
            }
        };
        std::vector<double> inverse;
        std::vector<float> inverse_float;
        Matrix<double> out, dx;
        Matrix<float> out_float, dx_float;
        run(inverse, out, dx);
        run(inverse_float, out_float, dx_float);
        for (std::size_t i = 0; i < 5; ++i) {
            double mean = 0;
            double square = 0;
            for (std::size_t j = 0; j < width; ++j) {
                EXPECT_NEAR(out_float(i, j), out(i, j), 1e-4) << width;
                EXPECT_NEAR(dx_float(i, j), dx(i, j), 1e-4 * std::max(1.0, inverse[i])) << width;
                mean += out(i, j) / static_cast<double>(width);
                square += out(i, j) * out(i, j) / static_cast<double>(width);
            }
            EXPECT_NEAR(mean, 0, 1e-10);
            EXPECT_NEAR(square, width > 1 ? 1 : 0, 1e-3);
        }
    }
}

// The blocks of a row give the softmax of the whole row.
TEST(RunningSoftmax, BlocksGiveTheWholeRow) {
    constexpr std::size_t keys = 77;
    const Matrix<float> scores = random_matrix<float>(3, keys, 1, 20);
    Matrix<float> p(3, keys);
    std::vector<float> maximum(3, -std::numeric_limits<float>::infinity());
    std::vector<float> sum(3, 0), factor(3);
    Matrix<float> scale(3, keys);  // by which later blocks scale the probabilities of a column
    scale.fill(1);
    for (const auto& [first, count] : {std::pair<std::size_t, std::size_t>{0, 16}, {16, 40}, {56, 21}}) {
        linalg::running_softmax<float>(scores.view().col_block(first, count),
                                       p.view().col_block(first, count), maximum, sum, factor);
        for (std::size_t i = 0; i < 3; ++i) {
            for (std::size_t j = 0; j < first; ++j) scale(i, j) *= factor[i];
        }
    }
    for (std::size_t i = 0; i < 3; ++i) {
        double exact = 0;
        for (std::size_t j = 0; j < keys; ++j) exact += std::exp2(static_cast<double>(scores(i, j)));
        EXPECT_NEAR((std::log2(static_cast<double>(sum[i])) + maximum[i]) / std::log2(exact), 1, 1e-6);
        for (std::size_t j = 0; j < keys; ++j) {
            const double expected = std::exp2(static_cast<double>(scores(i, j))) / exact;
            EXPECT_NEAR(p(i, j) * scale(i, j) / sum[i], expected, 1e-6);
        }
    }
}

TEST(SoftmaxGradient, AgreesWithTheFormula) {
    const Matrix<float> scores = random_matrix<float>(2, 19, 1, 3);
    const Matrix<float> dp = random_matrix<float>(2, 19, 2);
    const std::vector<float> log_sum{9, 10};
    const std::vector<float> delta{0.5F, -1};
    Matrix<float> p(2, 19), ds(2, 19);

    linalg::softmax_gradient<float>(scores.view(), dp.view(), log_sum, delta, p.view(), ds.view());

    for (std::size_t i = 0; i < 2; ++i) {
        for (std::size_t j = 0; j < 19; ++j) {
            const double expected = std::exp2(static_cast<double>(scores(i, j) - log_sum[i]));
            EXPECT_NEAR(p(i, j), expected, 1e-6 * expected);
            EXPECT_NEAR(ds(i, j), std::numbers::ln2 * expected * (dp(i, j) - delta[i]), 2e-6 * expected);
        }
    }
}

// Scores that rise along a row, so that its reference rises several times. Sizes at the edges of the blocks.
TEST(Avx2Attention, AgreesWithPlainSums) {
    if (!linalg::avx2::is_available()) GTEST_SKIP() << "this CPU has no AVX2";
    linalg::avx2::AttentionBuffers buffers;
    for (const auto& [m, n, width] :
         {std::array<std::size_t, 3>{1, 1, 3}, {7, 17, 32}, {13, 257, 16}, {40, 300, 20}, {150, 193, 128}}) {
        const Matrix<float> q = random_matrix<float>(m, width, 1);
        Matrix<float> k = random_matrix<float>(n, width, 2);
        const Matrix<float> v = random_matrix<float>(n, width, 3);
        const Matrix<float> dout = random_matrix<float>(m, width, 4);
        for (std::size_t j = 0; j < n; ++j) {
            for (float& x : k.view().row_span(j)) x *= static_cast<float>(j + 1) / static_cast<float>(n) * 8;
        }
        Matrix<double> p(m, n), dp(m, n), out(m, width);
        std::vector<double> log_sum(m), delta(m, 0.0);
        for (std::size_t i = 0; i < m; ++i) {
            double sum = 0;
            for (std::size_t j = 0; j < n; ++j) {
                double s = 0;
                for (std::size_t l = 0; l < width; ++l) {
                    s += static_cast<double>(q(i, l)) * static_cast<double>(k(j, l));
                    dp(i, j) += static_cast<double>(dout(i, l)) * static_cast<double>(v(j, l));
                }
                p(i, j) = std::exp2(s);
                sum += p(i, j);
            }
            log_sum[i] = std::log2(sum);
            for (std::size_t j = 0; j < n; ++j) {
                p(i, j) /= sum;
                delta[i] += p(i, j) * dp(i, j);
                for (std::size_t l = 0; l < width; ++l) out(i, l) += p(i, j) * static_cast<double>(v(j, l));
            }
        }
        linalg::avx2::Panels keys_transposed, values, keys;
        keys_transposed.pack(true, std::as_const(k).view());
        keys.pack(false, std::as_const(k).view());
        values.pack(false, v.view());
        Matrix<float> own(m, width);
        std::vector<float> own_log_sum(m);

        linalg::avx2::attend(q.view(), keys_transposed, values, buffers, own.view(), own_log_sum);

        for (std::size_t i = 0; i < m; ++i) {
            EXPECT_NEAR(own_log_sum[i], log_sum[i], 1e-4 + 2e-6 * std::abs(log_sum[i]));
            for (std::size_t l = 0; l < width; ++l) EXPECT_NEAR(own(i, l), out(i, l), 1e-4);
        }

        const std::vector<float> delta_float(delta.begin(), delta.end());
        linalg::avx2::PackedQueries queries;
        queries.pack(q.view(), dout.view(), own_log_sum, delta_float);
        Matrix<float> dq(m, width), dk(n, width), dv(n, width);
        linalg::avx2::attend_backward(queries, std::as_const(k).view(), v.view(), keys, buffers, dq.view(),
                                      dk.view(), dv.view());

        Matrix<double> exact_dq(m, width), exact_dk(n, width), exact_dv(n, width);
        for (std::size_t i = 0; i < m; ++i) {
            for (std::size_t j = 0; j < n; ++j) {
                const double ds = std::numbers::ln2 * p(i, j) * (dp(i, j) - delta[i]);
                for (std::size_t l = 0; l < width; ++l) {
                    exact_dq(i, l) += ds * static_cast<double>(k(j, l));
                    exact_dk(j, l) += ds * static_cast<double>(q(i, l));
                    exact_dv(j, l) += p(i, j) * static_cast<double>(dout(i, l));
                }
            }
        }
        const auto check = [](const Matrix<float>& found, const Matrix<double>& expected) {
            double size = 0;
            for (const double x : expected.values()) size = std::max(size, std::abs(x));
            for (std::size_t i = 0; i < found.size(); ++i)
                ASSERT_NEAR(found.values()[i], expected.values()[i], 1e-4 * (1 + size));
        };
        check(dq, exact_dq);
        check(dk, exact_dk);
        check(dv, exact_dv);
    }
}
