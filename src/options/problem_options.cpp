// SPDX-License-Identifier: MIT
#include "options/problem_options.hpp"

#include <algorithm>
#include <functional>

#include "options/option_adder.hpp"

namespace popflow::options {

namespace {

using core::Affects;
using Strings = std::vector<std::string>;

// Adds an option whose value is a list of choices, without repetition.
template <class Enum>
void add_choices(OptionAdder& add, const std::string& name, std::vector<Enum>& field, const Strings& allowed,
                 const std::string& help) {
    add.add(
        name, list_choice(allowed), help,
        [&field, name, allowed](const Strings& v) {
            field.clear();
            for (const std::string& one : v) {
                for (const std::string& item : core::split_list(name, one)) {
                    const auto choice = static_cast<Enum>(core::parse_choice(name, item, allowed));
                    if (std::ranges::find(field, choice) == field.end()) field.push_back(choice);
                }
            }
            if (field.empty())
                throw core::ConfigError(name, "is empty. Give one or more of " + list_choice(allowed));
        },
        [&field, allowed] {
            Strings names;
            for (const Enum choice : field) names.push_back(allowed[static_cast<std::size_t>(choice)]);
            return Strings{core::list_text(names)};
        },
        OptionAdder::stored, OptionAdder::repeatable);
}

void add_problems(OptionTable& table, RunConfig& config) {
    OptionAdder add(table, Section::ot, {.affects = Affects::scored_cells});
    problems::ProblemOptions& problems = config.problems;
    OptionAdder(table, Section::ot, {.affects = Affects::nothing, .is_path = true})
        .text(
            "target-data", problems.target_data, "F.h5ad",
            "AnnData file with the targets of the problems (default: the sources and targets are in --data)");
    add.count("prototypes", problems.prototypes, 0,
              "number of prototypes that k-means finds in the cells. Each population becomes a histogram "
              "over them. "
              "0 for none",
              1 << 16);
    add.text("problems", problems.problems, "FILE.csv|all|consecutive|random:N",
             "which problems to solve: a table with columns source and target, all pairs, each row with the "
             "next one "
             "(or with the same row of --target-data), or N random pairs (default: all, or consecutive with "
             "--target-data)");
    add.add(
        "rows", "COL=VAL[,COL=VAL]",
        "use only the histograms whose row of obs has these values. Can be repeated, for rows that match any "
        "of "
        "them",
        [&problems](const Strings& v) {
            problems.histograms.rows = v;
            std::erase(problems.histograms.rows, "");
        },
        [&problems] { return problems.histograms.rows; }, OptionAdder::stored, OptionAdder::repeatable);
    add.text("position", problems.histograms.position, "KEY",
             "member of varm with the positions of the atoms (default: position)");
    add.choice("mass", problems.histograms.mass, {"normalise", "equal"},
               "histograms with different sums: divide each by its sum, or refuse them");
    add.text("cost", problems.cost, "sqeuclidean|euclidean|sphere|FILE",
             "cost between atoms: squared distance, distance, angle in radians, or a file with a row of "
             "costs for each "
             "source atom: a table of numbers, or an HDF5 file with a dataset `cost`");
}

void add_solvers(OptionTable& table, RunConfig& config) {
    OptionAdder add(table, Section::ot, {.affects = Affects::scored_cells});
    eval::SolveOptions& solve = config.solve;
    add_choices(add, "solver", solve.solvers, eval::problem_solver_names(),
                "solvers, a list: exact transport, Sinkhorn's iteration, or Newton on the semi-dual, for a "
                "side with up "
                "to about 1000 atoms");
    add_choices(add, "acceleration", solve.accelerations, eval::acceleration_names(),
                "accelerations of sinkhorn, a list");
    add.list(
        "start", config.starts, "zeros|gaussian|RUN|R.h5",
        "starts of the solvers, a list: zero potentials, those between Gaussians with the same means and "
        "covariances, those that a run of meta-ot predicts, or those of a result file written with "
        "--potentials");
    add.add(
        "ot-tolerance", "NUMBERS", "errors of the marginals (1-norm) at which a solver stops, a list",
        [&solve](const Strings& v) {
            solve.tolerances.clear();
            for (const std::string& one : v) {
                for (const std::string& item : core::split_list("ot-tolerance", one))
                    solve.tolerances.push_back(core::parse_number("ot-tolerance", item, 1e-15, 1));
            }
            if (solve.tolerances.empty()) throw core::ConfigError("ot-tolerance", "is empty. Give a number");
            std::ranges::sort(solve.tolerances, std::greater<>());
            solve.tolerances.erase(std::unique(solve.tolerances.begin(), solve.tolerances.end()),
                                   solve.tolerances.end());
        },
        [&solve] {
            Strings numbers;
            for (const double tolerance : solve.tolerances) numbers.push_back(core::number_label(tolerance));
            return Strings{core::list_text(numbers)};
        },
        OptionAdder::stored, OptionAdder::repeatable);
    add.add(
        "ot-epsilon", "X|mean:X|max:X",
        "weight of the entropy: in units of the cost, or relative to the mean or the largest cost. For "
        "histograms these "
        "are the costs between all atoms",
        [&solve](const Strings& v) { solve.epsilon = eval::ProblemEpsilon::parse("ot-epsilon", v.back()); },
        [&solve] { return Strings{solve.epsilon.text()}; });
    add.count("max-iterations", solve.max_iterations, 1, "maximum number of iterations of a solver");
    add.choice(
        "fallback", solve.fallback, {"no", "yes", "race"},
        "protection against a bad start. yes: start from zeros if the error of the start is larger. race: "
        "iterate from both in turn until one of them reaches the tolerance. newton takes race for yes");
}

void add_outputs(OptionTable& table, RunConfig& config) {
    OptionAdder add(table, Section::ot, {.affects = Affects::reported});
    eval::SolveOptions& solve = config.solve;
    add.choice("convergence", solve.errors, {"no", "yes"}, "also write the error of each iteration");
    add.choice("potentials", solve.potentials, {"no", "yes"}, "also write the dual potentials");
    add.choice(
        "plans", solve.plans, {"no", "yes"},
        "also write the transport plans. Entries below a millionth of the mass of their source atom are left "
        "out");
    add.text("output-matrix", config.output_matrix, "F.h5ad",
             "also write the distances of all pairs to an AnnData file, in obsp[\"distances\"]", false);
}

}  // namespace

void add_set_options(OptionTable& table, RunConfig& config) {
    eval::SetOptions& sets = config.sets;
    OptionAdder(table, Section::scores, {.affects = Affects::nothing, .is_path = true})
        .text("training-data", sets.training, "F.h5ad",
              "file with the populations that the generator of the first set was trained on");
    OptionAdder add(table, Section::evaluate, {.affects = Affects::reported});
    add_choices(add, "distance", sets.distances, metrics::population_distance_names(),
                "distances between populations that compare sets, a list. w1 and w2 are exact");
    add.count("permutations", sets.permutations, 0,
              "number of random permutations for the p-value of sets, 0 for no p-value", 100000000);
    add.add(
        "max-populations", "N",
        "maximum number of populations of a set that is compared, drawn at random (default 256)",
        [&sets](const Strings& v) {
            sets.max_populations = core::parse_count("max-populations", v.back(), 2, 1U << 30U);
        },
        [&sets] {
            return sets.max_populations == eval::SetOptions{}.max_populations
                       ? Strings{}
                       : Strings{std::to_string(sets.max_populations)};
        });
    const Strings set_cells{"equal", "own"};
    add.add(
        "set-cells", "equal|own",
        "number of cells of the populations of a set. equal: that of the smallest one. own: each has its own "
        "number, and a generated one that of a random training population, at most --max-cells. For predict, "
        "own replaces --cells (default equal)",
        [&sets, set_cells](const Strings& v) {
            sets.cells = static_cast<eval::SetCells>(core::parse_choice("set-cells", v.back(), set_cells));
        },
        [&sets] { return sets.cells == eval::SetCells::equal ? Strings{} : Strings{"own"}; });
}

void add_fine_tune_options(OptionTable& table, RunConfig& config) {
    models::FineTuneOptions& tune = config.fine_tune;
    // Stored only if they are not the defaults, so that the provenance of other predictions does not change.
    OptionAdder add(table, Section::transport, {.affects = Affects::prediction});
    add.add(
        "fine-tune", "STEPS",
        "numbers of training steps, a list, after which the potentials of meta-icnn are scored or, for the "
        "last one, predicted from (default: none)",
        [&tune](const Strings& v) {
            tune.steps.clear();
            for (const std::string& one : v) {
                for (const std::string& item : core::split_list("fine-tune", one))
                    tune.steps.push_back(core::parse_count("fine-tune", item, 1, 1U << 30U));
            }
            std::ranges::sort(tune.steps);
            tune.steps.erase(std::unique(tune.steps.begin(), tune.steps.end()), tune.steps.end());
        },
        [&tune] {
            Strings numbers;
            for (const std::uint64_t steps : tune.steps) numbers.push_back(std::to_string(steps));
            return numbers.empty() ? Strings{} : Strings{core::list_text(numbers)};
        },
        OptionAdder::stored, OptionAdder::repeatable);
    add.add(
        "fine-tune-from", list_choice(models::potential_start_names()),
        "potentials at which --fine-tune starts, a list: predicted ones (default), the Gaussian map or the "
        "identity",
        [&tune](const Strings& v) {
            tune.starts.clear();
            for (const std::string& one : v) {
                for (const std::string& item : core::split_list("fine-tune-from", one)) {
                    const auto start = static_cast<models::PotentialStart>(
                        core::parse_choice("fine-tune-from", item, models::potential_start_names()));
                    if (std::ranges::find(tune.starts, start) == tune.starts.end())
                        tune.starts.push_back(start);
                }
            }
            if (tune.starts.empty())
                throw core::ConfigError("fine-tune-from", "is empty. Give one or more of " +
                                                              list_choice(models::potential_start_names()));
        },
        [&tune] {
            if (tune.starts == models::FineTuneOptions{}.starts) return Strings{};
            Strings names;
            for (const models::PotentialStart start : tune.starts)
                names.push_back(models::potential_start_names()[static_cast<std::size_t>(start)]);
            return Strings{core::list_text(names)};
        },
        OptionAdder::stored, OptionAdder::repeatable);
    for (const Section section : {Section::evaluate, Section::predict}) table.share("problems", section);
}

void add_problem_options(OptionTable& table, RunConfig& config) {
    add_problems(table, config);
    add_solvers(table, config);
    add_outputs(table, config);
    for (const char* name : {"data", "exclude", "layer", "obsm", "use-raw", "size-factor", "transform",
                             "markers", "exclude-markers", "population", "min-cells", "max-cells",
                             "eval-draw", "eval-seed", "resume", "dry-run"})
        table.share(name, Section::ot);
    for (const char* name : {"rows", "position"}) table.share(name, Section::inspect);
    for (const char* name : {"target-data", "rows", "position", "mass", "cost", "ot-epsilon"})
        table.share(name, Section::train);
}

}  // namespace popflow::options
