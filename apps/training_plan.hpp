// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "mpi/communicator.hpp"
#include "options/run_config.hpp"
#include "screen/screen.hpp"
#include "screen/splits.hpp"
#include "train/checkpoint.hpp"

namespace popflow::apps {

/// Measurements of a dry run: some timed steps of a training that write nothing.
struct DryRun {
    std::uint64_t steps = 0;  ///< number of timed steps
    double seconds = 0;       ///< duration of the timed steps
    std::size_t parameters = 0;
    std::size_t checkpoint_bytes = 0;  ///< size of one checkpoint file
    std::string fault{};               ///< error that ended the dry run, empty for none
};

/// Describes in lines of text what a training with these settings would do. Collective. Only rank 0 gets the
/// text, other ranks an empty one.
std::string training_plan(const options::RunConfig& config, const screen::Screen& screen,
                          const screen::Split& split, const train::Checkpoint& model, const DryRun& dry_run,
                          const mpi::Communicator& comm);

}  // namespace popflow::apps
