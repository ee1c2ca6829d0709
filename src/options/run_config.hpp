// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/dose.hpp"
#include "eval/evaluator.hpp"
#include "eval/problem_solver.hpp"
#include "eval/set_comparison.hpp"
#include "models/cloud_potentials.hpp"
#include "models/family.hpp"
#include "models/start_map.hpp"
#include "options/option_table.hpp"
#include "predict/control_choice.hpp"
#include "predict/generator.hpp"
#include "problems/problem_set.hpp"
#include "report/figure_file.hpp"
#include "screen/screen.hpp"
#include "screen/splits.hpp"
#include "simulate/landscapes.hpp"
#include "simulate/letters.hpp"
#include "simulate/shape_law.hpp"
#include "simulate/simulated_screen.hpp"
#include "simulate/supply_demand.hpp"
#include "train/pair_sampler.hpp"
#include "train/trainer.hpp"

namespace popflow::options {

/// Values of --precision. `automatic` is resolved when a training starts.
enum class PrecisionChoice { automatic, fp32, bf16 };

/// Values of --dry-run.
enum class DryRunMode {
    none,
    time,    ///< read the data and time some steps
    plan,    ///< read the metadata of the files only
    options  ///< check the options only, for a job whose inputs do not exist yet
};

/// Values of --keep.
enum class KeptWeights { last, best };

/// All settings of the verbs that train or use a model, with their defaults.
struct RunConfig {
    std::string config_file;
    std::string data;
    std::string treatment_vectors;  ///< path of a table, empty for one-hot codes
    std::string output;
    std::string run;
    screen::ScreenOptions screen;
    std::string split = "replica";
    std::uint64_t split_seed = 0;
    models::Recipe recipe = models::Recipe::popflow;
    const models::Family* method = models::find_family("mfm");
    /// Whether a cross-validation chooses the method (--method auto). `method` is then a placeholder.
    bool selects_method = false;
    models::SettingsSet settings;  ///< settings of all methods
    train::TrainOptions train;
    train::PairSampling sampling;  ///< base is a setting of the method and not set here
    models::StartOptions start{};
    bool normalise = true;   ///< see train::TrainingSetOptions
    std::size_t latent = 0;  ///< number of principal components, 0 for none, see train::TrainingSetOptions
    PrecisionChoice precision = PrecisionChoice::automatic;
    bool validates = true;                 ///< false for --validation none
    std::size_t validation_units = 0;      ///< units that --validation N holds out, 0 for auto and none
    std::optional<KeptWeights> keep;       ///< empty for the default, see keeps_best()
    std::uint64_t patience = 0;            ///< see train::ValidationPlan
    std::uint64_t checkpoint_every = 500;  ///< steps between checkpoints
    double checkpoint_minutes = 30;        ///< 0: only after checkpoint_every steps
    std::size_t keep_checkpoints = 2;      ///< including the newest
    std::uint64_t log_every = 50;          ///< steps between rows of the training table
    double log_seconds = 10;               ///< seconds between progress lines if there is no terminal
    std::string cache = "auto";            ///< storage of the cells: auto, memory or a folder
    std::uint64_t stop_after = 0;          ///< step after which to stop as on a signal, 0 for never
    bool resume = false;
    std::string fold;  ///< value or number of the only fold of a leave-one-out to run, empty for all
    DryRunMode dry_run = DryRunMode::none;
    std::string format;   ///< format of a report, empty to choose it by the name of the output
    std::string by;       ///< column of the groups of a report, empty for the default
    std::string figures;  ///< folder for the figures of a report, empty for none
    report::FigureFormat figure_format = report::FigureFormat::svg;
    std::string published;  ///< published table for a report: a name or a file, may be empty
    bool json = false;
    std::string watch;  ///< run folder whose training `report` displays, empty for none
    eval::EvaluateOptions evaluate;
    eval::SetOptions sets{};
    std::string space = "raw";            ///< scale of predicted cells
    std::string predictions;              ///< file for the predicted cells of an evaluation, empty for none
    std::vector<std::string> treatments;  ///< treatments to predict, may contain comma-separated lists
    std::vector<double> concentrations;   ///< concentrations to predict
    /// Quantity of `concentrations`, in core::unit_name() of it. `number` if they have no unit.
    core::Quantity concentration_quantity = core::Quantity::number;
    std::vector<double> times;  ///< flow times at which intermediate cells are written
    /// Generated populations. The number of cells is sampling.cells, times, tolerance and seed are those
    /// above.
    predict::GenerateOptions generate{};
    bool clip = false;  ///< limit predicted cells to the training range
    predict::FromControls from_controls = predict::FromControls::own;
    problems::ProblemOptions problems{};       ///< transport problems, the fields that `ot` alone has
    eval::SolveOptions solve{};                ///< how they are solved, except for the starts
    std::vector<std::string> starts{"zeros"};  ///< names of starts, result files
    std::string output_matrix;                 ///< file for the distances of all pairs, empty for none
    models::FineTuneOptions fine_tune{};       ///< potentials of transport between populations

    /// Whether the weights of the best check become the result: by default with --validation N only.
    bool keeps_best() const { return keep ? *keep == KeptWeights::best : validation_units > 0; }

    /// Settings of the chosen method.
    const models::Settings& method_settings() const { return settings.of(*method); }
    models::Settings& method_settings() { return settings.of(*method); }
};

/// Returns the options of a RunConfig. They refer to it, so it must outlive the table.
OptionTable run_options(RunConfig& config);

/// Configuration of `simulate`.
struct SimulateConfig {
    std::string config_file;
    std::string output;
    simulate::SimulatedScreenOptions screen;
    simulate::LettersOptions letters;
    std::string target_output;  ///< file of the demand side
    simulate::SupplyDemandOptions supply_demand;
    simulate::ShapesOptions shapes{};
    simulate::LandscapesOptions landscapes{};
};

/// Returns the options of `simulate screen`. They refer to the configuration, which must outlive the table.
OptionTable simulate_screen_options(SimulateConfig& config);
/// Returns the options of `simulate letters`, as above.
OptionTable simulate_letters_options(SimulateConfig& config);
/// Returns the options of `simulate images`, as above.
OptionTable simulate_images_options(SimulateConfig& config);
/// Returns the options of `simulate shapes`, as above. The family is no option but an argument.
OptionTable simulate_shapes_options(SimulateConfig& config);
/// Returns the options of `simulate supply-demand`, as above.
OptionTable simulate_supply_demand_options(SimulateConfig& config);

/// Sections whose options determine the result of a training. A checkpoint stores them and a resume compares
/// them.
const std::vector<Section>& training_sections();

}  // namespace popflow::options
