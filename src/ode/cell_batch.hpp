// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "ode/solver.hpp"

namespace popflow::ode {

/// Cells that a method with step size control integrates together. Each has its own time and step size.
///
/// Row i of the matrices belongs to the i-th cell of the batch. Cells that reach t = 1 leave the batch, and
/// later rows move up. A method has these members, where i is the row of a cell:
///
/// * velocities: the number of velocities of a step
/// * start(batch) sets the first step sizes
/// * step(batch) writes the ends of the steps to `at`
/// * error(batch, i) returns the error norm of a step, which is accepted up to 1
/// * next_step(batch, i, error) returns the size of the next step
/// * interpolate(batch, i, time, out) writes the state at a time since the start of the step
/// * move(i, kept, accepted) moves the own data of a cell to row `kept`
template <class Real>
class CellBatch {
  public:
    /// Time of a cell, and the size of its current step.
    struct Cell {
        std::size_t row = 0;
        double t = 0;
        double step = 0;
        std::size_t steps = 0;
    };

    /// @param name  name of the method for messages. Must outlive the batch, as all other arguments
    CellBatch(const char* name, const Field<Real>& field, const Options& options, linalg::MatrixView<Real> x,
              const Snapshots<Real>& snapshots)
        : y(x.rows, x.cols),
          at(x.rows, x.cols),
          name_(name),
          field_(field),
          options_(options),
          snapshots_(snapshots),
          x_(x),
          cells_(x.rows),
          t_(x.rows) {
        check_snapshots(name, snapshots, x.rows, x.cols);
        for (std::size_t i = 0; i < x.rows; ++i) {
            cells_[i].row = i;
            std::copy_n(x.row(i), x.cols, y.view().row(i));
        }
    }

    std::size_t size() const { return cells_.size(); }
    std::size_t markers() const { return x_.cols; }
    const Cell& cell(std::size_t i) const { return cells_[i]; }
    const Options& options() const { return options_; }

    /// Sets the first step of a cell, or the fixed one of the options.
    void set_first_step(std::size_t i, double step) {
        cells_[i].step = options_.fixed_step > 0 ? std::min(options_.fixed_step, 1.0) : step;
    }

    /// v = velocities of `states` at the time t + node * step of each cell
    void evaluate(linalg::Matrix<Real>& states, double node, linalg::Matrix<Real>& v) {
        for (std::size_t i = 0; i < size(); ++i)
            t_[i] = static_cast<Real>(cells_[i].t + node * cells_[i].step);
        field_(std::span<const Real>(t_.data(), size()), states.view().row_block(0, size()),
               v.view().row_block(0, size()));
        statistics_.evaluations += size();
    }

    /// Returns the root mean square over markers of row i of m, in units of the tolerated errors of the
    /// cell's state.
    double norm(const linalg::Matrix<Real>& m, std::size_t i) const {
        double sum = 0;
        for (std::size_t j = 0; j < markers(); ++j) {
            const auto state = static_cast<double>(y(i, j));
            const double ratio =
                static_cast<double>(m(i, j)) / tolerated_error(options_.tolerance, state, state);
            sum += ratio * ratio;
        }
        return std::sqrt(sum / static_cast<double>(markers()));
    }

    /// Integrates all cells. Overwrites x.
    template <class Method>
    Statistics run(Method method) {
        if (x_.empty()) return {};
        method.start(*this);
        while (!cells_.empty()) {
            method.step(*this);
            finish_step(method);
        }
        return statistics_;
    }

    /// Throws the NumericalError of the method.
    [[noreturn]] void fail(const std::string& what) const { throw core::NumericalError(name_, what); }

    linalg::Matrix<Real> y;   ///< [n, d] states at the starts of the steps
    linalg::Matrix<Real> at;  ///< [n, d] states at their ends

  private:
    // Accepts or rejects the step of each cell, sets its next step, and removes cells at t = 1.
    template <class Method>
    void finish_step(Method& method) {
        std::size_t kept = 0;
        for (std::size_t i = 0; i < size(); ++i) {
            Cell cell = cells_[i];
            if (++cell.steps * Method::velocities > options_.max_velocities)
                fail("a cell needs more than " +
                     std::to_string(options_.max_velocities / Method::velocities) + " steps");
            const double error = options_.fixed_step > 0 ? 0 : method.error(*this, i);
            const bool accepted = error <= 1;  // false for NaN
            const double next =
                options_.fixed_step > 0 ? options_.fixed_step : method.next_step(*this, i, error);
            if (accepted) {
                ++statistics_.accepted;
                take_snapshots(method, i);
                cell.t += cell.step;
                if (cell.t >= 1 - 1e-12) {
                    finish(i);
                    continue;
                }
            } else {
                ++statistics_.rejected;
            }
            cell.step = std::min(next, 1 - cell.t);
            if (cell.t + cell.step <= cell.t) fail("the step size of a cell underflowed");
            method.move(i, kept, accepted);
            std::copy_n((accepted ? at : y).view().row(i), markers(), y.view().row(kept));
            cells_[kept++] = cell;
        }
        cells_.resize(kept);
    }

    // Writes the end of cell i to x.
    void finish(std::size_t i) {
        const std::size_t row = cells_[i].row;
        std::copy_n(at.view().row(i), markers(), x_.row(row));
        for (const Real value : x_.row_span(row)) {
            if (!std::isfinite(value)) fail("a value of a cell is not finite");
        }
    }

    // Records cell i at the snapshot times within its accepted step. The interval includes the start of the
    // step and excludes its end, except for the last step.
    template <class Method>
    void take_snapshots(const Method& method, std::size_t i) {
        const Cell& cell = cells_[i];
        const bool last = cell.t + cell.step >= 1 - 1e-12;
        for (std::size_t s = 0; s < snapshots_.times.size(); ++s) {
            const double time = snapshots_.times[s];
            if (time < cell.t || (!last && time >= cell.t + cell.step)) continue;
            Real* out = snapshots_.x[s].row(cell.row);
            if (time >= 1) {
                std::copy_n(at.view().row(i), markers(), out);
            } else {
                method.interpolate(*this, i, std::min(time - cell.t, cell.step), out);
            }
        }
    }

    const char* name_;
    const Field<Real>& field_;
    const Options& options_;
    const Snapshots<Real>& snapshots_;
    linalg::MatrixView<Real> x_;
    std::vector<Cell> cells_;
    std::vector<Real> t_;
    Statistics statistics_;
};

}  // namespace popflow::ode
