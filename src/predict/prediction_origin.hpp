// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>

#include "anndata/matrix_source.hpp"
#include "predict/prediction_space.hpp"
#include "predict/provenance.hpp"
#include "screen/size_factor.hpp"
#include "screen/transform.hpp"

namespace popflow::predict {

/// Origin of the values of a prediction file, from uns["popflow"].
struct PredictionOrigin {
    Space space = Space::raw;
    screen::Transform transform;
    screen::SizeFactor size_factor;
    anndata::MatrixSource source;  ///< matrix of the data file that the cells came from
    bool is_mapped_back = false;   ///< whether X was mapped back from a latent space
    Provenance provenance{};       ///< without the numbers of ranks and threads, which the file lacks
    /// Column of obs that names the source of a cell: map_problem_column, predicted_pair or
    /// predicted_population. Empty for generated populations.
    std::string source_column{};
};

/// Reads the origin of a file that PredictionFile has written. Returns nullopt for any other HDF5 file.
/// @throws core::DataError if the file cannot be read, or names a space or transform that is unknown
std::optional<PredictionOrigin> read_prediction_origin(const std::string& file);

/// Checks that predicted pixels have the scale of the data, so that they are colours.
/// @throws core::DataError
void check_colours(const std::string& file, const PredictionOrigin& origin);

}  // namespace popflow::predict
