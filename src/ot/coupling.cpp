// SPDX-License-Identifier: MIT
#include "ot/coupling.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/aligned.hpp"
#include "ot/exact.hpp"
#include "ot/sinkhorn.hpp"
#include "ot/sinkhorn_rows.hpp"

namespace popflow::ot {

using linalg::ConstMatrixView;

namespace {

// Error of the marginals at which the plan is close enough to draw from it, and the maximum number of sweeps.
constexpr double plan_error = 0.01;
constexpr std::size_t max_sweeps = 1000;
// Smaller problems run on one thread: starting a team costs more than it saves.
constexpr std::size_t serial_size = 1U << 16U;

// Returns the column of a row of weights at a share in [0, 1) of their sum.
std::uint32_t column_at(const double* weights, std::size_t columns, double sum, double share) {
    double left = share * sum;
    std::uint32_t last = 0;
    for (std::size_t j = 0; j < columns; ++j) {
        if (weights[j] <= 0) continue;
        last = static_cast<std::uint32_t>(j);
        left -= weights[j];
        if (left < 0) break;
    }
    return last;  // rounding may leave a rest behind the last weight
}

// Returns as many rows as there are masses, row i about n mass_i / total times.
std::vector<std::uint32_t> systematic_rows(std::span<const double> mass, double offset) {
    const double total = std::accumulate(mass.begin(), mass.end(), 0.0);
    std::vector<std::uint32_t> rows;
    double cumulative = 0;
    for (std::size_t i = 0; i < mass.size(); ++i) {
        cumulative += mass[i] / total * static_cast<double>(mass.size());
        while (rows.size() < mass.size() && static_cast<double>(rows.size()) + offset < cumulative)
            rows.push_back(static_cast<std::uint32_t>(i));
    }
    rows.resize(mass.size(), static_cast<std::uint32_t>(mass.size() - 1));
    return rows;
}

// Rows of an entropic plan.
class PlanRows {
  public:
    PlanRows(const CostRows& cost, const EntropicCoupling& options)
        : cost_(cost), epsilon_(options.epsilon * cost.mean), exponents_(cost.padded_cols, -1e300) {
        SinkhornOptions sinkhorn_options{.epsilon = options.epsilon,
                                         .sweeps = max_sweeps,
                                         .tolerance = plan_error,
                                         .allow_unconverged = true};
        if (options.rho > 0) sinkhorn_options.rho_rows = sinkhorn_options.rho_cols = options.rho;
        const std::vector<double> g = sinkhorn(cost, {}, {}, sinkhorn_options).potentials.g;
        for (std::size_t j = 0; j < cost.cols; ++j) exponents_[j] = g[j] / epsilon_;
    }

    // Computes the weights [padded columns] of a row, up to a factor.
    RowValues compute(std::size_t i, double* weights) const {
        return row_weights(cost_.row(i), exponents_.data(), 1 / epsilon_, cost_.padded_cols, weights);
    }
    // Returns the mass of each row up to a factor, with penalties of weight rho on the marginals. With
    // L_i = log sum_j e^((g_j - c_ij) / eps), f_i is -rho / (rho + eps) eps L_i, and the row of the plan has
    // the mass e^(f_i / eps + L_i).
    std::vector<double> masses(double rho) const {
        std::vector<double> logarithms(cost_.rows);
        linalg::AlignedVector<double> weights(cost_.padded_cols);
        for (std::size_t i = 0; i < cost_.rows; ++i) {
            const RowValues row = compute(i, weights.data());
            logarithms[i] = epsilon_ / (rho * cost_.mean + epsilon_) * (row.highest + std::log(row.sum));
        }
        const double highest = std::ranges::max(logarithms);
        for (double& mass : logarithms) mass = std::exp(mass - highest);
        return logarithms;
    }

  private:
    CostRows cost_;
    double epsilon_;
    linalg::AlignedVector<double> exponents_;
};

}  // namespace

std::vector<std::uint32_t> optimal_partners(ConstMatrixView<float> x0, ConstMatrixView<float> x1) {
    core::check_shape("ot.optimal_partners.x1", x1.rows, x1.cols, x0.rows, x0.cols);
    const TransportPlan transport = solve_exact(Cost(CostKind::squared_euclidean, x0, x1));
    std::vector<std::uint32_t> partner(x0.rows);
    for (const PlanEntry& entry : transport.plan) partner[entry.i] = entry.j;
    return partner;
}

Partners entropic_partners(ConstMatrixView<float> x0, ConstMatrixView<float> x1,
                           const EntropicCoupling& options, core::Stream stream) {
    const Cost cost(CostKind::squared_euclidean, x0, x1);
    Partners partners{std::vector<std::uint32_t>(x0.rows), std::vector<std::uint32_t>(x0.rows)};
    std::iota(partners.base.begin(), partners.base.end(), 0U);
    if (!(cost.mean() > 0)) {  // all cells are equal
        for (std::uint32_t& j : partners.target) j = static_cast<std::uint32_t>(stream.below(x1.rows));
        return partners;
    }
    const PlanRows plan(cost.fp32(), options);
    if (options.rho > 0) partners.base = systematic_rows(plan.masses(options.rho), stream.uniform());
    std::vector<double> shares(x0.rows);
    for (double& share : shares) share = stream.uniform();
#pragma omp parallel if (x0.rows * x1.rows > serial_size)
    {
        linalg::AlignedVector<double> weights(cost.padded_cols());
#pragma omp for schedule(static)
        for (std::size_t k = 0; k < x0.rows; ++k) {
            const RowValues row = plan.compute(partners.base[k], weights.data());
            partners.target[k] = column_at(weights.data(), x1.rows, row.sum, shares[k]);
        }
    }
    return partners;
}

}  // namespace popflow::ot
