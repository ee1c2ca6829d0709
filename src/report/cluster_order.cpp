// SPDX-License-Identifier: MIT
#include "report/cluster_order.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace popflow::report {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr auto no_cluster = static_cast<std::size_t>(-1);

// Clusters of an agglomerative clustering. A merged cluster keeps the lower index of the two.
class Clusters {
  public:
    explicit Clusters(linalg::ConstMatrixView<double> distances)
        : distances_(distances),
          sums_(distances.rows, distances.rows),
          counts_(distances.rows, distances.rows) {
        for (std::size_t i = 0; i < distances.rows; ++i) {
            active_.push_back(i);
            leaves_.push_back({i});
            for (std::size_t j = 0; j < distances.rows; ++j) {
                if (!std::isfinite(distances(i, j))) continue;
                sums_(i, j) = distances(i, j);
                counts_(i, j) = 1;
            }
        }
    }

    // Merges all clusters along chains of nearest neighbours, which gives the same tree as merging the
    // closest clusters first.
    std::vector<std::size_t> merge_all() {
        while (active_.size() > 1) {
            std::size_t previous = no_cluster;
            std::size_t last = active_.front();
            for (;;) {
                const std::size_t next = nearest(last, previous);
                if (next == previous) break;
                previous = std::exchange(last, next);
            }
            merge(std::min(previous, last), std::max(previous, last));
        }
        return leaves_.empty() ? std::vector<std::size_t>() : leaves_[active_.front()];
    }

  private:
    double distance(std::size_t a, std::size_t b) const {
        return counts_(a, b) > 0 ? sums_(a, b) / counts_(a, b) : infinity;
    }
    // Prefers `preferred` among equally near clusters, so that a chain ends, then the lowest index.
    std::size_t nearest(std::size_t cluster, std::size_t preferred) const {
        std::size_t best = preferred;
        for (const std::size_t other : active_) {
            if (other == cluster) continue;
            if (best == no_cluster || distance(cluster, other) < distance(cluster, best)) best = other;
        }
        return best;
    }
    double leaf_distance(std::size_t a, std::size_t b) const {
        return std::isfinite(distances_(a, b)) ? distances_(a, b) : infinity;
    }
    void merge(std::size_t low, std::size_t high) {
        for (const std::size_t k : active_) {
            sums_(low, k) = sums_(k, low) = sums_(low, k) + sums_(high, k);
            counts_(low, k) = counts_(k, low) = counts_(low, k) + counts_(high, k);
        }
        std::erase(active_, high);
        std::vector<std::size_t>& left = leaves_[low];
        std::vector<std::size_t>& right = leaves_[high];
        double best = infinity;
        std::pair<bool, bool> flips{false, false};
        for (const bool flip_left : {false, true}) {
            for (const bool flip_right : {false, true}) {
                const double gap = leaf_distance(flip_left ? left.front() : left.back(),
                                                 flip_right ? right.back() : right.front());
                if (!(gap < best)) continue;
                best = gap;
                flips = {flip_left, flip_right};
            }
        }
        if (flips.first) std::ranges::reverse(left);
        if (flips.second) std::ranges::reverse(right);
        left.insert(left.end(), right.begin(), right.end());
        right.clear();
    }

    linalg::ConstMatrixView<double> distances_;
    linalg::Matrix<double> sums_;    ///< sums of the finite distances between the members of two clusters
    linalg::Matrix<double> counts_;  ///< numbers of them
    std::vector<std::size_t> active_;
    std::vector<std::vector<std::size_t>> leaves_;
};

}  // namespace

std::vector<std::size_t> average_linkage_order(linalg::ConstMatrixView<double> distances) {
    std::vector<std::size_t> order = Clusters(distances).merge_all();
    if (!order.empty() && order.front() > order.back()) std::ranges::reverse(order);
    return order;
}

}  // namespace popflow::report
