// SPDX-License-Identifier: MIT
#include "ot/exact/point_clusters.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "support/populations.hpp"

using popflow::linalg::Matrix;
using popflow::ot::PointClusters;
using popflow::support::normal_population;
using popflow::support::rows;

namespace {

void expect_centres(const PointClusters& clusters, const Matrix<float>& expected) {
    const Matrix<float> centres = clusters.centres(expected.rows());
    EXPECT_TRUE(std::ranges::equal(centres.values(), expected.values())) << expected.rows();
}

}  // namespace

TEST(PointClusters, SplitsTheMostVariableMarkerAtItsMedian) {
    // Four pairs of points, far apart along the second marker, then along the first.
    const auto x = rows({{0, 100}, {5, 0}, {1, 0}, {4, 100}, {0, 0}, {1, 100}, {4, 0}, {5, 100}});
    const PointClusters clusters(x.view(), 4);
    expect_centres(clusters, rows({{2.5, 50}}));
    expect_centres(clusters, rows({{2.5, 0}, {2.5, 100}}));
    expect_centres(clusters, rows({{0.5, 0}, {4.5, 0}, {0.5, 100}, {4.5, 100}}));
}

TEST(PointClusters, DividesPointsEvenlyAtEveryLevel) {
    const Matrix<float> x = normal_population(701, 3, 1);
    const PointClusters clusters(x.view(), 64);
    for (std::size_t count = 1; count <= 64; count *= 2) {
        const std::vector<double> weights = clusters.weights(count, {});
        ASSERT_EQ(weights.size(), count);
        EXPECT_EQ(std::accumulate(weights.begin(), weights.end(), 0.0), 701);
        const auto [smallest, largest] = std::minmax_element(weights.begin(), weights.end());
        EXPECT_LE(*largest - *smallest, 1) << count;
    }
}

TEST(PointClusters, CentresKeepTheVarianceBetweenClusters) {
    const Matrix<float> x = normal_population(4096, 2, 1);
    const PointClusters clusters(x.view(), 256);
    // The variance is 1 per marker. All but about 1/256 of it is between clusters.
    const Matrix<float> centres = clusters.centres(256);
    double squares = 0;
    for (const float v : centres.values()) squares += static_cast<double>(v) * v / 256;
    EXPECT_NEAR(squares, 2, 0.1);
}

TEST(PointClusters, SumsPointWeightsByCluster) {
    const auto x = rows({{3}, {0}, {2}, {1}});
    const PointClusters clusters(x.view(), 2);
    EXPECT_EQ(clusters.weights(2, std::vector<double>{1, 10, 100, 1000}), (std::vector<double>{1010, 101}));
}

TEST(PointClusters, DividesIdenticalPointsByIndex) {
    const Matrix<float> x(5, 2);
    const PointClusters clusters(x.view(), 4);
    EXPECT_EQ(clusters.weights(4, std::vector<double>{1, 2, 4, 8, 16}), (std::vector<double>{1, 2, 4, 24}));
}
