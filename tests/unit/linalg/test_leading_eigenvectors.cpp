// SPDX-License-Identifier: MIT
#include "linalg/leading_eigenvectors.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/random.hpp"
#include "linalg/gram.hpp"

using popflow::linalg::LeadingEigenvectors;
using popflow::linalg::Matrix;

namespace linalg = popflow::linalg;

namespace {

// Returns cells whose markers have the standard deviations 1, decay, decay^2, ..., mixed by a few rotations.
Matrix<float> correlated_cells(std::size_t n, std::size_t d, double decay) {
    popflow::core::Stream stream(7, popflow::core::Purpose::evaluation, n, d);
    Matrix<float> x(n, d);
    stream.fill_normal(x.values());
    for (std::size_t i = 0; i < n; ++i) {
        double scale = 1;
        for (std::size_t j = 0; j < d; ++j, scale *= decay) x(i, j) *= static_cast<float>(scale);
        for (std::size_t j = 0; j + 1 < d; ++j) {
            const float a = x(i, j);
            const float b = x(i, j + 1);
            x(i, j) = 0.8F * a - 0.6F * b;
            x(i, j + 1) = 0.6F * a + 0.8F * b;
        }
        for (std::size_t j = 0; j < d; ++j) x(i, j) += 3;
    }
    return x;
}

// Returns (x - 3)' (x - 3) by plain loops.
Matrix<double> plain_gram(const Matrix<float>& x) {
    Matrix<double> gram(x.cols(), x.cols());
    for (std::size_t i = 0; i < x.rows(); ++i) {
        for (std::size_t j = 0; j < x.cols(); ++j) {
            for (std::size_t k = 0; k < x.cols(); ++k)
                gram(j, k) += (static_cast<double>(x(i, j)) - 3) * (static_cast<double>(x(i, k)) - 3);
        }
    }
    return gram;
}

Matrix<double> transposed(const Matrix<double>& x) {
    Matrix<double> out(x.cols(), x.rows());
    for (std::size_t i = 0; i < x.rows(); ++i) {
        for (std::size_t j = 0; j < x.cols(); ++j) out(j, i) = x(i, j);
    }
    return out;
}

Matrix<double> product_with_cells(const Matrix<float>& x, const Matrix<double>& rows) {
    const std::vector<float> centre(x.cols(), 3);
    Matrix<double> out(x.cols(), rows.rows());
    linalg::centred_gram_product(x, centre, transposed(rows), out);
    return transposed(out);
}

}  // namespace

TEST(LeadingEigenvectors, AreThoseOfASmallMatrix) {
    // Eigenvalues 4, 3 and 1 of [[2, 1, 0], [1, 2, 0], [0, 0, 4]].
    Matrix<double> a(3, 3);
    a(0, 0) = a(1, 1) = 2;
    a(1, 0) = a(0, 1) = 1;
    a(2, 2) = 4;
    const LeadingEigenvectors found = linalg::leading_eigenvectors(a, 2);
    EXPECT_NEAR(found.values[0], 4, 1e-12);
    EXPECT_NEAR(found.values[1], 3, 1e-12);
    EXPECT_NEAR(found.vectors(0, 2), 1, 1e-12);
    EXPECT_NEAR(found.vectors(1, 0), std::sqrt(0.5), 1e-12);  // the first of equal entries is positive
    EXPECT_NEAR(found.vectors(1, 1), std::sqrt(0.5), 1e-12);
}

TEST(LeadingEigenvectors, OfProductsAreThoseOfTheMatrix) {
    for (const double decay : {0.5, 0.9, 0.99, 1.0}) {
        const Matrix<float> x = correlated_cells(300, 130, decay);
        const Matrix<double> gram = plain_gram(x);
        const LeadingEigenvectors exact = linalg::leading_eigenvectors(gram, 12);
        const LeadingEigenvectors found = linalg::leading_eigenvectors(
            130, 12, [&](const Matrix<double>& rows) { return product_with_cells(x, rows); });
        for (std::size_t k = 0; k < 12; ++k) {
            EXPECT_NEAR(found.values[k] / exact.values[0], exact.values[k] / exact.values[0], 1e-6) << decay;
            // |A v - lambda v| <= tolerance * lambda_1, and the vectors agree where the gaps are large.
            double residual = 0;
            double length = 0;
            double difference = 0;
            for (std::size_t j = 0; j < 130; ++j) {
                double image = 0;
                for (std::size_t i = 0; i < 130; ++i) image += gram(j, i) * found.vectors(k, i);
                residual += std::pow(image - found.values[k] * found.vectors(k, j), 2);
                length += found.vectors(k, j) * found.vectors(k, j);
                difference = std::max(difference, std::abs(found.vectors(k, j) - exact.vectors(k, j)));
            }
            EXPECT_NEAR(length, 1, 1e-12);
            EXPECT_LT(std::sqrt(residual), 1.01 * linalg::eigenvector_tolerance * exact.values[0]) << decay;
            const double gap = exact.values[k] - (k < 11 ? exact.values[k + 1] : exact.values[k] * 0.9);
            if (gap > 0.01 * exact.values[0]) {
                EXPECT_LT(difference, 1e-3) << decay << " " << k;
            }
        }
    }
}

TEST(LeadingEigenvectors, OfAMatrixOfLowRankAreFound) {
    // Three directions have variance. The eigenvalues of the others are zero up to rounding.
    Matrix<double> rows(3, 40);
    rows(0, 3) = 5;
    rows(1, 17) = -2;
    rows(2, 30) = 1;
    const LeadingEigenvectors found = linalg::leading_eigenvectors(40, 6, [&](const Matrix<double>& v) {
        Matrix<double> out(v.rows(), 40);
        for (std::size_t i = 0; i < v.rows(); ++i) {
            for (std::size_t k = 0; k < 3; ++k) {
                for (std::size_t j = 0; j < 40; ++j) {
                    for (std::size_t l = 0; l < 40; ++l) out(i, j) += rows(k, j) * rows(k, l) * v(i, l);
                }
            }
        }
        return out;
    });
    EXPECT_NEAR(found.values[0], 25, 1e-4);
    EXPECT_NEAR(found.values[1], 4, 1e-4);
    EXPECT_NEAR(found.values[2], 1, 1e-4);
    for (std::size_t k = 3; k < 6; ++k) EXPECT_NEAR(found.values[k], 0, 1e-4);
    EXPECT_NEAR(found.vectors(1, 17), 1, 1e-4);
}

TEST(LeadingEigenvectors, RefuseValuesThatAreNotFinite) {
    Matrix<double> a(2, 2);
    a(1, 0) = std::numeric_limits<double>::quiet_NaN();
    EXPECT_THROW(linalg::leading_eigenvectors(a, 1), popflow::core::NumericalError);
}

TEST(CentredGram, IsThatOfPlainLoopsForAnyNumberOfThreads) {
    const Matrix<float> x = correlated_cells(131, 70, 0.95);
    const std::vector<float> centre(70, 3);
    const Matrix<double> plain = plain_gram(x);
    Matrix<double> reference;
    for (const int threads : {1, 2, 5}) {
        omp_set_num_threads(threads);
        Matrix<double> gram(70, 70);
        linalg::centred_gram(x, centre, gram);
        if (threads == 1) reference = gram;
        EXPECT_TRUE(std::ranges::equal(gram.values(), reference.values())) << threads;
    }
    for (std::size_t i = 0; i < 70; ++i) {
        for (std::size_t j = 0; j <= i; ++j) EXPECT_NEAR(reference(i, j), plain(i, j), 1e-9);
    }
}
