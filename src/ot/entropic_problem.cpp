// SPDX-License-Identifier: MIT
#include "ot/entropic_problem.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

#include "core/aligned.hpp"
#include "core/error.hpp"
#include "ot/gibbs_rows.hpp"

namespace popflow::ot {

namespace {

// Plan P and its marginals.
struct Plan {
    core::AlignedArray<double> p;  // [n, m]
    std::vector<double> rows;
    std::vector<double> cols;
};

double distance(std::span<const double> x, std::span<const double> y) {
    return std::transform_reduce(x.begin(), x.end(), y.begin(), 0.0, std::plus<>(),
                                 [](double u, double v) { return std::fabs(u - v); });
}

// Scales down rows, then columns, that have too much mass, and adds a plan of rank one that has the missing
// mass.
double rounded_objective(linalg::ConstMatrixView<double> c, std::span<const double> a,
                         std::span<const double> b, double epsilon, Plan& plan) {
    const std::size_t n = c.rows;
    const std::size_t m = c.cols;
    std::vector<double> missing_rows(n);
    std::vector<double> missing_cols(b.begin(), b.end());
    std::ranges::fill(plan.cols, 0);
    for (std::size_t i = 0; i < n; ++i) {
        const double factor = plan.rows[i] > a[i] ? a[i] / plan.rows[i] : 1;
        scale_plan_row(factor, m, plan.p.data() + i * m, plan.cols.data());
    }
    for (std::size_t j = 0; j < m; ++j) {
        const double factor = plan.cols[j] > b[j] ? b[j] / plan.cols[j] : 1;
        missing_cols[j] -= factor * plan.cols[j];
        plan.cols[j] = factor;
    }
    for (std::size_t i = 0; i < n; ++i)
        missing_rows[i] = a[i] - scale_columns_of_row(plan.cols.data(), m, plan.p.data() + i * m);
    const double total = std::accumulate(missing_cols.begin(), missing_cols.end(), 0.0);
    double objective = 0;
    for (std::size_t i = 0; i < n; ++i) {
        const double share = total > 0 ? missing_rows[i] / total : 0;
        objective += objective_of_row(c.row(i), plan.p.data() + i * m, share, missing_cols.data(), a[i],
                                      b.data(), epsilon, m);
    }
    return objective;
}

}  // namespace

EntropicValues entropic_values(linalg::ConstMatrixView<double> c, std::span<const double> a,
                               std::span<const double> b, double epsilon, const Potentials& potentials) {
    const std::vector<double>& f = potentials.f;
    const std::vector<double>& g = potentials.g;
    const std::size_t n = c.rows;
    const std::size_t m = c.cols;
    Plan plan{core::AlignedArray<double>(n * m), std::vector<double>(n), std::vector<double>(m)};
    EntropicValues values;
    const double scale = 1 / epsilon;
    std::vector<double> exponents(m);
    for (std::size_t j = 0; j < m; ++j) exponents[j] = g[j] * scale + std::log(b[j]);
    for (std::size_t i = 0; i < n; ++i) {
        const double highest = max_row_exponent(c.row(i), exponents.data(), scale, m);
        const double factor = a[i] * std::exp(f[i] * scale + highest);
        const PlanRow row = compute_plan_row(c.row(i), exponents.data(), scale, highest, factor, m,
                                             plan.p.data() + i * m, plan.cols.data());
        plan.rows[i] = row.mass;
        values.transport_cost += row.cost;
    }
    values.marginal_error = distance(plan.rows, a) + distance(plan.cols, b);
    const double mass = std::accumulate(plan.rows.begin(), plan.rows.end(), 0.0);
    values.dual = std::inner_product(a.begin(), a.end(), f.begin(), 0.0) +
                  std::inner_product(b.begin(), b.end(), g.begin(), 0.0) - epsilon * (mass - 1);
    values.primal = rounded_objective(c, a, b, epsilon, plan);
    return values;
}

void check_entropic_problem(const std::string& place, linalg::ConstMatrixView<double> c,
                            std::span<const double> a, std::span<const double> b) {
    if (c.empty()) throw core::ShapeMismatch(place + ".c", "[n, m]", c.rows, c.cols);
    core::check_shape((place + ".a").c_str(), a.size(), 1, c.rows, 1);
    core::check_shape((place + ".b").c_str(), b.size(), 1, c.cols, 1);
    const auto is_invalid = [](double w) { return !(w > 0) || !std::isfinite(w); };
    if (std::ranges::any_of(a, is_invalid) || std::ranges::any_of(b, is_invalid))
        throw core::NumericalError(place, "a weight is not positive. Leave out atoms without mass");
    for (std::size_t i = 0; i < c.rows; ++i) {
        if (not_finite(c.row(i), c.cols) != 0) throw core::NumericalError(place, "a cost is not finite");
    }
}

void check_potentials(const std::string& place, const Potentials& start, std::size_t n, std::size_t m) {
    const auto check = [&](const std::vector<double>& potentials, std::size_t count,
                           const std::string& name) {
        if (potentials.empty()) return;
        core::check_shape((place + ".start." + name).c_str(), potentials.size(), 1, count, 1);
        if (!std::ranges::all_of(potentials, [](double v) { return std::isfinite(v); }))
            throw core::NumericalError(place, "a starting potential " + name + " is not finite");
    };
    check(start.f, n, "f");
    check(start.g, m, "g");
}

std::vector<double> optimal_row_potentials(linalg::ConstMatrixView<double> c, std::span<const double> b,
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

void complete_potentials(linalg::ConstMatrixView<double> c, Potentials& potentials) {
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
