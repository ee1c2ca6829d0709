// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "screen/screen.hpp"
#include "screen/screen_columns.hpp"
#include "screen/screen_draft.hpp"

namespace popflow::screen {

/// Checks that the options do not both pool the controls and name a vehicle. @throws core::ConfigError
void check_vehicle_options(const ScreenOptions& options, const ScreenColumns& columns);

/// Merges the controls of each experiment into one population, whose label joins theirs by `+`.
void pool_controls(ScreenDraft& draft);

/// Returns the vehicle that a treated population must be paired with: the one that a control label
/// `TREATMENT=VEHICLE` names, or the value of the role vehicle if it is a control label. Returns nullopt if
/// any control will do.
std::optional<std::string> required_vehicle(const Population& treated, const ScreenColumns& columns);

/// Returns the control of a treated population: among the populations of its vehicle, or of any control if it
/// has none, the one with the most cells. The first of these populations wins a tie.
///
/// A vehicle that the experiment lacks does not count. The experiment must have a control.
std::size_t control_of(const Screen& screen, const Experiment& experiment, const Population& treated,
                       const ScreenColumns& columns);

/// Returns notes about experiments with several controls, and about entries that have no effect. Returns none
/// if every experiment has one control. Without need_pairs only notes about controls that are pooled.
std::vector<std::string> vehicle_notes(const Screen& screen, const ScreenColumns& columns);

}  // namespace popflow::screen
