// SPDX-License-Identifier: MIT
#include "linalg/avx2_product.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "support/random_matrix.hpp"

using popflow::linalg::ConstMatrixView;
using popflow::linalg::Matrix;
using popflow::support::random_matrix;
namespace avx2 = popflow::linalg::avx2;

namespace {

class Avx2Product : public ::testing::Test {
  protected:
    void SetUp() override {
        if (!avx2::is_available()) GTEST_SKIP() << "no AVX2 on this CPU";
    }
};

// Returns a bound of the rounding error. The factors have size 1, so each of the k additions rounds a sum of
// about sqrt(k).
double bound(std::size_t k) {
    return 10 * (static_cast<double>(k) + 1) * 0x1.0p-24;
}

// Compares alpha op(A) op(B) + beta C with plain sums in double. All matrices are blocks of wider ones.
void check(bool ta, bool tb, std::size_t m, std::size_t n, std::size_t k, float alpha, float beta) {
    const auto a = ta ? random_matrix<float>(k, m + 3, 1) : random_matrix<float>(m, k + 3, 1);
    const auto b = tb ? random_matrix<float>(n, k + 2, 2) : random_matrix<float>(k, n + 2, 2);
    Matrix<float> c = random_matrix<float>(m, n + 5, 3);
    const Matrix<float> start = c;
    const ConstMatrixView<float> left = a.view().col_block(1, ta ? m : k);
    const ConstMatrixView<float> right = b.view().col_block(2, tb ? k : n);
    avx2::Panels panels;
    panels.pack(tb, right);
    EXPECT_EQ(panels.rows(), k);
    EXPECT_EQ(panels.cols(), n);

    avx2::multiply(alpha, ta, left, panels, beta, c.view().col_block(4, n));

    for (std::size_t i = 0; i < m; ++i) {
        for (std::size_t j = 0; j < n + 5; ++j) {
            if (j < 4 || j >= n + 4) {
                ASSERT_EQ(c(i, j), start(i, j)) << "outside the product, " << i << " " << j;
                continue;
            }
            double sum = 0;
            for (std::size_t l = 0; l < k; ++l) {
                sum += double{ta ? left(l, i) : left(i, l)} * double{tb ? right(j - 4, l) : right(l, j - 4)};
            }
            const double expected = double{alpha} * sum + double{beta} * double{start(i, j)};
            ASSERT_NEAR(c(i, j), expected, bound(k))
                << ta << tb << " " << m << " x " << n << " x " << k << ": " << i << " " << j;
        }
    }
}

}  // namespace

TEST_F(Avx2Product, AgreesWithPlainSumsForEveryTileShape) {
    for (const bool ta : {false, true}) {
        for (const bool tb : {false, true}) {
            for (std::size_t m = 1; m <= 19; ++m) {
                for (const std::size_t n : {1U, 15U, 16U, 17U, 43U}) check(ta, tb, m, n, 7, 1.0F, 1.0F);
            }
        }
    }
}

TEST_F(Avx2Product, AgreesWithPlainSumsForOneAndSeveralInnerBlocks) {
    for (const bool ta : {false, true}) {
        for (const std::size_t k : {1U, 255U, 256U, 257U, 512U, 513U, 1100U}) {
            check(ta, false, 13, 20, k, 0.5F, 2.0F);
            check(ta, true, 13, 20, k, 1.0F, 0.0F);
        }
    }
}

TEST_F(Avx2Product, DoesNotReadCIfBetaIsZero) {
    for (const std::size_t n : {16U, 9U}) {
        const auto a = random_matrix<float>(7, 4, 1);
        const auto b = random_matrix<float>(4, n, 2);
        Matrix<float> c(7, n);
        c.fill(std::numeric_limits<float>::quiet_NaN());
        avx2::Panels panels;
        panels.pack(false, b.view());
        avx2::multiply(1, false, a.view(), panels, 0, c.view());
        for (const float v : c.values()) EXPECT_TRUE(std::isfinite(v));
    }
}

TEST_F(Avx2Product, ScalesCIfTheInnerSizeIsZero) {
    Matrix<float> c(3, 4);
    c.fill(2.0F);
    avx2::Panels panels;
    panels.pack(false, Matrix<float>(0, 4).view());
    avx2::multiply(1, false, Matrix<float>(3, 0).view(), panels, 0.5F, c.view());
    for (const float v : c.values()) EXPECT_EQ(v, 1.0F);
}

TEST_F(Avx2Product, IsBitwiseEqualForAllRowBlockSizes) {
    const auto a = random_matrix<float>(40, 700, 1);
    const auto b = random_matrix<float>(700, 37, 2);
    avx2::Panels panels;
    panels.pack(false, b.view());
    Matrix<float> whole(40, 37);
    avx2::multiply(1, false, a.view(), panels, 0, whole.view());

    for (const std::size_t rows : {1U, 5U, 8U, 13U}) {
        Matrix<float> parts(40, 37);
        for (std::size_t i = 0; i < 40; i += rows) {
            const std::size_t count = std::min<std::size_t>(rows, 40 - i);
            avx2::multiply(1, false, a.view().row_block(i, count), panels, 0,
                           parts.view().row_block(i, count));
        }
        EXPECT_TRUE(std::ranges::equal(whole.values(), parts.values())) << rows;
    }
}

TEST_F(Avx2Product, AddTransposedProductIsBitwiseEqualToMultiply) {
    const auto a = random_matrix<float>(600, 50, 1);
    const auto b = random_matrix<float>(600, 43, 2);
    Matrix<float> c = random_matrix<float>(50, 43, 3);
    Matrix<float> expected = c;
    avx2::Panels panels;
    panels.pack(false, b.view());

    avx2::add_transposed_product(a.view(), b.view(), c.view());
    avx2::multiply(1, true, a.view(), panels, 1, expected.view());

    EXPECT_TRUE(std::ranges::equal(c.values(), expected.values()));
}
