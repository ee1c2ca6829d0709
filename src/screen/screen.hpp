// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "screen/population.hpp"
#include "screen/transform.hpp"

namespace popflow::screen {

/// Which concentrations of a treatment make pairs.
enum class Doses {
    highest,  ///< the highest concentration of each treatment within its experiment
    all,
};

/// How a data file is to be read; the same for every verb, and stored with a model.
struct ScreenOptions {
    /// role -> obs column; roles are patient culture treatment concentration replicate plate cell_type.
    std::map<std::string, std::string> columns;
    std::vector<std::string> control_labels{"DMSO", "AH", "H2O", "control", "vehicle"};
    std::vector<std::string> pair_by{"patient", "culture", "plate", "replicate"};
    std::size_t min_cells = 1000;
    Doses doses = Doses::highest;
    Transform transform;
    std::vector<std::string> markers;          ///< in this order; empty: all of the file
    std::vector<std::string> exclude_markers;  ///< left out
    /// Rows left out: each entry is `COLUMN=VALUE[,COLUMN=VALUE...]`, and a row goes that matches all of an
    /// entry.
    std::vector<std::string> exclude;
    std::string split_column;  ///< obs column that says train / validation / test; empty for none
    /// false: experiments that hold only controls are kept, and a screen without pairs is no error, as for
    /// prediction.
    bool need_pairs = true;
};

/// The pairing keys and values of one experiment.
struct Experiment {
    std::string label;                     ///< values of the pairing keys, joined by ` / `
    std::vector<std::string> values;       ///< in the order of ScreenOptions::pair_by
    std::vector<std::size_t> populations;  ///< kept populations, indices into Screen::populations
};

/// Beginning of Dropped::why for rows without a label that they need.
inline constexpr const char* missing_label_prefix = "no value of ";

/// Something that was left out, and why. Each cell of the file is in a kept population or in one of these.
struct Dropped {
    enum class Kind { rows, population, experiment };
    Kind kind = Kind::rows;
    std::string what;         ///< label of the population or experiment
    std::size_t n_cells = 0;  ///< of an experiment: without those of populations that are listed themselves
    std::string why;
};

/// What a data file holds, without the cells: populations, experiments and (control, treated) pairs.
struct Screen {
    std::string file;
    ScreenOptions options;
    std::size_t n_obs = 0;                 ///< rows of the file
    std::size_t n_vars = 0;                ///< columns of X
    std::string x_text;                    ///< encoding and type of X, as in `csr float32`
    std::vector<std::string> markers;      ///< used, in order
    std::vector<std::size_t> marker_cols;  ///< their columns in X
    std::vector<std::string> cell_types;   ///< sorted; one entry if the file has no such column
    std::vector<std::string> treatments;   ///< labels of the treated populations of `pairs`, sorted
    std::vector<Experiment> experiments;   ///< kept, sorted by values
    std::vector<Population>
        populations;  ///< kept, sorted by (experiment, treatment, concentration value, label)
    std::vector<PopulationPair> pairs;  ///< in the order of `treated`
    std::vector<Dropped> dropped;
    std::size_t experiments_found = 0;  ///< before anything was dropped
    std::size_t populations_found = 0;
    /// Hex digest over obs codes, markers, shape, type and encoding of X, and a sample of its values.
    std::string fingerprint;
};

/// Reads everything but the cells, streaming obs in bounded blocks.
///
/// A population is one (experiment, treatment, concentration); those under `min_cells` are dropped, then
/// experiments that no longer hold both a control and a treatment. Of two vehicle controls the one with more
/// cells is taken, ties by treatment, then by concentration. Rows that lack a value which makes a population
/// are left out.
///
/// `treatment` must be there; a column of another role that is missing counts as one value, unless `columns`
/// or a `pair_by` other than the default names it.
///
/// @throws DataError if the file is not HDF5, has no X, lacks a named column or marker, has no control or no
/// pair, or
///         has concentrations that are no numbers for a treatment with several; ConfigError for a bad option
Screen open_screen(const std::string& file, const ScreenOptions& options);

/// `TREATMENT @ CONCENTRATION`, or the treatment alone if the concentration is empty.
std::string condition_name(const std::string& treatment, const std::string& concentration);
/// Name of a pair in tables: its pairing values, treatment and concentration.
std::string pair_name(const Screen& screen, std::size_t pair);

/// Name of a population for people: its experiment, treatment and concentration.
std::string population_label(const Screen& screen, std::size_t population);

}  // namespace popflow::screen
