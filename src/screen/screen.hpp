// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "anndata/matrix_source.hpp"
#include "core/dose.hpp"
#include "screen/population.hpp"
#include "screen/size_factor.hpp"
#include "screen/transform.hpp"

namespace popflow::screen {

/// Concentrations of a treatment that make pairs.
enum class Doses {
    highest,  ///< the highest concentration of each treatment within its experiment
    all,
};

/// Use of several controls in one experiment, such as two vehicles.
enum class Vehicles {
    largest,  ///< pairs a treatment with its own vehicle, or else with the largest control
    pool,     ///< the controls of an experiment are one population
};

/// Options for reading a data file. They are the same for every verb and are stored with a model.
struct ScreenOptions {
    /// role -> obs column, an empty column switches the role off. Roles: patient, culture, treatment,
    /// concentration, replicate, plate, cell_type, vehicle.
    std::map<std::string, std::string> columns;
    /// Treatment labels of controls. An entry `TREATMENT=VEHICLE` names the control of one treatment.
    std::vector<std::string> control_labels{"DMSO", "AH", "H2O", "control", "vehicle"};
    std::vector<std::string> pair_by{"patient", "culture", "plate", "replicate"};
    std::size_t min_cells = 1000;
    Vehicles vehicles = Vehicles::largest;
    Doses doses = Doses::highest;
    anndata::MatrixSource source;  ///< matrix of the cells
    SizeFactor size_factor;        ///< applied before the transform
    Transform transform;
    std::vector<std::string> markers;          ///< markers to use, in this order; empty: all of the file
    std::vector<std::string> exclude_markers;  ///< markers to leave out
    /// Rows to leave out. Each entry is `COLUMN=VALUE[,COLUMN=VALUE...]` and excludes the rows that match all
    /// of its conditions.
    std::vector<std::string> exclude;
    std::string split_column;  ///< obs column or role that the split reads, empty for none
    /// If false, keeps experiments that hold only controls, and a screen without pairs is no error.
    /// Prediction uses this.
    bool need_pairs = true;
    /// Whether `pair_by` names columns of obs only, and no role. Transport problems use this.
    bool pairs_by_any_column = false;
    /// Whether all cells are controls if there is no column of treatments. Prediction uses this.
    bool all_are_controls = false;
    /// Whether each kept population stands alone, with or without controls. Screen::pairs then has one pair
    /// of each population with itself. Methods whose items are populations use this, without need_pairs.
    bool unpaired = false;
    /// With `unpaired`, further columns of obs in which populations differ.
    std::vector<std::string> population_columns{};
};

/// The pairing keys and values of one experiment.
struct Experiment {
    std::string label;  ///< values of the pairing keys, joined by ` / `
    /// Values of the keys, in the order of ScreenOptions::pair_by, then of population_columns.
    std::vector<std::string> values;
    std::vector<std::size_t> populations;  ///< kept populations, indices into Screen::populations
};

/// Start of Dropped::why for rows that lack a required label.
inline constexpr const char* missing_label_prefix = "no value of ";

/// Rows, a population or an experiment that were left out, and the reason. Each cell of the file is in a kept
/// population or in one Dropped.
struct Dropped {
    enum class Kind { rows, population, experiment };
    Kind kind = Kind::rows;
    std::string what;         ///< label of the population or experiment
    std::size_t n_cells = 0;  ///< an experiment does not count cells of populations that have their own entry
    std::string why;
};

/// Contents of a data file except the cells: populations, experiments and (control, treated) pairs.
struct Screen {
    std::string file;
    ScreenOptions options;
    std::size_t n_obs = 0;                 ///< rows of the file
    std::size_t n_vars = 0;                ///< columns of the matrix
    std::string x_text;                    ///< encoding and type of the matrix, as in `csr float32`
    std::vector<std::string> markers;      ///< markers in use, in order
    std::vector<std::size_t> marker_cols;  ///< columns of `markers` in the matrix
    std::vector<std::string> cell_types;   ///< sorted; one entry if the file has no such column
    std::vector<std::string> treatments;   ///< labels of the treated populations of `pairs`, sorted
    std::vector<Experiment> experiments;   ///< kept experiments, sorted by values
    /// Kept populations, sorted by (experiment, treatment, concentration value, label).
    std::vector<Population> populations;
    std::vector<PopulationPair> pairs;  ///< in the order of `treated`
    /// Vehicles that the control labels `TREATMENT=VEHICLE` name, by treatment.
    std::map<std::string, std::string> named_vehicles;
    bool has_treatments =
        true;  ///< whether the file has a column of treatments. If not, all cells are controls
    /// Quantity of the doses of the treated cells, which are in core::unit_name() of it.
    core::Quantity dose_quantity = core::Quantity::number;
    std::vector<Dropped> dropped;
    std::size_t experiments_found = 0;  ///< number before anything was dropped
    std::size_t populations_found = 0;  ///< number before anything was dropped
    /// Notes for the user on labels, and on choices that the reading made, such as that of a vehicle.
    std::vector<std::string> notes;
    std::string nothing_kept;     ///< why no experiment is kept and what to do, empty if there is one
    std::string nothing_kept_at;  ///< part of the file that this concerns
    /// Hex digest over obs codes, markers, shape, type and encoding of the matrix, and a sample of its
    /// values.
    std::string fingerprint;
};

/// Reads everything except the cells. Streams obs in blocks of bounded size.
///
/// A population is one (experiment, treatment, concentration). Drops in this order:
///   1. rows that lack a value that identifies a population,
///   2. populations with fewer than `min_cells` cells,
///   3. experiments that no longer hold both a control and a treatment.
///
/// With ScreenOptions::unpaired, the third step drops experiments without any population.
///
/// If an experiment has several controls, pairs a treatment with its own vehicle: the one that an entry
/// `TREATMENT=VEHICLE` of the control labels or the role `vehicle` names. Otherwise takes the control with
/// the most cells. Resolves ties by treatment, then by concentration. Screen::notes states the choice.
///
/// The column `treatment` is required. Another role whose column is missing counts as one value, unless
/// `columns` or a `pair_by` other than the default names it.
///
/// @throws DataError if the file is not HDF5, lacks the matrix, lacks a named column or marker, or has no
/// control or
///         no pair. Also if a treatment has several concentrations and one of them is not a number.
/// @throws ConfigError for an invalid option
Screen open_screen(const std::string& file, const ScreenOptions& options);
/// Like open_screen(), but a screen of which nothing is kept is no error. Screen::nothing_kept explains it.
Screen survey_screen(const std::string& file, const ScreenOptions& options);

/// Returns the notes of a screen, after a line for each required label that rows lack. Every verb that reads
/// cells prints them.
std::vector<std::string> reading_notes(const Screen& screen);

/// Returns the vehicle that the role vehicle gives a treated population: its only value, if that is a control
/// label. Returns nullopt otherwise, and if the controls are pooled.
std::optional<std::string> vehicle_in_column(const Screen& screen, const Population& treated);

/// Returns `TREATMENT @ CONCENTRATION`, or the treatment alone if the concentration is empty.
std::string condition_name(const std::string& treatment, const std::string& concentration);
/// Returns the name of a pair in tables: its pairing values, treatment and concentration.
std::string pair_name(const Screen& screen, std::size_t pair);

/// Returns a human-readable name of a population: its experiment, treatment and concentration.
std::string population_label(const Screen& screen, std::size_t population);

}  // namespace popflow::screen
