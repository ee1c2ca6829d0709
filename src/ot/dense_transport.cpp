// SPDX-License-Identifier: MIT
#include "ot/dense_transport.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

#include "core/error.hpp"
#include "ot/entropic_problem.hpp"
#include "ot/exact/dense_rows.hpp"
#include "ot/exact/units.hpp"

namespace popflow::ot {

namespace {

using linalg::ConstMatrixView;

constexpr double epsilon = std::numeric_limits<double>::epsilon();
constexpr double infinity = std::numeric_limits<double>::infinity();
// Number of bits of the total mass. Sums of supplies then fit 62 bits.
constexpr int mass_bits = 61;
// The range of costs is narrowed if no arc of the plan costs more than this part of it.
constexpr double narrow_below = 1.0 / 256;
// Ratio of the narrowed range to the costs of the plan.
constexpr double narrow_to = 4;
// Factor on a narrowed range that turned out too small.
constexpr double widen_by = 65536;
// Largest starting potential in units of the integer costs, 2^60.
constexpr double max_start = 1152921504606846976.0;

CostRange range_of(ConstMatrixView<double> c) {
    CostRange range{infinity, -infinity};
    for (std::size_t i = 0; i < c.rows; ++i) extend_range(c.row(i), c.cols, range);
    return range;
}

void check_costs(ConstMatrixView<double> c, const CostRange& range) {
    if (std::isfinite(range.highest - range.lowest) && range.not_finite == 0) return;
    for (std::size_t i = 0; i < c.rows; ++i) {
        for (std::size_t j = 0; j < c.cols; ++j) {
            if (!std::isfinite(c(i, j))) {
                throw core::NumericalError(
                    "ot.exact", "the cost of row " + std::to_string(i) + " and column " + std::to_string(j) +
                                    " is " + std::to_string(c(i, j)) + ": costs must be finite");
            }
        }
    }
    throw core::NumericalError("ot.exact", "the range of the costs overflows: divide the costs by 2 or more");
}

void find_atoms(std::span<const double> weights, std::size_t count, const char* name,
                std::vector<std::uint32_t>& atoms, std::vector<double>& kept) {
    atoms.clear();
    kept.clear();
    if (weights.empty()) {
        atoms.resize(count);
        std::iota(atoms.begin(), atoms.end(), 0U);
        return;
    }
    checked_total(weights, count, name);
    for (std::size_t i = 0; i < count; ++i) {
        if (weights[i] == 0) continue;
        atoms.push_back(static_cast<std::uint32_t>(i));
        kept.push_back(weights[i]);
    }
}

}  // namespace

// Finds the atoms with mass, and copies the costs between them if there are others.
void DenseTransport::keep_atoms(ConstMatrixView<double> c, std::span<const double> a,
                                std::span<const double> b) {
    find_atoms(a, c.rows, "a", rows_, a_);
    find_atoms(b, c.cols, "b", cols_, b_);
    if (rows_.size() == c.rows && cols_.size() == c.cols) return;
    kept_.reshape(rows_.size(), cols_.size());
    for (std::size_t i = 0; i < rows_.size(); ++i) {
        const double* row = c.row(rows_[i]);
        for (std::size_t j = 0; j < cols_.size(); ++j) kept_(i, j) = row[cols_[j]];
    }
}

// Computes the column duals that choose the starting basis.
void DenseTransport::choose_start(ConstMatrixView<double> c, const Potentials* start) {
    kept_g_.resize(cols_.size());
    check_potentials("ot.exact", *start, c.rows, c.cols);
    if (!start->g.empty()) {
        for (std::size_t j = 0; j < cols_.size(); ++j) kept_g_[j] = start->g[cols_[j]];
    } else {
        std::ranges::fill(kept_g_, infinity);
        for (const std::uint32_t i : rows_) {
            for (std::size_t j = 0; j < cols_.size(); ++j)
                kept_g_[j] = std::min(kept_g_[j], c(i, cols_[j]) - start->f[i]);
        }
    }
    const double highest = *std::ranges::max_element(kept_g_);
    start_g_.resize(cols_.size());
    for (std::size_t j = 0; j < cols_.size(); ++j)
        start_g_[j] = static_cast<float>(std::max(costs_.from_cost(kept_g_[j] - highest), -max_start));
}

// Returns the highest cost of an arc with flow.
double DenseTransport::largest_used(ConstMatrixView<double> kept) const {
    double largest = -infinity;
    simplex_.basis().visit_flows(
        [&](std::uint32_t i, std::uint32_t j, std::int64_t) { largest = std::max(largest, kept(i, j)); });
    return largest;
}

// Stores the plan sorted by rows, and its value.
void DenseTransport::store_plan(ConstMatrixView<double> c, double mass, TransportPlan& result) {
    row_start_.assign(rows_.size() + 1, 0);
    simplex_.basis().visit_flows([&](std::uint32_t i, std::uint32_t, std::int64_t) { ++row_start_[i + 1]; });
    std::partial_sum(row_start_.begin(), row_start_.end(), row_start_.begin());
    result.plan.resize(row_start_.back());
    simplex_.basis().visit_flows([&](std::uint32_t i, std::uint32_t j, std::int64_t units) {
        result.plan[row_start_[i]++] = {rows_[i], cols_[j], static_cast<double>(units) * mass};
    });
    // Each start has moved to the end of its row.
    auto begin = result.plan.begin();
    for (std::size_t i = 0; i < rows_.size(); ++i) {
        const auto end = result.plan.begin() + row_start_[i];
        std::sort(begin, end, [](const PlanEntry& x, const PlanEntry& y) { return x.j < y.j; });
        begin = end;
    }
    for (const PlanEntry& entry : result.plan) result.value += entry.mass * c(entry.i, entry.j);
}

// Stores the duals of all atoms and the certificate. Returns the largest |g_j|.
double DenseTransport::store_duals(ConstMatrixView<double> c, TransportPlan& result) {
    std::vector<double>& f = result.duals.f;
    std::vector<double>& g = result.duals.g;
    const bool are_all_kept = rows_.size() == c.rows && cols_.size() == c.cols;
    kept_g_.resize(cols_.size());
    for (std::size_t j = 0; j < cols_.size(); ++j) kept_g_[j] = costs_.to_cost(simplex_.column_dual(j));
    f.assign(c.rows, infinity);
    g.assign(c.cols, infinity);
    for (std::size_t i = 0; i < c.rows; ++i) {
        if (are_all_kept) {
            f[i] = min_difference(c.row(i), kept_g_.data(), c.cols);
        } else {
            for (std::size_t j = 0; j < cols_.size(); ++j) f[i] = std::min(f[i], c(i, cols_[j]) - kept_g_[j]);
            lower_to_difference(c.row(i), f[i], c.cols, g.data());
        }
    }
    for (std::size_t j = 0; j < cols_.size(); ++j) g[cols_[j]] = kept_g_[j];
    for (std::size_t i = 0; i < c.rows; ++i)
        result.violation = std::max(result.violation, largest_excess(c.row(i), f[i], g.data(), c.cols));
    double gap = 0;
    for (const PlanEntry& entry : result.plan)
        gap += entry.mass * (c(entry.i, entry.j) - f[entry.i] - g[entry.j]);
    result.gap = std::fabs(gap);
    double largest = 0;
    for (const double v : g) largest = std::max(largest, std::fabs(v));
    return largest;
}

TransportPlan DenseTransport::solve(ConstMatrixView<double> c, std::span<const double> a,
                                    std::span<const double> b, const Potentials* start) {
    if (c.empty()) throw core::ShapeMismatch("ot.exact.cost", "[n, m]", c.rows, c.cols);
    const CostRange range = range_of(c);
    check_costs(c, range);
    keep_atoms(c, a, b);
    const bool are_all_kept = rows_.size() == c.rows && cols_.size() == c.cols;
    const ConstMatrixView<double> kept = are_all_kept ? c : kept_.view();
    const CostRange kept_range = are_all_kept ? range : range_of(kept);
    const Units units = make_units(kept.rows, kept.cols, a_, b_, mass_bits);

    TransportPlan result;
    const double width = kept_range.highest - kept_range.lowest;
    double span = width;
    bool may_narrow = true;
    for (bool is_first = true;; is_first = false) {
        costs_.fill(kept, kept_range.lowest, span);
        if (is_first) {
            if (start != nullptr && !(start->f.empty() && start->g.empty())) {
                choose_start(c, start);
                simplex_.start(costs_, units.supply, units.demand, start_g_);
            } else {
                simplex_.start(costs_, units.supply, units.demand,
                               rough_duals_.compute(costs_, units.supply, units.demand));
            }
        }
        result.rounds += simplex_.solve(costs_);
        const double used = largest_used(kept) - kept_range.lowest;
        if (span < width && used > span) {
            span = std::min(width, span * widen_by);
            may_narrow = false;
        } else if (may_narrow && used > 0 && used < narrow_below * span) {
            span = narrow_to * used;
        } else {
            break;
        }
    }
    result.arcs = kept.rows * kept.cols;
    store_plan(c, units.mass, result);
    const double largest_dual = store_duals(c, result);
    // Allows for the rounding of costs to integers, and of a few operations in double.
    const double magnitude = std::max(std::fabs(range.lowest), std::fabs(range.highest)) + 2 * largest_dual;
    double total = 0;
    for (const PlanEntry& entry : result.plan) total += entry.mass;
    const bool is_proven = std::isfinite(largest_dual) && result.violation <= 4 * epsilon * magnitude &&
                           result.gap <= total * (2 * costs_.to_cost(1) + 8 * epsilon * magnitude);
    if (!is_proven) throw core::NumericalError("ot.exact", "the duals do not prove the plan optimal");
    return result;
}

TransportPlan solve_exact(ConstMatrixView<double> c, std::span<const double> a, std::span<const double> b,
                          const Potentials* start) {
    return DenseTransport().solve(c, a, b, start);
}

}  // namespace popflow::ot
