// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "eval/evaluator.hpp"
#include "models/icnn_transport.hpp"
#include "models/method.hpp"
#include "options/option_table.hpp"
#include "screen/screen.hpp"
#include "screen/splits.hpp"
#include "simulate/letters.hpp"
#include "simulate/simulated_screen.hpp"
#include "train/trainer.hpp"

namespace popflow::options {

/// What --precision says; `automatic` is settled when a training starts.
enum class PrecisionChoice { automatic, fp32, bf16 };

/// Where defaults come from, see apply_defaults().
enum class Recipe { popflow, paper };

/// What a potential of method icnn sees of the treatment.
enum class PotentialInput { none, treatment };

/// Everything a user can set, with its default.
struct RunConfig {
    std::string config_file;
    std::string data;
    std::string treatment_vectors;  ///< file; empty: a treatment is its name
    std::string output;
    std::string run;
    screen::ScreenOptions screen;
    std::string split = "replica";
    std::uint64_t split_seed = 0;
    Recipe recipe = Recipe::popflow;
    models::Method method = models::Method::mfm;
    PotentialInput condition = PotentialInput::treatment;
    models::FlowMatchingShape model;
    models::IcnnTransportShape icnn;
    train::TrainOptions train;
    PrecisionChoice precision = PrecisionChoice::automatic;
    std::uint64_t checkpoint_every = 500;  ///< steps
    double checkpoint_minutes = 30;        ///< 0: by steps alone
    std::size_t keep_checkpoints = 2;      ///< with the newest
    std::uint64_t log_every = 50;          ///< steps
    double log_seconds = 10;               ///< between lines of progress in a log
    std::string cache = "auto";            ///< where cells are kept: auto, memory or a folder
    std::uint64_t stop_after = 0;          ///< step after which to stop as if asked to; 0: never
    bool resume = false;
    bool dry_run = false;
    std::string format;     ///< of a report; empty: by the name of the output
    std::string published;  ///< figures to show in a report: a name or a file; may be empty
    bool json = false;
    std::string watch;  ///< run folder that a report follows; empty: none
    eval::EvaluateOptions evaluate;
    std::string space = "raw";            ///< of predicted cells
    std::string predictions;              ///< file of an evaluation's predicted cells; empty: none
    std::vector<std::string> treatments;  ///< to predict; each a name or several separated by commas
    std::vector<double> concentrations;   ///< to predict
    std::vector<double> times;            ///< flow times at which predicted cells are also written
};

/// The options of a RunConfig; they refer to it, so it must outlive the table.
OptionTable run_options(RunConfig& config);

/// What `simulate` is asked for.
struct SimulateConfig {
    std::string config_file;
    std::string output;
    simulate::SimulatedScreenOptions screen;
    simulate::LettersOptions letters;
};

/// The options of `simulate screen` and `simulate letters`.
OptionTable simulate_screen_options(SimulateConfig& config);
OptionTable simulate_letters_options(SimulateConfig& config);

/// Sections that decide what a training computes: what a checkpoint keeps and a resume compares.
const std::vector<Section>& training_sections();

/// Lines of two resolved configurations that differ, as `key: found ..., was ...`; keys in `ignored` are left
/// out.
std::vector<std::string> differences(const std::string& now, const std::string& before,
                                     const std::vector<std::string>& ignored);

}  // namespace popflow::options
