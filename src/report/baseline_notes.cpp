// SPDX-License-Identifier: MIT
#include "report/baseline_notes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "core/join.hpp"
#include "core/text.hpp"
#include "eval/predictor.hpp"
#include "metrics/metric.hpp"
#include "report/pair_statistics.hpp"

namespace popflow::report {

namespace {

using Texts = std::vector<std::string>;

// Number of models up to which each of them has lines with all metrics.
constexpr std::size_t max_detailed_models = 3;

// Returns the baselines in the result files that a model competes with.
Texts competing_baselines(const ClusterStatistics& statistics) {
    Texts names = statistics.predictors();
    std::erase_if(names, [](const std::string& name) {
        const eval::Predictor* predictor = eval::find_predictor(name);
        const bool competes = predictor == nullptr || !(predictor->is_model() || predictor->uses_target);
        return !competes || name == "identity";
    });
    return names;
}

// Returns the heading of a metric without its factor.
std::string metric_title(const metrics::Metric& metric) {
    const std::string title = metric.title;
    const std::string factor = " e-3";
    return title.ends_with(factor) ? title.substr(0, title.size() - factor.size()) : title;
}

// Returns whether a metric compares a model with a baseline that keeps the noise of the markers, while the
// cells of the model were mapped back from a latent space and have none. Such a test says nothing about the
// model.
bool is_about_noise(const Comparison& comparison, const metrics::Metric& metric,
                    const std::string& baseline) {
    const eval::Predictor* predictor = eval::find_predictor(baseline);
    const bool is_mapped_back = predictor != nullptr && predictor->kind == eval::PredictionKind::moments;
    const bool depends_on_noise = std::string(metric.name) == "energy" || std::string(metric.name) == "r2";
    return comparison.has_latent && depends_on_noise && !is_mapped_back;
}

// Returns a line on the metrics of the tables other than `shown`, empty without any.
std::string other_metrics_note(const Comparison& comparison, const ComparisonRow& row,
                               const std::string& baseline, const Scope& scope, const std::string& shown,
                               ClusterStatistics& statistics) {
    std::array<Texts, 3> titles;  // better, no difference, worse
    for (const metrics::Metric& metric : metrics::all_metrics()) {
        if (!metric.is_in_tables || metric.name == shown || is_about_noise(comparison, metric, baseline))
            continue;
        const PairedTest test = statistics.test(row, baseline, scope, metric.name);
        if (test.clusters < 2) continue;
        titles[!test.is_significant() ? 1 : test.gain > 0 ? 0 : 2].push_back(metric_title(metric));
    }
    Texts clauses;
    if (!titles[0].empty()) clauses.push_back("beats " + baseline + " in " + core::and_joined(titles[0]));
    if (!titles[2].empty()) clauses.push_back("loses to " + baseline + " in " + core::and_joined(titles[2]));
    if (!titles[1].empty())
        clauses.push_back("shows no difference from " + baseline + " in " + core::and_joined(titles[1]));
    return clauses.empty() ? "" : row.label() + " " + fmt::format("{}", fmt::join(clauses, ", "));
}

}  // namespace

std::string p_value_text(double p_value) {
    return p_value < 0.001 ? "p < 0.001" : fmt::format("p = {:.2g}", p_value);
}

std::string test_text(const std::string& baseline, const PairedTest& test, const std::string& noun) {
    const auto share = [&](std::size_t count) {
        return fmt::format("{} of {}", count, core::counted(test.pairs, "pair"));
    };
    if (std::isnan(test.p_value))
        return fmt::format("is better than {} in {} (no test with one {})", baseline, share(test.wins), noun);
    const std::string p = " (" + p_value_text(test.p_value) + ")";
    if (!test.is_significant())
        return "shows no difference from " + baseline + ": better in " + share(test.wins) + p;
    return test.gain > 0 ? "beats " + baseline + " in " + share(test.wins) + p
                         : "loses to " + baseline + " in " + share(test.losses) + p;
}

const ComparisonRow* best_model(const Comparison& comparison, const Scope& scope, const std::string& metric) {
    const metrics::Metric* known = metrics::find_metric(metric);
    const double sign = known != nullptr && known->direction == metrics::Direction::higher_is_better ? -1 : 1;
    const ComparisonRow* best = nullptr;
    double lowest = std::numeric_limits<double>::infinity();
    for (const ComparisonRow& row : comparison.rows) {
        const SeedStatistics* scores = row.find(scope, metric);
        if (!row.is_model() || scores == nullptr || !(sign * scores->mean() < lowest)) continue;
        lowest = sign * scores->mean();
        best = &row;
    }
    return best;
}

std::vector<std::string> baseline_notes(const Comparison& comparison, ClusterStatistics& statistics) {
    const FigureScope shown = figure_scope(comparison);
    const Scope scope{shown.part, "culture_mean"};
    const metrics::Metric* metric = metrics::find_metric(shown.metric);
    if (metric == nullptr) return {};
    const Texts baselines = competing_baselines(statistics);
    Texts notes;
    for (const ComparisonRow& row : comparison.rows) {
        if (!row.is_model()) continue;
        Texts clauses;
        for (const std::string& baseline : baselines) {
            if (is_about_noise(comparison, *metric, baseline)) continue;
            const PairedTest test = statistics.test(row, baseline, scope, shown.metric);
            if (test.pairs > 0) clauses.push_back(test_text(baseline, test, statistics.noun()));
        }
        if (clauses.empty()) continue;
        notes.push_back(fmt::format("{} {} [{}, {}]", row.label(), fmt::join(clauses, ", "), shown.part,
                                    metric_title(*metric)));
    }
    const bool has_all_details = notes.size() <= max_detailed_models;
    const ComparisonRow* best = best_model(comparison, scope, shown.metric);
    for (const ComparisonRow& row : comparison.rows) {
        if (!row.is_model() || !(has_all_details || &row == best)) continue;
        for (const std::string& baseline : baselines) {
            const std::string note =
                other_metrics_note(comparison, row, baseline, scope, shown.metric, statistics);
            if (!note.empty()) notes.push_back(note);
        }
    }
    return notes;
}

}  // namespace popflow::report
