// SPDX-License-Identifier: MIT
#include "screen/marker_choice.hpp"

#include <algorithm>
#include <set>

#include "core/error.hpp"
#include "core/text.hpp"

namespace popflow::screen {

namespace {

std::size_t marker_column(const anndata::AnnData& data, const std::string& name, const char* option) {
    const std::vector<std::string>& all = data.var_names();
    const auto found = std::find(all.begin(), all.end(), name);
    if (found == all.end()) {
        throw core::DataError(data.file(), "var",
                              "found no marker `" + name + "`" + core::did_you_mean(name, all) + ". --" +
                                  option + " takes " + core::joined(all));
    }
    return static_cast<std::size_t>(found - all.begin());
}

}  // namespace

MarkerChoice choose_markers(const anndata::AnnData& data, const ScreenOptions& options) {
    MarkerChoice choice;
    std::set<std::size_t> excluded;
    for (const std::string& name : options.exclude_markers) {
        excluded.insert(marker_column(data, name, "exclude-markers"));
    }
    std::vector<std::string> wanted = options.markers.empty() ? data.var_names() : options.markers;
    std::set<std::string> seen;
    for (std::size_t k = 0; k < wanted.size(); ++k) {
        const std::size_t column = options.markers.empty() ? k : marker_column(data, wanted[k], "markers");
        if (excluded.contains(column)) continue;
        if (!seen.insert(wanted[k]).second) {
            throw core::DataError(data.file(), "var",
                                  "found marker `" + wanted[k] + "` twice. " +
                                      (options.markers.empty() ? "Make the names of the markers unique"
                                                               : "Give it once in --markers"));
        }
        choice.markers.push_back(wanted[k]);
        choice.cols.push_back(column);
    }
    if (choice.markers.empty())
        throw core::DataError(data.file(), "var",
                              "no marker is left to use: check --markers and --exclude-markers");
    return choice;
}

}  // namespace popflow::screen
