// SPDX-License-Identifier: MIT
#include "ode/adams.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "ode/cell_batch.hpp"

namespace popflow::ode {

using linalg::Matrix;

namespace {

// Number of velocities of earlier points that a cell keeps.
constexpr std::size_t history = 3;

// Weights of velocities in the increment of a step. The newest point comes first.
using VelocityWeights = std::array<double, history>;

struct AdamsState {
    std::array<double, history - 1> past{};  // sizes of the last steps, the newest first
    std::size_t accepted = 0;                // number of accepted steps
    double step = 0;                         // size of the current step
    double error = 0;                        // its error norm

    std::size_t order() const { return std::min(accepted + 1, history); }

    // Returns the integral over [0, h] of the polynomial through the velocities at t, t - a and t - b.
    VelocityWeights predictor(double h) const {
        if (order() == 1) return {h, 0, 0};
        const double a = past[0];
        if (order() == 2) return {h + h * h / (2 * a), -h * h / (2 * a), 0};
        const double b = a + past[1];
        const double square = h * h / 2;
        const double cube = h * h * h / 3;
        return {h + square * (1 / a + 1 / b) + cube / (a * b), -(cube + b * square) / (a * (b - a)),
                (cube + a * square) / (b * (b - a))};
    }

    // Returns the integral over [0, x] of the polynomial through the velocities at t + h, t and t - a. In the
    // first step it is the line through those at t + h and t.
    VelocityWeights corrector(double h, double x) const {
        const double square = x * x / 2;
        if (order() == 1) return {square / h, x - square / h, 0};
        const double a = past[0];
        const double cube = x * x * x / 3;
        return {(cube + a * square) / (h * (h + a)), x - (cube + (a - h) * square) / (h * a),
                (cube - h * square) / (a * (a + h))};
    }
};

// out = y + w[0] v0 + w[1] v1 + w[2] v2
template <class Real>
void add_velocities(const VelocityWeights& w, const Real* y, const Real* v0, const Real* v1, const Real* v2,
                    std::size_t d, Real* out) {
    const auto w0 = static_cast<Real>(w[0]);
    const auto w1 = static_cast<Real>(w[1]);
    const auto w2 = static_cast<Real>(w[2]);
    for (std::size_t j = 0; j < d; ++j) out[j] = y[j] + (w0 * v0[j] + w1 * v1[j] + w2 * v2[j]);
}

template <class Real>
class AdamsMethod {
  public:
    using Batch = CellBatch<Real>;
    static constexpr std::size_t velocities = 1;

    AdamsMethod(std::size_t rows, std::size_t cols) : states_(rows), end_(rows, cols), corrected_(cols) {
        for (Matrix<Real>& v : past_) v = Matrix<Real>(rows, cols);
    }

    void start(Batch& batch) {
        batch.evaluate(batch.y, 0, past_[0]);
        for (std::size_t i = 0; i < batch.size(); ++i) batch.set_first_step(i, first_step(batch, i));
    }

    void step(Batch& batch) {
        for (std::size_t i = 0; i < batch.size(); ++i) {
            add_velocities(states_[i].predictor(batch.cell(i).step), batch.y.view().row(i),
                           past_[0].view().row(i), past_[1].view().row(i), past_[2].view().row(i),
                           batch.markers(), batch.at.view().row(i));
        }
        batch.evaluate(batch.at, 1, end_);
        for (std::size_t i = 0; i < batch.size(); ++i) correct(batch, i);
    }

    double error(const Batch& /*batch*/, std::size_t i) const { return states_[i].error; }

    // Returns the step times 0.9 error^(-1 / (order + 1)), a factor within [0.3, 2].
    double next_step(const Batch& batch, std::size_t i, double error) const {
        if (!std::isfinite(error)) return 0.3 * batch.cell(i).step;
        const double exponent = -1 / (static_cast<double>(states_[i].order()) + 1);
        const double factor = 0.9 * std::pow(std::max(error, 1e-10), exponent);
        return batch.cell(i).step * std::clamp(factor, 0.3, error > 1 ? 0.9 : 2.0);
    }

    void interpolate(const Batch& batch, std::size_t i, double time, Real* out) const {
        add_velocities(states_[i].corrector(batch.cell(i).step, time), batch.y.view().row(i),
                       end_.view().row(i), past_[0].view().row(i), past_[1].view().row(i), batch.markers(),
                       out);
    }

    void move(std::size_t i, std::size_t kept, bool accepted) {
        AdamsState state = states_[i];
        if (accepted) {
            state.past = {state.step, state.past[0]};
            ++state.accepted;
            for (std::size_t k = history - 1; k > 0; --k) copy_row(past_[k - 1], i, past_[k], kept);
            copy_row(end_, i, past_[0], kept);
        } else if (i != kept) {
            for (Matrix<Real>& v : past_) copy_row(v, i, v, kept);
        }
        states_[kept] = state;
    }

  private:
    // Returns a first step of order 1 whose error is about a tenth of the tolerance, if the velocity changes
    // by its own size in unit time.
    double first_step(const Batch& batch, std::size_t i) const {
        const double norm = batch.norm(past_[0], i);
        if (std::isnan(norm)) batch.fail("a value of a cell is not finite");
        return norm < 20 ? 0.1 : std::sqrt(0.2 / norm);
    }

    // Overwrites the predicted end of cell i by the corrected one and stores the error norm of the step.
    void correct(Batch& batch, std::size_t i) {
        const double step = batch.cell(i).step;
        const Real* y = batch.y.view().row(i);
        Real* at = batch.at.view().row(i);
        add_velocities(states_[i].corrector(step, step), y, end_.view().row(i), past_[0].view().row(i),
                       past_[1].view().row(i), batch.markers(), corrected_.data());
        double sum = 0;
        for (std::size_t j = 0; j < batch.markers(); ++j) {
            const double ratio = static_cast<double>(corrected_[j] - at[j]) /
                                 tolerated_error(batch.options().tolerance, static_cast<double>(y[j]),
                                                 static_cast<double>(corrected_[j]));
            sum += ratio * ratio;
            at[j] = corrected_[j];
        }
        states_[i].step = step;
        states_[i].error = std::sqrt(sum / static_cast<double>(batch.markers()));
    }

    static void copy_row(const Matrix<Real>& from, std::size_t i, Matrix<Real>& to, std::size_t k) {
        std::copy_n(from.view().row(i), from.cols(), to.view().row(k));
    }

    std::vector<AdamsState> states_;
    std::array<Matrix<Real>, history>
        past_;          // velocities at the starts of the steps and at the points before them
    Matrix<Real> end_;  // velocities at the predicted ends of the steps
    std::vector<Real> corrected_;
};

}  // namespace

template <class Real>
Statistics adams(const Field<Real>& field, const Options& options, linalg::MatrixView<Real> x,
                 const Snapshots<Real>& snapshots) {
    return CellBatch<Real>("adams", field, options, x, snapshots).run(AdamsMethod<Real>(x.rows, x.cols));
}

template Statistics adams(const Field<float>&, const Options&, linalg::MatrixView<float>,
                          const Snapshots<float>&);
template Statistics adams(const Field<double>&, const Options&, linalg::MatrixView<double>,
                          const Snapshots<double>&);

}  // namespace popflow::ode
