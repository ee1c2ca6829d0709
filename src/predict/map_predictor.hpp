// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "models/cloud_potentials.hpp"
#include "mpi/communicator.hpp"
#include "predict/potential_model.hpp"
#include "predict/prediction_file.hpp"
#include "screen/screen.hpp"

namespace popflow::predict {

/// Transport problem between two populations of a screen.
struct MapProblem {
    std::size_t source = 0;  ///< index into Screen::populations
    std::size_t target = 0;
    std::string name{};
};

/// obs columns of the file of write_maps().
inline constexpr const char* map_problem_column = "predicted_problem";
inline constexpr const char* map_source_column = "predicted_source";
inline constexpr const char* map_target_column = "predicted_target";

/// Returns the plan of a file with the mapped source cells of each problem. The column of sources names the
/// problems.
PredictionPlan plan_maps(const screen::Screen& screen, const std::vector<MapProblem>& problems);

/// Returns the name of a population in problems: the values of its pairing keys, and its condition if the
/// screen has several.
std::string map_population_name(const screen::Screen& screen, std::size_t population);

/// A problem that failed.
struct FailedMap {
    std::string problem;
    std::string message;
};

/// Maps the source cells of each problem and adds them to the file. The problems are dealt over the ranks.
/// Collective over comm.
/// @param options  starts.front() and the last number of steps count
/// @param progress  called on each rank with the number of its problems that are done, and of all of them
/// @return on rank 0 the failed problems
std::vector<FailedMap> predict_maps(const screen::Screen& screen, const std::vector<MapProblem>& problems,
                                    const PotentialModel& model, const models::FineTuneOptions& options,
                                    std::uint64_t seed, PredictionFile& file, const mpi::Communicator& comm,
                                    const std::function<void(std::size_t, std::size_t)>& progress);

}  // namespace popflow::predict
