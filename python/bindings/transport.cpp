// SPDX-License-Identifier: MIT
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <tuple>

#include "bindings.hpp"
#include "call.hpp"
#include "core/cancellation.hpp"
#include "core/error.hpp"
#include "core/parallel_error.hpp"
#include "metrics/population_distance.hpp"
#include "ot/exact.hpp"
#include "ot/sinkhorn.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace popflow::python {

namespace {

using linalg::ConstMatrixView;
using Weights = std::optional<ArrayView1<double>>;

// Largest number of elements of a cost matrix whose problem is solved in the calling thread: a few
// milliseconds, in which Ctrl-C waits.
constexpr std::size_t max_direct_costs = 1U << 14U;

std::span<const double> weights_span(const Weights& weights) {
    return weights ? span_of(*weights) : std::span<const double>();
}

ot::CostKind cost_kind(const std::string& name) {
    if (name == "sqeuclidean") return ot::CostKind::squared_euclidean;
    if (name == "euclidean") return ot::CostKind::euclidean;
    throw core::ConfigError("cost", "found '" + name + "'. Give sqeuclidean, euclidean or a matrix of costs");
}

void check_columns(std::size_t x, std::size_t y) {
    if (x != y)
        throw core::ConfigError("y", "found " + std::to_string(y) + " columns, but x has " +
                                         std::to_string(x) + ". Give points of the same dimension");
}

// Owns what a cost between points of double precision refers to.
class PointCost {
  public:
    PointCost(ot::CostKind kind, ConstMatrixView<float> x, ConstMatrixView<float> y)
        : cost_(make(kind, x, y)) {}
    PointCost(ot::CostKind kind, ConstMatrixView<double> x, ConstMatrixView<double> y)
        : x_(in_single(x)), y_(in_single(y)), cost_(make(kind, x, y)) {}
    const ot::Cost& cost() const { return cost_; }

  private:
    static ot::Cost make(ot::CostKind kind, ConstMatrixView<float> x, ConstMatrixView<float> y) {
        check_columns(x.cols, y.cols);
        return {kind, x, y};
    }

    // Points that single precision represents exactly have the cost of the points in single precision, which
    // is faster. Other points have a function of their coordinates.
    ot::Cost make(ot::CostKind kind, ConstMatrixView<double> x, ConstMatrixView<double> y) const {
        check_columns(x.cols, y.cols);
        if (x_.rows() == x.rows && y_.rows() == y.rows) return {kind, x_.view(), y_.view()};
        const bool is_root = kind == ot::CostKind::euclidean;
        return {x.rows, y.rows, [x, y, is_root](std::size_t i, std::size_t j) {
                    double sum = 0;
                    for (std::size_t k = 0; k < x.cols; ++k) {
                        const double difference = x(i, k) - y(j, k);
                        sum += difference * difference;
                    }
                    return is_root ? std::sqrt(sum) : sum;
                }};
    }

    // Returns the points in single precision, without rows if that would round them.
    static linalg::Matrix<float> in_single(ConstMatrixView<double> x) {
        linalg::Matrix<float> single(x.rows, x.cols);
        const std::size_t size = x.rows * x.cols;
        for (std::size_t l = 0; l < size; ++l) {
            single.values()[l] = static_cast<float>(x.data[l]);
            if (static_cast<double>(single.values()[l]) != x.data[l]) return {};
        }
        return single;
    }

    linalg::Matrix<float> x_{};
    linalg::Matrix<float> y_{};
    ot::Cost cost_;
};

// A plan as the arrays of a sparse matrix in CSR format.
struct SparsePlan {
    std::vector<std::int64_t> row_starts;
    std::vector<std::int32_t> columns;
    std::vector<double> masses;
};

SparsePlan sparse_plan(const std::vector<ot::PlanEntry>& entries, std::size_t rows) {
    SparsePlan plan;
    plan.row_starts.assign(rows + 1, 0);
    plan.columns.reserve(entries.size());
    plan.masses.reserve(entries.size());
    for (const ot::PlanEntry& entry : entries) {
        ++plan.row_starts[entry.i + 1];
        plan.columns.push_back(static_cast<std::int32_t>(entry.j));
        plan.masses.push_back(entry.mass);
    }
    for (std::size_t i = 0; i < rows; ++i) plan.row_starts[i + 1] += plan.row_starts[i];
    return plan;
}

// Limits the parallel regions of this thread to one thread for the lifetime of the object. Threads cost more
// than they save in a small problem, whose result does not depend on their number.
class SingleThread {
  public:
    SingleThread() { omp_set_num_threads(1); }
    ~SingleThread() { omp_set_num_threads(threads_); }
    SingleThread(const SingleThread&) = delete;
    SingleThread& operator=(const SingleThread&) = delete;

  private:
    int threads_ = omp_get_max_threads();
};

// Runs work on a problem of n x m costs. Reports weights that have no plan as invalid input.
template <class Work>
auto solve_problem(std::size_t n, std::size_t m, Work work) {
    try {
        if (n * m <= max_direct_costs) {
            const SingleThread single;
            return run_directly(work);
        }
        Call call;
        return call.run(work);
    } catch (const core::NumericalError& error) {
        throw core::UserError(error.what());
    }
}

nb::dict exact_result(ot::TransportPlan solved, std::size_t rows) {
    SparsePlan plan = sparse_plan(solved.plan, rows);
    nb::dict result;
    result["value"] = solved.value;
    result["row_starts"] = to_numpy(std::move(plan.row_starts));
    result["columns"] = to_numpy(std::move(plan.columns));
    result["masses"] = to_numpy(std::move(plan.masses));
    result["f"] = to_numpy(std::move(solved.duals.f));
    result["g"] = to_numpy(std::move(solved.duals.g));
    result["violation"] = solved.violation;
    result["gap"] = solved.gap;
    return result;
}

template <class Real>
nb::dict exact_points(const ArrayView2<Real>& x, const ArrayView2<Real>& y, const Weights& a,
                      const Weights& b, const std::string& cost) {
    const ot::CostKind kind = cost_kind(cost);
    ot::TransportPlan plan = solve_problem(x.shape(0), y.shape(0), [&] {
        const PointCost points(kind, matrix_view(x), matrix_view(y));
        return ot::solve_exact(points.cost(), weights_span(a), weights_span(b));
    });
    return exact_result(std::move(plan), x.shape(0));
}

nb::dict exact_matrix(const ArrayView2<double>& costs, const Weights& a, const Weights& b,
                      const Weights& start) {
    ot::TransportPlan plan = solve_problem(costs.shape(0), costs.shape(1), [&] {
        const ot::Cost cost(matrix_view(costs));
        ot::Potentials potentials;
        ot::ExactOptions options;
        if (start) {
            const std::span<const double> g = span_of(*start);
            potentials.g.assign(g.begin(), g.end());
            potentials.f.assign(cost.rows(), 0);
            options.start = &potentials;
        }
        return ot::solve_exact(cost, weights_span(a), weights_span(b), options);
    });
    return exact_result(std::move(plan), costs.shape(0));
}

// Options of an entropic problem.
struct EntropicOptions {
    double epsilon;
    std::size_t sweeps;
    double tolerance;
    double rho_rows;
    double rho_cols;
    bool plan;
};

struct EntropicResult {
    ot::SinkhornResult solved;
    double epsilon = 0;  // in the units of the cost
    std::vector<double> plan{};
};

double weight(std::span<const double> weights, std::size_t i, std::size_t count) {
    return weights.empty() ? 1.0 / static_cast<double>(count) : weights[i];
}

EntropicResult solve_entropic(const ot::Cost& cost, std::span<const double> a, std::span<const double> b,
                              const EntropicOptions& options) {
    EntropicResult result{.solved = ot::sinkhorn(cost, a, b,
                                                 {.epsilon = options.epsilon,
                                                  .sweeps = options.sweeps,
                                                  .tolerance = options.tolerance,
                                                  .allow_unconverged = true,
                                                  .rho_rows = options.rho_rows,
                                                  .rho_cols = options.rho_cols,
                                                  .values = true}),
                          .epsilon = options.epsilon * cost.unit() * cost.mean()};
    if (!options.plan) return result;
    const std::size_t n = cost.rows();
    const std::size_t m = cost.cols();
    result.plan.resize(n * m);
    const ot::Potentials& potentials = result.solved.potentials;
#pragma omp parallel for
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < m; ++j) {
            const double c = cost.offset() + cost.unit() * cost.exact(i, j);
            result.plan[i * m + j] = weight(a, i, n) * weight(b, j, m) *
                                     std::exp((potentials.f[i] + potentials.g[j] - c) / result.epsilon);
        }
    }
    return result;
}

nb::dict entropic_result(EntropicResult result, std::size_t n, std::size_t m) {
    nb::dict dict;
    dict["value"] = result.solved.value;
    dict["transport_cost"] = result.solved.transport_cost;
    dict["mass"] = result.solved.mass;
    dict["f"] = to_numpy(std::move(result.solved.potentials.f));
    dict["g"] = to_numpy(std::move(result.solved.potentials.g));
    dict["epsilon"] = result.epsilon;
    dict["sweeps"] = result.solved.sweeps;
    dict["marginal_error"] = result.solved.marginal_error;
    if (!result.plan.empty()) dict["plan"] = to_numpy(std::move(result.plan), {n, m});
    return dict;
}

template <class Real>
nb::dict sinkhorn_points(const ArrayView2<Real>& x, const ArrayView2<Real>& y, const Weights& a,
                         const Weights& b, const std::string& cost, double epsilon, std::size_t sweeps,
                         double tolerance, double rho_rows, double rho_cols, bool plan) {
    const ot::CostKind kind = cost_kind(cost);
    return entropic_result(solve_problem(x.shape(0), y.shape(0),
                                         [&] {
                                             const PointCost points(kind, matrix_view(x), matrix_view(y));
                                             return solve_entropic(
                                                 points.cost(), weights_span(a), weights_span(b),
                                                 {epsilon, sweeps, tolerance, rho_rows, rho_cols, plan});
                                         }),
                           x.shape(0), y.shape(0));
}

nb::dict sinkhorn_matrix(const ArrayView2<double>& costs, const Weights& a, const Weights& b, double epsilon,
                         std::size_t sweeps, double tolerance, double rho_rows, double rho_cols, bool plan) {
    return entropic_result(solve_problem(costs.shape(0), costs.shape(1),
                                         [&] {
                                             const ot::Cost cost(matrix_view(costs));
                                             return solve_entropic(
                                                 cost, weights_span(a), weights_span(b),
                                                 {epsilon, sweeps, tolerance, rho_rows, rho_cols, plan});
                                         }),
                           costs.shape(0), costs.shape(1));
}

metrics::PopulationDistance distance_of(const std::string& name) {
    const std::vector<std::string>& names = metrics::population_distance_names();
    const auto at = std::ranges::find(names, name);
    if (at == names.end())
        throw core::ConfigError("distance", "found '" + name + "'. Give w1, w2, chamfer, energy or bures");
    return static_cast<metrics::PopulationDistance>(at - names.begin());
}

// Computes the distances of some pairs of populations, in parallel over the pairs if there are more of them
// than threads.
std::vector<double> pair_distances(metrics::PopulationDistance distance,
                                   const std::vector<metrics::ComparedPopulation>& populations,
                                   const std::vector<std::pair<std::size_t, std::size_t>>& pairs) {
    std::vector<double> values(pairs.size());
    core::ParallelError error;
    const std::atomic<bool>* flag = core::cancellation_flag();
    const bool is_parallel = pairs.size() > static_cast<std::size_t>(omp_get_max_threads());
#pragma omp parallel for schedule(dynamic) if (is_parallel)
    for (std::size_t p = 0; p < pairs.size(); ++p) {
        error.run([&] {
            const core::CancellationScope scope(flag);
            core::check_cancelled();
            values[p] = metrics::population_distance(distance, populations[pairs[p].first],
                                                     populations[pairs[p].second]);
        });
    }
    error.rethrow();
    return values;
}

// Returns the distances between the first `rows` populations and all or the other ones.
nb::ndarray<nb::numpy, double> all_pairs(const std::vector<ArrayView2<float>>& arrays, std::size_t rows,
                                         const std::string& name) {
    const metrics::PopulationDistance distance = distance_of(name);
    const bool is_symmetric = rows == arrays.size();
    const std::size_t columns = is_symmetric ? rows : arrays.size() - rows;
    std::vector<double> result(rows * columns, 0);
    Call call;
    try {
        call.run([&] {
            std::vector<metrics::ComparedPopulation> populations;
            for (const auto& array : arrays)
                populations.push_back(metrics::compared_population(distance, matrix_view(array)));
            std::vector<std::pair<std::size_t, std::size_t>> pairs;
            for (std::size_t i = 0; i < rows; ++i) {
                for (std::size_t j = is_symmetric ? i + 1 : rows; j < arrays.size(); ++j)
                    pairs.emplace_back(i, j);
            }
            const std::vector<double> values = pair_distances(distance, populations, pairs);
            for (std::size_t p = 0; p < pairs.size(); ++p) {
                const auto [i, j] = pairs[p];
                const std::size_t column = is_symmetric ? j : j - rows;
                result[i * columns + column] = values[p];
                if (is_symmetric) result[j * columns + i] = values[p];
            }
            return true;
        });
    } catch (const core::NumericalError& error) {
        throw core::UserError(error.what());
    }
    return to_numpy(std::move(result), {rows, columns});
}

}  // namespace

void bind_transport(nb::module_& module) {
    module.def("exact_points", &exact_points<float>, "x"_a.noconvert(), "y"_a.noconvert(), "a"_a.none(),
               "b"_a.none(), "cost"_a);
    module.def("exact_points", &exact_points<double>, "x"_a.noconvert(), "y"_a.noconvert(), "a"_a.none(),
               "b"_a.none(), "cost"_a, "Solves a transport problem between points exactly.");
    module.def("exact_matrix", &exact_matrix, "costs"_a.noconvert(), "a"_a.none(), "b"_a.none(),
               "start"_a.none(), "Solves a transport problem with given costs exactly.");
    module.def("sinkhorn_points", &sinkhorn_points<float>, "x"_a.noconvert(), "y"_a.noconvert(), "a"_a.none(),
               "b"_a.none(), "cost"_a, "epsilon"_a, "sweeps"_a, "tolerance"_a, "rho_rows"_a, "rho_cols"_a,
               "plan"_a);
    module.def("sinkhorn_points", &sinkhorn_points<double>, "x"_a.noconvert(), "y"_a.noconvert(),
               "a"_a.none(), "b"_a.none(), "cost"_a, "epsilon"_a, "sweeps"_a, "tolerance"_a, "rho_rows"_a,
               "rho_cols"_a, "plan"_a, "Solves an entropic transport problem between points.");
    module.def("sinkhorn_matrix", &sinkhorn_matrix, "costs"_a.noconvert(), "a"_a.none(), "b"_a.none(),
               "epsilon"_a, "sweeps"_a, "tolerance"_a, "rho_rows"_a, "rho_cols"_a, "plan"_a,
               "Solves an entropic transport problem with given costs.");
    module.def("all_pairs", &all_pairs, "populations"_a, "rows"_a, "distance"_a,
               "Computes the distances between populations.");
}

}  // namespace popflow::python
