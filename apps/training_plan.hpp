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

/// What a training was found to need, by some steps of it that leave nothing behind.
struct DryRun {
    std::uint64_t steps = 0;  ///< that were timed
    double seconds = 0;       ///< that they took
    std::size_t parameters = 0;
    std::size_t checkpoint_bytes = 0;  ///< of one file
    std::string fault{};               ///< why it stopped; empty if it went well
};

/// What a training with these settings would do, as lines for people. Collective; empty but on rank 0.
std::string training_plan(const options::RunConfig& config, const screen::Screen& screen,
                          const screen::Split& split, const train::Checkpoint& model, const DryRun& dry_run,
                          const mpi::Communicator& comm);

}  // namespace popflow::apps
