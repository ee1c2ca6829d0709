// SPDX-License-Identifier: MIT
#include "report/problem_statistics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/text.hpp"

namespace popflow::report {

namespace {

// Order of tolerances: the highest first, NaN last.
bool comes_before(double a, double b) {
    if (std::isnan(a) || std::isnan(b)) return !std::isnan(a) && std::isnan(b);
    return a > b;
}

bool is_same(double a, double b) {
    return a == b || (std::isnan(a) && std::isnan(b));
}

// Returns an iterator to the scores at a tolerance.
template <class Tolerances>
auto find_tolerance(Tolerances& tolerances, double tolerance) {
    return std::ranges::find_if(
        tolerances, [&](const ToleranceScores& scores) { return is_same(scores.tolerance, tolerance); });
}

}  // namespace

std::string SolverKey::label() const {
    std::string text = solver;
    if (solver != "exact" || start != "zeros") text += ", " + start;
    if (acceleration != "none" && !acceleration.empty()) text += ", " + acceleration;
    return text;
}

const ToleranceScores* SolverScores::find(double tolerance) const {
    const auto at = find_tolerance(tolerances, tolerance);
    return at == tolerances.end() ? nullptr : &*at;
}

const std::vector<std::string>& solver_columns() {
    static const std::vector<std::string> names{"seconds",    "start_seconds",  "check_seconds",
                                                "iterations", "rejected",       "marginal_error",
                                                "value",      "value_entropic", "gap"};
    return names;
}

std::vector<SolverScores> solver_scores(const eval::ProblemResults& results) {
    const h5::DataFrame& table = results.problems;
    const h5::DataFrame::Strings& solver = table.strings("solver");
    const h5::DataFrame::Strings& start = table.strings("start");
    const h5::DataFrame::Strings& acceleration = table.strings("acceleration");
    const h5::DataFrame::Strings& status = table.strings("status");
    const h5::DataFrame::Strings& message = table.strings("message");
    const h5::DataFrame::Doubles& tolerance = table.doubles("tolerance");
    const h5::DataFrame::Bools& converged = table.bools("converged");
    const h5::DataFrame::Bools& fallback = table.bools("fallback");
    std::vector<SolverScores> all;
    std::map<SolverKey, std::size_t> places;
    std::vector<std::size_t> place_of_row;
    for (std::size_t row = 0; row < table.rows(); ++row) {
        const SolverKey key{solver[row], start[row], acceleration[row]};
        const auto [place, is_new] = places.try_emplace(key, all.size());
        if (is_new) all.push_back({.key = key});
        SolverScores& scores = all[place->second];
        if (scores.find(tolerance[row]) == nullptr) {
            scores.tolerances.push_back({.tolerance = tolerance[row]});
            for (const std::string& name : solver_columns()) scores.tolerances.back().by_column[name];
        }
        place_of_row.push_back(place->second);
    }
    for (SolverScores& scores : all) {
        std::ranges::stable_sort(scores.tolerances, comes_before, &ToleranceScores::tolerance);
    }
    std::vector<ToleranceScores*> cells;
    for (std::size_t row = 0; row < table.rows(); ++row) {
        ToleranceScores& cell = *find_tolerance(all[place_of_row[row]].tolerances, tolerance[row]);
        cells.push_back(&cell);
        ++cell.problems;
        if (status[row] == "failed") {
            if (cell.failed++ == 0) cell.message = message[row];
            continue;
        }
        if (converged[row] != 0) ++cell.converged;
        if (fallback[row] != 0) ++cell.fallbacks;
    }
    for (const std::string& name : solver_columns()) {
        const bool is_count = name == "iterations" || name == "rejected";
        for (std::size_t row = 0; row < table.rows(); ++row) {
            if (status[row] == "failed") continue;
            cells[row]->by_column.at(name).add(is_count ? static_cast<double>(table.ints(name)[row])
                                                        : table.doubles(name)[row]);
        }
    }
    return all;
}

std::vector<double> tolerances_of(const std::vector<SolverScores>& scores) {
    std::vector<double> all;
    for (const SolverScores& row : scores) {
        for (const ToleranceScores& cell : row.tolerances) {
            const auto is_equal = [&](double tolerance) { return is_same(tolerance, cell.tolerance); };
            if (std::ranges::none_of(all, is_equal)) all.push_back(cell.tolerance);
        }
    }
    std::ranges::stable_sort(all, comes_before);
    return all;
}

std::string tolerance_text(double tolerance) {
    if (std::isnan(tolerance)) return "exact";
    if (!(tolerance > 0) || tolerance >= 0.1) return core::number_label(tolerance);
    // The shortest mantissa that gives the same number.
    for (int digits = 0; digits <= 17; ++digits) {
        const std::string text = fmt::format("{:.{}e}", tolerance, digits);
        if (core::label_number(text) != tolerance) continue;
        const std::size_t e = text.find("e-");
        const std::size_t first = text.find_first_not_of('0', e + 2);
        return text.substr(0, e + 2) + text.substr(first);
    }
    return core::number_label(tolerance);
}

}  // namespace popflow::report
