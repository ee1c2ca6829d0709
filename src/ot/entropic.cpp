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

double seconds_since(Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

// Sinkhorn's iteration from one start. Potentials are in units of epsilon.
class Iteration {
  public:
    Iteration(linalg::ConstMatrixView<double> c, std::span<const double> a, std::span<const double> b,
              const EntropicOptions& options, const KernelPart& part);

    void set_start(const Potentials& start);
    // Whether the error of the start is larger than that of zeros.
    bool is_worse_than_zeros();
    // Computes the update of g. Returns the error of the marginals of g.
    double sweep() { return kernel_.sweep(g_, relaxation(), image_); }
    // Replaces g by the next iterate. `error` is that of the last sweep().
    void advance(double error);

    const std::vector<double>& g() const { return g_; }
    // Returns g and its optimal f in units of the cost, with sum_i a_i f_i = 0. May change the reference of
    // the kernel.
    Potentials potentials_of(std::span<const double> g);
    std::size_t rejected() const { return rejected_; }
    std::size_t absorptions() const { return kernel_.absorptions(); }

  private:
    double relaxation() const;
    void reject();
    void accept(double error);

    linalg::ConstMatrixView<double> c_;
    std::span<const double> a_;
    const EntropicOptions& options_;
    GibbsKernel kernel_;
    std::optional<AndersonAcceleration> anderson_;
    std::vector<double> g_;
    std::vector<double> image_;           // Sinkhorn's update of g_
    std::vector<double> accepted_image_;  // image of the last accepted g
    std::size_t rejected_ = 0;
    std::size_t accelerated_ = 0;  // accelerated steps since the last rejection
    std::size_t plain_left_ = 0;   // plain updates before the next accelerated step
    std::size_t pause_ = 1;        // plain updates after the next rejection
    double last_error_ = 0;        // of the last accepted g
    bool is_accelerated_ = false;  // whether g_ differs from an image
};

Iteration::Iteration(linalg::ConstMatrixView<double> c, std::span<const double> a, std::span<const double> b,
                     const EntropicOptions& options, const KernelPart& part)
    : c_(c),
      a_(a),
      options_(options),
      kernel_(c, a, b, options.epsilon, part),
      g_(c.cols),
      image_(c.cols),
      accepted_image_(c.cols) {
    if (options.acceleration == Acceleration::anderson) anderson_.emplace(options.memory, b);
}

void Iteration::set_start(const Potentials& start) {
    check_potentials("ot.entropic", start, c_.rows, c_.cols);
    const double scale = 1 / options_.epsilon;
    if (!start.g.empty()) {
        std::ranges::transform(start.g, g_.begin(), [&](double g) { return g * scale; });
        return;
    }
    if (start.f.empty()) return;
    std::vector<double> f(start.f);
    for (double& value : f) value *= scale;
    kernel_.update_columns(f, g_);
}

bool Iteration::is_worse_than_zeros() {
    const double error = kernel_.sweep(g_, 1, image_);
    const std::vector<double> zeros(g_.size());
    return !(error <= kernel_.sweep(zeros, 1, image_));
}

void Iteration::advance(double error) {
    if (is_accelerated_ && error > max_growth * last_error_)
        reject();
    else
        accept(error);
}

Potentials Iteration::potentials_of(std::span<const double> g) {
    std::vector<double> image(g.size());
    kernel_.sweep(g, 1, image);
    Potentials potentials{kernel_.row_potentials(), {g.begin(), g.end()}};
    for (double& f : potentials.f) f *= options_.epsilon;
    for (double& g_j : potentials.g) g_j *= options_.epsilon;
    centre_potentials(a_, potentials);
    return potentials;
}

double Iteration::relaxation() const {
    return options_.acceleration == Acceleration::overrelax && is_accelerated_ ? options_.relaxation : 1;
}

// Continues with plain updates of the last accepted g: one after the first rejection, and twice as many after
// each further one, until acceleration has made progress again.
void Iteration::reject() {
    ++rejected_;
    g_ = accepted_image_;
    if (anderson_) anderson_->restart();
    is_accelerated_ = false;
    accelerated_ = 0;
    plain_left_ = pause_;
    pause_ = std::min(2 * pause_, max_pause);
}

void Iteration::accept(double error) {
    last_error_ = error;
    accepted_image_ = image_;
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

// One iteration, or two in a race.
class Solver {
  public:
    // @param begin  time from which the seconds of the result count
    Solver(linalg::ConstMatrixView<double> c, std::span<const double> a, std::span<const double> b,
           const EntropicOptions& options, const Potentials* start, const KernelPart& part,
           Clock::time_point begin);
    EntropicResult solve();

  private:
    bool is_race() const { return runs_.size() > 1; }
    template <class Work>
    void for_each_run(Work work);
    void sweep_all(EntropicResult& result);
    void add_values(EntropicResult& result);
    ToleranceReached state(const EntropicResult& result, bool is_converged) const;

    Clock::time_point begin_;
    linalg::ConstMatrixView<double> c_;
    std::span<const double> a_;
    std::span<const double> b_;
    const EntropicOptions& options_;
    std::vector<Iteration> runs_;  // from the start, then from zeros
    std::vector<double> errors_;   // of the last sweep of each run
    std::vector<double> seconds_;  // duration of each run of a race
    std::size_t best_ = 0;         // run of the smallest error
    bool fell_back_ = false;
    double check_seconds_ = 0;
    struct Reached {
        std::size_t run;
        std::vector<double> g;
    };
    std::vector<Reached> reached_;  // at each tolerance, filled if values are wanted
};

Solver::Solver(linalg::ConstMatrixView<double> c, std::span<const double> a, std::span<const double> b,
               const EntropicOptions& options, const Potentials* start, const KernelPart& part,
               Clock::time_point begin)
    : begin_(begin), c_(c), a_(a), b_(b), options_(options) {
    runs_.emplace_back(c, a, b, options, part);
    if (start != nullptr) {
        runs_[0].set_start(*start);
        if (options.fallback == Fallback::race) runs_.emplace_back(c, a, b, options, part);
        if (options.fallback == Fallback::check) {
            const Clock::time_point check_begin = Clock::now();
            fell_back_ = runs_[0].is_worse_than_zeros();
            if (fell_back_) {
                runs_.clear();
                runs_.emplace_back(c, a, b, options, part);
            }
            check_seconds_ = seconds_since(check_begin);
        }
    }
    errors_.resize(runs_.size());
    seconds_.resize(runs_.size());
}

// Calls work(r) for each run. Measures the time of each in a race.
template <class Work>
void Solver::for_each_run(Work work) {
    if (!is_race()) return work(0);
    for (std::size_t r = 0; r < runs_.size(); ++r) {
        const Clock::time_point begin = Clock::now();
        work(r);
        seconds_[r] += seconds_since(begin);
    }
}

// Does a sweep of each run.
void Solver::sweep_all(EntropicResult& result) {
    ++result.iterations;
    for_each_run([&](std::size_t r) {
        errors_[r] = runs_[r].sweep();
        if (!std::isfinite(errors_[r]))
            throw core::NumericalError("ot.entropic", "a potential is not finite");
    });
    best_ = static_cast<std::size_t>(std::ranges::min_element(errors_) - errors_.begin());
    if (options_.record_errors) result.errors.push_back({errors_[best_], seconds_since(begin_)});
}

ToleranceReached Solver::state(const EntropicResult& result, bool is_converged) const {
    ToleranceReached state{is_converged,          result.iterations, errors_[best_],
                           seconds_since(begin_), fell_back_,        check_seconds_};
    if (is_race()) {
        state.fell_back = best_ == 1;
        state.check_seconds = seconds_[1 - best_];
    }
    return state;
}

void Solver::add_values(EntropicResult& result) {
    const auto values = [&](const Potentials& p) { return entropic_values(c_, a_, b_, options_.epsilon, p); };
    result.values = values(result.potentials);
    for (std::size_t k = 0; k < result.reached.size(); ++k) {
        const bool is_last = k >= reached_.size() || reached_[k].g == runs_[best_].g();
        result.reached[k].values =
            is_last ? result.values : values(runs_[reached_[k].run].potentials_of(reached_[k].g));
    }
}

EntropicResult Solver::solve() {
    EntropicResult result;
    const std::vector<double>& tolerances = options_.tolerances;
    while (result.iterations < options_.max_iterations) {
        sweep_all(result);
        while (result.reached.size() < tolerances.size() &&
               errors_[best_] <= tolerances[result.reached.size()]) {
            result.reached.push_back(state(result, true));
            if (options_.values) reached_.push_back({best_, runs_[best_].g()});
        }
        if (result.reached.size() == tolerances.size()) break;
        for_each_run([&](std::size_t r) { runs_[r].advance(errors_[r]); });
    }
    result.reached.resize(tolerances.size(), state(result, false));
    Iteration& best = runs_[best_];
    result.potentials = best.potentials_of(best.g());
    if (options_.values) add_values(result);
    result.rejected = best.rejected();
    result.absorptions = best.absorptions();
    return result;
}

}  // namespace

EntropicResult solve_entropic(linalg::ConstMatrixView<double> c, std::span<const double> a,
                              std::span<const double> b, const EntropicOptions& options,
                              const Potentials* start, const KernelPart& part) {
    const Clock::time_point begin = Clock::now();
    check_entropic_problem("ot.entropic", c, a, b);
    if (part.kernel != nullptr) check_kernel_part(part, c.rows, c.cols, options.epsilon);
    return Solver(c, a, b, options, start, part, begin).solve();
}

}  // namespace popflow::ot
