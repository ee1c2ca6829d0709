// SPDX-License-Identifier: MIT
#include "report/stratified_mean.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

using popflow::report::Resamples;
using popflow::report::StratifiedMean;

namespace {

// File 0 has the stratum 0 with 1, 2 (cluster 0) and 6 (cluster 1), and the stratum 1 with 5 (cluster 1).
StratifiedMean small() {
    StratifiedMean mean;
    mean.add(0, 0, 0, 1);
    mean.add(0, 0, 0, 2);
    mean.add(0, 0, 1, 6);
    mean.add(0, 1, 1, 5);
    return mean;
}

}  // namespace

TEST(StratifiedMean, IsTheMeanOverStrata) {
    EXPECT_DOUBLE_EQ(small().value(), (3.0 + 5.0) / 2);
    EXPECT_TRUE(std::isnan(StratifiedMean().value()));
}

TEST(StratifiedMean, IsTheMeanOverFiles) {
    StratifiedMean mean = small();
    mean.add(7, 0, 0, 10);
    EXPECT_DOUBLE_EQ(mean.value(), (4.0 + 10.0) / 2);
}

TEST(StratifiedMean, IgnoresUndefinedScores) {
    StratifiedMean mean = small();
    mean.add(0, 2, 0, std::numeric_limits<double>::quiet_NaN());
    mean.add(3, 0, 0, std::numeric_limits<double>::quiet_NaN());
    EXPECT_DOUBLE_EQ(mean.value(), 4);
}

TEST(StratifiedMean, ResamplesClustersWithAllTheirScores) {
    const Resamples resamples(2);
    const std::vector<double> means = small().resampled(resamples);
    ASSERT_EQ(means.size(), popflow::report::bootstrap_resamples);
    for (std::size_t i = 0; i < means.size(); ++i) {
        const float first = resamples.counts(0)[i];
        // Without cluster 1 the stratum 1 is empty and left out.
        const double expected = first == 2 ? 1.5 : first == 0 ? (6.0 + 5.0) / 2 : (3.0 + 5.0) / 2;
        ASSERT_DOUBLE_EQ(means[i], expected) << i << ", " << first;
    }
}

TEST(StratifiedMean, HasNoValueForAResampleWithoutScores) {
    StratifiedMean mean;
    mean.add(0, 0, 1, 3);
    const Resamples resamples(2);
    const std::vector<double> means = mean.resampled(resamples);
    for (std::size_t i = 0; i < means.size(); ++i)
        ASSERT_EQ(std::isnan(means[i]), resamples.counts(1)[i] == 0) << i;
}

TEST(StratifiedMean, ResamplesFilesOfOtherCountsByThemselves) {
    StratifiedMean mean = small();
    mean.add(1, 0, 0, 4);  // the same counts as file 2
    mean.add(1, 0, 1, 8);
    mean.add(2, 0, 0, 0);
    mean.add(2, 0, 1, 2);
    EXPECT_DOUBLE_EQ(mean.value(), (4.0 + 6 + 1) / 3);
    const Resamples resamples(2);
    const std::vector<double> means = mean.resampled(resamples);
    for (std::size_t i = 0; i < means.size(); ++i) {
        const float first = resamples.counts(0)[i];
        const double expected = first == 2   ? (1.5 + 4 + 0) / 3
                                : first == 0 ? (5.5 + 8 + 2) / 3
                                             : (4.0 + 6 + 1) / 3;
        ASSERT_DOUBLE_EQ(means[i], expected) << i << ", " << first;
    }
}

TEST(StratifiedMean, IsTheSumOfTheContributionsOfItsClusters) {
    StratifiedMean mean = small();
    mean.add(7, 0, 2, 10);
    const std::vector<double> parts = mean.contributions(4);
    ASSERT_EQ(parts.size(), 4U);
    EXPECT_DOUBLE_EQ(parts[0], 3.0 / 3 / 4);  // (1 + 2) / 3 scores / 2 strata / 2 files
    EXPECT_DOUBLE_EQ(parts[1], 6.0 / 3 / 4 + 5.0 / 4);
    EXPECT_DOUBLE_EQ(parts[2], 10.0 / 2);
    EXPECT_EQ(parts[3], 0);
    EXPECT_DOUBLE_EQ(std::accumulate(parts.begin(), parts.end(), 0.0), mean.value());
}
