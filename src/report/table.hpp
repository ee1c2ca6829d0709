// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "report/comparison.hpp"
#include "report/published.hpp"

namespace popflow::report {

/// Text of a value in a table. `mean` is `-` without a value, `deviation` is empty without a deviation.
struct CellText {
    std::string mean = "-";
    std::string deviation{};
};

/// Formats a value with at most `decimals` decimals, two from 10 and one from 100. Omits a deviation of 0.
CellText cell_text(double mean, double deviation, int decimals = 3);

struct TableCell {
    CellText measured;
    CellText published;
    bool is_best = false;  ///< best of its column, without the baselines that use the target
};

struct TableColumn {
    Scope scope{};
    std::string group{};   ///< heading over several columns, may be empty
    std::string metric{};  ///< one of metrics::metric_names()
    std::string title{};
    double factor = 1;  ///< shown value = factor * score
    int decimals = 3;
};

/// Table in the published layout, independent of the output format.
struct Table {
    struct Line {
        std::string label{};
        bool is_model = true;
        bool has_published = false;
        std::vector<TableCell> cells{};
    };
    std::string caption{};  ///< `test, mean over cultures (90 pairs, 3 seeds)`
    std::string part{};
    std::string aggregation{};  ///< aggregation of the scope, culture_mean in the published tables
    std::vector<TableColumn> columns{};
    std::vector<Line> lines{};
};

/// Returns the tables of a comparison.
///
/// The split `letters` has one table: the mean of each part, with separate columns for each test letter.
/// Other splits have one table per scope. The columns are W1, W2, MMD x 1000, r2 and energy distance. Columns
/// without a score are omitted.
/// @param published  may be nullptr
std::vector<Table> tables(const Comparison& comparison, const PublishedTable* published);

/// Returns the legend of the tables: the mark of the best values and the definitions of the baselines, one
/// per line.
/// @param best  name of the mark of the best value of a column, for example `*`
std::vector<std::string> legend(const std::string& best);

/// Returns the notes of the metrics that have a column in one of the tables, one per line.
std::vector<std::string> metric_notes(const std::vector<Table>& tables);

}  // namespace popflow::report
