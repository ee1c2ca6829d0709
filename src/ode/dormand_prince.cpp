// SPDX-License-Identifier: MIT
#include "ode/dormand_prince.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace popflow::ode {

using linalg::ConstMatrixView;
using linalg::Matrix;
using linalg::MatrixView;

namespace {

constexpr std::size_t stages = 7;
constexpr std::array<double, stages> node{0, 1.0 / 5, 3.0 / 10, 4.0 / 5, 8.0 / 9, 1, 1};
constexpr std::array<std::array<double, 6>, stages> coefficient{{
    {},
    {1.0 / 5},
    {3.0 / 40, 9.0 / 40},
    {44.0 / 45, -56.0 / 15, 32.0 / 9},
    {19372.0 / 6561, -25360.0 / 2187, 64448.0 / 6561, -212.0 / 729},
    {9017.0 / 3168, -355.0 / 33, 46732.0 / 5247, 49.0 / 176, -5103.0 / 18656},
    {35.0 / 384, 0, 500.0 / 1113, 125.0 / 192, -2187.0 / 6784, 11.0 / 84},
}};
// Weights of the error estimate: those of order 5 minus those of order 4.
constexpr std::array<double, stages> error_weight{71.0 / 57600,      0,          -71.0 / 16695, 71.0 / 1920,
                                                  -17253.0 / 339200, 22.0 / 525, -1.0 / 40};
// Weights of the fourth-order term that the interpolant adds to the cubic Hermite polynomial of the step.
constexpr std::array<double, stages> dense_weight{-12715105075.0 / 11282082432,  0,
                                                  87487479700.0 / 32700410799,   -10690763975.0 / 1880347072,
                                                  701980252875.0 / 199316789632, -1453857185.0 / 822651844,
                                                  69997945.0 / 29380423};

struct CellState {
    std::size_t row = 0;
    double t = 0;
    double step = 0;
    double last_error = 1e-4;
    std::size_t steps = 0;
    bool rejected = false;
};

// Batch of cells. Row i of the stage matrices belongs to cells_[i]. Cells that reach t = 1 are removed.
template <class Real>
class Batch {
  public:
    Batch(const Field<Real>& field, const Options& options, MatrixView<Real> x,
          const Snapshots<Real>& snapshots)
        : field_(field),
          options_(options),
          snapshots_(snapshots),
          x_(x),
          cells_(x.rows),
          y_(x.rows, x.cols),
          at_(x.rows, x.cols),
          t_(x.rows) {
        for (auto& k : k_) k = Matrix<Real>(x.rows, x.cols);
        for (std::size_t i = 0; i < x.rows; ++i) {
            cells_[i].row = i;
            std::copy_n(x.row(i), x.cols, y_.view().row(i));
        }
    }

    Statistics run() {
        evaluate(y_, 0, k_[0]);
        choose_first_steps();
        while (!cells_.empty()) {
            for (std::size_t s = 1; s < stages; ++s) {
                set_stage(s);
                evaluate(at_, s, k_[s]);
            }
            finish_step();
        }
        return statistics_;
    }

  private:
    MatrixView<Real> active(Matrix<Real>& m) { return m.view().row_block(0, cells_.size()); }

    void evaluate(Matrix<Real>& at, std::size_t stage, Matrix<Real>& v) {
        for (std::size_t i = 0; i < cells_.size(); ++i) {
            t_[i] = static_cast<Real>(cells_[i].t + node[stage] * cells_[i].step);
        }
        field_(std::span<const Real>(t_.data(), cells_.size()), active(at), active(v));
        statistics_.evaluations += cells_.size();
    }

    // Computes the state of stage s: at = y + h sum_r a(s, r) k_r.
    void set_stage(std::size_t s) {
        for (std::size_t i = 0; i < cells_.size(); ++i) {
            Real* at = at_.view().row(i);
            const Real* y = y_.view().row(i);
            std::copy_n(y, x_.cols, at);
            for (std::size_t r = 0; r < s; ++r) {
                const auto weight = static_cast<Real>(cells_[i].step * coefficient[s][r]);
                const Real* k = k_[r].view().row(i);
                for (std::size_t j = 0; j < x_.cols; ++j) at[j] += weight * k[j];
            }
        }
    }

    double scale(double a, double b) const {
        return options_.absolute_tolerance + options_.relative_tolerance * std::max(std::abs(a), std::abs(b));
    }

    // Returns the error norm of the step of cell i. at_ holds the fifth-order end point, k_[6] its velocity.
    double error_norm(std::size_t i) const {
        double sum = 0;
        for (std::size_t j = 0; j < x_.cols; ++j) {
            double error = 0;
            for (std::size_t r = 0; r < stages; ++r)
                error += error_weight[r] * static_cast<double>(k_[r](i, j));
            const double ratio =
                cells_[i].step * error / scale(static_cast<double>(y_(i, j)), static_cast<double>(at_(i, j)));
            sum += ratio * ratio;
        }
        return std::sqrt(sum / static_cast<double>(x_.cols));
    }

    // Accepts or rejects the step of each cell, sets its next step, and removes cells at t = 1.
    void finish_step() {
        std::size_t kept = 0;
        for (std::size_t i = 0; i < cells_.size(); ++i) {
            CellState cell = cells_[i];
            if (++cell.steps > options_.max_steps)
                throw core::NumericalError(
                    "dormand_prince",
                    "a cell needs more than " + std::to_string(options_.max_steps) + " steps");
            const double error = options_.fixed_step > 0 ? 0 : error_norm(i);
            const bool accepted = error <= 1;  // false for NaN
            if (accepted) {
                ++statistics_.accepted;
                take_snapshots(i);
                cell.t += cell.step;
                if (cell.t >= 1 - 1e-12) {
                    std::copy_n(at_.view().row(i), x_.cols, x_.row(cell.row));
                    check_finite(cell.row);
                    continue;
                }
            } else {
                ++statistics_.rejected;
            }
            set_next_step(cell, error, accepted);
            move_row(i, kept, accepted);
            cells_[kept++] = cell;
        }
        cells_.resize(kept);
    }

    // Records cell i at the snapshot times within its accepted step. The interval includes the start of the
    // step and excludes its end, except for the last step.
    void take_snapshots(std::size_t i) {
        const CellState& cell = cells_[i];
        const bool last = cell.t + cell.step >= 1 - 1e-12;
        for (std::size_t s = 0; s < snapshots_.times.size(); ++s) {
            const double time = snapshots_.times[s];
            if (time < cell.t || (!last && time >= cell.t + cell.step)) continue;
            const double theta = time >= 1 ? 1 : std::min((time - cell.t) / cell.step, 1.0);
            interpolate(i, theta, snapshots_.x[s].row(cell.row));
        }
    }

    // Evaluates the interpolant y + th (dy + (1 - th) (a + th (b + (1 - th) h sum_r w_r k_r))), where dy is
    // the increment of the step, a = h k_1 - dy and b = dy - h k_7 - a. It is the cubic through both end
    // points and their velocities, and a term of order 4.
    void interpolate(std::size_t i, double theta, Real* out) const {
        const double h = cells_[i].step;
        for (std::size_t j = 0; j < x_.cols; ++j) {
            const auto begin = static_cast<double>(y_(i, j));
            const double rise = static_cast<double>(at_(i, j)) - begin;
            const double a = h * static_cast<double>(k_[0](i, j)) - rise;
            const double b = rise - h * static_cast<double>(k_[stages - 1](i, j)) - a;
            double quartic = 0;
            for (std::size_t r = 0; r < stages; ++r)
                quartic += dense_weight[r] * static_cast<double>(k_[r](i, j));
            const double value =
                begin + theta * (rise + (1 - theta) * (a + theta * (b + (1 - theta) * h * quartic)));
            out[j] = theta == 1 ? at_(i, j) : static_cast<Real>(value);
        }
    }

    // Sets the next step with a PI controller: h *= 0.9 error^-0.14 last_error^0.08, with exponents 0.7/5 and
    // 0.4/5. The factor is limited to [0.2, 10], and to 1 after a rejected step.
    void set_next_step(CellState& cell, double error, bool accepted) const {
        if (options_.fixed_step > 0) {
            cell.step = std::min(options_.fixed_step, 1 - cell.t);
            return;
        }
        double factor = 0.2;
        if (accepted) {
            const double bounded = std::max(error, 1e-10);
            factor = 0.9 * std::pow(bounded, -0.14) * std::pow(cell.last_error, 0.08);
            factor = std::clamp(factor, 0.2, cell.rejected ? 1.0 : 10.0);
            cell.last_error = std::max(bounded, 1e-4);
        } else if (std::isfinite(error)) {
            factor = std::clamp(0.9 * std::pow(error, -0.2), 0.2, 0.9);
        }
        cell.rejected = !accepted;
        cell.step = std::min(cell.step * factor, 1 - cell.t);
        if (cell.t + cell.step <= cell.t)
            throw core::NumericalError("dormand_prince", "the step size of a cell underflowed");
    }

    // Moves cell i to row `kept`. After an accepted step, the end point and its velocity start the next step.
    void move_row(std::size_t i, std::size_t kept, bool accepted) {
        const std::size_t d = x_.cols;
        const Matrix<Real>& y = accepted ? at_ : y_;
        const Matrix<Real>& k = accepted ? k_[stages - 1] : k_[0];
        std::copy_n(y.view().row(i), d, y_.view().row(kept));
        std::copy_n(k.view().row(i), d, k_[0].view().row(kept));
    }

    void check_finite(std::size_t row) const {
        for (Real v : x_.row_span(row)) {
            if (!std::isfinite(v))
                throw core::NumericalError("dormand_prince", "a value of a cell is not finite");
        }
    }

    // Chooses the first step of each cell from the norms of x, f and a finite difference of f (Hairer).
    void choose_first_steps() {
        if (options_.fixed_step > 0) {
            for (CellState& cell : cells_) cell.step = std::min(options_.fixed_step, 1.0);
            return;
        }
        std::vector<double> norm_f(cells_.size());
        for (std::size_t i = 0; i < cells_.size(); ++i) {
            const double norm_y = norm(y_, i, i);
            norm_f[i] = norm(k_[0], i, i);
            cells_[i].step =
                norm_y < 1e-5 || norm_f[i] < 1e-5 ? 1e-6 : std::min(0.01 * norm_y / norm_f[i], 1.0);
            for (std::size_t j = 0; j < x_.cols; ++j) {
                at_(i, j) = y_(i, j) + static_cast<Real>(cells_[i].step) * k_[0](i, j);
            }
        }
        evaluate(at_, stages - 1, k_[1]);
        for (std::size_t i = 0; i < cells_.size(); ++i) {
            for (std::size_t j = 0; j < x_.cols; ++j) k_[1](i, j) -= k_[0](i, j);
            const double curvature = norm(k_[1], i, i) / cells_[i].step;
            const double larger = std::max(norm_f[i], curvature);
            const double guess =
                larger <= 1e-15 ? std::max(1e-6, cells_[i].step * 1e-3) : std::pow(0.01 / larger, 0.2);
            cells_[i].step = std::min({100 * cells_[i].step, guess, 1.0});
            if (!(cells_[i].step > 0))
                throw core::NumericalError("dormand_prince", "a value of a cell is not finite");
        }
    }

    // Returns the root mean square of row i of m, scaled by the tolerances at row y_row of y_.
    double norm(const Matrix<Real>& m, std::size_t i, std::size_t y_row) const {
        double sum = 0;
        for (std::size_t j = 0; j < x_.cols; ++j) {
            const auto y = static_cast<double>(y_(y_row, j));
            const double ratio = static_cast<double>(m(i, j)) / scale(y, y);
            sum += ratio * ratio;
        }
        return std::sqrt(sum / static_cast<double>(x_.cols));
    }

    const Field<Real>& field_;
    const Options& options_;
    const Snapshots<Real>& snapshots_;
    MatrixView<Real> x_;
    std::vector<CellState> cells_;
    Matrix<Real> y_;
    Matrix<Real> at_;
    std::array<Matrix<Real>, stages> k_;
    std::vector<Real> t_;
    Statistics statistics_;
};

}  // namespace

Statistics& Statistics::operator+=(const Statistics& other) {
    evaluations += other.evaluations;
    accepted += other.accepted;
    rejected += other.rejected;
    return *this;
}

template <class Real>
void check_snapshots(const std::string& solver, const Snapshots<Real>& snapshots, std::size_t rows,
                     std::size_t cols) {
    for (std::size_t s = 0; s < snapshots.times.size(); ++s) {
        if (!(snapshots.times[s] >= 0 && snapshots.times[s] <= 1))
            throw core::Error(solver + ": a snapshot time is outside [0, 1]");
        const MatrixView<Real>& at = snapshots.x.at(s);
        core::check_shape(solver + ".snapshot", at.rows, at.cols, rows, cols);
    }
}

template <class Real>
Statistics dormand_prince(const Field<Real>& field, const Options& options, MatrixView<Real> x,
                          const Snapshots<Real>& snapshots) {
    check_snapshots("dormand_prince", snapshots, x.rows, x.cols);
    if (x.empty()) return {};
    return Batch<Real>(field, options, x, snapshots).run();
}

template void check_snapshots(const std::string&, const Snapshots<float>&, std::size_t, std::size_t);
template void check_snapshots(const std::string&, const Snapshots<double>&, std::size_t, std::size_t);
template Statistics dormand_prince(const Field<float>&, const Options&, MatrixView<float>,
                                   const Snapshots<float>&);
template Statistics dormand_prince(const Field<double>&, const Options&, MatrixView<double>,
                                   const Snapshots<double>&);

}  // namespace popflow::ode
