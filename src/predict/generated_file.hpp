// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "mpi/communicator.hpp"
#include "predict/generator.hpp"
#include "predict/prediction_space.hpp"
#include "predict/provenance.hpp"

namespace popflow::predict {

/// Contents of a file of generated populations.
struct GeneratedPlan {
    std::string path{};
    Space space = Space::raw;
    screen::Transform transform{};
    std::span<const screen::Population> conditions{};
    GenerateOptions options{};
    /// Names of the populations to complete, one for each condition. Empty for generated populations.
    std::vector<std::string> names{};
    /// Returns population k to complete.
    std::function<PopulationToComplete(std::size_t k)> given{};
};

/// Draws populations under each condition and writes them to one AnnData file. Collective over comm.
///
/// The populations are dealt over the ranks, and a rank holds some of them at a time. The file has the same
/// bytes on any number of ranks, except for the provenance.
///
/// Contents of the file, by condition, then by population, then by flow time:
/// - X: the cells in the requested space, the markers of the training.
/// - obs: `population`, unique among the conditions (completed populations keep their name, with a number if
///   there are several of each), `treatment`, `concentration` if the conditions have one,
///   and `time`, the flow time, if there are several.
/// - uns["popflow"]: the provenance, and the table `populations` with one row for each population and time.
/// If
///   the method generates Gaussians, also `means` [rows, d] and `covariances` [rows, d, d] of these rows.
///   `moments_space` is their space: `transformed`, `normalised` if the cells are, or `latent` for
///   coordinates of principal components.
///
/// @return number of cells
/// @throws core::DataError, core::WriteError, core::NumericalError on all ranks
std::size_t write_generated(const GeneratorModel& generator, const GeneratedPlan& plan,
                            const Provenance& provenance, const mpi::Communicator& comm);

}  // namespace popflow::predict
