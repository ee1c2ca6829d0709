// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "screen/screen.hpp"
#include "screen/screen_draft.hpp"

namespace popflow::screen {

/// Explains in one line why no experiment of a screen is kept: all reasons, and the option values that would
/// keep something.
///
/// Tries to leave out pairing keys, as few as possible, and to lower the minimum number of cells.
/// @param screen  screen without kept experiments
/// @param draft  populations before anything was dropped
std::string explain_nothing_kept(const Screen& screen, const ScreenDraft& draft);

}  // namespace popflow::screen
