// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "screen/conditions.hpp"
#include "screen/screen.hpp"

namespace popflow::predict {

/// Controls of an experiment with several controls from which a treatment is predicted.
enum class FromControls {
    own,  ///< the control with which training pairs the treatment, or all if no vehicle is named
    all,
};

/// Conditions that are predicted from each control.
struct ControlChoice {
    /// By population: indices of the conditions, ascending. Empty for a population that is not transported.
    std::vector<std::vector<std::size_t>> conditions;
    std::vector<std::string> notes;  ///< notes for the user on experiments with several controls
};

/// Chooses the controls from which conditions are predicted.
///
/// With FromControls::own, and if a vehicle is named, a condition is predicted from its own vehicle in each
/// experiment with several controls. Of several populations of the vehicle it takes the largest. If the
/// vehicle is unknown, or missing in the experiment, it takes the largest control. In all other cases each
/// condition is predicted from each control.
///
/// The vehicle of a treatment is that of a control label `TREATMENT=VEHICLE`. Otherwise it is the vehicle
/// that the role vehicle gives the treatment: in the experiment, else in the training, else in the whole
/// file.
ControlChoice choose_controls(const screen::Screen& screen, std::span<const screen::Population> conditions,
                              const screen::Conditions& trained, FromControls from);

}  // namespace popflow::predict
