// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "linalg/precision.hpp"
#include "mpi/communicator.hpp"
#include "options/run_config.hpp"
#include "train/training_run.hpp"
#include "train/training_set.hpp"

namespace popflow::apps {

/// Returns the storage that --cache selects. With `auto` the cells stay in memory if they need at most half
/// of the available memory of the host, divided by its ranks. Otherwise they go to $TMPDIR or /tmp.
/// Collective.
/// @throws core::ConfigError if the folder does not exist
train::CellStorage cell_storage(const options::RunConfig& config, const mpi::Communicator& comm);

/// Returns the files and the cadence of a training.
train::TrainingRunOptions files_and_cadence(const options::RunConfig& config);

/// Returns the precision of matrix products after resolve_precision().
linalg::Precision precision_of(const options::RunConfig& config);

/// Writes the text of a configuration to `config.cfg` in a run folder.
/// @throws core::DataError, core::WriteError
void write_config(const std::string& folder, const std::string& text);

/// Opens the data after checking that all ranks have the same configuration and see the same file.
/// Collective.
/// @throws core::Error as mpi::check_same_on_all_ranks(), core::DataError
screen::Screen open_training_screen(const options::RunConfig& config, const options::OptionTable& table,
                                    const mpi::Communicator& comm);

/// Reads the file of --treatment-vectors after checking that all ranks see the same file. Returns no vectors
/// without that option. Collective.
/// @throws core::DataError for an invalid file
/// @throws core::Error as mpi::check_same_on_all_ranks()
screen::TreatmentVectors read_treatment_vectors(const options::RunConfig& config,
                                                const mpi::Communicator& comm);

/// Computes the target of --size-factor median and stores it in the screen and in the configuration, which
/// goes to the checkpoint. Collective.
/// @param reads_cells  whether the cells may be read, without which the target is not computed
/// @return the screen
const screen::Screen& with_size_factor(screen::Screen& screen, const screen::Split& split,
                                       options::RunConfig& config, bool reads_cells,
                                       const mpi::Communicator& comm);

/// Sets the defaults of a small screen, adapts options that do not fit small data, and checks before the
/// cells are read that the configuration fits the data. @return  notes for the user
/// @throws core::ConfigError if it does not
std::vector<std::string> fit_config_to_data(options::RunConfig& config, const options::OptionTable& table,
                                            const screen::Screen& screen, const screen::Split& split);

}  // namespace popflow::apps
