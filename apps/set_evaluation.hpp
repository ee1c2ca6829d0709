// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "eval/partial_results.hpp"
#include "predict/generator.hpp"
#include "verbs.hpp"

namespace popflow::apps {

/// Why `--metrics` is refused for generated populations.
inline constexpr const char* no_pair_scores =
    "is an option of scores of pairs, and generated populations are compared as sets, by --distance. Leave "
    "it out";

/// Compares populations that a run generates with the held-out ones and writes the results to `output`, as
/// evaluate_run() does for predictions of treated cells. Collective.
/// @return `done` or `stopped`
/// @throws core::UserError, core::Error
int evaluate_generated(const std::string& run, const predict::GeneratorModel& generator,
                       const std::string& output, const options::RunConfig& config,
                       const options::OptionTable& table, eval::Leftover leftover, const std::string& log,
                       const mpi::Communicator& comm);

}  // namespace popflow::apps
