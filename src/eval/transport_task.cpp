// SPDX-License-Identifier: MIT
#include "eval/transport_task.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>

#include "core/error.hpp"
#include "core/parallel_for.hpp"

namespace popflow::eval {

namespace {

using nlohmann::json;
using problems::ProblemSet;

// A batch ends at this number of problems, or of pairs of atoms.
constexpr std::size_t batch_problems = 256;
constexpr std::size_t batch_work = 4'000'000;
// Number of problems whose starts a thread makes at once.
constexpr std::size_t start_group = 64;

// Arrays are stored as bytes: a JSON array of numbers takes nine bytes and much more time for each.
template <class T>
json bytes(const std::vector<T>& values) {
    std::vector<std::uint8_t> raw(values.size() * sizeof(T));
    if (!raw.empty()) std::memcpy(raw.data(), values.data(), raw.size());
    return json::binary(std::move(raw));
}

template <class T>
std::vector<T> from_bytes(const json& value) {
    const json::binary_t& raw = value.get_binary();
    std::vector<T> values(raw.size() / sizeof(T));
    if (!values.empty()) std::memcpy(values.data(), raw.data(), values.size() * sizeof(T));
    return values;
}

json row_record(const SolveRow& row) {
    return json::array({static_cast<int>(row.solver), row.start, static_cast<int>(row.acceleration),
                        row.tolerance, row.epsilon, row.converged, row.iterations, row.rejected, row.seconds,
                        row.start_seconds, row.check_seconds, row.fell_back, row.marginal_error, row.value,
                        row.value_entropic, row.gap, row.is_log_domain, row.message});
}

SolveRow read_row(const json& record) {
    SolveRow row;
    std::size_t at = 0;
    const auto next = [&]() -> const json& { return record.at(at++); };
    row.solver = static_cast<ProblemSolver>(next().get<int>());
    row.start = next().get<std::size_t>();
    row.acceleration = static_cast<ot::Acceleration>(next().get<int>());
    row.tolerance = next().get<double>();
    row.epsilon = next().get<double>();
    row.converged = next().get<bool>();
    row.iterations = next().get<std::size_t>();
    row.rejected = next().get<std::size_t>();
    row.seconds = next().get<double>();
    row.start_seconds = next().get<double>();
    row.check_seconds = next().get<double>();
    row.fell_back = next().get<bool>();
    row.marginal_error = next().get<double>();
    row.value = next().get<double>();
    row.value_entropic = next().get<double>();
    row.gap = next().get<double>();
    row.is_log_domain = next().get<bool>();
    row.message = next().get<std::string>();
    return row;
}

// Columns of the table of problems.
class ProblemsFrame {
  public:
    ProblemsFrame(const ProblemSet& problems, const SolveOptions& options)
        : problems_(problems), options_(options) {}
    void add(std::size_t problem, const SolveRow& row, int rank);
    h5::DataFrame frame();

  private:
    std::size_t atoms(std::size_t p, bool is_source) const {
        if (problems_.has_histograms())
            return (is_source ? problems_.source_histogram(p) : problems_.target_histogram(p)).atoms.size();
        return (is_source ? problems_.source_cells(p) : problems_.target_cells(p)).rows();
    }

    const ProblemSet& problems_;
    const SolveOptions& options_;
    std::map<std::string, h5::DataFrame::Strings> text_;
    std::map<std::string, h5::DataFrame::Ints> count_;
    std::map<std::string, h5::DataFrame::Doubles> number_;
    std::map<std::string, h5::DataFrame::Bools> flag_;
};

void ProblemsFrame::add(std::size_t problem, const SolveRow& row, int rank) {
    text_["problem"].push_back(problems_.name(problem));
    text_["source"].push_back(problems_.source_name(problem));
    text_["target"].push_back(problems_.target_name(problem));
    count_["n"].push_back(static_cast<std::int64_t>(atoms(problem, true)));
    count_["m"].push_back(static_cast<std::int64_t>(atoms(problem, false)));
    text_["solver"].push_back(problem_solver_names()[static_cast<std::size_t>(row.solver)]);
    text_["start"].push_back(options_.starts[row.start].name);
    text_["acceleration"].push_back(acceleration_names()[static_cast<std::size_t>(row.acceleration)]);
    number_["tolerance"].push_back(row.tolerance);
    number_["epsilon"].push_back(row.epsilon);
    flag_["converged"].push_back(row.converged ? 1 : 0);
    count_["iterations"].push_back(static_cast<std::int64_t>(row.iterations));
    count_["rejected"].push_back(static_cast<std::int64_t>(row.rejected));
    number_["seconds"].push_back(row.seconds);
    number_["start_seconds"].push_back(row.start_seconds);
    number_["marginal_error"].push_back(row.marginal_error);
    number_["value"].push_back(row.value);
    number_["value_entropic"].push_back(row.value_entropic);
    number_["gap"].push_back(row.gap);
    const bool has_domain = row.solver != ProblemSolver::exact && row.message.empty();
    text_["domain"].emplace_back(!has_domain ? "" : row.is_log_domain ? "log" : "kernel");
    flag_["fallback"].push_back(row.fell_back ? 1 : 0);
    number_["check_seconds"].push_back(row.check_seconds);
    text_["status"].emplace_back(row.message.empty() ? "ok" : "failed");
    text_["message"].push_back(row.message);
    count_["rank"].push_back(rank);
}

h5::DataFrame ProblemsFrame::frame() {
    h5::DataFrame frame;
    const auto numbers = [&](std::initializer_list<const char*> names) {
        for (const char* name : names) frame.add(name, std::move(number_[name]));
    };
    const auto counts = [&](std::initializer_list<const char*> names) {
        for (const char* name : names) frame.add(name, std::move(count_[name]));
    };
    const auto categories = [&](std::initializer_list<const char*> names) {
        for (const char* name : names) frame.add_categorical(name, std::move(text_[name]));
    };
    frame.add("problem", std::move(text_["problem"]));
    categories({"source", "target"});
    counts({"n", "m"});
    categories({"solver", "start", "acceleration"});
    numbers({"tolerance", "epsilon"});
    frame.add_bools("converged", std::move(flag_["converged"]));
    counts({"iterations", "rejected"});
    numbers({"seconds", "start_seconds", "marginal_error", "value", "value_entropic", "gap"});
    categories({"domain"});
    frame.add_bools("fallback", std::move(flag_["fallback"]));
    numbers({"check_seconds"});
    categories({"status"});
    frame.add("message", std::move(text_["message"]));
    counts({"rank"});
    return frame;
}

// Columns of the table of errors by iteration.
struct ConvergenceFrame {
    h5::DataFrame::Strings problem, solver, start, acceleration;
    h5::DataFrame::Ints iteration;
    h5::DataFrame::Doubles error, seconds;

    void add(const SolveOutput& labels, const std::vector<double>& errors, const std::vector<double>& times) {
        for (std::size_t k = 0; k < errors.size(); ++k) {
            problem.push_back(labels.problem);
            solver.push_back(labels.solver);
            start.push_back(labels.start);
            acceleration.push_back(labels.acceleration);
            iteration.push_back(static_cast<std::int64_t>(k + 1));
            error.push_back(errors[k]);
            seconds.push_back(times[k]);
        }
    }
    h5::DataFrame frame() {
        h5::DataFrame table;
        table.add_categorical("problem", std::move(problem));
        table.add_categorical("solver", std::move(solver));
        table.add_categorical("start", std::move(start));
        table.add_categorical("acceleration", std::move(acceleration));
        table.add("iteration", std::move(iteration));
        table.add("marginal_error", std::move(error));
        table.add("seconds", std::move(seconds));
        return table;
    }
};

json solve_record(const Solve& solve) {
    json record = json::object();
    record["rows"] = json::array();
    for (const SolveRow& row : solve.rows) record["rows"].push_back(row_record(row));
    std::vector<double> errors;
    std::vector<double> seconds;
    for (const ot::IterationError& error : solve.errors) {
        errors.push_back(error.marginal_error);
        seconds.push_back(error.seconds);
    }
    if (!errors.empty()) {
        record["errors"] = bytes(errors);
        record["seconds"] = bytes(seconds);
    }
    if (!solve.potentials.f.empty()) {
        record["f"] = bytes(solve.potentials.f);
        record["g"] = bytes(solve.potentials.g);
    }
    if (!solve.plan.empty()) record["plan"] = bytes(solve.plan);
    return record;
}

SolveOutput output_of(const ProblemSet& problems, const SolveOptions& options, std::size_t problem,
                      const SolveRow& row) {
    return {.problem = problems.name(problem),
            .solver = problem_solver_names()[static_cast<std::size_t>(row.solver)],
            .start = options.starts[row.start].name,
            .acceleration = acceleration_names()[static_cast<std::size_t>(row.acceleration)]};
}

}  // namespace

TransportTask::TransportTask(const ProblemSet& problems, const SolveOptions& options, int rank)
    : problems_(problems), options_(options), rank_(rank), first_{0} {
    std::size_t work = 0;
    for (std::size_t p = 0; p < problems.size(); ++p) {
        work += problems.work(p);
        if (work < batch_work && p + 1 - first_.back() < batch_problems && p + 1 < problems.size()) continue;
        first_.push_back(p + 1);
        work = 0;
    }
    // Many problems share the exponentials of the costs between their atoms.
    const bool has_sinkhorn =
        std::ranges::find(options.solvers, ProblemSolver::sinkhorn) != options.solvers.end();
    if (problems.has_histograms() && has_sinkhorn && problems.size() > 1)
        kernel_.emplace(problems.costs().view(), options.epsilon.absolute(problems.cost_summary()));
    items_.resize(first_.size() - 1);
    std::iota(items_.begin(), items_.end(), std::size_t{0});
}

std::size_t TransportTask::cost(std::size_t item) const {
    std::size_t work = 0;
    for (std::size_t p = first_[item]; p < first_[item + 1]; ++p) work += problems_.work(p);
    return work;
}

std::size_t TransportTask::problems_in(std::size_t batches) const {
    return batches * problems_.size() / items_.size();
}

// Makes the starts that are made for several problems at once. Returns one for each problem and start.
std::vector<std::vector<MadeStart>> TransportTask::make_starts(std::span<const std::size_t> chosen) const {
    std::vector<std::vector<MadeStart>> made(chosen.size(), std::vector<MadeStart>(options_.starts.size()));
    const std::size_t groups = (chosen.size() + start_group - 1) / start_group;
    for (std::size_t start = 0; start < options_.starts.size(); ++start) {
        if (!options_.starts[start].make_all) continue;
        core::parallel_for(groups, [&](std::size_t group) {
            const std::size_t first = group * start_group;
            const auto part = chosen.subspan(first, std::min(start_group, chosen.size() - first));
            const auto begin = std::chrono::steady_clock::now();
            std::vector<ot::Potentials> potentials = options_.starts[start].make_all(problems_, part);
            const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
            for (std::size_t k = 0; k < part.size(); ++k)
                made[first + k][start] = {std::move(potentials[k]),
                                          seconds.count() / static_cast<double>(part.size())};
        });
    }
    return made;
}

std::vector<TaskRecord> TransportTask::run(std::span<const std::size_t> items) {
    std::vector<std::size_t> chosen;
    for (const std::size_t item : items) {
        for (std::size_t p = first_[item]; p < first_[item + 1]; ++p) chosen.push_back(p);
    }
    std::vector<std::vector<Solve>> solves(chosen.size());
    const std::vector<std::vector<MadeStart>> starts = make_starts(chosen);
    core::parallel_for(chosen.size(), [&](std::size_t k) {
        solves[k] = solve_problem(problems_, chosen[k], options_, starts[k], kernel_ ? &*kernel_ : nullptr);
    });
    std::vector<TaskRecord> records;
    std::size_t next = 0;
    for (const std::size_t item : items) {
        TaskRecord& record = records.emplace_back(TaskRecord{.item = item});
        json batch = json::array();
        for (std::size_t p = first_[item]; p < first_[item + 1]; ++p, ++next) {
            json problem = json::array();
            for (const Solve& solve : solves[next]) {
                for (const SolveRow& row : solve.rows)
                    record.is_complete = record.is_complete && row.message.empty();
                problem.push_back(solve_record(solve));
            }
            solves[next].clear();
            batch.push_back({{"problem", p}, {"rank", rank_}, {"solves", std::move(problem)}});
        }
        json::to_cbor(batch, record.text);
    }
    return records;
}

TransportResults transport_results(const ProblemSet& problems, const SolveOptions& options,
                                   const std::vector<TaskRecord>& records) {
    ProblemsFrame table(problems, options);
    ConvergenceFrame convergence;
    TransportResults results;
    for (const TaskRecord& record : records) {
        for (const json& problem : json::from_cbor(record.text)) {
            const auto p = problem.at("problem").get<std::size_t>();
            for (const json& solve : problem.at("solves")) {
                SolveRow row;
                for (const json& stored : solve.at("rows")) {
                    row = read_row(stored);
                    table.add(p, row, problem.at("rank").get<int>());
                }
                SolveOutput output = output_of(problems, options, p, row);
                if (solve.contains("errors"))
                    convergence.add(output, from_bytes<double>(solve.at("errors")),
                                    from_bytes<double>(solve.at("seconds")));
                if (solve.contains("f"))
                    output.potentials = {from_bytes<double>(solve.at("f")),
                                         from_bytes<double>(solve.at("g"))};
                if (solve.contains("plan")) output.plan = from_bytes<ot::PlanEntry>(solve.at("plan"));
                if (options.potentials || options.plans) results.outputs.push_back(std::move(output));
            }
        }
    }
    results.problems = table.frame();
    results.convergence = convergence.frame();
    return results;
}

DistanceMatrix distance_matrix(const ProblemSet& problems, const SolveOptions& options,
                               const h5::DataFrame& table) {
    const bool is_squared = problems.atom_cost() == ot::AtomCost::squared_euclidean;
    const std::size_t n = problems.names().size();
    DistanceMatrix distances{problems.names(),
                             is_squared             ? "W2"
                             : problems.atom_cost() ? "W1"
                                                    : "cost",
                             {n, n}};
    const auto& values = table.doubles("value");
    const std::size_t rows = table.rows() / problems.size();
    const bool is_exact = options.solvers.front() == ProblemSolver::exact;
    const std::size_t last_tolerance = is_exact ? 0 : options.tolerances.size() - 1;
    for (std::size_t p = 0; p < problems.size(); ++p) {
        const double value = values[p * rows + last_tolerance];
        const double distance = is_squared ? std::sqrt(value < 0 ? 0 : value) : value;  // NaN if it failed
        const problems::Problem& problem = problems.problem(p);
        distances.values(problem.source, problem.target) = distance;
        distances.values(problem.target, problem.source) = distance;
    }
    return distances;
}

}  // namespace popflow::eval
