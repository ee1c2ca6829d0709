// SPDX-License-Identifier: MIT
#include "report/resampling.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "core/random.hpp"

namespace report = popflow::report;
using report::Interval;
using report::Resamples;

namespace {

// Returns the resampled means of values that are one cluster each.
std::vector<double> resampled_means(const std::vector<double>& values) {
    const Resamples resamples(values.size());
    std::vector<double> means(report::bootstrap_resamples, 0.0);
    for (std::size_t c = 0; c < values.size(); ++c) {
        for (std::size_t i = 0; i < means.size(); ++i)
            means[i] +=
                values[c] * static_cast<double>(resamples.counts(c)[i]) / static_cast<double>(values.size());
    }
    return means;
}

Interval interval_of(const std::vector<double>& values) {
    return report::percentile_interval(resampled_means(values), values.size()).value();
}

}  // namespace

TEST(Resamples, DrawAsManyClustersAsThereAre) {
    for (const std::size_t n : {1U, 2U, 7U}) {
        const Resamples resamples(n);
        std::vector<float> total(report::bootstrap_resamples, 0);
        for (std::size_t c = 0; c < n; ++c) {
            for (std::size_t i = 0; i < total.size(); ++i) total[i] += resamples.counts(c)[i];
        }
        for (const float count : total) EXPECT_EQ(count, static_cast<float>(n));
    }
}

TEST(Resamples, AreTheSameForTheSameNumberOfClusters) {
    const Resamples first(5);
    const Resamples second(5);
    for (std::size_t c = 0; c < 5; ++c)
        EXPECT_TRUE(std::ranges::equal(first.counts(c), second.counts(c))) << "cluster " << c;
}

// The counts of a cluster are binomial: n draws with probability 1 / n.
TEST(Resamples, HaveBinomialCounts) {
    const Resamples resamples(4);
    for (std::size_t c = 0; c < 4; ++c) {
        std::vector<double> share(5, 0.0);
        for (const float count : resamples.counts(c))
            share[static_cast<std::size_t>(count)] += 1.0 / report::bootstrap_resamples;
        const double expected[] = {81.0 / 256, 108.0 / 256, 54.0 / 256, 12.0 / 256, 1.0 / 256};
        for (std::size_t k = 0; k < 5; ++k) EXPECT_NEAR(share[k], expected[k], 0.02) << c << ", " << k;
    }
}

// Tables of Student's distribution: scipy.stats.t.ppf.
TEST(StudentT, HasTheQuantilesOfTables) {
    EXPECT_NEAR(report::student_t_quantile(0.975, 1), 12.706204736174698, 1e-9);
    EXPECT_NEAR(report::student_t_quantile(0.975, 2), 4.302652729749464, 1e-12);
    EXPECT_NEAR(report::student_t_quantile(0.975, 7), 2.3646242515927845, 1e-12);
    EXPECT_NEAR(report::student_t_quantile(0.995, 30), 2.7499956535672255, 1e-12);
    EXPECT_NEAR(report::student_t_quantile(0.975, 1000), 1.9623390808264083, 1e-10);
    EXPECT_NEAR(report::student_t_quantile(0.025, 7), -2.3646242515927845, 1e-12);
    EXPECT_NEAR(report::student_t_quantile(0.5, 3), 0, 1e-12);
}

// norm.cdf(-sqrt(n / (n - 1)) * t.ppf(0.975, n - 1)) of scipy.stats.
TEST(PercentileTail, GrowsToTheNominalTail) {
    EXPECT_NEAR(report::percentile_tail(6), 0.0024318031746115667, 1e-14);
    EXPECT_NEAR(report::percentile_tail(20), 0.015880829920347974, 1e-14);
    EXPECT_NEAR(report::percentile_tail(100000), 0.025, 1e-5);
}

TEST(PercentileInterval, IsMissingForOneClusterAndWithoutValues) {
    EXPECT_FALSE(report::percentile_interval(resampled_means({3}), 1));
    EXPECT_FALSE(report::percentile_interval({}, 5));
    const double nan = std::numeric_limits<double>::quiet_NaN();
    EXPECT_FALSE(report::percentile_interval({nan, nan}, 5));
}

TEST(PercentileInterval, IsTheRangeOfTwoValues) {
    const Interval interval = interval_of({1, 4});
    EXPECT_EQ(interval.low, 1);
    EXPECT_EQ(interval.high, 4);
}

TEST(PercentileInterval, LeavesOutUndefinedResamples) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const Interval interval = report::percentile_interval({3, nan, 1, 2, nan}, 2).value();
    EXPECT_EQ(interval.low, 1);
    EXPECT_EQ(interval.high, 3);
}

// For normal data Student's interval is exact. Its width is 2 t s / sqrt(n).
TEST(PercentileInterval, IsCloseToStudentsIntervalOfNormalData) {
    popflow::core::Stream random(1, popflow::core::Purpose::test);
    std::vector<double> values(40);
    for (double& v : values) v = 10 + 2 * random.normal();
    const double mean = std::accumulate(values.begin(), values.end(), 0.0) / 40;
    double squares = 0;
    for (const double v : values) squares += (v - mean) * (v - mean);
    const double half = report::student_t_quantile(0.975, 39) * std::sqrt(squares / 39 / 40);
    const Interval interval = interval_of(values);
    EXPECT_NEAR(interval.low, mean - half, 0.1 * half);
    EXPECT_NEAR(interval.high, mean + half, 0.1 * half);
}

TEST(PercentileInterval, CoversTheMeanOfNormalData) {
    for (const std::size_t n : {6U, 10U, 25U}) {
        popflow::core::Stream random(2, popflow::core::Purpose::test, n);
        const Resamples resamples(n);
        std::size_t covered = 0;
        constexpr std::size_t trials = 400;
        for (std::size_t trial = 0; trial < trials; ++trial) {
            std::vector<double> means(report::bootstrap_resamples, 0.0);
            for (std::size_t c = 0; c < n; ++c) {
                const double value = random.normal();
                for (std::size_t i = 0; i < means.size(); ++i)
                    means[i] += value * static_cast<double>(resamples.counts(c)[i]);
            }
            const Interval interval = report::percentile_interval(std::move(means), n).value();
            covered += interval.low <= 0 && interval.high >= 0 ? 1 : 0;
        }
        // The standard error of a share of 400 is 1.1 %.
        EXPECT_NEAR(static_cast<double>(covered) / trials, 0.95, 0.035) << n << " clusters";
    }
}

// p-values of scipy.stats.permutation_test(permutation_type='samples', n_resamples=inf).
TEST(SignFlips, EnumerateAllSigns) {
    EXPECT_EQ(report::sign_flip_p_value(std::vector<double>{1, 2, 3, -1, 0.5, 2}), 0.125);
    EXPECT_EQ(report::sign_flip_p_value(std::vector<double>{0.3, 0.1, 0.2}), 0.25) << "2 of 8";
    EXPECT_EQ(report::sign_flip_p_value(std::vector<double>{-0.3, -0.1, -0.2}), 0.25);
    EXPECT_EQ(report::sign_flip_p_value(std::vector<double>{1, -1}), 1);
    EXPECT_EQ(report::sign_flip_p_value(std::vector<double>(6, 0.1)), 2.0 / 64) << "min_clusters reach 0.05";
    EXPECT_EQ(report::sign_flip_p_value(std::vector<double>(5, 0.1)), 2.0 / 32) << "and fewer do not";
    EXPECT_EQ(report::sign_flip_p_value(std::vector<double>{0, 0, 0}), 1) << "no difference at all";
}

TEST(SignFlips, NeedTwoClusters) {
    EXPECT_TRUE(std::isnan(report::sign_flip_p_value(std::vector<double>{})));
    EXPECT_TRUE(std::isnan(report::sign_flip_p_value(std::vector<double>{3})));
    EXPECT_EQ(report::sign_flip_p_value(std::vector<double>{3, 3}), 0.5);
}

// Seventeen clusters are drawn, sixteen enumerated. A cluster without a difference doubles the sign flips and
// changes no sum.
TEST(SignFlips, AreDrawnForManyClusters) {
    std::vector<double> differences;
    for (int i = 0; i < 16; ++i) differences.push_back(i % 3 == 0 ? -0.8 : 1 + 0.1 * i);
    const double exact = report::sign_flip_p_value(differences);
    differences.push_back(0);
    const double drawn = report::sign_flip_p_value(differences);
    EXPECT_NEAR(drawn, exact, 4 * std::sqrt(exact * (1 - exact) / report::drawn_sign_flips));
    EXPECT_EQ(drawn, report::sign_flip_p_value(differences)) << "seeded";
    EXPECT_EQ(report::sign_flip_p_value(std::vector<double>(100, 1)), 1.0 / (1 + report::drawn_sign_flips))
        << "never zero";
}
