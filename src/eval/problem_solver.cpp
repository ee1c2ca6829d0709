// SPDX-License-Identifier: MIT
#include "eval/problem_solver.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <new>
#include <optional>

#include "core/error.hpp"
#include "core/parse.hpp"
#include "core/text.hpp"
#include "ot/cost.hpp"
#include "ot/dense_transport.hpp"
#include "ot/gaussian_start.hpp"
#include "ot/semidual_newton.hpp"

namespace popflow::eval {

namespace {

using linalg::ConstMatrixView;
using linalg::Matrix;
using problems::ProblemSet;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

Matrix<double> in_double(const Matrix<float>& x) {
    Matrix<double> result(x.rows(), x.cols());
    std::ranges::copy(x.values(), result.values().begin());
    return result;
}

// Weights and costs of one problem.
struct ProblemData {
    std::optional<ot::HistogramProblem> histograms;
    std::vector<double> equal_a;  // weights of cells
    std::vector<double> equal_b;
    Matrix<double> cell_costs;  // filled by an entropic solver
    std::span<const double> a;
    std::span<const double> b;

    ConstMatrixView<double> c() const { return histograms ? histograms->c.view() : cell_costs.view(); }
};

std::vector<double> equal_weights(std::size_t n) {
    return std::vector<double>(n, 1 / static_cast<double>(n));
}

// Weighted points of one side of a problem.
struct WeightedPoints {
    Matrix<double> points;
    std::vector<double> weights;
};

WeightedPoints side_of(const ProblemSet& problems, std::size_t p, bool is_source) {
    if (!problems.has_histograms()) {
        const Matrix<float>& cells = is_source ? problems.source_cells(p) : problems.target_cells(p);
        return {in_double(cells), equal_weights(cells.rows())};
    }
    const ot::Histogram& histogram = is_source ? problems.source_histogram(p) : problems.target_histogram(p);
    const Matrix<double>& positions = is_source ? problems.source_positions() : problems.target_positions();
    return {ot::atom_positions(positions, histogram), histogram.weights};
}

// Returns the Gaussian potentials of one side.
std::vector<double> gaussian_potentials_of(const ProblemSet& problems, std::size_t p, bool is_source) {
    const WeightedPoints own = side_of(problems, p, is_source);
    const WeightedPoints other = side_of(problems, p, !is_source);
    return ot::gaussian_potential(own.points.view(), own.weights,
                                  ot::gaussian_moments(own.points.view(), own.weights),
                                  ot::gaussian_moments(other.points.view(), other.weights));
}

// Solves one problem.
class Solving {
  public:
    Solving(const ProblemSet& problems, std::size_t problem, const SolveOptions& options,
            std::span<const MadeStart> made, const ot::SharedKernel* kernel)
        : problems_(problems), problem_(problem), options_(options), made_(made), kernel_(kernel) {}
    std::vector<Solve> run();

  private:
    void gather();
    void add_cell_costs();
    double epsilon() const;
    ot::Potentials make_start(std::size_t start, SolveRow& row) const;
    Solve solve_exactly(std::size_t start);
    Solve solve_entropic(ProblemSolver solver, std::size_t start, ot::Acceleration acceleration);
    template <class Work>
    Solve guarded(ProblemSolver solver, std::size_t start, ot::Acceleration acceleration, Work work);
    void keep_outputs(Solve& solve, const ot::Potentials& potentials, double epsilon) const;
    PlanEntries entropic_plan(const ot::Potentials& potentials, double epsilon) const;
    PlanEntries in_file_order(PlanEntries plan) const;
    ot::TransportPlan exact_plan(ot::Potentials start);

    const ProblemSet& problems_;
    std::size_t problem_;
    const SolveOptions& options_;
    std::span<const MadeStart> made_;
    const ot::SharedKernel* kernel_;
    ProblemData data_;
    double gather_seconds_ = 0;
};

void Solving::gather() {
    const Clock::time_point begin = Clock::now();
    if (problems_.has_histograms()) {
        const ot::Histogram& source = problems_.source_histogram(problem_);
        const ot::Histogram& target = problems_.target_histogram(problem_);
        data_.histograms.emplace(ot::histogram_problem(problems_.costs().view(), source, target));
        data_.a = source.weights;
        data_.b = target.weights;
    } else {
        data_.equal_a = equal_weights(problems_.source_cells(problem_).rows());
        data_.equal_b = equal_weights(problems_.target_cells(problem_).rows());
        data_.a = data_.equal_a;
        data_.b = data_.equal_b;
    }
    gather_seconds_ = seconds_since(begin);
}

// Computes the costs between cells, which an exact solver of Euclidean costs does not need.
void Solving::add_cell_costs() {
    if (problems_.has_histograms() || !data_.cell_costs.values().empty()) return;
    const Clock::time_point begin = Clock::now();
    data_.cell_costs = ot::cost_matrix(*problems_.atom_cost(), in_double(problems_.source_cells(problem_)),
                                       in_double(problems_.target_cells(problem_)));
    gather_seconds_ += seconds_since(begin);
}

double Solving::epsilon() const {
    using Unit = ProblemEpsilon::Unit;
    if (problems_.has_histograms()) return options_.epsilon.absolute(problems_.cost_summary());
    return options_.epsilon.absolute(
        options_.epsilon.unit == Unit::absolute ? ot::CostSummary{} : ot::summarise_costs(data_.c()));
}

ot::Potentials Solving::make_start(std::size_t start, SolveRow& row) const {
    const ProblemStart& how = options_.starts[start];
    if (how.make_all) {
        row.start_seconds = made_[start].seconds;
        return made_[start].potentials;
    }
    if (!how.make) return {};
    const Clock::time_point begin = Clock::now();
    ot::Potentials potentials = how.make(problems_, problem_);
    row.start_seconds = seconds_since(begin);
    return potentials;
}

ot::TransportPlan Solving::exact_plan(ot::Potentials start) {
    const bool has_start = !start.f.empty() || !start.g.empty();
    if (!problems_.has_histograms() && *problems_.atom_cost() != ot::AtomCost::sphere) {
        if (start.f.empty() != start.g.empty()) {
            add_cell_costs();
            ot::complete_potentials(data_.c(), start);
        }
        const ot::CostKind kind = *problems_.atom_cost() == ot::AtomCost::euclidean
                                      ? ot::CostKind::euclidean
                                      : ot::CostKind::squared_euclidean;
        const ot::Cost cost(kind, problems_.source_cells(problem_), problems_.target_cells(problem_));
        return ot::solve_exact(cost, {}, {}, {.start = has_start ? &start : nullptr});
    }
    add_cell_costs();
    static thread_local ot::DenseTransport solver;  // keeps its memory from problem to problem
    return solver.solve(data_.c(), data_.a, data_.b, has_start ? &start : nullptr);
}

Solve Solving::solve_exactly(std::size_t start) {
    Solve solve;
    SolveRow row;
    const Clock::time_point begin = Clock::now();
    const ot::TransportPlan plan = exact_plan(make_start(start, row));
    row.seconds = seconds_since(begin) + (problems_.has_histograms() ? gather_seconds_ : 0);
    row.converged = true;
    row.iterations = plan.rounds;
    row.value = plan.value;
    row.gap = plan.gap;
    row.marginal_error = 0;
    solve.rows.push_back(row);
    ot::Potentials duals = plan.duals;
    ot::centre_potentials(data_.a, duals);
    keep_outputs(solve, duals, 0);
    if (options_.plans) solve.plan = in_file_order(plan.plan);
    return solve;
}

Solve Solving::solve_entropic(ProblemSolver solver, std::size_t start, ot::Acceleration acceleration) {
    add_cell_costs();
    SolveRow row;
    row.epsilon = epsilon();
    const ot::Potentials potentials = make_start(start, row);
    const bool has_start = !options_.starts[start].is_zeros();
    ot::EntropicResult result;
    if (solver == ProblemSolver::newton) {
        ot::NewtonResult solved =
            ot::solve_semidual_newton(data_.c(), data_.a, data_.b,
                                      {.epsilon = row.epsilon,
                                       .tolerances = options_.tolerances,
                                       .max_iterations = options_.max_iterations,
                                       .record_errors = options_.errors,
                                       .check_start = options_.fallback != ot::Fallback::none},
                                      has_start ? &potentials : nullptr);
        result = std::move(solved);
    } else {
        ot::KernelPart part;
        if (kernel_ != nullptr)
            part = {kernel_, data_.histograms->source.atoms, data_.histograms->target.atoms};
        result = ot::solve_entropic(data_.c(), data_.a, data_.b,
                                    {.epsilon = row.epsilon,
                                     .tolerances = options_.tolerances,
                                     .max_iterations = options_.max_iterations,
                                     .acceleration = acceleration,
                                     .record_errors = options_.errors,
                                     .fallback = options_.fallback},
                                    has_start ? &potentials : nullptr, part);
    }
    Solve solve;
    row.rejected = result.rejected;
    row.is_log_domain = solver == ProblemSolver::newton || 2 * result.absorptions > result.iterations;
    const double before = gather_seconds_ + row.start_seconds;
    for (std::size_t k = 0; k < result.reached.size(); ++k) {
        const ot::ToleranceReached& reached = result.reached[k];
        row.tolerance = options_.tolerances[k];
        row.fell_back = reached.fell_back;
        row.check_seconds = reached.check_seconds;
        row.converged = reached.is_converged;
        row.iterations = reached.iterations;
        row.seconds = before + reached.seconds;
        row.marginal_error = reached.marginal_error;
        row.value = reached.values.transport_cost;
        row.value_entropic = reached.values.dual;
        row.gap = reached.values.primal - reached.values.dual;
        if (!std::isfinite(row.value) || !std::isfinite(row.gap))
            throw core::NumericalError("value", "is not finite. Divide the costs by a constant");
        solve.rows.push_back(row);
    }
    solve.errors = std::move(result.errors);
    for (ot::IterationError& error : solve.errors) error.seconds += before;
    keep_outputs(solve, result.potentials, row.epsilon);
    if (options_.plans) solve.plan = in_file_order(entropic_plan(result.potentials, row.epsilon));
    return solve;
}

void Solving::keep_outputs(Solve& solve, const ot::Potentials& potentials, double epsilon) const {
    if (!options_.potentials) return;
    solve.potentials = data_.histograms ? ot::extended_potentials(*data_.histograms, problems_.costs().view(),
                                                                  epsilon, potentials)
                                        : potentials;
}

PlanEntries Solving::entropic_plan(const ot::Potentials& p, double epsilon) const {
    const ConstMatrixView<double> c = data_.c();
    PlanEntries plan;
    for (std::size_t i = 0; i < c.rows; ++i) {
        for (std::size_t j = 0; j < c.cols; ++j) {
            const double share = data_.b[j] * std::exp((p.f[i] + p.g[j] - c(i, j)) / epsilon);
            if (share < smallest_plan_share) continue;
            plan.push_back(
                {static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(j), data_.a[i] * share});
        }
    }
    return plan;
}

PlanEntries Solving::in_file_order(PlanEntries plan) const {
    if (!data_.histograms) return plan;
    for (ot::PlanEntry& entry : plan) {
        entry.i = data_.histograms->source.atoms[entry.i];
        entry.j = data_.histograms->target.atoms[entry.j];
    }
    return plan;
}

// Runs a solver. A failure becomes the message of its rows.
template <class Work>
Solve Solving::guarded(ProblemSolver solver, std::size_t start, ot::Acceleration acceleration, Work work) {
    Solve solve;
    std::string message;
    try {
        solve = work();
    } catch (const core::Error& error) {
        message = error.what();
    } catch (const std::bad_alloc&) {
        message = "out of memory";
    }
    if (!message.empty()) {
        solve = {};
        solve.rows.resize(solver == ProblemSolver::exact ? 1 : options_.tolerances.size());
        for (std::size_t k = 0; k < solve.rows.size(); ++k) {
            solve.rows[k].message = message;
            if (solver != ProblemSolver::exact) solve.rows[k].tolerance = options_.tolerances[k];
        }
    }
    for (SolveRow& row : solve.rows) {
        row.solver = solver;
        row.start = start;
        row.acceleration = acceleration;
    }
    return solve;
}

std::vector<Solve> Solving::run() {
    gather();
    std::vector<Solve> solves;
    for (const ProblemSolver solver : options_.solvers) {
        for (std::size_t start = 0; start < options_.starts.size(); ++start) {
            if (solver == ProblemSolver::exact) {
                solves.push_back(
                    guarded(solver, start, ot::Acceleration::none, [&] { return solve_exactly(start); }));
                continue;
            }
            std::vector<ot::Acceleration> accelerations = options_.accelerations;
            if (solver == ProblemSolver::newton) accelerations = {ot::Acceleration::none};
            for (const ot::Acceleration acceleration : accelerations) {
                solves.push_back(guarded(solver, start, acceleration,
                                         [&] { return solve_entropic(solver, start, acceleration); }));
            }
        }
    }
    return solves;
}

}  // namespace

const std::vector<std::string>& problem_solver_names() {
    static const std::vector<std::string> names{"exact", "sinkhorn", "newton"};
    return names;
}

const std::vector<std::string>& acceleration_names() {
    static const std::vector<std::string> names{"none", "overrelax", "anderson"};
    return names;
}

ProblemEpsilon ProblemEpsilon::parse(const std::string& key, const std::string& text) {
    ProblemEpsilon epsilon{.value = 0, .unit = Unit::absolute};
    std::string number = text;
    for (const auto& [prefix, unit] : {std::pair{"mean:", Unit::mean_cost}, {"max:", Unit::max_cost}}) {
        if (!text.starts_with(prefix)) continue;
        epsilon.unit = unit;
        number = text.substr(std::string(prefix).size());
    }
    epsilon.value = core::parse_number(key, number, 1e-300, 1e300);
    return epsilon;
}

std::string ProblemEpsilon::text() const {
    const char* prefix = unit == Unit::absolute ? "" : unit == Unit::mean_cost ? "mean:" : "max:";
    return prefix + core::number_label(value);
}

double ProblemEpsilon::absolute(const ot::CostSummary& costs) const {
    if (unit == Unit::absolute) return value;
    const double scale = unit == Unit::mean_cost ? costs.mean : costs.largest;
    if (!(scale > 0))
        throw core::NumericalError("epsilon",
                                   "the costs are 0, so a relative epsilon is 0. Give an absolute one");
    return value * scale;
}

ProblemStart zero_start() {
    return {.name = "zeros"};
}

ProblemStart gaussian_start() {
    // On the side of the target, from which the solver computes the potentials of the source.
    const auto make = [](const ProblemSet& problems, std::size_t p) {
        return ot::Potentials{{}, gaussian_potentials_of(problems, p, false)};
    };
    return {.name = "gaussian", .make = make};
}

std::vector<double> gaussian_potentials(const ProblemSet& problems, std::size_t problem) {
    return gaussian_potentials_of(problems, problem, true);
}

std::vector<Solve> solve_problem(const ProblemSet& problems, std::size_t problem, const SolveOptions& options,
                                 std::span<const MadeStart> made, const ot::SharedKernel* kernel) {
    return Solving(problems, problem, options, made, kernel).run();
}

}  // namespace popflow::eval
