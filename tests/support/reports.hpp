// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "options/run_config.hpp"
#include "report/comparison.hpp"
#include "report/report.hpp"

namespace popflow::support {

/// Returns the effects of all options of a run.
inline core::OptionEffects option_effects() {
    options::RunConfig config;
    return options::run_options(config).effects();
}

/// Calls report::compare() with the option effects of the program.
inline std::vector<report::Comparison> compare(const std::vector<eval::Results>& results) {
    return report::compare(results, option_effects());
}

/// Calls report::report() with the option effects of the program.
inline std::string report(const std::vector<eval::Results>& results, report::ReportFormat format,
                          const report::PublishedTable* published = nullptr) {
    return report::report(results, option_effects(), format, published);
}

/// Calls report::report_text() with the option effects of the program.
inline std::string report_text(const std::vector<eval::Results>& results) {
    return report::report_text(results, option_effects());
}

}  // namespace popflow::support
