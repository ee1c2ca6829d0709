// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <string>
#include <vector>

namespace popflow::core {

/// Results that an option changes. From this follow the checks of a resume, the identity of a partial
/// evaluation and the rows of a report.
enum class Affects {
    nothing,       ///< no result: paths, logging, checkpoint cadence
    reported,      ///< which values are computed and stored, but none of the values
    seed,          ///< a repetition: reports average over runs that differ in it alone
    label,         ///< the name of a report's row
    scored_cells,  ///< which cells are scored and in which units: the rows of all predictors
    prediction,    ///< predicted cells
    training,      ///< weights
};

/// Effect of one option.
struct OptionEffect {
    Affects affects = Affects::training;
    std::vector<std::string> methods{};  ///< methods that use the option, empty for all
    /// Whether the value is a path. A resume compares the content of the file instead.
    bool is_path = false;
};

/// Effects by option name.
using OptionEffects = std::map<std::string, OptionEffect>;

/// Compares two resolved configurations. Returns `key: found ..., was ...` for each key that differs.
///
/// Leaves out options without an effect, options that the method does not use, and paths: the content of a
/// file counts.
std::vector<std::string> changed_options(const std::string& now, const std::string& before,
                                         const OptionEffects& effects);

}  // namespace popflow::core
