// SPDX-License-Identifier: MIT
#include "linalg/kernel_ridge.hpp"

#include <Eigen/Cholesky>
#include <Eigen/QR>
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "core/error.hpp"
#include "core/parallel_for.hpp"
#include "linalg/eigen_tools.hpp"
#include "linalg/pair_distances.hpp"

namespace popflow::linalg {

namespace {

using Eigen::Index;
using Eigen::MatrixXd;

constexpr double infinity = std::numeric_limits<double>::infinity();

// Returns the rows of each group.
std::vector<std::vector<Index>> rows_of_groups(std::span<const std::size_t> groups) {
    std::map<std::size_t, std::vector<Index>> rows;
    for (std::size_t i = 0; i < groups.size(); ++i) rows[groups[i]].push_back(static_cast<Index>(i));
    std::vector<std::vector<Index>> all;
    for (auto& [group, own] : rows) all.push_back(std::move(own));
    return all;
}

// Kernels and penalties to choose from.
struct Candidate {
    double width = 0;
    double penalty = 0;   // relative
    double diagonal = 0;  // penalty in the units of the kernel
};

MatrixXd take_rows(const MatrixXd& x, const std::vector<Index>& rows) {
    MatrixXd taken(std::ssize(rows), x.cols());
    for (Index i = 0; i < taken.rows(); ++i) taken.row(i) = x.row(rows[static_cast<std::size_t>(i)]);
    return taken;
}

MatrixXd take_columns(const MatrixXd& x, const std::vector<Index>& columns) {
    MatrixXd taken(x.rows(), std::ssize(columns));
    for (Index j = 0; j < taken.cols(); ++j) taken.col(j) = x.col(columns[static_cast<std::size_t>(j)]);
    return taken;
}

// Rotates the columns of targets [n, d] with d > n so that only n of them are not zero, and returns these.
// Linear combinations of the rows keep their lengths, and the errors are such lengths.
MatrixXd compressed(const MatrixXd& targets) {
    if (targets.cols() <= targets.rows()) return targets;
    const Eigen::HouseholderQR<MatrixXd> qr(targets.transpose());
    const MatrixXd r = qr.matrixQR().topRows(targets.rows()).triangularView<Eigen::Upper>();
    return r.transpose();
}

// Returns the inverse of the lower triangle. Solves for some columns at a time, which are zero above them.
MatrixXd inverse_of_lower(const MatrixXd& lower) {
    constexpr Index columns = 64;
    const Index n = lower.rows();
    MatrixXd inverse = MatrixXd::Identity(n, n);
    for (Index first = 0; first < n; first += columns) {
        const Index left = n - first;
        auto block = inverse.block(first, first, left, std::min(columns, left));
        lower.bottomRightCorner(left, left).triangularView<Eigen::Lower>().solveInPlace(block);
    }
    return inverse;
}

// Regressions of all sets of targets on the same features.
class Ridge {
  public:
    Ridge(ConstMatrixView<double> features, std::span<const std::size_t> groups, RidgeKernel kernel)
        : kernel_(kernel), groups_(rows_of_groups(groups)) {
        if (groups_.size() < min_ridge_groups) return;
        if (kernel == RidgeKernel::linear)
            add_linear(features);
        else
            add_rbf(features);
    }

    const std::vector<Candidate>& candidates() const { return candidates_; }
    const std::vector<std::vector<Index>>& groups() const { return groups_; }

    // Returns K + penalty I.
    MatrixXd regularised(const Candidate& candidate) const {
        MatrixXd a =
            kernel_ == RidgeKernel::linear ? base_ : MatrixXd((-base_ / candidate.width).array().exp());
        a.diagonal().array() += candidate.diagonal;
        return a;
    }

    // Returns the sum of the squared errors of the left-out groups, for each set of targets.
    std::vector<double> errors(const Candidate& candidate, std::span<const MatrixXd> targets) const {
        const Index n = base_.rows();
        const Eigen::LLT<MatrixXd> factor(regularised(candidate));
        const MatrixXd root = inverse_of_lower(factor.matrixLLT());
        // The linear kernel is centred, so A^-1 maps the constant 1 to 1 / penalty.
        const bool is_linear = kernel_ == RidgeKernel::linear;
        const double constant = is_linear ? 1 / (candidate.diagonal * static_cast<double>(n)) : 0;
        MatrixXd ones = MatrixXd::Zero(n, 1);
        if (!is_linear) ones = factor.solve(MatrixXd::Ones(n, 1));
        std::vector<Eigen::LLT<MatrixXd>> blocks;
        for (const std::vector<Index>& rows : groups_) {
            const MatrixXd columns = take_columns(root, rows);
            MatrixXd block = columns.transpose() * columns;
            block.array() -= constant;
            blocks.emplace_back(block);
        }
        std::vector<double> errors;
        for (const MatrixXd& y : targets) {
            const Eigen::RowVectorXd sum = y.colwise().sum();
            MatrixXd u = factor.solve(y);
            if (is_linear) u.rowwise() -= constant * sum;
            double error = 0;
            for (std::size_t g = 0; g < groups_.size(); ++g) {
                const std::vector<Index>& rows = groups_[g];
                const Eigen::RowVectorXd others =
                    (sum - take_rows(y, rows).colwise().sum()) / static_cast<double>(n - std::ssize(rows));
                error += blocks[g].solve(take_rows(u, rows) - take_rows(ones, rows) * others).squaredNorm();
            }
            errors.push_back(error);
        }
        return errors;
    }

    // Returns the sum of the squared errors of the means of the other groups.
    double mean_error(const MatrixXd& y) const {
        const Eigen::RowVectorXd sum = y.colwise().sum();
        double error = 0;
        for (const std::vector<Index>& rows : groups_) {
            const MatrixXd own = take_rows(y, rows);
            const Eigen::RowVectorXd others =
                (sum - own.colwise().sum()) / static_cast<double>(y.rows() - own.rows());
            error += (own.rowwise() - others).squaredNorm();
        }
        return error;
    }

  private:
    void add_linear(ConstMatrixView<double> features) {
        MatrixXd x = eigen_map(features);
        x.rowwise() -= x.colwise().mean().eval();
        base_ = x * x.transpose();
        const double mean = base_.trace() / static_cast<double>(base_.rows());
        if (!(mean > 0)) return;
        for (const double penalty : ridge_penalties) candidates_.push_back({0, penalty, penalty * mean});
    }

    void add_rbf(ConstMatrixView<double> features) {
        base_ = squared_distances(features);
        const double median = median_distance(base_);
        if (!(median > 0)) return;
        for (const double width : ridge_widths) {
            for (const double penalty : ridge_penalties)
                candidates_.push_back({width * median, penalty, penalty});
        }
    }

    RidgeKernel kernel_;
    std::vector<std::vector<Index>> groups_;
    MatrixXd base_;  // linear kernel, or squared distances
    std::vector<Candidate> candidates_;
};

// Returns the mean of each column, added in the order of the rows.
std::vector<double> column_means(ConstMatrixView<double> x) {
    std::vector<double> mean(x.cols, 0.0);
    for (std::size_t i = 0; i < x.rows; ++i) {
        for (std::size_t j = 0; j < x.cols; ++j) mean[j] += x(i, j);
    }
    for (double& m : mean) m /= static_cast<double>(x.rows);
    return mean;
}

// Returns the sum of the squared distances of the rows from a vector.
double squared_error(ConstMatrixView<double> x, const std::vector<double>& mean) {
    double error = 0;
    for (std::size_t i = 0; i < x.rows; ++i) {
        for (std::size_t j = 0; j < x.cols; ++j) error += (x(i, j) - mean[j]) * (x(i, j) - mean[j]);
    }
    return error;
}

// Fits targets around fit.mean with the chosen width and penalty.
void fit_candidate(const Ridge& ridge, const Candidate& candidate, ConstMatrixView<double> targets,
                   RidgeFit& fit) {
    MatrixXd centred = eigen_map(targets);
    for (std::size_t j = 0; j < fit.mean.size(); ++j)
        centred.col(static_cast<Index>(j)).array() -= fit.mean[j];
    const MatrixXd solved = Eigen::LLT<MatrixXd>(ridge.regularised(candidate)).solve(centred);
    for (std::size_t i = 0; i < targets.rows; ++i) {
        for (std::size_t j = 0; j < targets.cols; ++j)
            fit.weights(i, j) = solved(static_cast<Index>(i), static_cast<Index>(j));
    }
    fit.width = candidate.width;
    fit.penalty = candidate.penalty;
    // (K + penalty I) weights = targets - mean, so the residuals are penalty times the weights.
    fit.training_error =
        candidate.diagonal * candidate.diagonal * squared_error(fit.weights, std::vector(targets.cols, 0.0));
}

}  // namespace

std::vector<RidgeFit> fit_kernel_ridge(ConstMatrixView<double> features, std::span<const std::size_t> groups,
                                       RidgeKernel kernel, std::span<const ConstMatrixView<double>> targets) {
    core::check_shape("kernel_ridge.groups", groups.size(), 1, features.rows, 1);
    std::vector<RidgeFit> fits;
    for (const ConstMatrixView<double>& y : targets) {
        core::check_shape("kernel_ridge.targets", y.rows, y.cols, features.rows, y.cols);
        fits.push_back(
            {.mean = column_means(y), .weights = Matrix<double>(y.rows, y.cols), .error = infinity});
        fits.back().training_error = squared_error(y, fits.back().mean);
    }
    const SerialEigen serial;
    const Ridge ridge(features, groups, kernel);
    if (ridge.groups().size() < min_ridge_groups) return fits;
    std::vector<MatrixXd> compact;
    for (const ConstMatrixView<double>& y : targets) compact.push_back(compressed(eigen_map(y)));

    const std::vector<Candidate>& candidates = ridge.candidates();
    std::vector<std::vector<double>> errors(candidates.size());
    core::parallel_for(candidates.size(),
                       [&](std::size_t c) { errors[c] = ridge.errors(candidates[c], compact); });

    for (std::size_t t = 0; t < targets.size(); ++t) {
        RidgeFit& fit = fits[t];
        fit.error = ridge.mean_error(compact[t]);
        const Candidate* best = nullptr;
        for (std::size_t c = 0; c < candidates.size(); ++c) {
            if (!(errors[c][t] < fit.error)) continue;
            fit.error = errors[c][t];
            best = &candidates[c];
        }
        if (best != nullptr) fit_candidate(ridge, *best, targets[t], fit);
    }
    return fits;
}

std::vector<double> ridge_kernel(ConstMatrixView<float> features, std::span<const float> query,
                                 RidgeKernel kernel, double width) {
    core::check_shape("kernel_ridge.query", 1, query.size(), 1, features.cols);
    std::vector<double> centre(features.cols, 0.0);
    if (kernel == RidgeKernel::linear) {
        for (std::size_t i = 0; i < features.rows; ++i) {
            for (std::size_t j = 0; j < features.cols; ++j) centre[j] += static_cast<double>(features(i, j));
        }
        for (double& c : centre) c /= static_cast<double>(features.rows);
    }
    std::vector<double> values(features.rows, 0.0);
    for (std::size_t i = 0; i < features.rows; ++i) {
        double sum = 0;
        for (std::size_t j = 0; j < features.cols; ++j) {
            const auto x = static_cast<double>(features(i, j));
            const auto q = static_cast<double>(query[j]);
            sum += kernel == RidgeKernel::linear ? (x - centre[j]) * (q - centre[j]) : (x - q) * (x - q);
        }
        values[i] = kernel == RidgeKernel::linear ? sum : std::exp(-sum / width);
    }
    return values;
}

}  // namespace popflow::linalg
