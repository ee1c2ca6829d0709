// SPDX-License-Identifier: MIT
#include "report/report_figures.hpp"

#include <cctype>
#include <iterator>
#include <limits>
#include <set>

#include "core/text.hpp"
#include "report/report_panels.hpp"
#include "report/role_columns.hpp"

namespace popflow::report {

namespace {

const ComparisonRow* best_model(const Comparison& comparison, const FigureScope& shown) {
    const ComparisonRow* best = nullptr;
    double lowest = std::numeric_limits<double>::infinity();
    for (const ComparisonRow& row : comparison.rows) {
        const SeedStatistics* statistics = row.find({shown.part, "culture_mean"}, shown.metric);
        if (!row.is_model() || statistics == nullptr || !(statistics->mean() < lowest)) continue;
        lowest = statistics->mean();
        best = &row;
    }
    return best;
}

void append(std::vector<Figure>&& figures, std::vector<Figure>& all) {
    std::ranges::move(figures, std::back_inserter(all));
}

// Returns the words of a text as a part of a file name: lower case, with '-' in place of other characters
// than letters, digits, '_' and '.'.
std::string file_word(const std::string& text) {
    std::string word;
    for (const char c : core::lower_case(text)) {
        const bool is_kept = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.';
        if (is_kept) word += c;
        if (!is_kept && !word.empty() && word.back() != '-') word += '-';
    }
    while (word.ends_with('-') || word.ends_with('.')) word.pop_back();
    constexpr std::size_t max_length = 100;  // file systems limit names to 255 bytes
    return word.substr(0, max_length);
}

// Collects figures under unique names.
class Names {
  public:
    void add(const std::string& words, const Figure& figure) {
        const std::string wanted = file_word(words);
        std::string name = wanted;
        for (int n = 2; !used_.insert(name).second; ++n) name = wanted + "-" + std::to_string(n);
        figures.emplace_back(name, figure);
    }

    std::vector<std::pair<std::string, Figure>> figures;

  private:
    std::set<std::string> used_;
};

}  // namespace

ComparisonFigures comparison_figures(const std::vector<eval::Results>& results,
                                     const Comparison& comparison) {
    ComparisonFigures figures{.scope = figure_scope(comparison)};
    const FigureScope& shown = figures.scope;
    figures.best = best_model(comparison, shown);
    figures.training = training_figures(results, comparison);
    std::vector<std::vector<PairStatistics>> statistics;
    double high = 0;  // one scale for all heat maps
    for (const ComparisonRow& row : comparison.rows) {
        if (!row.is_model()) continue;
        statistics.push_back(pair_statistics(results, row, shown.part, shown.metric));
        high = std::max(high, largest_excess(statistics.back()));
    }
    std::size_t model = 0;
    for (const ComparisonRow& row : comparison.rows) {
        if (!row.is_model()) continue;
        const std::vector<PairStatistics>& pairs = statistics[model++];
        const eval::Results& first = results[row.results.front()];
        const RoleColumns columns = role_columns(first.provenance.config);
        const std::string label = row.label();
        ModelFigures own{.row = &row};
        for (const char* baseline : {"mean_shift", "identity"})
            append(scatter_figures(pairs, shown.metric, label, baseline), own.scores);
        append(embedding_figures(first, label, columns), own.scores);
        append(heat_figures(pairs, shown.metric, label, high, columns), own.scores);
        own.pairs = sample_figures(first);
        if (!own.scores.empty() || !own.pairs.empty()) figures.models.push_back(std::move(own));
    }
    return figures;
}

std::vector<std::pair<std::string, Figure>> named_figures(const std::vector<eval::Results>& results,
                                                          const std::vector<Comparison>& comparisons) {
    Names names;
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
    return names.figures;
}

}  // namespace popflow::report
