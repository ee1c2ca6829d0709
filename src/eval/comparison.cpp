// SPDX-License-Identifier: MIT
#include "eval/comparison.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <tuple>

#include "core/text.hpp"

namespace popflow::eval {

void Figure::add(double value) {
    if (!std::isnan(value)) values_.push_back(value);
}

double Figure::mean() const {
    if (values_.empty()) return std::numeric_limits<double>::quiet_NaN();
    return std::accumulate(values_.begin(), values_.end(), 0.0) / static_cast<double>(values_.size());
}

double Figure::deviation() const {
    if (values_.size() < 2) return std::numeric_limits<double>::quiet_NaN();
    if (std::ranges::all_of(values_, [&](double v) { return v == values_.front(); })) return 0;
    const double centre = mean();
    double squares = 0;
    for (double v : values_) squares += (v - centre) * (v - centre);
    return std::sqrt(squares / static_cast<double>(values_.size() - 1));
}

std::string ComparisonRow::label() const {
    std::string name = predictor;
    if (is_model()) {
        name = core::upper_case(method);
        if (method == "mfm") name += " k=" + std::to_string(knn);
        if (base == "gaussian") name += " w/ N";
        name += variant;
    }
    return differs.empty() ? name : name + " (" + differs + ")";
}

const Figure* ComparisonRow::find(const Scope& scope, const std::string& metric) const {
    const auto in_scope = scores.find(scope);
    if (in_scope == scores.end()) return nullptr;
    const auto at = in_scope->second.by_metric.find(metric);
    return at == in_scope->second.by_metric.end() || at->second.values().empty() ? nullptr : &at->second;
}

std::vector<Scope> Comparison::scopes() const {
    // test, train, validation by their names; in each the published aggregation first, the flat one last.
    std::set<std::tuple<std::string, int, std::string>> sorted;
    for (const ComparisonRow& row : rows) {
        for (const auto& [scope, scores] : row.scores) {
            const int place = scope.second == "culture_mean" ? 0 : scope.second == "pair_mean" ? 2 : 1;
            sorted.insert({scope.first, place, scope.second});
        }
    }
    std::vector<Scope> scopes;
    for (const auto& [part, place, aggregation] : sorted) scopes.emplace_back(part, aggregation);
    return scopes;
}

std::size_t Comparison::seeds() const {
    std::size_t most = 0;
    for (const ComparisonRow& row : rows) {
        if (row.is_model()) most = std::max(most, row.seeds.size());
    }
    return most;
}

}  // namespace popflow::eval
