// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "console.hpp"
#include "core/text.hpp"
#include "core/version.hpp"
#include "eval/distance_file.hpp"
#include "eval/partial_results.hpp"
#include "eval/predicted_start.hpp"
#include "eval/problem_outputs.hpp"
#include "eval/results.hpp"
#include "eval/transport_task.hpp"
#include "mpi/run_collectively.hpp"
#include "mpi/same_on_all_ranks.hpp"
#include "output_path.hpp"
#include "predict/run_model.hpp"
#include "prediction_notes.hpp"
#include "progress.hpp"
#include "report/problem_report.hpp"
#include "signals.hpp"
#include "verbs.hpp"

namespace popflow::apps {

namespace {

using problems::ProblemSet;

// Checks options that contradict each other, before anything is read.
void check_options(const options::RunConfig& config, const options::OptionTable& table) {
    const bool has_populations = config.problems.has_populations();
    const auto needs = [&](const char* option, const char* needed) {
        throw core::ConfigError(option, std::string("needs ") + needed + ". Give both, or omit --" + option);
    };
    for (const char* option :
         {"transform", "markers", "exclude-markers", "size-factor", "min-cells", "prototypes"}) {
        if (!has_populations && table.is_given(option)) needs(option, "--population, as it concerns cells");
    }
    for (const char* option : {"rows", "position", "mass"}) {
        if (has_populations && table.is_given(option))
            throw core::ConfigError(option,
                                    std::string("concerns histograms, which --population replaces. Omit "
                                                "one of them"));
    }
    const bool is_entropic = std::ranges::any_of(config.solve.solvers, [](eval::ProblemSolver solver) {
        return solver != eval::ProblemSolver::exact;
    });
    for (const char* option : {"ot-epsilon", "ot-tolerance", "convergence"}) {
        if (!is_entropic && table.is_given(option)) needs(option, "--solver sinkhorn or newton");
    }
    const bool has_sinkhorn =
        std::ranges::find(config.solve.solvers, eval::ProblemSolver::sinkhorn) != config.solve.solvers.end();
    if (!has_sinkhorn && table.is_given("acceleration")) needs("acceleration", "--solver sinkhorn");
}

// Fills in the options of the readers that `ot` shares with other verbs.
problems::ProblemOptions problem_options(const options::RunConfig& config) {
    problems::ProblemOptions problems = config.problems;
    problems.data = config.data;
    problems.seed = config.evaluate.seed;
    problems.histograms.source = config.screen.source;
    problems.histograms.exclude = config.screen.exclude;
    problems.populations.screen = config.screen;
    problems.populations.max_cells = config.evaluate.max_cells;
    problems.populations.draws_randomly = config.evaluate.draw == predict::Draw::random;
    problems.populations.seed = config.evaluate.seed;
    return problems;
}

std::vector<eval::ProblemStart> make_starts(const options::RunConfig& config, const ProblemSet& problems) {
    std::vector<eval::ProblemStart> starts;
    for (const std::string& name : config.starts) {
        std::error_code ignored;
        if (name == "zeros") {
            starts.push_back(eval::zero_start());
        } else if (name == "gaussian") {
            if (!problems.has_positions())
                throw core::ConfigError("start",
                                        "gaussian needs positions of the atoms. Name them with --position");
            starts.push_back(eval::gaussian_start());
        } else if (predict::is_run_folder(name)) {
            starts.push_back(eval::predicted_start(name, problems));
        } else if (std::filesystem::exists(name, ignored)) {
            starts.push_back(eval::stored_start(name, name, problems));
        } else {
            throw core::ConfigError(
                "start",
                "'" + name + "' is no file" + core::did_you_mean(name, {"zeros", "gaussian"}) +
                    ". Give zeros, gaussian, a run folder of meta-ot or a result file of popflow ot");
        }
        for (std::size_t k = 0; k + 1 < starts.size(); ++k) {
            if (starts[k].name == name)
                throw core::ConfigError("start", "'" + name + "' is given twice. Give it once");
        }
    }
    if (starts.empty()) throw core::ConfigError("start", "is empty. Give zeros, gaussian or a result file");
    return starts;
}

void print_plan(const options::RunConfig& config, const ProblemSet& problems,
                const eval::SolveOptions& solve) {
    std::vector<std::string> solvers;
    for (const eval::ProblemSolver solver : solve.solvers)
        solvers.push_back(eval::problem_solver_names()[static_cast<std::size_t>(solver)]);
    std::size_t work = 0;
    for (std::size_t p = 0; p < problems.size(); ++p) work += problems.work(p);
    std::string measures = core::counted(problems.names().size(), "histogram");
    if (problems.populations() != nullptr) measures = core::counted(problems.names().size(), "population");
    print_result(
        "data        %s: %s%s\nproblems    %zu, of %.0f pairs of atoms with mass on average\nsolvers     %s, "
        "starts %s\nmemory      %.0f MiB of data on each rank\nwrites      %s%s\n",
        config.data.c_str(), measures.c_str(),
        problems.has_histograms()
            ? fmt::format(" over {}", core::counted(problems.costs().rows(), "atom")).c_str()
            : "",
        problems.size(), static_cast<double>(work) / static_cast<double>(problems.size()),
        core::joined(solvers).c_str(), core::joined(config.starts).c_str(),
        static_cast<double>(problems.memory()) / (1 << 20), config.output.c_str(),
        config.output_matrix.empty() ? "" : (", " + config.output_matrix).c_str());
}

// Returns everything on which the solutions depend.
eval::EvaluationIdentity identity(const std::string& config_text, const core::OptionEffects& effects,
                                  const ProblemSet& problems, const eval::SolveOptions& solve) {
    eval::EvaluationIdentity identity = eval::option_identity(config_text, effects);
    identity["data fingerprint"] = problems.fingerprint();
    for (const eval::ProblemStart& start : solve.starts) {
        if (!start.fingerprint.empty()) identity["start " + start.name] = start.fingerprint;
    }
    identity["program"] = std::string(core::version()) + " " + core::commit();
    return identity;
}

}  // namespace

int verb_ot(const Arguments& arguments, const mpi::Communicator& comm) {
    options::RunConfig config;
    config.screen.min_cells = 2;
    const options::OptionTable table = run_options(config);
    using enum options::Section;
    const std::string usage =
        "ot --data F.h5ad --output R.h5 [options]\n\n"
        "Solves many optimal transport problems, each until it has converged. Rows of the matrix are "
        "histograms\n"
        "over shared atoms, or with --population groups of cells. Lists of solvers, starts, accelerations "
        "and\n"
        "tolerances are combined. Solved problems are stored in R.h5.partial until R.h5 is complete. "
        "--resume\n"
        "continues with them.";
    if (parse_or_help(table, usage, arguments, {general, options::Section::ot}, comm)) return done;
    require(config.data, "data", "F.h5ad");
    require(config.output, "output", "R.h5");
    check_options(config, table);
    std::vector<std::string> inputs{config.data, config.problems.target_data, config.problems.problems,
                                    config.problems.cost, config.config_file};
    inputs.insert(inputs.end(), config.starts.begin(), config.starts.end());
    check_output(config.output, "output", inputs);
    inputs.push_back(config.output);
    check_output(config.output_matrix, "output-matrix", inputs);
    if (config.dry_run == options::DryRunMode::options) return done;
    const ProblemSet problems(problem_options(config));
    mpi::check_same_on_all_ranks(comm, "file " + config.data, problems.fingerprint());
    if (!config.output_matrix.empty() && !problems.is_all_pairs())
        throw core::ConfigError("output-matrix",
                                "needs all pairs of one file. Give --problems all without --target-data");
    eval::SolveOptions solve = config.solve;
    solve.starts = make_starts(config, problems);
    if (comm.is_root()) {
        std::ranges::for_each(problems.notes(), print_note);
        eval::check_writable(config.output);
        if (!config.output_matrix.empty()) eval::check_writable(config.output_matrix);
    }
    if (config.dry_run != options::DryRunMode::none) {
        if (comm.is_root()) print_plan(config, problems, solve);
        return done;
    }
    const std::string config_text =
        table.text({options::Section::data, options::Section::transport, options::Section::ot});
    eval::PartialResults partial(config.output, identity(config_text, table.effects(), problems, solve),
                                 config.resume ? eval::Leftover::keep : eval::Leftover::discard, comm);
    eval::TransportTask task(problems, solve, comm.rank());
    eval::TaskOutcome outcome;
    {
        Progress progress("ot", problems.size(), task.problems_in(partial.kept_items().size()),
                          !comm.is_root(), config.log_seconds);
        outcome = eval::run_task(
            task,
            {.partial = &partial,
             .progress = [&](std::size_t n,
                             std::size_t) { progress.update(task.problems_in(n), "problems"); },
             .stop = stop_requested},
            comm);
        if (outcome.stopped) {
            progress.message("stopped on request. Continue with --resume");
            return stopped;
        }
    }
    if (!comm.is_root()) return done;
    eval::TransportResults solved = eval::transport_results(problems, solve, outcome.records);
    eval::ProblemResults results{.origin = {.config = config_text,
                                            .data_fingerprint = problems.fingerprint(),
                                            .cost = config.problems.cost,
                                            .unit = "",
                                            .seed = config.evaluate.seed,
                                            .ranks = comm.size(),
                                            .threads = omp_get_max_threads()},
                                 .problems = std::move(solved.problems),
                                 .convergence = std::move(solved.convergence)};
    if (problems.is_all_pairs()) results.distances = eval::distance_matrix(problems, solve, results.problems);
    eval::write_problem_results(config.output, results, [&](h5::Group& root) {
        if (solve.potentials) eval::write_potentials(root, solved.outputs);
        if (solve.plans) eval::write_plans(root, solved.outputs);
    });
    if (!config.output_matrix.empty())
        eval::write_distance_file(config.output_matrix, problems, *results.distances, config_text);
    partial.remove();
    print_result("%s", report::problem_report({results}, report::ReportFormat::text).c_str());
    const auto failures = std::ranges::count(results.problems.strings("status"), "failed");
    if (failures == 0) return done;
    print_message("popflow: %s: %td of %s failed. The column 'message' has the reasons",
                  config.output.c_str(), failures, core::counted(results.problems.rows(), "row").c_str());
    return failed;
}

}  // namespace popflow::apps
