// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "eval/problem_results.hpp"

namespace popflow::support {

/// One row of `/problems`.
struct ProblemRow {
    std::string problem = "a / b";
    std::string solver = "sinkhorn";
    std::string start = "zeros";
    std::string acceleration = "none";
    double tolerance = 1e-2;
    bool converged = true;
    std::int64_t iterations = 20;
    double seconds = 0.5;
    double value = 2;
    double gap = 1e-6;
    bool fallback = false;
    double check_seconds = 0;
    std::string status = "ok";
    std::string message{};
};

/// One row of `/convergence`.
struct ConvergenceRow {
    std::string problem = "a / b";
    std::string start = "zeros";
    std::string acceleration = "none";
    std::int64_t iteration = 0;
    double marginal_error = 1;
    double seconds = 0;
};

/// Returns a table `/problems` with these rows.
inline h5::DataFrame problem_table(const std::vector<ProblemRow>& rows) {
    using Strings = h5::DataFrame::Strings;
    const auto column = [&]<class Member>(Member ProblemRow::*member) {
        std::vector<Member> values;
        for (const ProblemRow& row : rows) values.push_back(row.*member);
        return values;
    };
    const auto bools = [&](bool ProblemRow::*member) {
        h5::DataFrame::Bools values;
        for (const ProblemRow& row : rows) values.push_back(row.*member ? 1 : 0);
        return values;
    };
    const std::size_t n = rows.size();
    h5::DataFrame table;
    table.add("problem", column(&ProblemRow::problem));
    table.add_categorical("source", Strings(n, "a"));
    table.add_categorical("target", Strings(n, "b"));
    table.add("n", h5::DataFrame::Ints(n, 150));
    table.add("m", h5::DataFrame::Ints(n, 140));
    table.add_categorical("solver", column(&ProblemRow::solver));
    table.add_categorical("start", column(&ProblemRow::start));
    table.add_categorical("acceleration", column(&ProblemRow::acceleration));
    table.add("tolerance", column(&ProblemRow::tolerance));
    table.add("epsilon", h5::DataFrame::Doubles(n, 0.01));
    table.add_bools("converged", bools(&ProblemRow::converged));
    table.add("iterations", column(&ProblemRow::iterations));
    table.add("rejected", h5::DataFrame::Ints(n, 0));
    table.add("seconds", column(&ProblemRow::seconds));
    table.add("start_seconds", h5::DataFrame::Doubles(n, 0));
    table.add("marginal_error", h5::DataFrame::Doubles(n, 0.005));
    table.add("value", column(&ProblemRow::value));
    table.add("value_entropic", column(&ProblemRow::value));
    table.add("gap", column(&ProblemRow::gap));
    table.add_categorical("domain", Strings(n, "kernel"));
    table.add_bools("fallback", bools(&ProblemRow::fallback));
    table.add("check_seconds", column(&ProblemRow::check_seconds));
    table.add_categorical("status", column(&ProblemRow::status));
    table.add("message", column(&ProblemRow::message));
    table.add("rank", h5::DataFrame::Ints(n, 0));
    return table;
}

/// Returns a table `/convergence` of Sinkhorn with these rows.
inline h5::DataFrame convergence_table(const std::vector<ConvergenceRow>& rows) {
    const auto column = [&]<class Member>(Member ConvergenceRow::*member) {
        std::vector<Member> values;
        for (const ConvergenceRow& row : rows) values.push_back(row.*member);
        return values;
    };
    h5::DataFrame table;
    table.add_categorical("problem", column(&ConvergenceRow::problem));
    table.add_categorical("solver", h5::DataFrame::Strings(rows.size(), "sinkhorn"));
    table.add_categorical("start", column(&ConvergenceRow::start));
    table.add_categorical("acceleration", column(&ConvergenceRow::acceleration));
    table.add("iteration", column(&ConvergenceRow::iteration));
    table.add("marginal_error", column(&ConvergenceRow::marginal_error));
    table.add("seconds", column(&ConvergenceRow::seconds));
    return table;
}

/// Returns distances between points on a line.
inline eval::DistanceMatrix line_distances(const std::vector<std::pair<std::string, double>>& points) {
    eval::DistanceMatrix distances{.what = "W2", .values = {points.size(), points.size()}};
    for (std::size_t i = 0; i < points.size(); ++i) {
        distances.names.push_back(points[i].first);
        for (std::size_t j = 0; j < points.size(); ++j)
            distances.values(i, j) = std::abs(points[i].second - points[j].second);
    }
    return distances;
}

}  // namespace popflow::support
