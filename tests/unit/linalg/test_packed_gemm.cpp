// SPDX-License-Identifier: MIT
#include "linalg/packed_gemm.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "linalg/precision.hpp"
#include "linalg/selu.hpp"
#include "support/random_matrix.hpp"

using popflow::linalg::bfloat16;
using popflow::linalg::ConstMatrixView;
using popflow::linalg::Matrix;
using popflow::linalg::PackedMatrix;
using popflow::support::random_matrix;
namespace linalg = popflow::linalg;

namespace {

double value(float x) {
    return static_cast<double>(x);
}
double value(bfloat16 x) {
    return static_cast<double>(linalg::to_float(x));
}

template <class T>
Matrix<T> rounded(const Matrix<float>& x) {
    Matrix<T> out(x.rows(), x.cols());
    if constexpr (std::is_same_v<T, bfloat16>) {
        linalg::round_rows(x.view(), out.view());
    } else {
        out = x;
    }
    return out;
}

// Returns a bound of the error of an fp32 sum of k products of numbers of size 1. Each of the k additions
// rounds a sum of about sqrt(k), and never above 10 sqrt(k), by at most half of 2^-23 of it. The reference
// uses the rounded operands, so their rounding does not count.
double bound(std::size_t k) {
    const auto size = static_cast<double>(k);
    return 10 * std::sqrt(size) * std::sqrt(size) * 0x1.0p-24;
}

template <class T>
void check_products(std::size_t m, std::size_t n, std::size_t k) {
    const Matrix<T> a = rounded<T>(random_matrix<float>(m, k, 1));
    const Matrix<float> b = random_matrix<float>(n, k, 2);
    const Matrix<T> b_rounded = rounded<T>(b);
    PackedMatrix<T> packed;
    packed.pack(true, b.view());
    Matrix<float> c(m, n);
    c.fill(7.0F);
    Matrix<float> sum = random_matrix<float>(m, n, 3);
    const Matrix<float> start = sum;

    linalg::multiply(a.view(), packed, false, c.view());
    linalg::multiply(a.view(), packed, true, sum.view());

    for (std::size_t i = 0; i < m; ++i) {
        for (std::size_t j = 0; j < n; ++j) {
            double expected = 0;
            for (std::size_t l = 0; l < k; ++l) expected += value(a(i, l)) * value(b_rounded(j, l));
            ASSERT_NEAR(c(i, j), expected, bound(k)) << i << " " << j;
            ASSERT_NEAR(sum(i, j), expected + value(start(i, j)), bound(k) + 1e-6) << i << " " << j;
        }
    }
}

template <class T>
void check_transposed(std::size_t m, std::size_t n, std::size_t k) {
    const Matrix<T> a = rounded<T>(random_matrix<float>(k, m + 5, 1));
    const Matrix<T> b = rounded<T>(random_matrix<float>(k, n, 2));
    Matrix<float> wide = random_matrix<float>(m, n + 9, 3);
    const Matrix<float> start = wide;

    linalg::add_transposed_product(a.view().col_block(2, m), b.view(), wide.view().col_block(4, n));

    for (std::size_t i = 0; i < m; ++i) {
        for (std::size_t j = 0; j < n + 9; ++j) {
            double expected = value(start(i, j));
            const bool inside = j >= 4 && j < n + 4;
            for (std::size_t l = 0; inside && l < k; ++l) expected += value(a(l, i + 2)) * value(b(l, j - 4));
            ASSERT_NEAR(wide(i, j), expected, inside ? bound(k) + 1e-6 : 0) << i << " " << j;
        }
    }
}

}  // namespace

TEST(PackedGemm, FloatAgreesWithPlainSums) {
    check_products<float>(128, 96, 427);
    check_products<float>(1, 43, 64);
    check_products<float>(60, 2, 33);
    check_transposed<float>(43, 96, 300);
}

TEST(PackedGemm, Bfloat16AgreesWithPlainSumsOfTheRoundedOperands) {
    if (!linalg::cpu_has_bf16()) GTEST_SKIP() << "no bf16 on this CPU";
    check_products<bfloat16>(128, 96, 427);
    check_products<bfloat16>(1, 43, 64);
    check_products<bfloat16>(60, 2, 33);
    check_transposed<bfloat16>(43, 96, 300);
    check_transposed<bfloat16>(2, 70, 129);
}

TEST(PackedGemm, Bfloat16ErrorIsTheRoundingOfTheOperands) {
    if (!linalg::cpu_has_bf16()) GTEST_SKIP() << "no bf16 on this CPU";
    const std::size_t k = 512;
    const Matrix<float> a = random_matrix<float>(64, k, 1);
    const Matrix<float> b = random_matrix<float>(k, 48, 2);
    PackedMatrix<bfloat16> packed;
    packed.pack(false, b.view());
    Matrix<float> c(64, 48);

    const Matrix<bfloat16> a_rounded = rounded<bfloat16>(a);
    linalg::multiply(a_rounded.view(), packed, false, c.view());

    // The relative error of each operand is at most 2^-9, so that of each product is slightly above 2^-8.
    for (std::size_t i = 0; i < c.rows(); ++i) {
        for (std::size_t j = 0; j < c.cols(); ++j) {
            double expected = 0;
            double size = 0;
            for (std::size_t l = 0; l < k; ++l) {
                expected += value(a(i, l)) * value(b(l, j));
                size += std::abs(value(a(i, l)) * value(b(l, j)));
            }
            ASSERT_NEAR(c(i, j), expected, 1.01 * 0x1.0p-8 * size + bound(k));
        }
    }
}

TEST(PackedGemm, CanRepackOtherShapes) {
    PackedMatrix<float> packed;
    for (const std::size_t n : {8U, 8U, 20U}) {
        const auto a = random_matrix<float>(3, n, 1);
        const auto b = random_matrix<float>(n, n, n + 2);
        Matrix<float> c(3, n);
        packed.pack(false, b.view());
        linalg::multiply(a.view(), packed, false, c.view());
        double expected = 0;
        for (std::size_t l = 0; l < n; ++l) expected += value(a(2, l)) * value(b(l, 1));
        EXPECT_NEAR(c(2, 1), expected, bound(n));
    }
}

TEST(PackedGemm, ThrowsIfAnOperandDoesNotFit) {
    PackedMatrix<float> packed;
    packed.pack(false, Matrix<float>(4, 5).view());
    const Matrix<float> a(2, 3);
    Matrix<float> c(2, 5);
    EXPECT_THROW(linalg::multiply(a.view(), packed, false, c.view()), popflow::core::ShapeMismatch);
}
