// SPDX-License-Identifier: MIT
#include "ot/semidual.hpp"

#include <Eigen/Cholesky>

#include <algorithm>
#include <cmath>
#include <limits>

#include "ot/gibbs_rows.hpp"

namespace popflow::ot {

namespace {

// Columns of a block of the Hessian.
constexpr std::size_t block_columns = 512;

}  // namespace

// Computes P diag(1 / b) P^T.
struct SemiDual::Gram {
    static Eigen::MatrixXd compute(const SemiDual& d);
};

SemiDual::SemiDual(linalg::ConstMatrixView<double> c, std::span<const double> a, std::span<const double> b)
    : c_(c),
      a_(a),
      b_(b),
      plan_(c.rows * c.cols),
      highest_(c.cols),
      sums_(c.cols),
      shares_(c.cols),
      rows_(c.rows) {}

void SemiDual::evaluate(std::span<const double> f, double epsilon) {
    epsilon_ = epsilon;
    const std::size_t m = c_.cols;
    const double scale = 1 / epsilon;
    std::ranges::fill(highest_, -std::numeric_limits<double>::max());
    std::ranges::fill(sums_, 0);
    for (std::size_t i = 0; i < c_.rows; ++i)
        raise_to_row(c_.row(i), f[i] * scale + std::log(a_[i]), scale, m, highest_.data());
    for (std::size_t i = 0; i < c_.rows; ++i) {
        exponentiate_below(c_.row(i), f[i] * scale + std::log(a_[i]), scale, highest_.data(), m,
                           &plan_[i * m], sums_.data());
    }
    value_ = 0;
    for (std::size_t j = 0; j < m; ++j) {
        shares_[j] = b_[j] / sums_[j];
        value_ -= epsilon * b_[j] * (highest_[j] + std::log(sums_[j]));
    }
    for (std::size_t i = 0; i < c_.rows; ++i) {
        rows_[i] = dot_row(&plan_[i * m], shares_.data(), m);
        value_ += a_[i] * f[i];
    }
}

double SemiDual::error() const {
    double sum = 0;
    for (std::size_t i = 0; i < rows_.size(); ++i) sum += std::fabs(gradient(i));
    return sum;
}

Eigen::MatrixXd SemiDual::Gram::compute(const SemiDual& d) {
    const std::size_t n = d.c_.rows;
    const std::size_t m = d.c_.cols;
    Eigen::MatrixXd result =
        Eigen::MatrixXd::Zero(static_cast<Eigen::Index>(n), static_cast<Eigen::Index>(n));
    std::vector<double> weighted(block_columns);
    for (std::size_t first = 0; first < m; first += block_columns) {
        const std::size_t count = std::min(block_columns, m - first);
        for (std::size_t i = 0; i < n; ++i) {
            for (std::size_t j = 0; j < count; ++j) {
                const double share = d.shares_[first + j];
                weighted[j] = d.plan_[i * m + first + j] * share * (share / d.b_[first + j]);
            }
            for (std::size_t k = 0; k <= i; k += kernel_batch) {
                KernelBatch batch{};
                for (std::size_t l = 0; l < kernel_batch; ++l)
                    batch.rows[l] = &d.plan_[std::min(k + l, i) * m + first];
                dot_rows(batch, weighted.data(), count);
                for (std::size_t l = 0; l < kernel_batch && k + l <= i; ++l)
                    result(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(k + l)) += batch.sums[l];
            }
        }
    }
    return result.selfadjointView<Eigen::Lower>();
}

std::vector<double> SemiDual::newton_step() const {
    const auto n = static_cast<Eigen::Index>(rows_.size());
    Eigen::MatrixXd hessian = -Gram::compute(*this);
    Eigen::VectorXd right(n);
    for (Eigen::Index i = 0; i < n; ++i) {
        hessian(i, i) += rows_[static_cast<std::size_t>(i)];
        right(i) = epsilon_ * gradient(static_cast<std::size_t>(i));
    }
    // The Hessian is singular along constant shifts of f, and for rows without mass.
    const double mean = hessian.trace() / static_cast<double>(n);
    hessian.array() += mean / static_cast<double>(n);
    hessian.diagonal().array() += 1e-9 * mean;
    const Eigen::VectorXd step = hessian.llt().solve(right);
    return {step.begin(), step.end()};
}

std::vector<double> SemiDual::sinkhorn_step() const {
    std::vector<double> step(rows_.size());
    for (std::size_t i = 0; i < step.size(); ++i)
        step[i] = epsilon_ * std::log(a_[i] / std::max(rows_[i], std::numeric_limits<double>::min()));
    return step;
}

std::vector<double> SemiDual::column_potentials() const {
    std::vector<double> g(sums_.size());
    for (std::size_t j = 0; j < g.size(); ++j) g[j] = -epsilon_ * (highest_[j] + std::log(sums_[j]));
    return g;
}

}  // namespace popflow::ot
