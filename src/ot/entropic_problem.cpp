// SPDX-License-Identifier: MIT
#include "ot/entropic_problem.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

#include "core/error.hpp"
#include "ot/gibbs_rows.hpp"

namespace popflow::ot {

namespace {

using linalg::ConstMatrixView;

double distance(std::span<const double> x, std::span<const double> y) {
    return std::transform_reduce(x.begin(), x.end(), y.begin(), 0.0, std::plus<>(),
                                 [](double u, double v) { return std::fabs(u - v); });
}

double inner(std::span<const double> x, std::span<const double> y) {
    return std::inner_product(x.begin(), x.end(), y.begin(), 0.0);
}

// Returns sum_i x_i log(x_i / y_i).
double relative_entropy(std::span<const double> x, std::span<const double> y) {
    double sum = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        if (x[i] > 0) sum += x[i] * std::log(x[i] / y[i]);
    }
    return sum;
}

// Plan P of two potentials, with its marginals and its cost.
struct Plan {
    Plan(ConstMatrixView<double> c, std::span<const double> a, std::span<const double> b, double epsilon,
         const Potentials& potentials);

    const double* row(std::size_t i) const { return &p[i * cols.size()]; }

    linalg::AlignedVector<double> p;  // [n, m]
    std::vector<double> rows;
    std::vector<double> cols;
    double cost = 0;
};

Plan::Plan(ConstMatrixView<double> c, std::span<const double> a, std::span<const double> b, double epsilon,
           const Potentials& potentials)
    : p(c.rows * c.cols), rows(c.rows), cols(c.cols) {
    const double scale = 1 / epsilon;
    std::vector<double> exponents(c.cols);
    for (std::size_t j = 0; j < c.cols; ++j) exponents[j] = potentials.g[j] * scale + std::log(b[j]);
    const std::vector<double> ones(c.cols, 1);
    std::vector<double> weights(c.cols);
    for (std::size_t i = 0; i < c.rows; ++i) {
        double* row = &p[i * c.cols];
        const double highest = max_row_exponent(c.row(i), exponents.data(), scale, c.cols);
        exponentiate_row(c.row(i), exponents.data(), scale, highest, c.cols, row);
        const double factor = a[i] * std::exp(potentials.f[i] * scale + highest);
        for (std::size_t j = 0; j < c.cols; ++j) row[j] *= factor;
        rows[i] = dot_row(row, ones.data(), c.cols);
        cost += dot_row(row, c.row(i), c.cols);
        add_row(1, row, c.cols, cols.data());
    }
}

// Returns an upper bound of the objective of a plan with exact marginals: P with rows, then columns, that
// have too much mass scaled down, plus a product of the missing masses. The relative entropy is convex, so
// that of the sum is at most the sum of both, which needs no logarithm for each element.
double rounded_objective(ConstMatrixView<double> c, std::span<const double> a, std::span<const double> b,
                         double epsilon, const Potentials& potentials, const Plan& plan) {
    const std::size_t n = c.rows;
    const std::size_t m = c.cols;
    std::vector<double> row_factors(n);
    std::vector<double> cols(m);
    for (std::size_t i = 0; i < n; ++i) {
        row_factors[i] = plan.rows[i] > a[i] ? a[i] / plan.rows[i] : 1;
        add_row(row_factors[i], plan.row(i), m, cols.data());
    }
    std::vector<double> col_factors(m);
    std::vector<double> missing_cols(m);
    double objective = 0;
    for (std::size_t j = 0; j < m; ++j) {
        col_factors[j] = cols[j] > b[j] ? b[j] / cols[j] : 1;
        const double mass = col_factors[j] * cols[j];
        missing_cols[j] = std::max(0.0, b[j] - mass);
        objective += mass * (potentials.g[j] + epsilon * std::log(col_factors[j]));
    }
    std::vector<double> missing_rows(n);
    for (std::size_t i = 0; i < n; ++i) {
        const double mass = row_factors[i] * dot_row(plan.row(i), col_factors.data(), m);
        missing_rows[i] = std::max(0.0, a[i] - mass);
        objective += mass * (potentials.f[i] + epsilon * std::log(row_factors[i]));
    }
    const double missing = std::accumulate(missing_cols.begin(), missing_cols.end(), 0.0);
    if (!(missing > 0)) return objective;
    objective -= epsilon * (1 - missing) * std::log1p(-missing);
    const double missing_in_rows = std::accumulate(missing_rows.begin(), missing_rows.end(), 0.0);
    if (missing_in_rows > 0) {
        double cost = 0;
        for (std::size_t i = 0; i < n; ++i) {
            if (missing_rows[i] > 0) cost += missing_rows[i] * dot_row(c.row(i), missing_cols.data(), m);
        }
        objective += cost / missing_in_rows;
        // KL(s t^T / missing | a b^T) for masses s and t with the sum `missing`
        objective += epsilon * (relative_entropy(missing_rows, a) * missing / missing_in_rows +
                                relative_entropy(missing_cols, b) - missing * std::log(missing_in_rows) -
                                missing * std::log(missing));
    }
    return objective;
}

}  // namespace

EntropicValues entropic_values(ConstMatrixView<double> c, std::span<const double> a,
                               std::span<const double> b, double epsilon, const Potentials& potentials) {
    const Plan plan(c, a, b, epsilon, potentials);
    const double mass = std::accumulate(plan.rows.begin(), plan.rows.end(), 0.0);
    EntropicValues values;
    values.transport_cost = plan.cost;
    values.marginal_error = distance(plan.rows, a) + distance(plan.cols, b);
    values.dual = inner(a, potentials.f) + inner(b, potentials.g) - epsilon * (mass - 1);
    values.primal = rounded_objective(c, a, b, epsilon, potentials, plan);
    return values;
}

void check_entropic_problem(const std::string& place, ConstMatrixView<double> c, std::span<const double> a,
                            std::span<const double> b) {
    if (c.empty()) throw core::ShapeMismatch(place + ".c", "[n, m]", c.rows, c.cols);
    core::check_shape((place + ".a").c_str(), a.size(), 1, c.rows, 1);
    core::check_shape((place + ".b").c_str(), b.size(), 1, c.cols, 1);
    const auto is_invalid = [](double w) { return !(w > 0) || !std::isfinite(w); };
    if (std::ranges::any_of(a, is_invalid) || std::ranges::any_of(b, is_invalid))
        throw core::NumericalError(place, "a weight is not positive. Leave out atoms without mass");
    for (std::size_t i = 0; i < c.rows; ++i) {
        if (!std::ranges::all_of(c.row_span(i), [](double cost) { return std::isfinite(cost); }))
            throw core::NumericalError(place, "a cost is not finite");
    }
}

std::vector<double> optimal_row_potentials(ConstMatrixView<double> c, std::span<const double> b,
                                           double epsilon, std::span<const double> g) {
    const double scale = 1 / epsilon;
    std::vector<double> exponents(c.cols);
    for (std::size_t j = 0; j < c.cols; ++j) exponents[j] = g[j] * scale + std::log(b[j]);
    std::vector<double> kernel(c.cols);
    std::vector<double> f(c.rows);
    for (std::size_t i = 0; i < c.rows; ++i) {
        const double highest = max_row_exponent(c.row(i), exponents.data(), scale, c.cols);
        exponentiate_row(c.row(i), exponents.data(), scale, highest, c.cols, kernel.data());
        f[i] = -epsilon * (highest + std::log(std::accumulate(kernel.begin(), kernel.end(), 0.0)));
    }
    return f;
}

void complete_potentials(ConstMatrixView<double> c, Potentials& potentials) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    const bool has_f = !potentials.f.empty();
    std::vector<double>& missing = has_f ? potentials.g : potentials.f;
    missing.assign(has_f ? c.cols : c.rows, infinity);
    for (std::size_t i = 0; i < c.rows; ++i) {
        for (std::size_t j = 0; j < c.cols; ++j) {
            double& value = missing[has_f ? j : i];
            value = std::min(value, c(i, j) - (has_f ? potentials.f[i] : potentials.g[j]));
        }
    }
}

void centre_potentials(std::span<const double> a, Potentials& potentials) {
    const double shift = std::inner_product(a.begin(), a.end(), potentials.f.begin(), 0.0);
    for (double& f : potentials.f) f -= shift;
    for (double& g : potentials.g) g += shift;
}

}  // namespace popflow::ot
