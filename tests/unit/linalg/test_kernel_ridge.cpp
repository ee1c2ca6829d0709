// SPDX-License-Identifier: MIT
#include "linalg/kernel_ridge.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.hpp"
#include "core/random.hpp"
#include "support/golden.hpp"

namespace linalg = popflow::linalg;
using linalg::Matrix;
using linalg::RidgeFit;
using linalg::RidgeKernel;

namespace {

Matrix<double> matrix(std::size_t rows, std::size_t cols, const std::vector<double>& values) {
    Matrix<double> x(rows, cols);
    std::ranges::copy(values, x.values().begin());
    return x;
}

Matrix<double> random_matrix(std::size_t rows, std::size_t cols, std::uint64_t seed) {
    popflow::core::Stream stream(seed, popflow::core::Purpose::test);
    std::vector<float> values(rows * cols);
    stream.fill_normal(values);
    return matrix(rows, cols, {values.begin(), values.end()});
}

RidgeFit fit(const Matrix<double>& features, const std::vector<std::size_t>& groups, RidgeKernel kernel,
             const Matrix<double>& targets) {
    const linalg::ConstMatrixView<double> views[] = {targets.view()};
    return linalg::fit_kernel_ridge(features, groups, kernel, views).front();
}

// Returns the prediction for one query.
std::vector<double> predict(const RidgeFit& fit, const Matrix<double>& features, RidgeKernel kernel,
                            const std::vector<double>& query) {
    Matrix<float> x(features.rows(), features.cols());
    std::ranges::copy(features.values(), x.values().begin());
    const std::vector<float> q(query.begin(), query.end());
    std::vector<double> sum = fit.mean;
    if (fit.penalty == 0) return sum;
    const std::vector<double> k = linalg::ridge_kernel(x, q, kernel, fit.width);
    for (std::size_t i = 0; i < k.size(); ++i) {
        for (std::size_t j = 0; j < sum.size(); ++j) sum[j] += k[i] * fit.weights(i, j);
    }
    return sum;
}

std::vector<std::size_t> one_group_each(std::size_t n) {
    std::vector<std::size_t> groups(n);
    std::iota(groups.begin(), groups.end(), std::size_t{0});
    return groups;
}

}  // namespace

// The golden file has NumPy's choice, error and prediction, with a refit for each fold and candidate.
TEST(KernelRidge, ChoosesAndPredictsLikeRefitsOfEachFold) {
    popflow::support::GoldenFile file("moments/ridge.bin");
    std::size_t problems = 0;
    for (; !file.at_end(); ++problems) {
        const auto sizes = file.read<std::int32_t>(5);
        const auto n = static_cast<std::size_t>(sizes[0]);
        const auto p = static_cast<std::size_t>(sizes[1]);
        const auto d = static_cast<std::size_t>(sizes[2]);
        const RidgeKernel kernel = sizes[4] == 0 ? RidgeKernel::linear : RidgeKernel::rbf;
        const auto groups = file.read<std::int32_t>(n);
        const Matrix<double> features = matrix(n, p, file.read<double>(n * p));
        const Matrix<double> targets = matrix(n, d, file.read<double>(n * d));
        const auto query = file.read<double>(p);
        const auto expected = file.read<double>(3);
        const auto prediction = file.read<double>(d);

        const RidgeFit found = fit(features, {groups.begin(), groups.end()}, kernel, targets);
        SCOPED_TRACE("problem " + std::to_string(problems));
        EXPECT_NEAR(found.width, expected[0], 1e-9 * expected[0]);
        EXPECT_EQ(found.penalty, expected[1]);
        EXPECT_NEAR(found.error, expected[2], 1e-9 * expected[2]);
        const std::vector<double> predicted = predict(found, features, kernel, query);
        for (std::size_t j = 0; j < d; ++j)
            EXPECT_NEAR(predicted[j], prediction[j], 1e-5 * (1 + std::abs(prediction[j])));
    }
    EXPECT_EQ(problems, 40U);
}

TEST(KernelRidge, IsTheMeanForFewerThanThreeGroups) {
    const Matrix<double> features = random_matrix(6, 2, 1);
    const RidgeFit found =
        fit(features, {0, 0, 1, 1, 1, 0}, RidgeKernel::rbf, matrix(6, 1, {1, 2, 3, 4, 5, 6}));
    EXPECT_EQ(found.penalty, 0);
    EXPECT_EQ(found.mean, std::vector<double>{3.5});
    EXPECT_TRUE(std::isinf(found.error));
    EXPECT_DOUBLE_EQ(found.training_error, 17.5);
    EXPECT_TRUE(std::ranges::all_of(found.weights.values(), [](double w) { return w == 0; }));
}

TEST(KernelRidge, IsTheMeanForEqualFeaturesAndForEqualTargets) {
    for (const RidgeKernel kernel : {RidgeKernel::linear, RidgeKernel::rbf}) {
        const RidgeFit equal =
            fit(matrix(5, 1, {2, 2, 2, 2, 2}), one_group_each(5), kernel, random_matrix(5, 1, 3));
        EXPECT_EQ(equal.penalty, 0);
        const RidgeFit constant =
            fit(random_matrix(5, 2, 4), one_group_each(5), kernel, matrix(5, 1, {2, 2, 2, 2, 2}));
        EXPECT_EQ(constant.penalty, 0);
        EXPECT_EQ(constant.error, 0);
    }
}

// The nearest fit of a straight line has the smallest penalty of the list.
TEST(KernelRidge, FollowsALineWithTheLinearKernel) {
    const Matrix<double> features = matrix(6, 1, {-3, -2, -1, 1, 2, 3});
    const RidgeFit found =
        fit(features, one_group_each(6), RidgeKernel::linear, matrix(6, 1, {-5, -3, -1, 3, 5, 7}));
    EXPECT_EQ(found.penalty, 0.01);
    // The slope 2 is shrunk by 28 / (28 + 0.01 * 28 / 6).
    EXPECT_NEAR(predict(found, features, RidgeKernel::linear, {10})[0], 1 + 20 / (1 + 0.01 / 6), 1e-9);
    EXPECT_LT(found.training_error, found.error);
}

TEST(KernelRidge, IsTheMeanFarFromTheTrainingDataWithTheRbfKernel) {
    const Matrix<double> features = random_matrix(20, 3, 5);
    Matrix<double> targets(20, 1);
    for (std::size_t i = 0; i < 20; ++i) targets(i, 0) = std::sin(features(i, 0)) + features(i, 1);
    const RidgeFit found = fit(features, one_group_each(20), RidgeKernel::rbf, targets);
    ASSERT_GT(found.penalty, 0);
    EXPECT_EQ(predict(found, features, RidgeKernel::rbf, {1e4, 0, 0}), found.mean);
}

// Errors are computed on as many columns as there are items.
TEST(KernelRidge, AddsTheErrorsOfMoreTargetsThanItems) {
    const std::vector<std::size_t> groups{0, 0, 1, 2, 3, 3, 4};
    const Matrix<double> features = random_matrix(7, 2, 6);
    const Matrix<double> targets = random_matrix(7, 4, 7);
    Matrix<double> repeated(7, 40);
    for (std::size_t i = 0; i < 7; ++i) {
        for (std::size_t j = 0; j < 40; ++j) repeated(i, j) = targets(i, j % 4);
    }
    const RidgeFit once = fit(features, groups, RidgeKernel::rbf, targets);
    const RidgeFit ten_times = fit(features, groups, RidgeKernel::rbf, repeated);
    EXPECT_NEAR(ten_times.error, 10 * once.error, 1e-9 * once.error);
    EXPECT_EQ(ten_times.penalty, once.penalty);
    EXPECT_EQ(ten_times.width, once.width);
}

TEST(KernelRidge, DoesNotDependOnTheOrderOfTheItems) {
    const std::size_t n = 15;
    const Matrix<double> features = random_matrix(n, 3, 8);
    const Matrix<double> noise = random_matrix(n, 2, 9);
    std::vector<std::size_t> groups;
    Matrix<double> targets(n, 2);
    for (std::size_t i = 0; i < n; ++i) {
        groups.push_back(i / 2);
        for (std::size_t j = 0; j < 2; ++j) targets(i, j) = features(i, j) + 0.1 * noise(i, j);
    }
    const auto order = popflow::core::Stream(10, popflow::core::Purpose::test).permutation(n);
    Matrix<double> moved_features(n, 3);
    Matrix<double> moved_targets(n, 2);
    std::vector<std::size_t> moved_groups;
    for (std::size_t i = 0; i < n; ++i) {
        std::ranges::copy(features.view().row_span(order[i]), moved_features.view().row(i));
        std::ranges::copy(targets.view().row_span(order[i]), moved_targets.view().row(i));
        moved_groups.push_back(100 - groups[order[i]]);
    }
    for (const RidgeKernel kernel : {RidgeKernel::linear, RidgeKernel::rbf}) {
        const RidgeFit found = fit(features, groups, kernel, targets);
        const RidgeFit moved = fit(moved_features, moved_groups, kernel, moved_targets);
        EXPECT_GT(found.penalty, 0);
        EXPECT_EQ(moved.penalty, found.penalty);
        EXPECT_NEAR(moved.width, found.width, 1e-12 * found.width);
        for (std::size_t i = 0; i < n; ++i) {
            for (std::size_t j = 0; j < 2; ++j)
                EXPECT_NEAR(moved.weights(i, j), found.weights(order[i], j), 1e-10);
        }
    }
}

TEST(KernelRidge, HasTheSameBitsWithAnyNumberOfThreads) {
    const std::size_t n = 300;
    const Matrix<double> features = random_matrix(n, 4, 11);
    const Matrix<double> targets = random_matrix(n, 3, 12);
    Matrix<double> smooth(n, 3);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < 3; ++j) smooth(i, j) = std::tanh(features(i, j)) + 0.3 * targets(i, j);
    }
    const int before = omp_get_max_threads();
    std::vector<RidgeFit> fits;
    for (const int threads : {1, 2, 3}) {
        omp_set_num_threads(threads);
        fits.push_back(fit(features, one_group_each(n), RidgeKernel::rbf, smooth));
    }
    omp_set_num_threads(before);
    ASSERT_GT(fits[0].penalty, 0);
    for (const RidgeFit& other : fits) {
        EXPECT_EQ(other.error, fits[0].error);
        EXPECT_TRUE(std::ranges::equal(other.weights.values(), fits[0].weights.values()));
    }
}

TEST(KernelRidge, ThrowsForOtherShapes) {
    const Matrix<double> features = random_matrix(4, 2, 13);
    EXPECT_THROW(fit(features, {0, 1, 2}, RidgeKernel::rbf, random_matrix(4, 1, 1)),
                 popflow::core::ShapeMismatch);
    EXPECT_THROW(fit(features, {0, 1, 2, 3}, RidgeKernel::rbf, random_matrix(3, 1, 1)),
                 popflow::core::ShapeMismatch);
    const Matrix<float> x(4, 2);
    EXPECT_THROW(linalg::ridge_kernel(x, std::vector<float>{1}, RidgeKernel::rbf, 1),
                 popflow::core::ShapeMismatch);
}
