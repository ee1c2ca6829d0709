// SPDX-License-Identifier: MIT
#include "ot/starting_duals.hpp"

#include <algorithm>
#include <limits>

#include "core/aligned.hpp"
#include "linalg/dispatch.hpp"
#include "ot/distances.hpp"

namespace popflow::ot {

namespace {

constexpr double first_epsilon = 0.02;
constexpr std::size_t sample_size = 1024;

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

POPFLOW_SIMD void lower_to(const float* c, float f, std::size_t columns, float* g) {
    for (std::size_t j = 0; j < columns; ++j) {
        const float v = c[j] - f;
        g[j] = v < g[j] ? v : g[j];
    }
}

// g_j = min over the sampled rows of c_ij - f_i.
std::vector<double> extended(const CostRows& cost, std::span<const std::size_t> rows,
                             std::span<const double> f) {
    linalg::AlignedVector<float> g(cost.padded_cols, std::numeric_limits<float>::max());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        lower_to(cost.row(rows[i]), static_cast<float>(f[i]), cost.padded_cols, g.data());
    }
    return {g.begin(), g.begin() + static_cast<std::ptrdiff_t>(cost.cols)};
}

}  // namespace

Potentials starting_duals(const Cost& cost, std::span<const double> a, std::span<const double> b,
                          const Potentials* start) {
    static_assert(sample_size % column_block == 0, "a sampled row needs no padding");
    const CostRows matrix = cost.fp32();
    Potentials first;
    double epsilon = first_epsilon;
    if (start != nullptr) {
        first.g = start->g;
        for (double& g : first.g) g /= cost.unit();
    } else if (std::min(matrix.rows, matrix.cols) >= 2 * sample_size) {
        const std::vector<std::size_t> rows = even_sample(a, matrix.rows);
        const std::vector<std::size_t> cols = even_sample(b, matrix.cols);
        const Sample sample(matrix, rows, cols);
        const Annealed annealed = anneal(sample.view(), {}, {}, coarse, epsilon, nullptr);
        first.g = extended(matrix, rows, annealed.potentials.f);
        epsilon = annealed.epsilon;
    }
    const Schedule& schedule = start != nullptr ? brief : first.g.empty() ? coarse : fine;
    return anneal(matrix, a, b, schedule, epsilon, first.g.empty() ? nullptr : &first).potentials;
}

}  // namespace popflow::ot
