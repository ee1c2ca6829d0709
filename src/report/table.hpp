// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "report/comparison.hpp"
#include "report/published.hpp"

namespace popflow::report {

/// A number of a table as it is shown; `deviation` is empty where there is none, `mean` is `-` without a
/// value.
struct CellText {
    std::string mean = "-";
    std::string deviation{};
};

/// At most `decimals` decimals, two from 10 and one from 100 on. The deviation is left out if all seeds
/// agree.
CellText cell_text(double mean, double deviation, int decimals = 3);

struct TableCell {
    CellText measured;
    CellText published;
    bool best = false;  ///< of its column, among models and the baselines that do not look at the target
};

struct TableColumn {
    Scope scope{};
    std::string group{};   ///< heading over several columns; empty: none
    std::string metric{};  ///< of metric_names()
    std::string title{};
    double factor = 1;  ///< shown = factor * score
    int decimals = 3;
};

/// One table in the published layout, before it becomes text of some kind.
struct Table {
    struct Line {
        std::string label{};
        bool is_model = true;
        bool has_published = false;
        std::vector<TableCell> cells{};
    };
    std::string caption{};  ///< `test, mean over cultures (90 pairs, 3 seeds)`
    std::string part{};
    std::string aggregation{};  ///< culture_mean for the published one
    std::vector<TableColumn> columns{};
    std::vector<Line> lines{};
};

/// Tables of a comparison.
///
/// Of the letters, one: the mean of each part, the test letters apart. Of others one for each scope, with the
/// columns W1, W2, MMD x 1000, r2 and energy distance. A column without any score is left out.
/// @param published  may be nullptr
std::vector<Table> tables(const Comparison& comparison, const PublishedTable* published);

/// How to read the tables: which numbers are good, what the baselines are. Short lines.
/// @param best  how a table marks the best of a column, as in `*`
std::vector<std::string> legend(const std::string& best);

}  // namespace popflow::report
