// SPDX-License-Identifier: MIT
#include "report/report_figures.hpp"

#include <iterator>

#include "report/baseline_notes.hpp"
#include "report/figure_names.hpp"
#include "report/report_panels.hpp"
#include "report/role_columns.hpp"

namespace popflow::report {

namespace {

void append(std::vector<Figure>&& figures, std::vector<Figure>& all) {
    std::ranges::move(figures, std::back_inserter(all));
}

}  // namespace

ComparisonFigures comparison_figures(const std::vector<eval::Results>& results,
                                     const Comparison& comparison) {
    ComparisonFigures figures{.scope = figure_scope(comparison)};
    const FigureScope& shown = figures.scope;
    const Scope scope{shown.part, "culture_mean"};
    figures.best = best_model(comparison, scope, shown.metric);
    ClusterStatistics statistics(results, comparison);
    figures.training = training_figures(results, comparison);
    std::vector<std::vector<PairStatistics>> model_pairs;
    double high = 0;  // one scale for all heat maps
    for (const ComparisonRow& row : comparison.rows) {
        if (!row.is_model()) continue;
        model_pairs.push_back(pair_statistics(results, row, shown.part, shown.metric));
        high = std::max(high, largest_excess(model_pairs.back()));
    }
    std::size_t model = 0;
    for (const ComparisonRow& row : comparison.rows) {
        if (!row.is_model()) continue;
        const std::vector<PairStatistics>& pairs = model_pairs[model++];
        const eval::Results& first = results[row.results.front()];
        const RoleColumns columns = role_columns(first.provenance.config);
        const std::string label = row.label();
        ModelFigures own{.row = &row};
        for (const char* baseline : {"mean_shift", "moment_map", "identity"}) {
            const PairedTest test = statistics.test(row, baseline, scope, shown.metric);
            const std::string note = label + " " + test_text(baseline, test, statistics.noun());
            append(scatter_figures(pairs, shown.metric, label, baseline, note), own.scores);
        }
        append(embedding_figures(first, label, columns), own.scores);
        append(heat_figures(pairs, shown.metric, label, high, columns), own.scores);
        own.pairs = sample_figures(first);
        if (!own.scores.empty() || !own.pairs.empty()) figures.models.push_back(std::move(own));
    }
    return figures;
}

std::vector<std::pair<std::string, Figure>> named_figures(const std::vector<eval::Results>& results,
                                                          const std::vector<Comparison>& comparisons) {
    FigureNames names;
    for (const Comparison& comparison : comparisons) {
        const std::string begin = comparisons.size() > 1 ? comparison.split + " " : "";
        const ComparisonFigures figures = comparison_figures(results, comparison);
        for (const Figure& figure : figures.training) names.add(begin + figure.name, figure);
        for (const ModelFigures& model : figures.models) {
            const std::string label = begin + model.row->label() + " ";
            for (const Figure& figure : model.scores) names.add(label + figure.name, figure);
            for (const SampledPairFigures& pair : model.pairs) {
                for (const Figure& figure : pair.figures)
                    names.add(label + figure.name + " " + pair.pair, figure);
            }
        }
    }
    return names.figures();
}

}  // namespace popflow::report
