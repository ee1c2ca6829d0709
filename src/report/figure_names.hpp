// SPDX-License-Identifier: MIT
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "report/figure.hpp"

namespace popflow::report {

/// Collects figures under unique file names.
class FigureNames {
  public:
    /// Adds a figure under a name made of these words, as in `mfm-k-5-w2-per-pair-against-mean_shift`.
    /// Appends a number to a name that is already in use.
    void add(const std::string& words, const Figure& figure);
    /// Names without extension, and the figures.
    const std::vector<std::pair<std::string, Figure>>& figures() const { return figures_; }

  private:
    std::set<std::string> used_;
    std::vector<std::pair<std::string, Figure>> figures_;
};

}  // namespace popflow::report
