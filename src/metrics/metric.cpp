// SPDX-License-Identifier: MIT
#include "metrics/metric.hpp"

#include <algorithm>
#include <array>

namespace popflow::metrics {

namespace {

constexpr std::array table{
    Metric{.name = "w1",
           .title = "W1",
           .html_title = "W1",
           .latex_title = "$W_1$",
           .score = &Scores::w1,
           .selected = &Selection::w1,
           .figure_rank = 2},
    Metric{.name = "w2",
           .title = "W2",
           .html_title = "W2",
           .latex_title = "$W_2$",
           .score = &Scores::w2,
           .selected = &Selection::w2,
           .figure_rank = 1},
    Metric{.name = "mmd",
           .title = "MMD e-3",
           .html_title = "MMD ×10³",
           .latex_title = "MMD ($\\times 10^{-3}$)",
           .score = &Scores::mmd,
           .selected = &Selection::mmd,
           .factor = 1000,
           .decimals = 2,
           .figure_rank = 4},
    Metric{.name = "r2",
           .title = "corr. of corr.",
           .html_title = "corr. of correlations",
           .latex_title = "corr.\\ of correlations",
           .score = &Scores::r2,
           .selected = &Selection::r2,
           .direction = Direction::higher_is_better,
           .space = Space::markers,
           .is_in_letters = false,
           .note = "Pearson correlation between the correlation matrices of the markers of prediction and "
                   "truth, the column r2 of files"},  // two markers have one correlation
    Metric{.name = "energy",
           .title = "energy",
           .html_title = "energy",
           .latex_title = "energy",
           .score = &Scores::energy,
           .selected = &Selection::energy,
           .space = Space::markers,
           .is_in_letters = false,
           .figure_rank = 3},
    Metric{
        .name = "r2_means",
        .title = "R2 of means",
        .html_title = "R² of means",
        .latex_title = "$R^2$ of means",
        .score = &Scores::r2_means,
        .selected = &Selection::r2_means,
        .direction = Direction::higher_is_better,
        .space = Space::markers,
        .is_in_letters = false,
        .note = "coefficient of determination of the marker means, 1 - sum (t - p)^2 / sum (t - mean t)^2"},
    Metric{.name = "w1_markers",
           .title = "W1 of markers",
           .html_title = "W1 of markers",
           .latex_title = "$W_1$ of markers",
           .score = &Scores::w1_markers,
           .selected = &Selection::w1_markers,
           .is_in_tables = false},
    Metric{.name = "sinkhorn",
           .title = "Sinkhorn",
           .html_title = "Sinkhorn",
           .latex_title = "Sinkhorn",
           .score = &Scores::sinkhorn,
           .selected = &Selection::sinkhorn,
           .is_default = false,
           .is_in_letters = false},
    Metric{.name = "mmd_scaled",
           .title = "scaled MMD e-3",
           .html_title = "scaled MMD ×10³",
           .latex_title = "scaled MMD ($\\times 10^{-3}$)",
           .score = &Scores::mmd_scaled,
           .selected = &Selection::mmd_scaled,
           .factor = 1000,
           .decimals = 2,
           .is_in_tables = false},
    Metric{.name = "change_correlation",
           .title = "change corr.",
           .html_title = "change corr.",
           .latex_title = "change corr.",
           .score = &Scores::change_correlation,
           .selected = &Selection::change_correlation,
           .direction = Direction::higher_is_better,
           .space = Space::markers,
           .needs_control = true,
           .is_in_letters = false,
           .note = "Pearson correlation of predicted and true change of the marker means from the control. "
                   "identity has none, because it predicts no change"},
    Metric{.name = "recall_top",
           .title = "top recall",
           .html_title = "top recall",
           .latex_title = "top recall",
           .score = &Scores::recall_top,
           .selected = &Selection::recall_top,
           .direction = Direction::higher_is_better,
           .space = Space::markers,
           .needs_control = true,
           .is_in_letters = false,
           .note =
               "share of the 20 % of markers whose means truly change most that are among the 20 % with the "
               "largest predicted change"},
};

std::vector<std::string> names_if(bool only_default) {
    std::vector<std::string> names;
    for (const Metric& metric : table) {
        if (!only_default || metric.is_default) names.emplace_back(metric.name);
    }
    return names;
}

}  // namespace

std::span<const Metric> all_metrics() {
    return table;
}

const Metric* find_metric(std::string_view name) {
    const auto at = std::ranges::find(table, name, &Metric::name);
    return at == table.end() ? nullptr : &*at;
}

const std::vector<std::string>& metric_names() {
    static const std::vector<std::string> names = names_if(false);
    return names;
}

const std::vector<std::string>& default_metric_names() {
    static const std::vector<std::string> names = names_if(true);
    return names;
}

Selection select_metrics(std::span<const std::string> names) {
    Selection selection;
    for (const Metric& metric : table)
        selection.*metric.selected = std::ranges::find(names, metric.name) != names.end();
    return selection;
}

std::vector<std::string> names_in(Space space) {
    std::vector<std::string> names;
    for (const Metric& metric : table) {
        if (metric.space == space) names.emplace_back(metric.name);
    }
    return names;
}

Selection restrict_to(Space space, Selection selection) {
    for (const Metric& metric : table) {
        if (metric.space != space) selection.*metric.selected = false;
    }
    return selection;
}

void copy_scores(Space space, const Scores& from, Scores& to) {
    for (const Metric& metric : table) {
        if (metric.space == space) to.*metric.score = from.*metric.score;
    }
}

}  // namespace popflow::metrics
