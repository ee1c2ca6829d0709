// SPDX-License-Identifier: MIT
#include "ot/semidual_newton.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "core/error.hpp"
#include "ot/semidual.hpp"

namespace popflow::ot {

namespace {

using Clock = std::chrono::steady_clock;
using linalg::ConstMatrixView;

// First level of epsilon, relative to the range of the costs, and the factor from one level to the next.
constexpr double first_level = 1.0 / 30;
constexpr double level_factor = 0.31622776601683794;  // 10^(-1/2)
// Error of the marginals at which a level ends, and with which a start skips the levels.
constexpr double level_error = 0.1;
constexpr double good_start_error = 0.5;
// Rounding error of the dual value, relative to the range of the costs.
constexpr double value_precision = 1e-12;

// Newton's method with the rows as the side of f.
class Newton {
  public:
    Newton(ConstMatrixView<double> c, std::span<const double> a, std::span<const double> b,
           const NewtonOptions& options)
        : options_(options), begin_(Clock::now()), semidual_(c, a, b), f_(c.rows), trial_(c.rows) {}

    void set_f(std::span<const double> f) { std::ranges::copy(f, f_.begin()); }
    // @param range  largest minus smallest cost
    void solve(double range, bool has_start);
    std::vector<double>& f() { return f_; }
    // Potentials of the rows and columns at each tolerance that was reached. Filled if values are wanted.
    std::vector<Potentials>& reached() { return reached_; }
    std::vector<double> g() const { return semidual_.column_potentials(); }
    NewtonResult& result() { return result_; }

  private:
    void evaluate(std::span<const double> f, double epsilon) {
        semidual_.evaluate(f, epsilon);
        ++result_.evaluations;
    }
    double seconds() const { return std::chrono::duration<double>(Clock::now() - begin_).count(); }
    ToleranceReached tolerance_reached(bool is_converged) const {
        return {is_converged, result_.iterations, semidual_.error(), seconds(), fell_back_, check_seconds_};
    }
    void check_start();
    bool is_better(const std::vector<double>& direction, double length, double epsilon, double min_value,
                   double error);
    bool newton_step(double epsilon);
    bool sinkhorn_step(double epsilon);
    bool step(double epsilon);
    void solve_level(double epsilon, double error);
    void solve_last_level();

    const NewtonOptions& options_;
    Clock::time_point begin_;
    SemiDual semidual_;
    std::vector<double> f_;
    std::vector<double> trial_;
    double range_ = 0;
    bool fell_back_ = false;
    double check_seconds_ = 0;
    std::vector<Potentials> reached_;
    NewtonResult result_;
};

// Replaces the start by zeros if its error is larger. Leaves the evaluation at f_.
void Newton::check_start() {
    const Clock::time_point begin = Clock::now();
    const double error = semidual_.error();
    evaluate(trial_, options_.epsilon);  // zeros
    fell_back_ = !(error <= semidual_.error());
    if (fell_back_) std::ranges::fill(f_, 0);
    if (!fell_back_) evaluate(f_, options_.epsilon);
    check_seconds_ = std::chrono::duration<double>(Clock::now() - begin).count();
}

// Evaluates f + length * direction. Returns whether it is better than f, of the given value and error.
bool Newton::is_better(const std::vector<double>& direction, double length, double epsilon, double min_value,
                       double error) {
    for (std::size_t i = 0; i < f_.size(); ++i) trial_[i] = f_[i] + length * direction[i];
    evaluate(trial_, epsilon);
    // Close to the solution the value no longer changes within its precision, but the error does.
    const double precision = value_precision * range_;
    return semidual_.value() >= min_value + precision ||
           (semidual_.value() >= min_value - precision && semidual_.error() < 0.9 * error);
}

// Moves f by a Newton step, or by the first of its halves that is better. Returns false if none is.
bool Newton::newton_step(double epsilon) {
    const double value = semidual_.value();
    const double error = semidual_.error();
    const std::vector<double> direction = semidual_.newton_step();
    double slope = 0;
    double largest = 0;
    for (std::size_t i = 0; i < f_.size(); ++i) {
        slope += semidual_.gradient(i) * direction[i];
        largest = std::max(largest, std::fabs(direction[i]));
    }
    if (!(slope > 0) || !std::isfinite(largest)) return false;
    // Optimal potentials differ by no more than the costs do.
    const double longest = largest > range_ ? range_ / largest : 1;
    for (double length = longest; length > 1e-10 * longest; length /= 2) {
        if (!is_better(direction, length, epsilon, value + 1e-4 * length * slope, error)) continue;
        f_.swap(trial_);
        return true;
    }
    evaluate(f_, epsilon);
    return false;
}

// Moves f along the update of Sinkhorn's iteration, by its length or, as long as the value rises, by 2, 4 and
// so on times it. Returns false if that is no better.
bool Newton::sinkhorn_step(double epsilon) {
    const double error = semidual_.error();
    double value = semidual_.value();
    const std::vector<double> direction = semidual_.sinkhorn_step();
    double length = 0;
    for (double next = 1; is_better(direction, next, epsilon, value, error); next *= 2) {
        length = next;
        value = semidual_.value();
    }
    for (std::size_t i = 0; i < f_.size(); ++i) f_[i] += length * direction[i];
    evaluate(f_, epsilon);
    return length > 0;
}

// Does one damped Newton step. Where the Hessian is too close to singular for it, does a step of Sinkhorn.
// Returns false if neither is better than f.
bool Newton::step(double epsilon) {
    ++result_.iterations;
    if (!newton_step(epsilon) && !sinkhorn_step(epsilon)) return false;
    if (options_.record_errors) result_.errors.push_back({semidual_.error(), seconds()});
    return true;
}

void Newton::solve_level(double epsilon, double error) {
    evaluate(f_, epsilon);
    while (semidual_.error() > error && result_.iterations < options_.max_iterations && step(epsilon)) {
    }
}

void Newton::solve_last_level() {
    evaluate(f_, options_.epsilon);
    std::size_t next = 0;
    while (true) {
        const double error = semidual_.error();
        if (!std::isfinite(error))
            throw core::NumericalError("ot.semidual_newton", "a potential is not finite");
        for (; next < options_.tolerances.size() && error <= options_.tolerances[next]; ++next) {
            result_.reached.push_back(tolerance_reached(true));
            if (options_.values) reached_.push_back({f_, g()});
        }
        if (next == options_.tolerances.size() || result_.iterations >= options_.max_iterations) break;
        if (!step(options_.epsilon)) break;
    }
    result_.reached.resize(options_.tolerances.size(), tolerance_reached(false));
}

void Newton::solve(double range, bool has_start) {
    range_ = range;
    bool skip_levels = false;
    if (has_start) {
        evaluate(f_, options_.epsilon);
        if (options_.check_start) check_start();
        skip_levels = semidual_.error() < good_start_error;
    }
    if (!skip_levels) {
        for (double epsilon = first_level * range; epsilon > options_.epsilon / level_factor;
             epsilon *= level_factor)
            solve_level(epsilon, level_error);
    }
    solve_last_level();
}

}  // namespace

NewtonResult solve_semidual_newton(ConstMatrixView<double> c, std::span<const double> a,
                                   std::span<const double> b, const NewtonOptions& options,
                                   const Potentials* start) {
    check_entropic_problem("ot.semidual_newton", c, a, b);
    linalg::Matrix<double> transposed;
    const bool is_transposed = c.rows > c.cols;
    if (is_transposed) {
        transposed.reshape(c.cols, c.rows);
        for (std::size_t i = 0; i < c.rows; ++i)
            for (std::size_t j = 0; j < c.cols; ++j) transposed(j, i) = c(i, j);
    }
    Newton newton(is_transposed ? transposed.view() : c, is_transposed ? b : a, is_transposed ? a : b,
                  options);
    bool has_start = false;
    if (start != nullptr) {
        check_potentials("ot.semidual_newton", *start, c.rows, c.cols);
        const std::vector<double>& same_side = is_transposed ? start->g : start->f;
        const std::vector<double>& other_side = is_transposed ? start->f : start->g;
        if (!same_side.empty()) {
            newton.set_f(same_side);
        } else if (!other_side.empty()) {
            newton.set_f(optimal_row_potentials(is_transposed ? ConstMatrixView<double>(transposed) : c,
                                                is_transposed ? a : b, options.epsilon, other_side));
        }
        has_start = !same_side.empty() || !other_side.empty();
    }
    double lowest = c(0, 0);
    double highest = c(0, 0);
    for (std::size_t i = 0; i < c.rows; ++i) {
        const auto [low, high] = std::ranges::minmax(c.row_span(i));
        lowest = std::min(lowest, low);
        highest = std::max(highest, high);
    }
    newton.solve(highest - lowest, has_start);
    NewtonResult result = std::move(newton.result());
    const auto finish = [&](Potentials potentials) {
        if (is_transposed) std::swap(potentials.f, potentials.g);
        centre_potentials(a, potentials);
        return potentials;
    };
    result.potentials = finish({std::move(newton.f()), newton.g()});
    if (!options.values) return result;
    const auto values = [&](const Potentials& p) { return entropic_values(c, a, b, options.epsilon, p); };
    result.values = values(result.potentials);
    for (std::size_t k = 0; k < result.reached.size(); ++k)
        result.reached[k].values =
            k < newton.reached().size() ? values(finish(newton.reached()[k])) : result.values;
    return result;
}

}  // namespace popflow::ot
