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
        // Before this step i of n and j of m are to the left: the counts are exact, their difference too.
        total += std::fabs(static_cast<double>(i) * m - static_cast<double>(j) * n) * (to - from);
        from = to;
        ++(take_x ? i : j);
    }
    return total / (n * m);
}

// The translation that takes x to z, nothing if there is none.
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

// The duals of W1 are a start for W2 where the distances of the plan deviate by less than this part of their
// mean; elsewhere a start of its own is better.
constexpr double similar = 0.5;

// `cost` is squared, `first` the plan of the distances themselves.
ot::TransportPlan solve_squared(const ot::Cost& cost, const ot::TransportPlan& first) {
    double squares = 0;
    for (const ot::PlanEntry& entry : first.plan) squares += entry.mass * cost.exact(entry.i, entry.j);
    squares = squares * cost.unit() + cost.offset();
    if (squares > (1 + similar * similar) * first.value * first.value) return ot::solve_exact(cost);
    const ot::Potentials start = ot::duals_of_squares(first.duals, first.value);
    return ot::solve_exact(cost, {}, {}, {.start = &start});
}

// No plan is better by more than this part of the value.
constexpr double proven = 2e-7;

}  // namespace

double TranslatesDistance::squared(const ot::Cost& cost, ConstMatrixView<float> x,
                                   const ot::TransportPlan& first) {
    if (const std::vector<double> shift = translation(x_, x); !shift.empty()) {
        ot::TransportPlan moved{.plan = known_.plan, .duals = known_.duals};
        for (std::size_t j = 0; j < y_.rows; ++j) moved.duals.g[j] -= 2 * dot(shift, y_.row_span(j));
        ot::fit_rows(cost, moved.duals);
        double dual = 0;
        for (const ot::PlanEntry& entry : moved.plan) {
            moved.value += entry.mass * cost.unit() * cost.exact(entry.i, entry.j);
            dual += entry.mass * (moved.duals.f[entry.i] + moved.duals.g[entry.j]);
        }
        if (moved.value - dual <= proven * moved.value) {
            ++served_;
            return moved.value;
        }
    }
    known_ = solve_squared(cost, first);
    x_ = linalg::Matrix<float>(x.rows, x.cols);
    for (std::size_t i = 0; i < x.rows; ++i) std::ranges::copy(x.row_span(i), x_.view().row(i));
    return known_.value;
}

Wasserstein TranslatesDistance::operator()(ConstMatrixView<float> x) {
    ot::Cost cost(ot::CostKind::euclidean, x, y_);
    const ot::TransportPlan first = ot::solve_exact(cost);
    cost.square();
    return {first.value, std::sqrt(squared(cost, x, first))};
}

Wasserstein wasserstein(ConstMatrixView<float> x, ConstMatrixView<float> y) {
    ot::Cost cost(ot::CostKind::euclidean, x, y);
    const ot::TransportPlan first = ot::solve_exact(cost);
    cost.square();
    return {first.value, std::sqrt(solve_squared(cost, first).value)};
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
