// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "linalg/matrix.hpp"
#include "linalg/precision.hpp"
#include "models/fixed_encoders.hpp"
#include "models/model.hpp"
#include "models/settings.hpp"

namespace popflow::models {

/// Sizes that the training data give to a model.
struct DataShape {
    std::size_t markers = 0;
    std::size_t cell_types = 0;      ///< number of cell types, 0 if all cells have one type
    std::size_t conditions = 0;      ///< length of the condition vector
    std::size_t condition_rows = 0;  ///< number of distinct conditions
    std::size_t training_pairs = 0;

    bool operator==(const DataShape&) const = default;
};

/// Matrices that belong to the model and are not trained.
struct Constants {
    /// Matrices that are drawn once, such as random frequencies, by name.
    std::map<std::string, linalg::Matrix<float>> matrices{};
    EncoderConstants encoder{};  ///< constants of Family::fixed_encoder(), empty without one
};

/// Source of the defaults: the settings that work best here, or those of the publication.
enum class Recipe { popflow, paper };

/// Option names with values, in the form of a configuration file.
using OptionValues = std::vector<std::pair<std::string, std::string>>;

/// Options that have no effect on a method without a start, with the only values that it accepts.
inline const OptionValues no_start_options{
    {"start-map", "none"}, {"shrink-to", "start"}, {"shrinkage", "1"}, {"guard", "none"}};

/// Number of pairs of a screen below which Family::small_screen_defaults() apply.
inline constexpr std::size_t small_screen_pairs = 100;

/// Items that a slot of a training step visits.
enum class ItemKind {
    pairs,        ///< pairs of a control and a treated population
    problems,     ///< transport problems between histograms
    populations,  ///< populations, each as a whole
};

/// Where a flow over populations starts.
enum class PopulationSource {
    noise,    ///< random populations
    control,  ///< control populations
    subset,   ///< some cells of the target population itself
};
/// Form in which a method sees a population.
enum class PopulationForm {
    gaussians,  ///< mean and covariance
    clouds,     ///< cells that are drawn in each step
    problems,   ///< as clouds, each with another population of the training part to transport it to
};
/// Pairs of populations in PopulationForm::problems.
enum class ProblemPairs {
    all,     ///< any two populations
    labels,  ///< populations with the same values of the pairing keys and different conditions
    within,  ///< populations with the same condition
};
/// Knowledge of the pairs of control and treated populations.
enum class Pairing {
    none,   ///< nothing: an outer coupling chooses them
    known,  ///< the pairs of the screen
};
/// Outer coupling: how source and target populations are paired.
enum class OuterCoupling {
    automatic,  ///< `batch` for noise, `all` for controls
    none,       ///< at random
    batch,      ///< by exact assignment within the populations of a slot
    all,        ///< by exact transport between all populations of the training part, computed once
};

/// Distance between populations in an outer coupling of clouds.
enum class OuterDistance {
    chamfer,  ///< mean squared distance to the nearest cell of the other population, both sides added
    bures,    ///< squared W2 between the Gaussians with the moments of the populations
    energy,   ///< energy distance
    w2,       ///< squared W2, exact
};

/// Draws of a slot if the items are populations.
struct PopulationDraws {
    PopulationForm form = PopulationForm::gaussians;
    PopulationSource source = PopulationSource::noise;
    Pairing pairing = Pairing::none;
    OuterCoupling outer = OuterCoupling::batch;  ///< never `automatic`
    std::size_t populations = 64;                ///< number of populations of a slot
    double drop_label = 0.1;                     ///< probability that a population loses its label
    double base_spread = 1;                      ///< factor of the spread of the means of the noise
    std::size_t subset = 0;                      ///< number of cells of PopulationSource::subset
    OuterDistance outer_distance = OuterDistance::chamfer;  ///< used for clouds. Gaussians use `bures`
    /// Number of cells of a population that OuterCoupling::all compares, 0 for all cells.
    std::size_t outer_cells = 1000;
    double inner_noise = 0;  ///< share of the variance of a source cloud that is drawn after its coupling
    /// Target clouds are scaled by a random factor in [1 - scale, 1 + scale] for each marker.
    double scale = 0;
    std::size_t mirror = 0;  ///< number of the marker whose sign changes in half of the draws, 0 for none
    ProblemPairs problem_pairs = ProblemPairs::all;
    /// Number of random cells of each population that every rank holds, for PopulationForm::problems.
    std::size_t pool_cells = 2048;

    /// Whether the training reads populations that have no pairs.
    bool is_unpaired() const { return source != PopulationSource::control || pairing == Pairing::none; }
};

/// Draws of a slot if the items are transport problems.
struct ProblemDraws {
    std::size_t problems = 1;  ///< number of problems of a slot
    std::size_t demand = 0;    ///< maximum number of target atoms of a problem, 0 for all
};

/// A training method: its settings, and how to make a model from them. models/families.hpp lists all of them.
class Family {
  public:
    virtual ~Family() = default;

    /// Name of the method, as in `--method NAME`.
    virtual std::string name() const = 0;
    /// One line for the help of `--method`.
    virtual std::string summary() const = 0;

    /// Returns the settings with the defaults of popflow.
    virtual std::unique_ptr<Settings> make_settings() const = 0;
    /// Name of the settings. Methods whose settings have the same name share their options.
    virtual std::string settings_name() const { return name(); }

    /// Returns the options whose defaults differ from those of the program, given the values of the settings
    /// that the user has set.
    virtual OptionValues defaults(Recipe /*recipe*/, const Settings& /*settings*/) const { return {}; }
    /// Returns the options with other defaults on a screen of fewer than small_screen_pairs pairs.
    virtual OptionValues small_screen_defaults(const Settings& /*settings*/) const { return {}; }
    /// Returns the options for which the method accepts only one value.
    virtual OptionValues fixed(const Settings& /*settings*/) const { return {}; }
    /// Adapts settings that do not fit small training data, where that is harmless or where the setting has
    /// its default. Does not change settings that fit.
    /// @param is_given  whether the user has set an option
    /// @param min_cells  as in check()
    /// @return  a note for each change
    virtual std::vector<std::string> adapt(
        Settings& /*settings*/, const DataShape& /*data*/, std::size_t /*min_cells*/,
        const std::function<bool(const std::string&)>& /*is_given*/) const {
        return {};
    }
    /// Checks that the settings fit the training data.
    /// @param min_cells  smallest number of cells that a slot draws
    /// @throws core::ConfigError if they do not
    virtual void check(const Settings& /*settings*/, const DataShape& /*data*/,
                       std::size_t /*min_cells*/) const {}

    virtual ItemKind items(const Settings& /*settings*/) const { return ItemKind::pairs; }
    /// Draws of a slot. Used if the items are problems.
    virtual ProblemDraws problem_draws(const Settings& /*settings*/) const { return {}; }
    /// Draws of a slot. Used if the items are populations.
    virtual PopulationDraws population_draws(const Settings& /*settings*/) const { return {}; }
    /// Whether matrix products of the training can use bf16.
    virtual bool supports_bf16() const { return false; }
    /// Whether the model has inputs for each training pair, so that no other population can replace one.
    virtual bool indexes_pairs() const { return false; }

    /// Returns the fixed encoder that the settings choose, without a kind if there is none.
    virtual EncoderChoice fixed_encoder(const Settings& /*settings*/) const { return {}; }
    /// Returns the settings that have no effect because of another setting, each with that setting as an
    /// option: `--NAME VALUE`.
    virtual std::map<std::string, std::string> unused_settings(const Settings& /*settings*/) const {
        return {};
    }

    /// Draws the constants of a model. Returns no constants for a method without any. Those of the fixed
    /// encoder are not among them, since they depend on the cells.
    virtual Constants draw_constants(const Settings& /*settings*/, const DataShape& /*data*/,
                                     std::uint64_t /*seed*/) const {
        return {};
    }
    /// Makes a model. It does not contain weights.
    /// @param constants  result of draw_constants() for the same settings and data, with those of the fixed
    ///                   encoder
    /// @param precision  precision of matrix products in training. Prediction uses fp32.
    /// @throws core::ShapeMismatch for constants of another shape
    virtual std::unique_ptr<Model> make(const Settings& settings, const DataShape& data,
                                        const Constants& constants, linalg::Precision precision) const = 0;
};

/// Returns the names of all methods, in the same order.
std::vector<std::string> family_names();
/// Returns the method with this name, or null.
const Family* find_family(const std::string& name);
/// Returns whether a method uses a setting. False for a method that this program does not know.
bool uses_setting(const std::string& family, const std::string& setting);

/// Settings of all methods. Methods that share their settings share one object.
class SettingsSet {
  public:
    /// Makes the default settings of all methods.
    SettingsSet();
    SettingsSet(const SettingsSet& other);
    SettingsSet(SettingsSet&&) = default;
    SettingsSet& operator=(const SettingsSet&) = delete;
    SettingsSet& operator=(SettingsSet&&) = default;
    ~SettingsSet() = default;

    Settings& of(const Family& family) { return *settings_.at(family.settings_name()); }
    const Settings& of(const Family& family) const { return *settings_.at(family.settings_name()); }
    /// Returns one method for each object, in the order of families().
    static std::vector<const Family*> owners();

  private:
    std::map<std::string, std::unique_ptr<Settings>> settings_;
};

/// Returns the methods that use a setting: those of the field, or all methods that share the settings.
std::vector<std::string> methods_of(const Field& field, const Family& owner);

}  // namespace popflow::models
