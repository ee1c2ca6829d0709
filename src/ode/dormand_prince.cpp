// SPDX-License-Identifier: MIT
#include "ode/dormand_prince.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "ode/cell_batch.hpp"

namespace popflow::ode {

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

struct StepControl {
    double last_error = 1e-4;
    bool rejected = false;
};

template <class Real>
class DormandPrinceMethod {
  public:
    using Batch = CellBatch<Real>;
    static constexpr std::size_t velocities = stages - 1;

    DormandPrinceMethod(std::size_t rows, std::size_t cols) : control_(rows) {
        for (auto& k : k_) k = Matrix<Real>(rows, cols);
    }

    // Chooses the first step of each cell from the norms of x, f and a finite difference of f (Hairer).
    void start(Batch& batch) {
        batch.evaluate(batch.y, 0, k_[0]);
        std::vector<double> norm_f(batch.size());
        if (batch.options().fixed_step > 0) {
            for (std::size_t i = 0; i < batch.size(); ++i) batch.set_first_step(i, 0);
            return;
        }
        for (std::size_t i = 0; i < batch.size(); ++i) {
            const double norm_y = batch.norm(batch.y, i);
            norm_f[i] = batch.norm(k_[0], i);
            batch.set_first_step(
                i, norm_y < 1e-5 || norm_f[i] < 1e-5 ? 1e-6 : std::min(0.01 * norm_y / norm_f[i], 1.0));
            const auto step = static_cast<Real>(batch.cell(i).step);
            for (std::size_t j = 0; j < batch.markers(); ++j)
                batch.at(i, j) = batch.y(i, j) + step * k_[0](i, j);
        }
        batch.evaluate(batch.at, 1, k_[1]);
        for (std::size_t i = 0; i < batch.size(); ++i) {
            for (std::size_t j = 0; j < batch.markers(); ++j) k_[1](i, j) -= k_[0](i, j);
            const double step = batch.cell(i).step;
            const double curvature = batch.norm(k_[1], i) / step;
            const double larger = std::max(norm_f[i], curvature);
            const double guess = larger <= 1e-15 ? std::max(1e-6, step * 1e-3) : std::pow(0.01 / larger, 0.2);
            batch.set_first_step(i, std::min({100 * step, guess, 1.0}));
            if (!(batch.cell(i).step > 0)) batch.fail("a value of a cell is not finite");
        }
    }

    // Stage s: at = y + h sum_r a(s, r) k_r.
    void step(Batch& batch) {
        for (std::size_t s = 1; s < stages; ++s) {
            for (std::size_t i = 0; i < batch.size(); ++i) {
                Real* at = batch.at.view().row(i);
                std::copy_n(batch.y.view().row(i), batch.markers(), at);
                for (std::size_t r = 0; r < s; ++r) {
                    const auto weight = static_cast<Real>(batch.cell(i).step * coefficient[s][r]);
                    const Real* k = k_[r].view().row(i);
                    for (std::size_t j = 0; j < batch.markers(); ++j) at[j] += weight * k[j];
                }
            }
            batch.evaluate(batch.at, node[s], k_[s]);
        }
    }

    // batch.at holds the fifth-order end point, k_[6] its velocity.
    double error(const Batch& batch, std::size_t i) const {
        double sum = 0;
        for (std::size_t j = 0; j < batch.markers(); ++j) {
            double error = 0;
            for (std::size_t r = 0; r < stages; ++r)
                error += error_weight[r] * static_cast<double>(k_[r](i, j));
            const double ratio =
                batch.cell(i).step * error /
                tolerated_error(batch.options().tolerance, static_cast<double>(batch.y(i, j)),
                                static_cast<double>(batch.at(i, j)));
            sum += ratio * ratio;
        }
        return std::sqrt(sum / static_cast<double>(batch.markers()));
    }

    // PI controller: h *= 0.9 error^-0.14 last_error^0.08, with exponents 0.7/5 and 0.4/5. The factor is
    // limited to [0.2, 10], and to 1 after a rejected step.
    double next_step(const Batch& batch, std::size_t i, double error) {
        StepControl& control = control_[i];
        double factor = 0.2;
        if (error <= 1) {
            const double bounded = std::max(error, 1e-10);
            factor = 0.9 * std::pow(bounded, -0.14) * std::pow(control.last_error, 0.08);
            factor = std::clamp(factor, 0.2, control.rejected ? 1.0 : 10.0);
            control.last_error = std::max(bounded, 1e-4);
        } else if (std::isfinite(error)) {
            factor = std::clamp(0.9 * std::pow(error, -0.2), 0.2, 0.9);
        }
        control.rejected = !(error <= 1);
        return batch.cell(i).step * factor;
    }

    // Evaluates the interpolant y + th (dy + (1 - th) (a + th (b + (1 - th) h sum_r w_r k_r))), where dy is
    // the increment of the step, a = h k_1 - dy and b = dy - h k_7 - a. It is the cubic through both end
    // points and their velocities, and a term of order 4.
    void interpolate(const Batch& batch, std::size_t i, double time, Real* out) const {
        const double h = batch.cell(i).step;
        const double theta = time / h;
        for (std::size_t j = 0; j < batch.markers(); ++j) {
            const auto begin = static_cast<double>(batch.y(i, j));
            const double rise = static_cast<double>(batch.at(i, j)) - begin;
            const double a = h * static_cast<double>(k_[0](i, j)) - rise;
            const double b = rise - h * static_cast<double>(k_[stages - 1](i, j)) - a;
            double quartic = 0;
            for (std::size_t r = 0; r < stages; ++r)
                quartic += dense_weight[r] * static_cast<double>(k_[r](i, j));
            out[j] = static_cast<Real>(
                begin + theta * (rise + (1 - theta) * (a + theta * (b + (1 - theta) * h * quartic))));
        }
    }

    // After an accepted step, the velocity of its end point is that of the next start.
    void move(std::size_t i, std::size_t kept, bool accepted) {
        const Matrix<Real>& k = accepted ? k_[stages - 1] : k_[0];
        std::copy_n(k.view().row(i), k.cols(), k_[0].view().row(kept));
        control_[kept] = control_[i];
    }

  private:
    std::array<Matrix<Real>, stages> k_;
    std::vector<StepControl> control_;
};

}  // namespace

template <class Real>
Statistics dormand_prince(const Field<Real>& field, const Options& options, MatrixView<Real> x,
                          const Snapshots<Real>& snapshots) {
    return CellBatch<Real>("dormand_prince", field, options, x, snapshots)
        .run(DormandPrinceMethod<Real>(x.rows, x.cols));
}

template Statistics dormand_prince(const Field<float>&, const Options&, MatrixView<float>,
                                   const Snapshots<float>&);
template Statistics dormand_prince(const Field<double>&, const Options&, MatrixView<double>,
                                   const Snapshots<double>&);

}  // namespace popflow::ode
