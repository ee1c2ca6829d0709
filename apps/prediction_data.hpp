// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "predict/prediction_origin.hpp"
#include "screen/screen.hpp"

namespace popflow::apps {

/// Opens the data file of a prediction, read with the options that the prediction has stored.
/// @param prediction  path of the prediction
/// @param data  path of the data file, empty for the stored one
/// @throws core::ConfigError if the file does not exist, core::DataError if it is not the file of the
/// prediction
screen::Screen open_prediction_data(const std::string& prediction, const predict::PredictionOrigin& origin,
                                    const std::string& data);

}  // namespace popflow::apps
