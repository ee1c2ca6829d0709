// SPDX-License-Identifier: MIT
#include "metrics/wasserstein.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "ot/certificate.hpp"
#include "ot/exact.hpp"

namespace popflow::metrics {

using linalg::ConstMatrixView;

namespace {

std::vector<float> sorted_finite(std::vector<float> values, const char* name) {
    if (values.empty()) throw core::ShapeMismatch(name, "[at least 1, 1]", 0, 1);
    for (float v : values) {
        if (!std::isfinite(v)) throw core::NumericalError(name, "a value is not finite");
    }
    std::sort(values.begin(), values.end());
    return values;
}

std::vector<float> column(ConstMatrixView<float> x, std::size_t j) {
    std::vector<float> values(x.rows);
    for (std::size_t i = 0; i < x.rows; ++i) values[i] = x(i, j);
    return values;
}

double between_sorted(std::span<const float> x, std::span<const float> y) {
    const auto n = static_cast<double>(x.size());
    const auto m = static_cast<double>(y.size());
    std::size_t i = 0;
    std::size_t j = 0;
    double total = 0;
    double from = std::min(x.front(), y.front());
    while (i < x.size() || j < y.size()) {
        const bool take_x = j == y.size() || (i < x.size() && x[i] <= y[j]);
        const double to = take_x ? x[i] : y[j];
        // F = i / n and G = j / m between `from` and `to`. The products of counts are exact in double.
        total += std::fabs(static_cast<double>(i) * m - static_cast<double>(j) * n) * (to - from);
        from = to;
        ++(take_x ? i : j);
    }
    return total / (n * m);
}

// Returns the translation that maps x to z, up to fp32 rounding. Empty if z is not a translate of x.
std::vector<double> translation(ConstMatrixView<float> x, ConstMatrixView<float> z) {
    if (x.rows != z.rows || x.cols != z.cols) return {};
    std::vector<double> shift(x.cols);
    for (std::size_t k = 0; k < x.cols; ++k) {
        double largest = 0;
        for (std::size_t i = 0; i < x.rows; ++i) {
            shift[k] += (static_cast<double>(z(i, k)) - x(i, k)) / static_cast<double>(x.rows);
            largest = std::max<double>({largest, std::fabs(x(i, k)), std::fabs(z(i, k))});
        }
        for (std::size_t i = 0; i < x.rows; ++i) {
            const double rest = static_cast<double>(z(i, k)) - x(i, k) - shift[k];
            if (!(std::fabs(rest) <= 4e-7 * largest)) return {};
        }
    }
    return shift;
}

double dot(std::span<const double> s, std::span<const float> x) {
    double sum = 0;
    for (std::size_t k = 0; k < s.size(); ++k) sum += s[k] * x[k];
    return sum;
}

// Largest coefficient of variation of the distances on the W1 plan at which the W1 duals are a good start for
// W2. Above it solve_exact() finds a better start on its own.
constexpr double max_relative_deviation = 0.5;

// Solves for the squared distances in `cost`. `w1_plan` is the optimal plan for the distances.
ot::TransportPlan solve_squared(const ot::Cost& cost, const ot::TransportPlan& w1_plan) {
    double squares = 0;
    for (const ot::PlanEntry& entry : w1_plan.plan) squares += entry.mass * cost.exact(entry.i, entry.j);
    squares = squares * cost.unit() + cost.offset();
    if (squares > (1 + max_relative_deviation * max_relative_deviation) * w1_plan.value * w1_plan.value)
        return ot::solve_exact(cost);
    const ot::Potentials start = ot::squared_cost_duals(w1_plan.duals, w1_plan.value);
    return ot::solve_exact(cost, {}, {}, {.start = &start});
}

// Largest duality gap, relative to the value, at which a plan counts as optimal.
constexpr double max_relative_gap = 2e-7;

}  // namespace

double CachedWasserstein::squared_w2(const ot::Cost& cost, ConstMatrixView<float> x,
                                     const ot::TransportPlan& w1_plan) {
    if (const std::vector<double> shift = translation(solved_x_, x); !shift.empty()) {
        ot::TransportPlan moved{.plan = last_plan_.plan, .duals = last_plan_.duals};
        for (std::size_t j = 0; j < y_.rows; ++j) moved.duals.g[j] -= 2 * dot(shift, y_.row_span(j));
        ot::apply_c_transform(cost, moved.duals);
        double dual = 0;
        for (const ot::PlanEntry& entry : moved.plan) {
            moved.value += entry.mass * cost.unit() * cost.exact(entry.i, entry.j);
            dual += entry.mass * (moved.duals.f[entry.i] + moved.duals.g[entry.j]);
        }
        if (moved.value - dual <= max_relative_gap * moved.value) {
            ++reuse_count_;
            return moved.value;
        }
    }
    last_plan_ = solve_squared(cost, w1_plan);
    solved_x_ = linalg::Matrix<float>(x.rows, x.cols);
    for (std::size_t i = 0; i < x.rows; ++i) std::ranges::copy(x.row_span(i), solved_x_.view().row(i));
    return last_plan_.value;
}

Wasserstein CachedWasserstein::operator()(ConstMatrixView<float> x) {
    ot::Cost cost(ot::CostKind::euclidean, x, y_);
    const ot::TransportPlan w1_plan = ot::solve_exact(cost);
    cost.square();
    return {w1_plan.value, std::sqrt(squared_w2(cost, x, w1_plan))};
}

Wasserstein wasserstein(ConstMatrixView<float> x, ConstMatrixView<float> y) {
    ot::Cost cost(ot::CostKind::euclidean, x, y);
    const ot::TransportPlan w1_plan = ot::solve_exact(cost);
    cost.square();
    return {w1_plan.value, std::sqrt(solve_squared(cost, w1_plan).value)};
}

double wasserstein1(ConstMatrixView<float> x, ConstMatrixView<float> y) {
    return ot::solve_exact(ot::Cost(ot::CostKind::euclidean, x, y)).value;
}

double wasserstein2(ConstMatrixView<float> x, ConstMatrixView<float> y) {
    return std::sqrt(ot::solve_exact(ot::Cost(ot::CostKind::squared_euclidean, x, y)).value);
}

double wasserstein1_1d(std::span<const float> x, std::span<const float> y) {
    return between_sorted(sorted_finite({x.begin(), x.end()}, "wasserstein1_1d.x"),
                          sorted_finite({y.begin(), y.end()}, "wasserstein1_1d.y"));
}

std::vector<double> per_marker_w1(ConstMatrixView<float> x, ConstMatrixView<float> y) {
    core::check_shape("per_marker_w1.y", y.rows, y.cols, y.rows, x.cols);
    std::vector<double> result(x.cols);
    for (std::size_t j = 0; j < x.cols; ++j) {
        result[j] = between_sorted(sorted_finite(column(x, j), "per_marker_w1.x"),
                                   sorted_finite(column(y, j), "per_marker_w1.y"));
    }
    return result;
}

}  // namespace popflow::metrics
