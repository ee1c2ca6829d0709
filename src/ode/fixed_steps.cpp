// SPDX-License-Identifier: MIT
#include "ode/fixed_steps.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"

namespace popflow::ode {

using linalg::ConstMatrixView;
using linalg::Matrix;
using linalg::MatrixView;

namespace {

// Computes out = x + h v.
template <class Real>
void move(ConstMatrixView<Real> x, Real h, const Matrix<Real>& v, MatrixView<Real> out) {
    for (std::size_t i = 0; i < x.rows; ++i) {
        const Real* from = x.row(i);
        const Real* velocity = v.view().row(i);
        Real* to = out.row(i);
        for (std::size_t j = 0; j < x.cols; ++j) to[j] = from[j] + h * velocity[j];
    }
}

}  // namespace

template <class Real>
Statistics fixed_steps(const Field<Real>& field, const FixedSteps& options, MatrixView<Real> x,
                       const Snapshots<Real>& snapshots) {
    check_snapshots("fixed_steps", snapshots, x.rows, x.cols);
    const double h = 1 / static_cast<double>(options.steps);
    const bool is_midpoint = options.method == FixedMethod::midpoint;
    Matrix<Real> velocity(x.rows, x.cols);
    Matrix<Real> middle(is_midpoint ? x.rows : 0, x.cols);
    std::vector<Real> t(x.rows);
    const auto evaluate = [&](double time, ConstMatrixView<Real> at) {
        std::ranges::fill(t, static_cast<Real>(time));
        field(t, at, velocity.view());
    };
    for (std::size_t step = 0; step < options.steps; ++step) {
        const double now = static_cast<double>(step) * h;
        evaluate(now, x);
        if (is_midpoint) {
            move<Real>(x, static_cast<Real>(h / 2), velocity, middle.view());
            evaluate(now + h / 2, middle);
        }
        for (std::size_t s = 0; s < snapshots.times.size(); ++s) {
            const double after = snapshots.times[s] - now;
            if (after < 0 || (after >= h && step + 1 < options.steps)) continue;
            move<Real>(x, static_cast<Real>(after), velocity, snapshots.x[s]);
        }
        move<Real>(x, static_cast<Real>(h), velocity, x);
    }
    for (std::size_t i = 0; i < x.rows; ++i) {
        for (const Real value : x.row_span(i)) {
            if (!std::isfinite(value)) throw core::NumericalError("fixed_steps", "a value is not finite");
        }
    }
    const std::uint64_t steps = std::uint64_t{options.steps} * x.rows;
    return {.evaluations = (is_midpoint ? 2 : 1) * steps, .accepted = steps, .rejected = 0};
}

template Statistics fixed_steps(const Field<float>&, const FixedSteps&, MatrixView<float>,
                                const Snapshots<float>&);
template Statistics fixed_steps(const Field<double>&, const FixedSteps&, MatrixView<double>,
                                const Snapshots<double>&);

}  // namespace popflow::ode
