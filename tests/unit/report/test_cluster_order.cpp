// SPDX-License-Identifier: MIT
#include "report/cluster_order.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

using popflow::linalg::Matrix;
using popflow::report::average_linkage_order;
using Indices = std::vector<std::size_t>;

namespace {

Matrix<double> distances_of(const std::vector<std::pair<double, double>>& points) {
    Matrix<double> distances(points.size(), points.size());
    for (std::size_t i = 0; i < points.size(); ++i) {
        for (std::size_t j = 0; j < points.size(); ++j)
            distances(i, j) =
                std::hypot(points[i].first - points[j].first, points[i].second - points[j].second);
    }
    return distances;
}

bool is_contiguous(const Indices& order, const Indices& cluster) {
    std::size_t first = order.size();
    std::size_t last = 0;
    for (const std::size_t member : cluster) {
        const auto at = static_cast<std::size_t>(std::ranges::find(order, member) - order.begin());
        first = std::min(first, at);
        last = std::max(last, at);
    }
    return last - first + 1 == cluster.size();
}

}  // namespace

TEST(ClusterOrder, SortsPointsOnALine) {
    EXPECT_EQ(average_linkage_order(distances_of({{3, 0}, {0, 0}, {7, 0}, {1, 0}, {8.5, 0}})),
              (Indices{1, 3, 0, 2, 4}));
    EXPECT_EQ(average_linkage_order(Matrix<double>(0, 0)), Indices());
    EXPECT_EQ(average_linkage_order(Matrix<double>(1, 1)), Indices{0});
}

TEST(ClusterOrder, KeepsTheClustersOfScipyTogether) {
    // scipy.cluster.hierarchy.linkage(points, "average") of SciPy 1.10 merges these clusters.
    const Indices order = average_linkage_order(distances_of({{0.86, 2.37},
                                                              {8.01, 5.82},
                                                              {0.94, 4.33},
                                                              {4.79, 1.6},
                                                              {7.35, 1.14},
                                                              {3.91, 5.17},
                                                              {4.31, 5.87},
                                                              {7.38, 9.56},
                                                              {2.84, 6.49},
                                                              {6.96, 2.93},
                                                              {0.01, 9.73},
                                                              {2.98, 3.14}}));
    for (const Indices& cluster :
         {Indices{5, 6}, Indices{5, 6, 8}, Indices{4, 9}, Indices{0, 2}, Indices{0, 2, 11}, Indices{3, 4, 9},
          Indices{0, 2, 5, 6, 8, 11}, Indices{1, 7}, Indices{0, 2, 3, 4, 5, 6, 8, 9, 11},
          Indices{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11}})
        EXPECT_TRUE(is_contiguous(order, cluster)) << cluster.size() << " members from " << cluster.front();
    Indices sorted = order;
    std::ranges::sort(sorted);
    Indices all(12);
    std::iota(all.begin(), all.end(), std::size_t{0});
    EXPECT_EQ(sorted, all);
}

TEST(ClusterOrder, ExcludesUnknownDistances) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    // Population 2 has no distance at all, and that of 0 and 3 is unknown.
    Matrix<double> distances = distances_of({{0, 0}, {5, 0}, {0, 0}, {1, 0}, {6, 0}});
    for (std::size_t i = 0; i < 5; ++i) distances(i, 2) = distances(2, i) = nan;
    distances(0, 3) = distances(3, 0) = nan;
    const Indices order = average_linkage_order(distances);
    EXPECT_TRUE(is_contiguous(order, {1, 4}));
    EXPECT_TRUE(is_contiguous(order, {0, 1, 3, 4}));
    EXPECT_EQ(order.size(), 5U);
}

TEST(ClusterOrder, EqualDistancesKeepTheOrder) {
    Matrix<double> distances(4, 4);
    distances.fill(1);
    EXPECT_EQ(average_linkage_order(distances), (Indices{0, 1, 2, 3}));
}
