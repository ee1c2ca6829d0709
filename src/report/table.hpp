// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "report/cluster_statistics.hpp"
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
    std::string interval{};  ///< 95 % interval of the mean, `[3.512, 3.771]`, empty without one
    bool is_best = false;    ///< better than all other rows, see tables()
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
        std::string predictor{};
        bool is_model = true;
        bool has_published = false;
        bool has_interval = false;
        std::vector<TableCell> cells{};
    };
    std::string caption{};  ///< `test, mean over cultures (90 pairs, 3 seeds)`
    std::string part{};
    std::string aggregation{};  ///< aggregation of the scope, culture_mean in the published tables
    std::vector<TableColumn> columns{};
    std::vector<Line> lines{};
    std::size_t max_width = 0;  ///< number of characters above which a text table is broken, 0 for no limit
};

/// Returns the tables of a comparison.
///
/// The split `letters` has one table: the mean of each part, with separate columns for each test letter.
/// Other splits, and letters with another grouping than the default, have one table per scope. The columns
/// are the metrics with Metric::is_in_tables, or all if none of these was computed. Columns without a score
/// are omitted.
///
/// A value is marked as best if the 95 % interval of the paired difference from every other row lies on one
/// side of zero. Rows with the same text as the best one are marked too. Baselines that use the target do not
/// take part. Nothing is marked with fewer than min_clusters clusters.
/// @param published  may be nullptr
std::vector<Table> tables(const Comparison& comparison, const PublishedTable* published,
                          ClusterStatistics& statistics);

/// Returns the legend of the tables: the rule of the mark and the definitions of their baselines, one per
/// line.
/// @param best  name of the mark of the best value of a column, for example `*`
std::vector<std::string> legend(const std::string& best, const std::vector<Table>& tables);

/// Returns the notes on the intervals of the tables, one per line: what is resampled, and where there is no
/// interval or too few clusters.
std::vector<std::string> interval_notes(const std::vector<Table>& tables, ClusterStatistics& statistics);

/// Returns the notes of the metrics that have a column in one of the tables, one per line.
std::vector<std::string> metric_notes(const std::vector<Table>& tables);

}  // namespace popflow::report
