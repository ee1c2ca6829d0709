// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "mpi/communicator.hpp"
#include "options/run_config.hpp"
#include "train/checkpoint.hpp"
#include "train/training_set.hpp"

namespace popflow::apps {

/// Where --cache puts cells: with `auto` in memory up to half of what this rank's host has left for it.
/// Collective.
train::CellStorage cell_storage(const options::RunConfig& config, const mpi::Communicator& comm);

/// Writes `config.cfg`, every key, into a run folder. @throws core::DataError, core::WriteError
void write_config(const std::string& folder, const options::OptionTable& table);

/// Opens the data once all ranks are known to have the same configuration and to see the same file.
/// Collective.
screen::Screen open_agreed_screen(const options::RunConfig& config, const options::OptionTable& table,
                                  const mpi::Communicator& comm);

/// Those of --treatment-vectors, or none, once all ranks are known to see the same file. Collective.
/// @throws core::DataError; core::ConfigError if the split holds treatments out and there are none
screen::TreatmentVectors agreed_vectors(const options::RunConfig& config, const mpi::Communicator& comm);

/// Refuses a configuration that does not suit the data, before its cells are read. @throws core::ConfigError
void check_suits(const options::RunConfig& config, const screen::Screen& screen, const screen::Split& split);

/// Networks as configured and as the data decide.
models::FlowMatchingShape model_shape(const options::RunConfig& config, const screen::Screen& screen,
                                      const train::TrainingSet& set);
models::IcnnTransportShape icnn_shape(const options::RunConfig& config,
                                      const models::FlowMatchingShape& data);

/// A training may go on from `before`: the configuration is the same in all that changes the result, and so
/// is the data, by its fingerprint and by the statistics of the cells that were read.
/// @throws core::ConfigError that names every key that differs, core::DataError
void check_unchanged(const options::RunConfig& config, const train::Checkpoint& now,
                     const train::Checkpoint& before);

}  // namespace popflow::apps
