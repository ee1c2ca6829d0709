// SPDX-License-Identifier: MIT
#include "nn/convex_conjugate.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.hpp"

namespace popflow::nn {

namespace {

using linalg::Matrix;

// Maximum number of Newton steps and of halvings of a step.
constexpr std::size_t max_steps = 200;
constexpr int max_halvings = 40;
constexpr double armijo = 1e-4;

// Replaces the lower triangle of a matrix by its Cholesky factor. Returns false if it is not positive
// definite.
bool factorise(Matrix<double>& m) {
    const std::size_t d = m.rows();
    for (std::size_t j = 0; j < d; ++j) {
        for (std::size_t i = j; i < d; ++i) {
            double sum = m(i, j);
            for (std::size_t k = 0; k < j; ++k) sum -= m(i, k) * m(j, k);
            if (i > j) {
                m(i, j) = sum / m(j, j);
            } else {
                if (!(sum > 0)) return false;
                m(j, j) = std::sqrt(sum);
            }
        }
    }
    return true;
}

// Solves L L^T x = b in place for a factor L of factorise().
void solve(const Matrix<double>& factor, std::vector<double>& x) {
    const std::size_t d = x.size();
    for (std::size_t i = 0; i < d; ++i) {
        for (std::size_t k = 0; k < i; ++k) x[i] -= factor(i, k) * x[k];
        x[i] /= factor(i, i);
    }
    for (std::size_t i = d; i-- > 0;) {
        for (std::size_t k = i + 1; k < d; ++k) x[i] -= factor(k, i) * x[k];
        x[i] /= factor(i, i);
    }
}

// Returns a lower bound of the smallest eigenvalue of a positive semidefinite matrix.
double convexity_modulus(const Matrix<double>& curvature) {
    Matrix<double> factor = curvature;
    if (!factorise(factor)) return 0;
    double squares = 0;
    for (std::size_t j = 0; j < curvature.rows(); ++j) {
        std::vector<double> column(curvature.rows());
        column[j] = 1;
        solve(factor, column);
        for (const double v : column) squares += v * v;
    }
    return 1 / std::sqrt(squares);
}

// Newton's method for min_x D(x) - <x, y>.
class Newton {
  public:
    explicit Newton(const ConvexPotential<double>& potential)
        : potential_(potential),
          d_(potential.shape.inputs),
          h_(potential.shape.hidden),
          slope_(h_),
          gradient_(d_),
          step_(d_),
          trial_(d_) {}

    struct End {
        double value = 0;             // D(x) - <x, y>
        double squared_gradient = 0;  // |grad D(x) - y|^2
        std::size_t steps = 0;
    };
    // Overwrites x with the minimum. Steps until the squared gradient is at most `target`.
    End run(const double* y, double target, double* x) {
        End end;
        end.value = evaluate(x, y, true);
        for (;; ++end.steps) {
            end.squared_gradient = 0;
            for (const double g : gradient_) end.squared_gradient += g * g;
            if (end.squared_gradient <= target || end.steps == max_steps || !take_step(y, end, x)) return end;
        }
    }

  private:
    // Returns D(x) - <x, y>. Computes its gradient and the slopes of the units if asked for.
    double evaluate(const double* x, const double* y, bool needs_gradient) {
        double value = 0;
        if (needs_gradient) std::ranges::fill(gradient_, 0.0);
        for (std::size_t j = 0; j < h_; ++j) {
            double z = potential_.bias[j];
            for (std::size_t k = 0; k < d_; ++k) z += x[k] * potential_.units(k, j);
            const double e = std::exp(-std::abs(z));
            value += potential_.weight[j] * (std::max(z, 0.0) + std::log1p(e));
            if (!needs_gradient) continue;
            slope_[j] = (z > 0 ? 1 : e) / (1 + e);
            for (std::size_t k = 0; k < d_; ++k) gradient_[k] += slope_[j] * potential_.scaled_units(k, j);
        }
        for (std::size_t k = 0; k < d_; ++k) {
            double product = 0;
            for (std::size_t l = 0; l < d_; ++l) product += potential_.curvature(k, l) * x[l];
            value += x[k] * (potential_.linear[k] - y[k] + 0.5 * product);
            gradient_[k] += needs_gradient ? potential_.linear[k] - y[k] + product : 0;
        }
        return value;
    }

    // Moves x by a damped step and evaluates there. Returns false if no step decreases the value.
    bool take_step(const double* y, End& end, double* x) {
        Matrix<double> hessian = potential_.curvature;
        for (std::size_t j = 0; j < h_; ++j) {
            const double p = slope_[j] * (1 - slope_[j]);
            for (std::size_t k = 0; k < d_; ++k) {
                const double row = p * potential_.scaled_units(k, j);
                for (std::size_t l = 0; l <= k; ++l) hessian(k, l) += row * potential_.units(l, j);
            }
        }
        step_ = gradient_;
        if (factorise(hessian)) solve(hessian, step_);
        double decrease = 0;
        for (std::size_t k = 0; k < d_; ++k) decrease += step_[k] * gradient_[k];
        double length = 1;
        for (int halving = 0; halving < max_halvings; ++halving, length *= 0.5) {
            for (std::size_t k = 0; k < d_; ++k) trial_[k] = x[k] - length * step_[k];
            const double value = evaluate(trial_.data(), y, false);
            if (!(value <= end.value - armijo * length * decrease)) continue;
            const bool is_equal = value == end.value;
            std::ranges::copy(trial_, x);
            end.value = evaluate(x, y, true);
            return !is_equal;
        }
        return polish(y, end, x);
    }

    // Near the minimum the value no longer resolves a step. Takes it if it reduces the gradient.
    bool polish(const double* y, End& end, double* x) {
        const std::vector<double> before = gradient_;
        for (std::size_t k = 0; k < d_; ++k) trial_[k] = x[k] - step_[k];
        const double value = evaluate(trial_.data(), y, true);
        double squares = 0;
        for (const double g : gradient_) squares += g * g;
        if (squares < 0.25 * end.squared_gradient) {
            std::ranges::copy(trial_, x);
            end.value = value;
            return true;
        }
        gradient_ = before;
        return false;
    }

    const ConvexPotential<double>& potential_;
    std::size_t d_;
    std::size_t h_;
    std::vector<double> slope_;
    std::vector<double> gradient_;
    std::vector<double> step_;
    std::vector<double> trial_;
};

}  // namespace

ConjugateValues convex_conjugate(const ConvexPotential<double>& potential, linalg::ConstMatrixView<double> y,
                                 double tolerance) {
    const std::size_t d = potential.shape.inputs;
    core::check_shape("convex_conjugate.y", y.rows, y.cols, y.rows, d);
    const double modulus = convexity_modulus(potential.curvature);
    ConjugateValues result{.values = std::vector<double>(y.rows), .points = Matrix<double>(y.rows, d)};
    std::vector<Newton::End> ends(y.rows);
#pragma omp parallel
    {
        Newton newton(potential);
#pragma omp for schedule(static)
        for (std::size_t i = 0; i < y.rows; ++i) {
            double* x = result.points.view().row(i);
            std::copy_n(y.row(i), d, x);
            ends[i] = newton.run(y.row(i), 2 * modulus * tolerance, x);
        }
    }
    for (std::size_t i = 0; i < y.rows; ++i) {
        result.values[i] = -ends[i].value;
        const double gap =
            modulus > 0 ? ends[i].squared_gradient / (2 * modulus) : std::numeric_limits<double>::infinity();
        result.max_gap = std::max(result.max_gap, gap);
        result.max_iterations = std::max(result.max_iterations, ends[i].steps);
    }
    return result;
}

}  // namespace popflow::nn
