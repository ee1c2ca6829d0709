// SPDX-License-Identifier: MIT
#include "options/run_config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include "core/dose.hpp"
#include "core/label_list.hpp"
#include "core/parse.hpp"
#include "core/text.hpp"
#include "metrics/metric.hpp"
#include "models/families.hpp"
#include "options/defaults.hpp"
#include "options/option_adder.hpp"
#include "options/problem_options.hpp"
#include "predict/prediction_space.hpp"
#include "report/report.hpp"
#include "screen/screen_columns.hpp"
#include "simulate/shapes.hpp"

namespace popflow::options {

namespace {

using core::Affects;
using core::list_text;
using Adder = OptionAdder;
using Strings = std::vector<std::string>;

// Adds the options that select the matrix of the cells. The last one that is set counts.
void add_source(OptionTable& table, Adder& add, anndata::MatrixSource& source) {
    using Kind = anndata::MatrixSource::Kind;
    const auto add_named = [&](const std::string& name, Kind kind, const std::string& argument,
                               const std::string& help) {
        add.add(
            name, argument, help,
            [&source, kind](const Strings& v) {
                if (!v.back().empty())
                    source = {kind, v.back()};
                else if (source.kind == kind)
                    source = {};
            },
            [&source, kind] { return source.kind == kind ? Strings{source.name} : Strings{}; });
    };
    add_named("layer", Kind::layer, "NAME", "layer with the values of the cells, in place of X. '' for X");
    add_named(
        "obsm", Kind::obsm, "KEY",
        "member of obsm with the values of the cells, in place of X. Its columns are the markers. '' for X");
    add.add(
        "use-raw", "", "read the values and the markers of `raw`, in place of X and var",
        [&source](const Strings& v) {
            const bool use = core::parse_choice("use-raw", v.back(), {"false", "true"}) == 1;
            if (use)
                source = {Kind::raw, ""};
            else if (source.kind == Kind::raw)
                source = {};
        },
        [&source] { return source.kind == Kind::raw ? Strings{"true"} : Strings{}; });
    table.forbid_combination({"layer", "obsm", "use-raw"});
}

void add_data(OptionTable& table, RunConfig& config) {
    Adder add(table, Section::data, {.affects = Affects::scored_cells});
    screen::ScreenOptions& screen = config.screen;
    Adder(table, Section::data, {.affects = Affects::nothing, .is_path = true})
        .text("data", config.data, "F.h5ad", "AnnData file of the screen");
    add.add(
        "column", "ROLE=NAME",
        "obs column of a role (patient, culture, treatment, concentration, replicate, plate, cell_type, "
        "vehicle). ROLE= switches a role off. A name with a comma is written in double quotes",
        [&screen](const Strings& values) {
            static const Strings roles = screen::all_role_names();
            for (const std::string& value : values) {
                bool is_first = true;
                for (const auto& [role, name] : core::split_assignments("column", value)) {
                    if (role.empty()) {
                        throw core::ConfigError(
                            "column",
                            "found '" + name + "'. Give ROLE=NAME or ROLE=" +
                                (is_first ? "" : ", with double quotes around a name with a comma"));
                    }
                    is_first = false;
                    core::parse_choice("column", role, roles);
                    screen.columns[role] = name;
                }
            }
        },
        [&screen] {
            Strings out;
            for (const auto& [role, name] : screen.columns) out.push_back(core::list_item(role + "=" + name));
            return out;
        },
        Adder::stored, Adder::repeatable);
    add.labels(
        "control", screen.control_labels, "LABELS",
        "treatment labels of control populations. TREATMENT=VEHICLE names the control of one treatment");
    // Stored only if it is not the default, so that runs of versions without this option can be resumed.
    add.add(
        "vehicles", "largest|pool",
        "control of a treatment without a vehicle of its own, if an experiment has several controls: the "
        "largest one (default), or all of them pooled",
        [&screen](const Strings& v) {
            screen.vehicles =
                static_cast<screen::Vehicles>(core::parse_choice("vehicles", v.back(), {"largest", "pool"}));
        },
        [&screen] { return screen.vehicles == screen::Vehicles::pool ? Strings{"pool"} : Strings{}; });
    add.labels("pair-by", screen.pair_by, "COLUMNS", "roles or obs columns that identify an experiment");
    add.labels("population", config.problems.populations.columns, "COLUMNS",
               "obs columns in which populations differ. popflow ot and metrics: each combination of their "
               "values is a population. Methods without pairs, such as bwfm: further columns that tell "
               "populations of one experiment and treatment apart");
    // Stored as the role treatment of --column.
    add.add(
        "label", "COLUMN", "obs column of the labels of populations, short for --column treatment=COLUMN",
        [&screen](const Strings& v) { screen.columns["treatment"] = v.back(); }, [] { return Strings{}; },
        false);
    add.count("min-cells", screen.min_cells, 1,
              "minimum number of cells of a population, smaller ones are dropped");
    add.choice("doses", screen.doses, {"highest", "all"},
               "concentrations of a treatment that are paired with the control: the highest, or all");
    add_source(table, add, screen.source);
    // A configuration without this line has none, as those of earlier versions.
    add.add(
        "size-factor", "total|median|none",
        "counts of a cell are divided by their total over all columns, before the transform, and multiplied "
        "by "
        "10000 or with total:TARGET by TARGET (total), or by the median of the totals of the training cells "
        "(median). "
        "The default is none",
        [&screen](const Strings& v) { screen.size_factor = screen::SizeFactor::parse(v.back()); },
        [&screen] { return screen.size_factor.is_set() ? Strings{screen.size_factor.text()} : Strings{}; });
    add.add(
        "transform", "T", "transform of the markers: arcsinh:COFACTOR, log1p or none",
        [&screen](const Strings& v) { screen.transform = screen::Transform::parse(v.back()); },
        [&screen] { return Strings{screen.transform.text()}; });
    add.labels("markers", screen.markers, "NAMES", "markers to use, in this order (default: all)");
    add.labels("exclude-markers", screen.exclude_markers, "NAMES", "markers to leave out");
    add.add(
        "exclude", "COL=VAL[,COL=VAL]",
        "leaves out the rows that match all of these values. Can be repeated. '' for none. A value with a "
        "comma is written in double quotes",
        [&screen](const Strings& v) {
            screen.exclude = v;
            std::erase(screen.exclude, "");
        },
        [&screen] { return screen.exclude; }, Adder::stored, Adder::repeatable);
}

void add_split(OptionTable& table, RunConfig& config) {
    Adder add(table, Section::split, {.affects = Affects::scored_cells});
    add.add(
        "split", "S",
        "held-out pairs: replica, patient:NAME[,NAME], treatment:NAME[,NAME], COLUMN:VALUE[,VALUE] with any "
        "role or obs column, each:COLUMN, column:NAME or letters. each:COLUMN trains and scores one model "
        "for "
        "each value of a column, which is held out for it, in a run folder of its own. With none, nothing is "
        "held out. With all, every pair is a test pair, to evaluate a run on other data. A value with a "
        "comma, or a column with a colon, is written in double quotes",
        [&config](const Strings& v) {
            config.split = v.back();
            config.screen.split_column = screen::split_column(config.split);
        },
        [&config] { return Strings{config.split}; });
    Adder(table, Section::split, {.affects = Affects::seed})
        .count("split-seed", config.split_seed, 0, "seed for the choice of replicates by --split replica");
}

std::string argument_of(const models::FieldDescription& description) {
    if (!description.rule.argument.empty()) return description.rule.argument;
    if (!description.choices.empty()) return list_choice(description.choices);
    return std::holds_alternative<double>(description.value) ? "X" : "N";
}

// Adds the settings of all methods that belong to a group. The options refer to the settings by name.
void add_settings(OptionTable& table, Section section, models::FieldGroup group, RunConfig& config) {
    for (const models::Family* owner : models::SettingsSet::owners()) {
        models::Settings& settings = config.settings.of(*owner);
        for (const models::FieldDescription& description : models::describe(settings)) {
            const models::Field& field = description.field;
            if (field.group != group) continue;
            const core::OptionEffect effect{.affects = field.affects,
                                            .methods = models::methods_of(field, *owner)};
            Adder(table, section, effect)
                .add(
                    field.name, argument_of(description), field.help,
                    [&settings, name = field.name](const Strings& v) {
                        models::assign_text(settings, name, v.back());
                    },
                    [&settings, name = field.name, initial = models::text_of(description.value),
                     omits_default = field.omits_default] {
                        std::string text = models::field_text(settings, name);
                        return omits_default && text == initial ? Strings{} : Strings{std::move(text)};
                    });
        }
    }
}

void add_model(OptionTable& table, RunConfig& config) {
    Adder add(table, Section::model);
    std::string methods;
    for (const models::Family* family : models::families())
        methods += (methods.empty() ? "" : ". ") + family->name() + ": " + family->summary();
    add.choice("recipe", config.recipe, {"popflow", "paper"},
               "source of the defaults. With paper, training and evaluation are as published");
    Strings names = models::family_names();
    names.emplace_back("auto");
    Adder(table, Section::model, {.affects = Affects::label})
        .add(
            "method", list_choice(names),
            "training method. " + methods +
                ". auto: the best of identity, mean-shift, moment-map and a flow that starts at the moment "
                "map, "
                "in a cross-validation within the training part",
            [&config, names](const Strings& v) {
                const std::size_t index = core::parse_choice("method", v.back(), names);
                config.selects_method = index == models::families().size();
                config.method =
                    config.selects_method ? models::find_family("mfm") : models::families()[index];
            },
            [&config] { return Strings{config.selects_method ? "auto" : config.method->name()}; });
    Adder(table, Section::model, {.affects = Affects::training, .is_path = true})
        .text("treatment-vectors", config.treatment_vectors, "F.csv",
              "table of treatment vectors, which the model gets instead of one-hot codes");
    add_settings(table, Section::model, models::FieldGroup::model, config);
}

const std::vector<std::string> coupling_names{"random", "ot", "entropic", "rows", "rows-ot"};

// Reads a name of a coupling, or `entropic:E`.
void set_coupling(const std::string& text, train::PairSampling& sampling) {
    const std::string prefix = "entropic:";
    sampling.entropic.epsilon = 1;
    if (text.starts_with(prefix)) {
        sampling.coupling = train::Coupling::entropic;
        sampling.entropic.epsilon = core::parse_number("coupling", text.substr(prefix.size()), 1e-3, 1e3);
        return;
    }
    sampling.coupling = static_cast<train::Coupling>(core::parse_choice("coupling", text, coupling_names));
}

std::string coupling_text(const train::PairSampling& sampling) {
    const std::string& name = coupling_names[static_cast<std::size_t>(sampling.coupling)];
    if (sampling.coupling != train::Coupling::entropic) return name;
    return name + ":" + core::number_label(sampling.entropic.epsilon);
}

// Reads `none`, or the distance and the power of a guard as `C:P`, or `C` alone.
void set_guard(const std::string& text, models::StartOptions& start) {
    start.guard_distance = 0;
    start.guard_power = models::StartOptions{}.guard_power;
    if (text == "none") return;
    const std::size_t colon = text.find(':');
    start.guard_distance = core::parse_number("guard", text.substr(0, colon), 1e-3, 1e6);
    if (colon != std::string::npos)
        start.guard_power = core::parse_number("guard", text.substr(colon + 1), 1e-3, 1e3);
}

std::string guard_text(const models::StartOptions& start) {
    if (start.guard_distance == 0) return "none";
    return core::number_label(start.guard_distance) + ":" + core::number_label(start.guard_power);
}

void add_start(OptionTable& table, models::StartOptions& start) {
    Adder add(table, Section::train);
    add.choice("start-map", start.kind, {"none", "mean-shift", "moment-map"},
               "map that moves the control cells before the model does. It is fitted to all training pairs, "
               "and the untrained model then predicts what the map does");
    add.choice("shrink-to", start.shrink_to, {"start", "mean-shift", "moment-map"},
               "simple prediction towards which --shrinkage and --guard shrink that of the model");
    add.number("shrinkage", start.shrinkage, 0, 1,
               "share of the model in a prediction, 0 for the simple prediction of --shrink-to alone");
    add.add(
        "guard", "none|C[:P]",
        "for a control population whose distance to the training populations is r > C times the typical "
        "distance between these, multiply the factor of --shrinkage by (C / r)^P, with P = 2 if omitted",
        [&start](const Strings& v) { set_guard(v.back(), start); },
        [&start] { return Strings{guard_text(start)}; });
}

// Adds the options of the validation during the training. They are stored only if they change the weights, so
// that a run of an earlier version can be resumed, and the checkpoints of auto and none are equal.
void add_validation(Adder& add, RunConfig& config) {
    add.add(
        "validation", "auto|none|N",
        "pairs that are scored during the training: those of the validation part of the split, if it has one "
        "(auto, default), none, or those of N units of the training part, for example patients, which are "
        "drawn and not trained on",
        [&config](const Strings& v) {
            const bool is_word = v.back() == "auto" || v.back() == "none";
            config.validates = v.back() != "none";
            config.validation_units = 0;
            if (is_word) return;
            const bool is_number = v.back().find_first_not_of("0123456789") == std::string::npos;
            if (!is_number)
                throw core::ConfigError("validation",
                                        "found '" + v.back() + "'. Give auto, none or a number of units");
            config.validation_units = core::parse_count("validation", v.back(), 1, 1U << 30U);
        },
        [&config] {
            return config.validation_units > 0 ? Strings{std::to_string(config.validation_units)} : Strings{};
        });
    add.add(
        "keep", "best|last",
        "average weights that become the result: those of the check with the lowest energy, or those of the "
        "last step. The default is best with --validation N, otherwise last",
        [&config](const Strings& v) {
            config.keep = static_cast<KeptWeights>(core::parse_choice("keep", v.back(), {"last", "best"}));
        },
        [&config] {
            const bool is_default = config.keeps_best() == (config.validation_units > 0);
            return is_default ? Strings{} : Strings{config.keeps_best() ? "best" : "last"};
        });
    add.add(
        "patience", "N",
        "number of validation checks without a lower energy after which the training ends, 0 for never "
        "(default)",
        [&config](const Strings& v) {
            config.patience = core::parse_count("patience", v.back(), 0, 1U << 30U);
        },
        [&config] { return config.patience > 0 ? Strings{std::to_string(config.patience)} : Strings{}; });
}

// Reads `none` or `pca:N`.
std::size_t latent_size(const std::string& text) {
    if (text == "none") return 0;
    if (!text.starts_with("pca:"))
        throw core::ConfigError("latent", "found '" + text + "'. Give none, or pca:N for N components");
    return core::parse_count("latent", text.substr(4), 1, models::max_width);
}

void add_train(OptionTable& table, RunConfig& config) {
    Adder add(table, Section::train);
    Adder passive(table, Section::train, {.affects = Affects::nothing});
    train::TrainOptions& train = config.train;
    train::PairSampling& sampling = config.sampling;
    add.count("steps", train.steps, 1, "number of gradient steps");
    add.count("batch-pairs", train.batch_pairs, 1,
              "number of pairs per step, distributed over the ranks. The default is at most the number of "
              "training pairs",
              4096);
    add.count("cells", sampling.cells, 2,
              "maximum number of cells drawn from each population of a pair. For predict with a run of "
              "--source noise, the number of cells of a generated population",
              1 << 20);
    Adder(table, Section::train, {.affects = Affects::seed})
        .count("seed", train.seed, 0, "seed of initial weights, random frequencies and draws");
    add_settings(table, Section::train, models::FieldGroup::training, config);
    add.add(
        "coupling", list_choice(coupling_names),
        "coupling of control and treated cells. random: independent draws. ot: exact optimal transport of "
        "independent draws. entropic:E: draws from the plan of entropic transport, whose entropy has the "
        "weight E relative to the mean squared distance, 1 if omitted. rows: the same rows of both "
        "populations. rows-ot: exact optimal transport of the same rows",
        [&sampling](const Strings& v) { set_coupling(v.back(), sampling); },
        [&sampling] { return Strings{coupling_text(sampling)}; });
    add.number(
        "coupling-rho", sampling.entropic.rho, 0, 1e6,
        "penalty on the marginals of --coupling entropic, relative to the mean squared distance, 0 for "
        "exact marginals. With a penalty, cells without a counterpart take part less often");
    add.choice("coupling-scope", sampling.coupling_scope, {"pair", "condition"},
               "cells that optimal transport couples: those of one pair of populations, or of all pairs of a "
               "step with the same treatment and dose");
    add.add(
        "augment", "NAMES",
        "none, or some of rotate, reflect, mix, stretch, splice. All but mix need two markers. stretch and "
        "splice need --coupling rows or rows-ot",
        [&sampling](const Strings& v) { sampling.augmentation = train::Augmentation::parse(v.back()); },
        [&sampling] { return Strings{sampling.augmentation.text()}; });
    add.number("augment-until", sampling.augment_until, 0, 1,
               "fraction of the steps with augmentation, later steps use the original pairs");
    add_start(table, config.start);
    Adder(table, Section::train, {.affects = Affects::scored_cells})
        .choice("normalise", config.normalise, {"no", "yes"},
                "centre and scale the markers by the training cells. Scores are computed in this space");
    // Stored only if it is not the default, so that runs of versions without this option can be resumed.
    Adder(table, Section::train, {.affects = Affects::scored_cells})
        .add(
            "latent", "none|pca:N",
            "space in which the model works: the markers (none, default), or the first N principal "
            "components "
            "of the training cells, for data with hundreds of markers or more. Predictions are mapped back "
            "to "
            "the markers",
            [&config](const Strings& v) { config.latent = latent_size(v.back()); },
            [&config] {
                return config.latent > 0 ? Strings{fmt::format("pca:{}", config.latent)} : Strings{};
            });
    add.number("rate", train.rate, 0, 1e3, "learning rate of Adam");
    add.choice("schedule", train.schedule, {"constant", "cosine"},
               "schedule of the learning rate after the warm-up");
    add.count("warmup-steps", train.warmup_steps, 0, "number of steps of linear warm-up");
    add.number("clip-norm", train.clip_norm, 0, 1e9, "maximum norm of the gradient, 0 for no clipping");
    add.number("ema-decay", train.adam.ema_decay, 0, 0.9999999,
               "decay of the exponential moving average of the weights, 0 for none");
    add.number("beta1", train.adam.beta1, 0, 0.9999999, "beta1 of Adam");
    add.number("beta2", train.adam.beta2, 0, 0.9999999, "beta2 of Adam");
    add.number("epsilon", train.adam.epsilon, 1e-30, 1, "epsilon of Adam");
    add.choice("precision", config.precision, {"auto", "fp32", "bf16"},
               "precision of matrix products in training, auto for bf16 if the CPUs of all ranks support it");
    add_validation(add, config);
    add.text("cache", config.cache, "auto|memory|FOLDER",
             "storage of the cells of a rank: memory, or a temporary file in a folder on a local disk. With "
             "auto, a file in $TMPDIR if the cells need more than half of the available memory",
             false);
    passive.count("checkpoint-every", config.checkpoint_every, 1, "number of steps between checkpoints");
    passive.number("checkpoint-minutes", config.checkpoint_minutes, 0, 1e6,
                   "maximum number of minutes between checkpoints, 0 for no limit");
    passive.count("keep-checkpoints", config.keep_checkpoints, 1,
                  "number of checkpoints to keep, including the newest", 1000);
    passive.choice("on-nan", train.on_nan, {"stop", "skip"},
                   "action after a loss that is not finite: stop, or skip the step without changing weights");
    passive.count("log-every", config.log_every, 1, "number of steps between rows of the training table");
    add.add(
        "stop-after", "N",
        "store a checkpoint and exit with code 75 after this step, as on a signal, 0 for never",
        [&config](const Strings& v) {
            config.stop_after = core::parse_count("stop-after", v.back(), 0, 1ULL << 62U);
        },
        [&config] { return Strings{std::to_string(config.stop_after)}; }, false);
    add.toggle("resume", config.resume, "continue a stopped training or evaluation, if there is one");
    add.text("fold", config.fold, "VALUE|K",
             "run only one fold of --split each:COLUMN: that of a value, or fold number K from 1. #K is a "
             "number even "
             "if it is a value too. The last fold to end joins the results",
             false);
    add.add(
        "dry-run", "time|plan|options",
        "print what would be done, and write nothing. time: also read the data and time some steps (the "
        "value "
        "without =). plan: read only the metadata of the files. options: check only the options",
        [&config](const Strings& v) {
            const Strings names{"false", "time", "plan", "options"};
            config.dry_run = v.back() == "true"
                                 ? DryRunMode::time
                                 : static_cast<DryRunMode>(core::parse_choice("dry-run", v.back(), names));
        },
        [&config] {
            const Strings names{"false", "time", "plan", "options"};
            return Strings{names[static_cast<std::size_t>(config.dry_run)]};
        },
        false);
    table.make_value_optional("dry-run");
}

void add_transport(OptionTable& table, RunConfig& config) {
    Adder add(table, Section::transport, {.affects = Affects::scored_cells});
    eval::EvaluateOptions& evaluate = config.evaluate;
    add.add(
        "max-cells", "N|all",
        "maximum number of cells of a population that are scored, or embedded by predict",
        [&evaluate](const Strings& v) {
            constexpr std::uint64_t max = std::numeric_limits<std::int64_t>::max();
            evaluate.max_cells =
                v.back() == "all" ? eval::all_cells : core::parse_count("max-cells", v.back(), 2, max);
        },
        [&evaluate] {
            return Strings{evaluate.max_cells == eval::all_cells ? "all"
                                                                 : std::to_string(evaluate.max_cells)};
        });
    add.choice("eval-draw", evaluate.draw, {"random", "first"},
               "which cells of a larger population are scored: random ones, or the first rows");
    Adder(table, Section::transport, {.affects = Affects::seed})
        .count("eval-seed", evaluate.seed, 0,
               "seed of the draw of scored cells and of the choice of training pairs");
    Adder solver(table, Section::transport, {.affects = Affects::prediction});
    solver.choice(
        "ode-solver", evaluate.solver.method, {"adams", "dopri5"},
        "ODE solver with step size control: adams (order 3, one velocity a step), or dopri5 (Dormand-Prince, "
        "orders 5 and 4, six velocities a step)");
    solver.number("tolerance", evaluate.solver.tolerance, 1e-12, 1,
                  "relative and absolute tolerance of the ODE solver");
    // Stored only if they are not the defaults, so that the provenance of other predictions does not change.
    Adder prediction(table, Section::transport, {.affects = Affects::prediction});
    prediction.add(
        "guidance", "W",
        "guidance of generated populations: velocities are v(no label) + W (v(label) - v(no label)). 1 for "
        "the label alone (default)",
        [&config](const Strings& v) {
            config.generate.guidance = core::parse_number("guidance", v.back(), 0, 1e3);
        },
        [&config] {
            return config.generate.guidance == 1 ? Strings{}
                                                 : Strings{core::number_label(config.generate.guidance)};
        });
    prediction.add(
        "flow-steps", "N",
        "number of equal steps of --flow-method from noise to generated populations, 0 for the adaptive "
        "solver (default)",
        [&config](const Strings& v) {
            config.generate.fixed.steps = core::parse_count("flow-steps", v.back(), 0, 1000000);
        },
        [&config] {
            return config.generate.fixed.steps == 0 ? Strings{}
                                                    : Strings{std::to_string(config.generate.fixed.steps)};
        });
    prediction.add(
        "flow-method", "euler|midpoint",
        "method of --flow-steps: euler (default), with one velocity a step, or midpoint, with two",
        [&config](const Strings& v) {
            config.generate.fixed.method = static_cast<ode::FixedMethod>(
                core::parse_choice("flow-method", v.back(), {"euler", "midpoint"}));
        },
        [&config] {
            return config.generate.fixed.method == ode::FixedMethod::euler ? Strings{} : Strings{"midpoint"};
        });
    Adder(table, Section::transport, {.affects = Affects::nothing})
        .add(
            "space", "raw|arcsinh|normalised",
            "scale of predicted cells: of the data file, after the transform (`transformed` if it is not "
            "arcsinh), or of the model",
            [&config](const Strings& v) {
                core::parse_choice("space", v.back(), predict::space_names());
                config.space = v.back();
            },
            [&config] { return Strings{config.space}; });
}

// Names of the scores of two populations, and of two sets of populations.
Strings all_metric_names() {
    Strings names = metrics::metric_names();
    names.insert(names.end(), eval::set_metric_names().begin(), eval::set_metric_names().end());
    return names;
}

void add_evaluate(OptionTable& table, RunConfig& config) {
    Adder add(table, Section::evaluate, {.affects = Affects::reported});
    eval::EvaluateOptions& evaluate = config.evaluate;
    add.add(
        "parts", "PARTS", "parts of the split to score: train, validation, test",
        [&evaluate](const Strings& v) {
            evaluate.parts.clear();
            for (const std::string& part : core::split_text(v.back(), ',')) {
                core::parse_choice("parts", part, {"train", "validation", "test"});
                evaluate.parts.push_back(screen::parse_part(part));
            }
        },
        [&evaluate] {
            Strings names;
            for (screen::Part part : evaluate.parts) names.emplace_back(screen::part_name(part));
            return Strings{list_text(names)};
        });
    Adder(table, Section::evaluate, {.affects = Affects::scored_cells})
        .count("train-eval-pairs", evaluate.train_pairs, 0,
               "number of training pairs to score, distributed over the patients, 0 for all");
    add.add(
        "metrics", "NAMES", "scores to compute",
        [&evaluate](const Strings& v) {
            evaluate.metrics.clear();
            for (const std::string& name : core::split_text(v.back(), ',')) {
                core::parse_choice("metrics", name, all_metric_names());
                evaluate.metrics.push_back(name);
            }
        },
        [&evaluate] { return Strings{list_text(evaluate.metrics)}; });
    add.number("sinkhorn-epsilon", evaluate.sinkhorn_epsilon, 1e-3, 1e3,
               "entropic regularisation of the metric `sinkhorn`, relative to the mean squared distance");
    add.number("sinkhorn-rho", evaluate.sinkhorn_rho, 0, 1e6,
               "marginal penalty of the metric `sinkhorn`, relative to the mean squared distance, 0 for "
               "exact marginals");
    add.count("sample-pairs", evaluate.sample_pairs, 0,
              "number of pairs whose cells are sampled into the results, for the figures of the report");
    add.count("sample-cells", evaluate.sample_cells, 1,
              "number of cells sampled from each population of the sampled pairs", 100000);
    add.labels("sample", evaluate.sample, "NAMES",
               "pairs to sample, by parts of their names in the results (default: spread over treatments and "
               "patients)");
    // Not stored: otherwise a second evaluation of a run would overwrite the predictions of the first.
    add.text("predictions", config.predictions, "P.h5ad",
             "also write the predicted cells of the model to this file", false);
}

// Reads the numbers of all occurrences of an option, each a list separated by commas.
std::vector<double> parse_numbers(const std::string& key, const Strings& values, double min, double max) {
    std::vector<double> numbers;
    for (const std::string& value : values) {
        for (const std::string& item : core::split_text(value, ',')) {
            numbers.push_back(core::parse_number(key, item, min, max));
            if (std::ranges::count(numbers, numbers.back()) > 1)
                throw core::ConfigError(key, "found '" + item + "' twice. Give it once");
        }
    }
    return numbers;
}

// Reads doses, which may have units of one quantity: `1 uM, 100 nM`. A zero needs no unit.
std::vector<double> parse_doses(const std::string& key, const Strings& values, core::Quantity& quantity) {
    std::vector<double> numbers;
    std::map<int, std::string> labels;  // the first label of each core::Quantity
    quantity = core::Quantity::number;
    for (const std::string& value : values) {
        for (const std::string& item : core::split_list(key, value)) {
            const auto dose = core::parse_dose(item);
            if (!dose || dose->value < 0) {
                throw core::ConfigError(
                    key, "'" + item + "' is no dose. Give a number from 0, which may have a unit: " +
                             core::known_units());
            }
            const bool is_plain_zero = dose->value == 0 && dose->quantity == core::Quantity::number;
            if (!is_plain_zero) labels.emplace(static_cast<int>(dose->quantity), item);
            if (labels.size() > 1)
                throw core::ConfigError(key, "found '" + labels.begin()->second + "' and '" +
                                                 labels.rbegin()->second +
                                                 "', which cannot be converted into each other. Give all in "
                                                 "units of one kind, or in none");
            if (std::ranges::find(numbers, dose->value) != numbers.end())
                throw core::ConfigError(key, "found '" + item + "' twice. Give it once");
            numbers.push_back(dose->value);
        }
    }
    if (!labels.empty()) quantity = static_cast<core::Quantity>(labels.begin()->first);
    return numbers;
}

Strings numbers_text(const std::vector<double>& numbers, const std::string& unit = "") {
    Strings labels;
    for (const double number : numbers)
        labels.push_back(core::number_label(number) + (unit.empty() ? "" : " " + unit));
    return labels.empty() ? labels : Strings{list_text(labels)};
}

void add_predict(OptionTable& table, RunConfig& config) {
    Adder add(table, Section::predict);
    add.add(
        "treatment", "NAMES",
        std::string("treatments to predict (default: all that were trained on)") + comma_help,
        [&config](const Strings& v) { config.treatments = v; }, [&config] { return config.treatments; },
        Adder::stored, Adder::repeatable);
    add.add(
        "concentration", "NUMBERS",
        "concentrations to predict, as numbers or with a unit (`10 uM`), after training with --doses all. "
        "Numbers have the unit of the training (default: those that were trained on)",
        [&config](const Strings& v) {
            config.concentrations = parse_doses("concentration", v, config.concentration_quantity);
        },
        [&config] {
            return numbers_text(config.concentrations, core::unit_name(config.concentration_quantity));
        },
        Adder::stored, Adder::repeatable);
    // Stored only if it is not the default, so that the provenance of other predictions does not change.
    add.add(
        "from-controls", "own|all",
        "controls that a treatment is predicted from, if an experiment has several: the one that training "
        "pairs with the treatment, if --control or the role vehicle name vehicles (default), or all",
        [&config](const Strings& v) {
            config.from_controls = static_cast<predict::FromControls>(
                core::parse_choice("from-controls", v.back(), {"own", "all"}));
        },
        [&config] {
            return config.from_controls == predict::FromControls::all ? Strings{"all"} : Strings{};
        });
    add.add(
        "times", "NUMBERS", "flow times in [0, 1] at which cells are also written, as layers. Time 1 is X",
        [&config](const Strings& v) { config.times = parse_numbers("times", v, 0, 1); },
        [&config] { return numbers_text(config.times); }, Adder::stored, Adder::repeatable);
    add.count("number", config.generate.populations, 1,
              "number of populations to generate for each treatment, with a run of --source noise", 10000000);
    add.toggle("clip", config.clip,
               "limit the markers of predicted cells to the range of the training cells");
}

void add_run_folder(OptionTable& table, RunConfig& config) {
    Adder(table, Section::run_folder).text("run", config.run, "RUN", "run folder of a training", false);
}

void add_report(OptionTable& table, RunConfig& config) {
    Adder(table, Section::inspect).toggle("json", config.json, "print JSON");
    Adder add(table, Section::report);
    add.text("watch", config.watch, "RUN", "display the progress of a training until its last step", false);
    add.add(
        "format", "F",
        "format of the report: " + list_text(report::report_format_names()) +
            " (default: by the name of the output, otherwise text)",
        [&config](const Strings& v) {
            core::parse_choice("format", v.back(), report::report_format_names());
            config.format = v.back();
        },
        [&config] { return config.format.empty() ? Strings{} : Strings{config.format}; }, false);
    add.text("by", config.by, "COLUMN",
             "tables of the groups of pairs with the same label in a column, such as treatment (default: "
             "culture)",
             false);
    add.text("figures", config.figures, "DIR",
             "also write each figure of the HTML report to a file in this folder", false);
    Adder(table, Section::report, {.affects = Affects::nothing})
        .add(
            "figure-format", list_choice(report::figure_format_names()),
            "format of the files of --figures. pdf and png need librsvg",
            [&config](const Strings& v) {
                config.figure_format = static_cast<report::FigureFormat>(
                    core::parse_choice("figure-format", v.back(), report::figure_format_names()));
            },
            [&config] {
                return Strings{report::figure_format_names()[static_cast<std::size_t>(config.figure_format)]};
            },
            false);
    add.text("published", config.published, "TABLE",
             "published figures to show below the results: " +
                 list_text(report::PublishedTable::builtin_names()) + ", or a CSV file",
             false);
}

void add_simulated_file(Adder& add, SimulateConfig& config, const std::string& argument = "F.h5ad",
                        const std::string& help = "file to write") {
    add.text("config", config.config_file, "F.cfg",
             "file of `option = value` lines, overridden by flags. A line `include = F.cfg` reads another "
             "file first",
             false);
    add.text("output", config.output, argument, help, false);
}

}  // namespace

OptionTable simulate_letters_options(SimulateConfig& config) {
    OptionTable table;
    Adder add(table, Section::simulate);
    simulate::LettersOptions& letters = config.letters;
    add_simulated_file(add, config);
    add.count("seed", letters.seed, 0, "seed of all draws");
    add.list("letters", letters.letters, "NAMES",
             "capitals to train on (default: all except the test letters)");
    add.list("test-letters", letters.test_letters, "NAMES", "capitals to test");
    add.count("rotations", letters.rotations, 1, "number of rotations of each letter", 100000);
    add.number("noise", letters.noise, 0, 1e3,
               "standard deviation of the noise that makes the source from the target");
    add.number("jitter", letters.jitter, 0, 1e3, "standard deviation of the noise of the target points");
    add.text("font", letters.font, "FILE",
             "TrueType or OpenType font (default: Liberation Sans of the system)", false);
    add.count("size", letters.size, 8,
              "size of the drawing in pixels, the number of points grows with its square", 2000);
    return table;
}

OptionTable simulate_screen_options(SimulateConfig& config) {
    OptionTable table;
    Adder add(table, Section::simulate);
    simulate::SimulatedScreenOptions& screen = config.screen;
    add_simulated_file(add, config);
    add.count("seed", screen.seed, 0, "seed of all draws");
    add.count("patients", screen.patients, 1, "number of patients, the ten published ones first", 1000000);
    add.list("cultures", screen.cultures, "NAMES", "cultures: some of PDO, F and PDOF");
    add.list("treatments", screen.treatments, "NAMES",
             "treatments: some of O, S, VS, L, V, F, C, SF, CS, CF and CSF");
    add.count("replicates", screen.replicates, 1, "number of replicates of each plate", 26);
    add.choice(
        "response", screen.response, {"composition", "correlation"},
        "property of the control population on which the response depends: composition, which the means "
        "of the markers show, or correlation between damage and WNT signalling, which changes no mean "
        "and no variance");
    add.count("dose-levels", screen.doses, 1, "number of concentrations of a single drug", 9);
    add.choice("cyclin-b1", screen.cyclin_b1, {"no", "yes"},
               "add Cyclin B1 as a 44th marker, which the configurations of the organoid screen leave out");
    add.add(
        "cells", "MIN:MAX", "minimum and maximum number of cells of a population",
        [&screen](const Strings& v) {
            const std::string& text = v.back();
            const auto colon = text.find(':');
            if (colon == std::string::npos)
                throw core::ConfigError("cells", "found '" + text + "'. Give MIN:MAX");
            screen.min_cells = core::parse_count("cells", text.substr(0, colon), 1, 1U << 30U);
            screen.max_cells =
                core::parse_count("cells", text.substr(colon + 1), screen.min_cells, 1U << 30U);
        },
        [&screen] { return Strings{fmt::format("{}:{}", screen.min_cells, screen.max_cells)}; });
    add.number("failed-wells", screen.failed_wells, 0, 0.9,
               "fraction of treatments that are missing from an experiment");
    add.count(
        "pairs", screen.pairs, 0,
        "exact number of (control, highest dose) pairs, with as many patients more than --patients as they "
        "need, 0 to derive it from the other options",
        10000000);
    return table;
}

namespace {

// Returns the defaults of an option that each family has, as in `spiral 256, rings 256`.
template <class Text>
std::string family_defaults(Text text) {
    std::string all;
    for (const simulate::ShapeFamily& family : simulate::shape_families())
        all += (all.empty() ? "" : ", ") + std::string(family.name) + " " + text(family);
    return " (default: " + all + ")";
}

std::string cells_text(std::size_t min, std::size_t max) {
    return min == max ? std::to_string(min) : fmt::format("{}:{}", min, max);
}

// Returns the families with an option, for its help.
std::string only_families(const std::string& option) {
    return " (" + simulate::families_with(option) + ")";
}

}  // namespace

OptionTable simulate_shapes_options(SimulateConfig& config) {
    OptionTable table;
    Adder add(table, Section::simulate);
    simulate::ShapesOptions& shapes = config.shapes;
    constexpr std::uint64_t max_populations = 1'000'000;
    add_simulated_file(add, config);
    add.count("seed", shapes.seed, 0, "seed of all draws");
    add.count("populations", shapes.populations, 1, "number of training populations of each treatment",
              max_populations);
    add.count("test-populations", shapes.test_populations, 0, "number of test populations of each treatment",
              max_populations);
    add.add(
        "treatments", "N",
        "number of treatments. In spiral, rings and superquadrics treatment K of N has the K-th part of the "
        "range of one parameter" +
            family_defaults([](const auto& family) { return std::to_string(family.treatments); }),
        [&shapes](const Strings& v) {
            shapes.treatments = core::parse_count("treatments", v.back(), 1, 1000);
        },
        [&shapes] {
            return shapes.treatments == 0 ? Strings{} : Strings{std::to_string(shapes.treatments)};
        });
    add.add(
        "cells", "N|MIN:MAX",
        "number of cells of a population, or the range from which it is drawn uniformly" +
            family_defaults(
                [](const auto& family) { return cells_text(family.min_cells, family.max_cells); }),
        [&shapes](const Strings& v) {
            const std::string& text = v.back();
            const auto colon = text.find(':');
            constexpr std::uint64_t max_cells = 1U << 30U;
            shapes.min_cells = core::parse_count("cells", text.substr(0, colon), 1, max_cells);
            shapes.max_cells = colon == std::string::npos ? shapes.min_cells
                                                          : core::parse_count("cells", text.substr(colon + 1),
                                                                              shapes.min_cells, max_cells);
        },
        [&shapes] {
            return shapes.max_cells == 0 ? Strings{}
                                         : Strings{cells_text(shapes.min_cells, shapes.max_cells)};
        });
    add.count("law-seed", shapes.law_seed, 0,
              "seed of the fixed parameters of the law. Files that differ only in --seed have the same law" +
                  only_families("law-seed"));
    add.count("markers", shapes.markers, 1, "number of markers" + only_families("markers"), 500);
    add.count("states", shapes.states, 1, "number of cell states" + only_families("states"), 100);
    add.number(
        "separation", shapes.separation, 0.01, 1e4,
        "smallest distance between the means of two states. The standard deviations of a state are 0.5 "
        "to 1" +
            only_families("separation"));
    add.number("dirichlet-sum", shapes.dirichlet_sum, 0.01, 1e6,
               "sum of the Dirichlet parameters of the weights of the states. The larger it is, the more "
               "similar are the populations of a treatment" +
                   only_families("dirichlet-sum"));
    add.number(
        "shift", shapes.shift, 0, 1e4,
        "length of the vector by which a treatment moves the cells of a state" + only_families("shift"));
    add.number("selection", shapes.selection, 0, 50,
               "largest change of the log weight of a state by a treatment, 0 to keep the weights of the "
               "control" +
                   only_families("selection"));
    return table;
}

OptionTable simulate_images_options(SimulateConfig& config) {
    OptionTable table;
    Adder add(table, Section::simulate);
    simulate::LandscapesOptions& landscapes = config.landscapes;
    add_simulated_file(add, config, "FOLDER", "folder to write, it is created");
    add.count("seed", landscapes.seed, 0, "seed of all draws");
    add.count("scenes", landscapes.scenes, 1, "number of training scenes, each is drawn in every palette",
              100000);
    add.count("test-scenes", landscapes.test_scenes, 0, "number of further scenes for tests", 100000);
    add.count("size", landscapes.size, 8, "width and height of the images in pixels", 10000);
    return table;
}

OptionTable simulate_supply_demand_options(SimulateConfig& config) {
    OptionTable table;
    Adder add(table, Section::simulate);
    simulate::SupplyDemandOptions& problem = config.supply_demand;
    add_simulated_file(add, config);
    add.text("target-output", config.target_output, "F.h5ad",
             "file to write with the demand side, --output has the supply side", false);
    add.count("seed", problem.seed, 0, "seed of all draws");
    add.count("instances", problem.instances, 1, "number of instances, the rows of both files", 100000000);
    add.count("supply", problem.supply, 1, "number of supply locations", 100000000);
    add.count("demand", problem.demand, 1, "number of demand locations", 100000000);
    add.text(
        "density", problem.density, "FILE|synthetic",
        "HDF5 file with the dataset population_density [rows, columns] from north to south, or synthetic "
        "for a raster drawn from the seed");
    add.number("validation-fraction", problem.validation_fraction, 0, 1,
               "fraction of the instances whose split is validation");
    add.number("test-fraction", problem.test_fraction, 0, 1, "fraction of the instances whose split is test");
    return table;
}

OptionTable run_options(RunConfig& config) {
    OptionTable table;
    Adder add(table, Section::general, {.affects = Affects::nothing});
    add.text("config", config.config_file, "F.cfg",
             "file of `option = value` lines, overridden by flags. A line `include = F.cfg` reads another "
             "file first",
             false);
    add.text("output", config.output, "PATH", "run folder or file to write", false);
    add.number("log-seconds", config.log_seconds, 0, 1e9,
               "seconds between progress lines if there is no terminal");
    add_data(table, config);
    add_split(table, config);
    add_model(table, config);
    add_train(table, config);
    add_run_folder(table, config);
    add_transport(table, config);
    add_evaluate(table, config);
    add_predict(table, config);
    add_report(table, config);
    add_problem_options(table, config);
    add_set_options(table, config);
    add_fine_tune_options(table, config);
    table.share("resume", Section::evaluate);
    for (const Section section : {Section::evaluate, Section::report}) table.share("dry-run", section);
    for (const char* name : {"data", "max-cells"}) table.share(name, Section::report);
    table.share("config", Section::inspect);
    table.share("treatment-vectors", Section::inspect);
    for (const char* name : {"cells", "set-cells"}) table.share(name, Section::predict);
    for (const char* name :
         {"config", "layer", "obsm", "use-raw", "size-factor", "transform", "markers", "exclude-markers",
          "metrics", "max-cells", "seed", "json", "sinkhorn-epsilon", "sinkhorn-rho", "population", "exclude",
          "min-cells", "distance", "permutations"})
        table.share(name, Section::scores);
    add_default_notes(table);
    table.on_parsed([&config, changed = std::make_shared<std::set<std::string>>()](
                        const OptionTable& options, const std::set<std::string>& given) {
        apply_defaults(config, options, given, *changed);
    });
    return table;
}

const std::vector<Section>& training_sections() {
    static const std::vector<Section> sections{Section::data, Section::split, Section::model, Section::train};
    return sections;
}

}  // namespace popflow::options
