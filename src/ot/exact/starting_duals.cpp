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

constexpr double first_epsilon = 0.02;
constexpr std::size_t sample_size = 1024;
constexpr std::size_t min_clusters = 64;
constexpr std::size_t cluster_ratio = 4;  // from one level to the next
constexpr std::size_t centres_at_a_time = 512;
constexpr std::size_t min_points = 2;  // in a cluster of the finest level

// How a level of the search halves epsilon.
struct Schedule {
    SinkhornOptions sweeps;
    double partners;       // a row's mass is spread on few enough columns
    std::size_t halvings;  // at most
};

struct Annealed {
    Potentials potentials;
    double epsilon;
};

constexpr Schedule coarse{
    {.sweeps = 25, .tolerance = 0.03, .may_stop_short = true, .over_relaxation = 1.6, .count_partners = true},
    8,
    6};
constexpr Schedule fine{
    {.sweeps = 5, .tolerance = 0.01, .may_stop_short = true, .over_relaxation = 1.3, .count_partners = true},
    12,
    3};
// From duals of clusters, which have settled what is far apart.
constexpr Schedule finest{
    {.sweeps = 3, .tolerance = 0.1, .may_stop_short = true, .over_relaxation = 1.5, .count_partners = true},
    16,
    3};
// From duals of a similar problem.
constexpr Schedule brief{
    {.sweeps = 3, .tolerance = 0.01, .may_stop_short = true, .over_relaxation = 1, .count_partners = true},
    12,
    1};

Annealed anneal(const CostRows& cost, std::span<const double> a, std::span<const double> b,
                const Schedule& schedule, double epsilon, const Potentials* start) {
    SinkhornOptions options = schedule.sweeps;
    options.epsilon = epsilon;
    SinkhornResult result = sinkhorn(cost, a, b, options, start);
    for (std::size_t halving = 0; halving < schedule.halvings && result.partners > schedule.partners;
         ++halving) {
        options.epsilon /= 2;
        const Potentials last = std::move(result.potentials);
        result = sinkhorn(cost, a, b, options, &last);
    }
    return {std::move(result.potentials), options.epsilon};
}

POPFLOW_SIMD void lower_to(const float* c, float f, std::size_t columns, float* g) {
    for (std::size_t j = 0; j < columns; ++j) {
        const float v = c[j] - f;
        g[j] = v < g[j] ? v : g[j];
    }
}

// g_j = min_i c_ij - f_i over `rows`, f[l] being that of rows[l].
std::vector<double> extended(const CostRows& cost, std::span<const std::size_t> rows,
                             std::span<const double> f) {
    linalg::AlignedVector<float> g(cost.padded_cols, std::numeric_limits<float>::max());
    for (std::size_t l = 0; l < rows.size(); ++l) {
        lower_to(cost.row(rows[l]), static_cast<float>(f[l]), cost.padded_cols, g.data());
    }
    return {g.begin(), g.begin() + static_cast<std::ptrdiff_t>(cost.cols)};
}

// `sample_size` indices at equal steps of the cumulative weight; the same index may come more than once.
std::vector<std::size_t> even_sample(std::span<const double> weights, std::size_t count) {
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

// The sampled part of a cost matrix.
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

// Duals of all cells from those of a sample, in units of the matrix.
Annealed from_sample(const CostRows& matrix, std::span<const double> a, std::span<const double> b) {
    const std::vector<std::size_t> rows = even_sample(a, matrix.rows);
    const std::vector<std::size_t> cols = even_sample(b, matrix.cols);
    const Sample sample(matrix, rows, cols);
    Annealed annealed = anneal(sample.view(), {}, {}, coarse, first_epsilon, nullptr);
    annealed.potentials = {{}, extended(matrix, rows, annealed.potentials.f)};
    return annealed;
}

// Duals of the columns of `to`, in units of its matrix, from those of clusters of rows, in units of cost.
std::vector<double> extended(linalg::ConstMatrixView<float> centres, std::span<const double> f,
                             const Cost& to) {
    std::vector<double> g(to.cols(), std::numeric_limits<double>::max());
    for (std::size_t first = 0; first < centres.rows; first += centres_at_a_time) {
        const std::size_t count = std::min(centres_at_a_time, centres.rows - first);
        const Cost cost(to.kind(), {centres.row(first), count, centres.cols}, to.y());
        std::vector<std::size_t> rows(count);
        std::iota(rows.begin(), rows.end(), std::size_t{0});
        std::vector<double> scaled(count);
        for (std::size_t l = 0; l < count; ++l) scaled[l] = f[first + l] / cost.unit();
        const std::vector<double> of_block = extended(cost.fp32(), rows, scaled);
        const double unit = cost.unit() / to.unit();
        for (std::size_t j = 0; j < g.size(); ++j) g[j] = std::min(g[j], of_block[j] * unit);
    }
    return g;
}

// Duals of all points from those of few clusters, of more, and so on, in units of the matrix.
Annealed from_clusters(const Cost& cost, std::span<const double> a, std::span<const double> b) {
    std::size_t finest_count = min_clusters;
    while (finest_count * cluster_ratio * min_points <= std::min(cost.rows(), cost.cols())) {
        finest_count *= cluster_ratio;
    }
    const PointClusters of_x(cost.x(), finest_count);
    const PointClusters of_y(cost.y(), finest_count);
    double epsilon = first_epsilon;
    linalg::Matrix<float> centres;
    std::vector<double> f;
    for (std::size_t count = min_clusters; count <= finest_count; count *= cluster_ratio) {
        linalg::Matrix<float> x = of_x.centres(count);
        const linalg::Matrix<float> y = of_y.centres(count);
        const Cost level(cost.kind(), x.view(), y.view());
        Potentials start;
        if (!f.empty()) start.g = extended(centres.view(), f, level);
        Annealed annealed = anneal(level.fp32(), of_x.weights(count, a), of_y.weights(count, b), coarse,
                                   epsilon, f.empty() ? nullptr : &start);
        epsilon = annealed.epsilon;
        f = std::move(annealed.potentials.f);
        for (double& v : f) v *= level.unit();
        centres = std::move(x);
    }
    return {{{}, extended(centres.view(), f, cost)}, epsilon};
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
        return anneal(matrix, a, b, brief, first_epsilon, &similar).potentials;
    }
    if (cost.of_points() && fewer >= min_points * min_clusters) {
        const Annealed rough = from_clusters(cost, a, b);
        return anneal(matrix, a, b, finest, rough.epsilon, &rough.potentials).potentials;
    }
    if (fewer >= 2 * sample_size) {
        const Annealed rough = from_sample(matrix, a, b);
        return anneal(matrix, a, b, fine, rough.epsilon, &rough.potentials).potentials;
    }
    return anneal(matrix, a, b, coarse, first_epsilon, nullptr).potentials;
}

}  // namespace popflow::ot
