// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/scores.hpp"

namespace popflow::metrics {

enum class Direction { lower_is_better, higher_is_better };

/// Values that a metric compares if the model works in principal components.
enum class Space {
    latent,   ///< coordinates of the components
    markers,  ///< markers, to which the predictions are mapped back
};

/// One metric of the program: how it is called, computed and shown. Every list of metrics comes from
/// all_metrics().
struct Metric {
    const char* name;         ///< value of --metrics and column of the results
    const char* title;        ///< heading in text tables
    const char* html_title;   ///< heading in HTML
    const char* latex_title;  ///< heading in LaTeX, without the arrow of the direction
    double Scores::*score;
    bool Selection::*selected;
    Direction direction = Direction::lower_is_better;
    double factor = 1;  ///< shown value = factor * score
    int decimals = 3;   ///< maximum number of decimals in tables
    /// Space of the metric if the model works in a latent space. A mapped-back cell lacks the noise outside
    /// the components, so a distance that compares the spread of all markers would be wrong there.
    Space space = Space::latent;
    bool needs_control = false;  ///< whether it is defined by the change from the control
    bool is_default = true;      ///< whether it is computed unless --metrics selects others
    bool is_in_tables = true;    ///< whether tables have a column for it beside others
    bool is_in_letters = true;   ///< whether the table of the letters has a column for it, as published
    /// Preference for the figures of a report, which show the computed metric with the lowest positive rank.
    /// 0 for never, as for a metric whose excess over the noise floor is no loss.
    int figure_rank = 0;
    const char* note = "";  ///< sentence below tables with this metric, empty for none
};

/// Returns all metrics, in the order of tables and result files.
std::span<const Metric> all_metrics();

/// Returns the metric of a name, nullptr for an unknown name.
const Metric* find_metric(std::string_view name);

/// Returns the names of all metrics, or of those that are computed by default.
const std::vector<std::string>& metric_names();
const std::vector<std::string>& default_metric_names();

/// Returns the selection of the metrics with these names. Unknown names are ignored.
Selection select_metrics(std::span<const std::string> names);

/// Returns the names of all metrics of a space, see Metric::space.
std::vector<std::string> names_in(Space space);

/// Returns a selection without the metrics of the other space, see Metric::space.
Selection restrict_to(Space space, Selection selection);

/// Copies the scores of the metrics of a space.
void copy_scores(Space space, const Scores& from, Scores& to);

}  // namespace popflow::metrics
