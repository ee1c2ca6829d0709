// SPDX-License-Identifier: MIT
#include "linalg/gemm.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>

#include "support/random_matrix.hpp"

using popflow::linalg::ConstMatrixView;
using popflow::linalg::gemm;
using popflow::linalg::Matrix;
using popflow::support::random_matrix;

namespace {

Matrix<float> product(bool ta, bool tb, const Matrix<float>& a, const Matrix<float>& b, Matrix<float> c) {
    gemm(ta, tb, 0.5F, a.view(), b.view(), 2.0F, c.view());
    return c;
}

}  // namespace

TEST(Gemm, AgreesWithPlainSumsForAllTranspositions) {
    const std::size_t m = 200;
    const std::size_t n = 37;
    const std::size_t k = 91;
    for (const bool ta : {false, true}) {
        for (const bool tb : {false, true}) {
            const auto a = ta ? random_matrix<float>(k, m, 1) : random_matrix<float>(m, k, 1);
            const auto b = tb ? random_matrix<float>(n, k, 2) : random_matrix<float>(k, n, 2);
            const auto start = random_matrix<float>(m, n, 3);

            const auto c = product(ta, tb, a, b, start);

            for (std::size_t i = 0; i < m; ++i) {
                for (std::size_t j = 0; j < n; ++j) {
                    double sum = 0;
                    for (std::size_t l = 0; l < k; ++l) {
                        sum += double{ta ? a(l, i) : a(i, l)} * double{tb ? b(j, l) : b(l, j)};
                    }
                    const double expected = 0.5 * sum + 2.0 * double{start(i, j)};
                    ASSERT_NEAR(c(i, j), expected, 91 * 6e-8 * 10) << ta << tb << " " << i << " " << j;
                }
            }
        }
    }
}

TEST(Gemm, IsBitwiseEqualForAnyNumberOfThreads) {
    const auto a = random_matrix<float>(1000, 427, 1);
    const auto b = random_matrix<float>(512, 427, 2);
    const Matrix<float> zero(1000, 512);

    omp_set_num_threads(1);
    const auto one = product(false, true, a, b, zero);
    omp_set_num_threads(3);
    const auto three = product(false, true, a, b, zero);
    Matrix<float> nested;
#pragma omp parallel num_threads(2)
    {
#pragma omp single
        nested = product(false, true, a, b, zero);
    }

    EXPECT_TRUE(std::ranges::equal(one.values(), three.values()));
    EXPECT_TRUE(std::ranges::equal(one.values(), nested.values()));
    EXPECT_EQ(omp_get_max_threads(), 3) << "the number of threads of the caller is unchanged";
    omp_set_num_threads(2);
}

TEST(Gemm, WorksOnColumnBlocks) {
    const auto wide = random_matrix<float>(5, 12, 1);
    const auto b = random_matrix<float>(4, 3, 2);
    Matrix<float> c(5, 3);

    gemm(false, false, 1.0F, wide.view().col_block(6, 4), b.view(), 0.0F, c.view());

    for (std::size_t j = 0; j < 3; ++j) {
        float sum = 0;
        for (std::size_t l = 0; l < 4; ++l) sum += wide(2, 6 + l) * b(l, j);
        EXPECT_NEAR(c(2, j), sum, 1e-5);
    }
}

TEST(Gemm, ThrowsIfAnOperandDoesNotFit) {
    const Matrix<float> a(2, 3);
    const Matrix<float> b(4, 5);
    Matrix<float> c(2, 5);
    EXPECT_THROW(gemm(false, false, 1.0F, a.view(), b.view(), 0.0F, c.view()), popflow::core::ShapeMismatch);
}
