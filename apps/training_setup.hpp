// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "config/run_config.hpp"
#include "dist/communicator.hpp"
#include "train/checkpoint.hpp"
#include "train/training_set.hpp"

namespace popflow::apps {

/// Where --cache puts cells: with `auto` in memory up to half of what this rank's host has left for it.
/// Collective.
train::CellStorage cell_storage(const config::RunConfig& config, const dist::Communicator& comm);

/// Writes `config.cfg`, every key, into a run folder. @throws core::DataError, core::WriteError
void write_config(const std::string& folder, const config::OptionTable& table);

/// Opens the data once all ranks are known to have the same configuration and to see the same file.
/// Collective.
data::Screen open_agreed_screen(const config::RunConfig& config, const config::OptionTable& table,
                                const dist::Communicator& comm);

/// Those of --treatment-vectors, or none, once all ranks are known to see the same file. Collective.
/// @throws core::DataError; core::ConfigError if the split holds treatments out and there are none
data::TreatmentVectors agreed_vectors(const config::RunConfig& config, const dist::Communicator& comm);

/// Refuses a configuration that does not suit the data, before its cells are read. @throws core::ConfigError
void check_suits(const config::RunConfig& config, const data::Screen& screen, const data::Split& split);

/// Networks as configured and as the data decide.
models::FlowMatchingShape model_shape(const config::RunConfig& config, const data::Screen& screen,
                                      const train::TrainingSet& set);
models::IcnnTransportShape icnn_shape(const config::RunConfig& config, const models::FlowMatchingShape& data);

/// A training may go on from `before`: the configuration is the same in all that changes the result, and so
/// is the data, by its fingerprint and by the statistics of the cells that were read.
/// @throws core::ConfigError that names every key that differs, core::DataError
void check_unchanged(const config::RunConfig& config, const train::Checkpoint& now,
                     const train::Checkpoint& before);

}  // namespace popflow::apps
