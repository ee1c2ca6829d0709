// SPDX-License-Identifier: MIT
#include "ot/entropic.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>

#include "core/error.hpp"
#include "ot/anderson.hpp"
#include "ot/gibbs_kernel.hpp"

namespace popflow::ot {

namespace {

using Clock = std::chrono::steady_clock;

// An accelerated step is undone if it multiplies the error by more than this.
constexpr double max_growth = 3;
constexpr std::size_t max_pause = 64;

// State of the iteration. Potentials are in units of epsilon.
class Solver {
  public:
    Solver(linalg::ConstMatrixView<double> c, std::span<const double> a, std::span<const double> b,
           const EntropicOptions& options, const KernelPart& part);
    EntropicResult solve(const Potentials* start, Clock::time_point begin);

  private:
    void set_start(const Potentials* start);
    void check_start(EntropicResult& result);
    Potentials potentials();
    void iterate(EntropicResult& result, Clock::time_point begin);
    double relaxation() const;
    bool should_reject(double error) const;
    void reject();
    void accept(double error);

    linalg::ConstMatrixView<double> c_;
    std::span<const double> a_;
    std::span<const double> b_;
    const EntropicOptions& options_;
    GibbsKernel kernel_;
    std::optional<AndersonAcceleration> anderson_;
    std::vector<double> g_;
    std::vector<double> image_;     // Sinkhorn's update of g_
    std::vector<double> fallback_;  // image of the last accepted g
    std::size_t accelerated_ = 0;   // accelerated steps since the last rejection
    std::size_t plain_left_ = 0;    // plain updates before the next accelerated step
    std::size_t pause_ = 1;         // plain updates after the next rejection
    double last_error_ = 0;         // of the last accepted g
    bool is_accelerated_ = false;   // whether g_ differs from an image
};

Solver::Solver(linalg::ConstMatrixView<double> c, std::span<const double> a, std::span<const double> b,
               const EntropicOptions& options, const KernelPart& part)
    : c_(c),
      a_(a),
      b_(b),
      options_(options),
      kernel_(c, a, b, options.epsilon, part),
      g_(c.cols),
      image_(c.cols),
      fallback_(c.cols) {
    if (options.acceleration == Acceleration::anderson) anderson_.emplace(options.memory, b);
}

void Solver::set_start(const Potentials* start) {
    if (start == nullptr) return;
    const double scale = 1 / options_.epsilon;
    if (!start->g.empty()) {
        core::check_shape("ot.entropic.start.g", start->g.size(), 1, c_.cols, 1);
        std::ranges::transform(start->g, g_.begin(), [&](double g) { return g * scale; });
        return;
    }
    if (start->f.empty()) return;
    core::check_shape("ot.entropic.start.f", start->f.size(), 1, c_.rows, 1);
    std::vector<double> f(start->f);
    for (double& value : f) value *= scale;
    kernel_.update_columns(f, g_);
}

// Replaces the start by zeros if its error is larger.
void Solver::check_start(EntropicResult& result) {
    const Clock::time_point begin = Clock::now();
    const double error = kernel_.sweep(g_, 1, image_);
    const std::vector<double> zeros(g_.size());
    const double error_of_zeros = kernel_.sweep(zeros, 1, image_);
    result.fell_back = !(error <= error_of_zeros);
    if (result.fell_back) g_ = zeros;
    result.check_seconds = std::chrono::duration<double>(Clock::now() - begin).count();
}

// Returns g and its optimal f in units of the cost, with sum_i a_i f_i = 0. Changes image_.
Potentials Solver::potentials() {
    kernel_.sweep(g_, 1, image_);
    Potentials potentials{kernel_.row_potentials(), g_};
    for (double& f : potentials.f) f *= options_.epsilon;
    for (double& g : potentials.g) g *= options_.epsilon;
    centre_potentials(a_, potentials);
    return potentials;
}

double Solver::relaxation() const {
    return options_.acceleration == Acceleration::overrelax && is_accelerated_ ? options_.relaxation : 1;
}

void Solver::iterate(EntropicResult& result, Clock::time_point begin) {
    std::size_t next_tolerance = 0;
    const auto seconds = [&] { return std::chrono::duration<double>(Clock::now() - begin).count(); };
    double error = 0;
    std::vector<std::vector<double>> g_reached;
    while (result.iterations < options_.max_iterations) {
        error = kernel_.sweep(g_, relaxation(), image_);
        ++result.iterations;
        if (!std::isfinite(error)) throw core::NumericalError("ot.entropic", "a potential is not finite");
        if (options_.record_errors) result.errors.push_back({error, seconds()});
        while (next_tolerance < options_.tolerances.size() && error <= options_.tolerances[next_tolerance]) {
            result.reached.push_back({true, result.iterations, error, seconds()});
            if (options_.values) g_reached.push_back(g_);
            ++next_tolerance;
        }
        if (next_tolerance == options_.tolerances.size()) break;
        if (is_accelerated_ && error > max_growth * last_error_) {
            ++result.rejected;
            reject();
        } else {
            accept(error);
        }
    }
    result.reached.resize(options_.tolerances.size(), {false, result.iterations, error, seconds()});
    result.potentials = potentials();
    if (!options_.values) return;
    const auto values = [&](const Potentials& p) { return entropic_values(c_, a_, b_, options_.epsilon, p); };
    result.values = values(result.potentials);
    const std::vector<double> g_last = g_;
    for (std::size_t k = 0; k < result.reached.size(); ++k) {
        if (k < g_reached.size() && g_reached[k] != g_last) {
            g_ = std::move(g_reached[k]);
            result.reached[k].values = values(potentials());
        } else {
            result.reached[k].values = result.values;
        }
    }
}

// Continues with plain updates of the last accepted g: one after the first rejection, and twice as many after
// each further one, until acceleration has made progress again.
void Solver::reject() {
    g_ = fallback_;
    if (anderson_) anderson_->restart();
    is_accelerated_ = false;
    accelerated_ = 0;
    plain_left_ = pause_;
    pause_ = std::min(2 * pause_, max_pause);
}

void Solver::accept(double error) {
    last_error_ = error;
    fallback_ = image_;
    if (is_accelerated_ && ++accelerated_ == 2 * options_.memory) pause_ = 1;
    if (plain_left_ > 0 || options_.acceleration == Acceleration::none) {
        plain_left_ -= plain_left_ > 0 ? 1 : 0;
        is_accelerated_ = false;
        g_.swap(image_);
        return;
    }
    switch (options_.acceleration) {
        case Acceleration::none:
            break;
        case Acceleration::overrelax:
            for (std::size_t j = 0; j < g_.size(); ++j) g_[j] += options_.relaxation * (image_[j] - g_[j]);
            break;
        case Acceleration::anderson:
            anderson_->advance(g_, image_, g_);
            break;
    }
    is_accelerated_ = true;
}

EntropicResult Solver::solve(const Potentials* start, Clock::time_point begin) {
    EntropicResult result;
    set_start(start);
    if (options_.fall_back && start != nullptr) check_start(result);
    iterate(result, begin);
    result.absorptions = kernel_.absorptions();
    return result;
}

}  // namespace

EntropicResult solve_entropic(linalg::ConstMatrixView<double> c, std::span<const double> a,
                              std::span<const double> b, const EntropicOptions& options,
                              const Potentials* start, const KernelPart& part) {
    const Clock::time_point begin = Clock::now();
    check_entropic_problem("ot.entropic", c, a, b);
    if (part.kernel != nullptr) check_kernel_part(part, c.rows, c.cols, options.epsilon);
    return Solver(c, a, b, options, part).solve(start, begin);
}

}  // namespace popflow::ot
