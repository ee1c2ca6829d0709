// SPDX-License-Identifier: MIT
#include "ot/exact/starting_duals.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "core/aligned.hpp"
#include "core/simd.hpp"
#include "ot/distances.hpp"
#include "ot/exact/point_clusters.hpp"

namespace popflow::ot {

namespace {

// First epsilon, relative to the mean cost.
constexpr double first_epsilon = 0.02;
// Number of rows and of columns of the sample.
constexpr std::size_t sample_size = 1024;
// Number of clusters of the coarsest level.
constexpr std::size_t min_clusters = 64;
// Largest number of clusters of a level with the schedule `few_clusters`.
constexpr std::size_t max_few_clusters = 256;
// Ratio of the numbers of clusters of consecutive levels.
constexpr std::size_t cluster_ratio = 4;
// Number of cluster centres whose costs to all columns are in memory at a time.
constexpr std::size_t centres_per_block = 512;
// Minimum number of points in a cluster of the finest level.
constexpr std::size_t min_points = 2;

// Schedule of the epsilon scaling on one level. Each epsilon starts from the potentials of the previous one.
struct Schedule {
    // Sweeps for one epsilon: maximum number, tolerance on the marginals, over-relaxation.
    SinkhornOptions sweeps;
    // Effective number of columns per row, SinkhornResult::partners, at which epsilon is small enough.
    double target_partners;
    // Maximum number of halvings of epsilon.
    std::size_t max_halvings;
};

// Result of the epsilon scaling: the potentials and the last epsilon.
struct Annealed {
    Potentials potentials;
    double epsilon;
};

// The numbers of the schedules trade the time of the sweeps against the time of the exact solver, which is
// shorter for better duals. They do not affect the optimum that the solver finds.

// Schedule of the levels with few clusters, where sweeps cost almost nothing. In low dimensions errors of
// these levels become mass that the exact solver must move over long paths.
constexpr Schedule few_clusters{.sweeps = {.sweeps = 50,
                                           .tolerance = 0.01,
                                           .allow_unconverged = true,
                                           .over_relaxation = 1.6,
                                           .count_partners = true},
                                .target_partners = 8,
                                .max_halvings = 6};
// Schedule of the other levels, of the sample, and of small problems without starting duals.
constexpr Schedule coarse{.sweeps = {.sweeps = 25,
                                     .tolerance = 0.03,
                                     .allow_unconverged = true,
                                     .over_relaxation = 1.6,
                                     .count_partners = true},
                          .target_partners = 8,
                          .max_halvings = 6};
// Schedule of the full problem from the duals of the sample.
constexpr Schedule from_sample_duals{.sweeps = {.sweeps = 5,
                                                .tolerance = 0.01,
                                                .allow_unconverged = true,
                                                .over_relaxation = 1.3,
                                                .count_partners = true},
                                     .target_partners = 12,
                                     .max_halvings = 3};
// Schedule of the full problem from the duals of clusters. Pairs that are far apart have already converged.
constexpr Schedule from_cluster_duals{.sweeps = {.sweeps = 3,
                                                 .tolerance = 0.1,
                                                 .allow_unconverged = true,
                                                 .over_relaxation = 1.5,
                                                 .count_partners = true},
                                      .target_partners = 16,
                                      .max_halvings = 3};
// Schedule of the full problem from the duals of a similar problem.
constexpr Schedule warm_start{.sweeps = {.sweeps = 3,
                                         .tolerance = 0.01,
                                         .allow_unconverged = true,
                                         .over_relaxation = 1,
                                         .count_partners = true},
                              .target_partners = 12,
                              .max_halvings = 1};

// Runs the epsilon scaling of a schedule.
Annealed anneal(const CostRows& cost, std::span<const double> a, std::span<const double> b,
                const Schedule& schedule, double epsilon, const Potentials* start) {
    SinkhornOptions options = schedule.sweeps;
    options.epsilon = epsilon;
    SinkhornResult result = sinkhorn(cost, a, b, options, start);
    for (std::size_t halving = 0;
         halving < schedule.max_halvings && result.partners > schedule.target_partners; ++halving) {
        options.epsilon /= 2;
        const Potentials last = std::move(result.potentials);
        result = sinkhorn(cost, a, b, options, &last);
    }
    return {std::move(result.potentials), options.epsilon};
}

// Sets g_j to min(g_j, c_j - f).
POPFLOW_SIMD void lower_to(const float* c, float f, std::size_t columns, float* g) {
    for (std::size_t j = 0; j < columns; ++j) {
        const float v = c[j] - f;
        g[j] = v < g[j] ? v : g[j];
    }
}

// Returns the c-transform of f over some rows: g_j = min_l c_{rows[l], j} - f[l].
std::vector<double> c_transform(const CostRows& cost, std::span<const std::size_t> rows,
                                std::span<const double> f) {
    linalg::AlignedVector<float> g(cost.padded_cols, std::numeric_limits<float>::max());
    for (std::size_t l = 0; l < rows.size(); ++l) {
        lower_to(cost.row(rows[l]), static_cast<float>(f[l]), cost.padded_cols, g.data());
    }
    return {g.begin(), g.begin() + static_cast<std::ptrdiff_t>(cost.cols)};
}

// Returns a systematic sample of `sample_size` indices: equal steps of the cumulative weight, with repeats.
std::vector<std::size_t> systematic_sample(std::span<const double> weights, std::size_t count) {
    std::vector<std::size_t> sample(sample_size);
    double total = 0;
    for (double w : weights) total += w;
    double cumulative = weights.empty() ? 0 : weights[0] / total;
    std::size_t i = 0;
    for (std::size_t l = 0; l < sample_size; ++l) {
        const double at = (static_cast<double>(l) + 0.5) / sample_size;
        if (weights.empty()) {
            i = static_cast<std::size_t>(at * static_cast<double>(count));
        } else {
            while (cumulative < at && i + 1 < count) cumulative += weights[++i] / total;
        }
        sample[l] = i;
    }
    return sample;
}

// Submatrix of a cost matrix: the sampled rows and columns.
class Sample {
  public:
    Sample(const CostRows& cost, std::span<const std::size_t> rows, std::span<const std::size_t> cols)
        : matrix_(rows.size() * spread_stride(cols.size())) {
        const std::size_t stride = spread_stride(cols.size());
        std::vector<double> sums(rows.size());
        for (std::size_t i = 0; i < rows.size(); ++i) {
            const float* from = cost.row(rows[i]);
            float* to = matrix_.data() + i * stride;
            for (std::size_t j = 0; j < cols.size(); ++j) {
                to[j] = from[cols[j]];
                sums[i] += to[j];
            }
        }
        double sum = 0;
        for (double s : sums) sum += s;
        const auto elements = static_cast<double>(rows.size()) * static_cast<double>(cols.size());
        view_ = {matrix_.data(), rows.size(), cols.size(), cols.size(), stride, sum / elements};
    }
    const CostRows& view() const { return view_; }

  private:
    core::AlignedArray<float> matrix_;
    CostRows view_;
};

// Extends the duals of a sample to all columns. Duals are in units of the matrix.
Annealed duals_from_sample(const CostRows& matrix, std::span<const double> a, std::span<const double> b) {
    const std::vector<std::size_t> rows = systematic_sample(a, matrix.rows);
    const std::vector<std::size_t> cols = systematic_sample(b, matrix.cols);
    const Sample sample(matrix, rows, cols);
    Annealed annealed = anneal(sample.view(), {}, {}, coarse, first_epsilon, nullptr);
    annealed.potentials = {{}, c_transform(matrix, rows, annealed.potentials.f)};
    return annealed;
}

// Extends the duals f of cluster centres to the columns of `to`. f is in units of the cost, the result in
// units of the matrix of `to`.
std::vector<double> c_transform(linalg::ConstMatrixView<float> centres, std::span<const double> f,
                                const Cost& to) {
    std::vector<double> g(to.cols(), std::numeric_limits<double>::max());
    for (std::size_t first = 0; first < centres.rows; first += centres_per_block) {
        const std::size_t count = std::min(centres_per_block, centres.rows - first);
        const Cost cost(to.kind(), {centres.row(first), count, centres.cols}, to.y());
        std::vector<std::size_t> rows(count);
        std::iota(rows.begin(), rows.end(), std::size_t{0});
        std::vector<double> scaled(count);
        for (std::size_t l = 0; l < count; ++l) scaled[l] = f[first + l] / cost.unit();
        const std::vector<double> block_g = c_transform(cost.fp32(), rows, scaled);
        const double unit = cost.unit() / to.unit();
        for (std::size_t j = 0; j < g.size(); ++j) g[j] = std::min(g[j], block_g[j] * unit);
    }
    return g;
}

// Solves for levels of more and more clusters, each from the duals of the level before, and extends the duals
// to all columns. Duals are in units of the matrix.
Annealed duals_from_clusters(const Cost& cost, std::span<const double> a, std::span<const double> b) {
    std::size_t finest_count = min_clusters;
    while (finest_count * cluster_ratio * min_points <= std::min(cost.rows(), cost.cols())) {
        finest_count *= cluster_ratio;
    }
    const PointClusters x_clusters(cost.x(), finest_count);
    const PointClusters y_clusters(cost.y(), finest_count);
    double epsilon = first_epsilon;
    linalg::Matrix<float> centres;
    std::vector<double> f;
    for (std::size_t count = min_clusters; count <= finest_count; count *= cluster_ratio) {
        linalg::Matrix<float> x = x_clusters.centres(count);
        const linalg::Matrix<float> y = y_clusters.centres(count);
        const Cost level(cost.kind(), x.view(), y.view());
        Potentials start;
        if (!f.empty()) start.g = c_transform(centres.view(), f, level);
        Annealed annealed =
            anneal(level.fp32(), x_clusters.weights(count, a), y_clusters.weights(count, b),
                   count <= max_few_clusters ? few_clusters : coarse, epsilon, f.empty() ? nullptr : &start);
        epsilon = annealed.epsilon;
        f = std::move(annealed.potentials.f);
        for (double& v : f) v *= level.unit();
        centres = std::move(x);
    }
    return {{{}, c_transform(centres.view(), f, cost)}, epsilon};
}

}  // namespace

Potentials starting_duals(const Cost& cost, std::span<const double> a, std::span<const double> b,
                          const Potentials* start) {
    static_assert(sample_size % column_block == 0, "a sampled row needs no padding");
    const CostRows matrix = cost.fp32();
    const std::size_t fewer = std::min(matrix.rows, matrix.cols);
    if (start != nullptr) {
        Potentials similar{{}, start->g};
        for (double& g : similar.g) g /= cost.unit();
        return anneal(matrix, a, b, warm_start, first_epsilon, &similar).potentials;
    }
    if (cost.is_euclidean() && fewer >= min_points * min_clusters) {
        const Annealed rough = duals_from_clusters(cost, a, b);
        return anneal(matrix, a, b, from_cluster_duals, rough.epsilon, &rough.potentials).potentials;
    }
    if (fewer >= 2 * sample_size) {
        const Annealed rough = duals_from_sample(matrix, a, b);
        return anneal(matrix, a, b, from_sample_duals, rough.epsilon, &rough.potentials).potentials;
    }
    return anneal(matrix, a, b, coarse, first_epsilon, nullptr).potentials;
}

}  // namespace popflow::ot
