// SPDX-License-Identifier: MIT
#include "report/problem_figures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <set>

#include "core/text.hpp"
#include "report/cluster_order.hpp"
#include "report/figure_names.hpp"
#include "report/plot/chart.hpp"
#include "report/plot/heat_map.hpp"
#include "report/plot/markup.hpp"
#include "report/plot/matrix_map.hpp"
#include "report/problem_statistics.hpp"

namespace popflow::report {

namespace {

constexpr std::size_t max_points = 300;
constexpr std::size_t max_numbers = 12;    ///< rows of a heat map with numbers
constexpr std::size_t max_map_rows = 640;  ///< rows of a heat map, each at least a pixel high

// One row of `/convergence`.
struct Step {
    std::int64_t iteration;
    double error;
    double seconds;
};

// Steps of each problem of each way of solving, sorted by iteration.
using Courses = std::map<SolverKey, std::map<std::string, std::vector<Step>>>;

Courses read_courses(const h5::DataFrame& table) {
    const h5::DataFrame::Strings& problem = table.strings("problem");
    const h5::DataFrame::Strings& solver = table.strings("solver");
    const h5::DataFrame::Strings& start = table.strings("start");
    const h5::DataFrame::Strings& acceleration = table.strings("acceleration");
    const h5::DataFrame::Ints& iteration = table.ints("iteration");
    const h5::DataFrame::Doubles& error = table.doubles("marginal_error");
    const h5::DataFrame::Doubles& seconds = table.doubles("seconds");
    Courses courses;
    for (std::size_t row = 0; row < table.rows(); ++row) {
        if (!std::isfinite(error[row]) || !std::isfinite(seconds[row])) continue;
        courses[{solver[row], start[row], acceleration[row]}][problem[row]].push_back(
            {iteration[row], error[row], seconds[row]});
    }
    for (auto& [key, problems] : courses) {
        for (auto& [name, steps] : problems) std::ranges::stable_sort(steps, {}, &Step::iteration);
    }
    return courses;
}

// Returns at most max_points of the iterations of some problems, from the first one that all have reached.
std::vector<std::int64_t> grid_of(const std::map<std::string, std::vector<Step>>& problems) {
    std::set<std::int64_t> found;
    std::int64_t first = 0;
    for (const auto& [name, steps] : problems) {
        for (const Step& step : steps) found.insert(step.iteration);
        first = std::max(first, steps.front().iteration);
    }
    found.erase(found.begin(), found.lower_bound(first));
    const std::vector<std::int64_t> all(found.begin(), found.end());
    if (all.size() <= max_points) return all;
    std::vector<std::int64_t> grid;
    for (std::size_t k = 0; k < max_points; ++k) grid.push_back(all[k * (all.size() - 1) / (max_points - 1)]);
    return grid;
}

// Returns the state of a problem after an iteration. @param at  first step of this iteration or a later one
Step state_at(const std::vector<Step>& steps, std::vector<Step>::const_iterator at, std::int64_t iteration) {
    if (at == steps.end()) return steps.back();
    if (at->iteration == iteration || at == steps.begin()) return *at;
    const Step& before = *std::prev(at);
    const double share = static_cast<double>(iteration - before.iteration) /
                         static_cast<double>(at->iteration - before.iteration);
    const bool is_positive = before.error > 0 && at->error > 0;
    return {iteration,
            is_positive ? before.error * std::pow(at->error / before.error, share)
                        : before.error + share * (at->error - before.error),
            before.seconds + share * (at->seconds - before.seconds)};
}

ErrorCurve mean_curve(const std::map<std::string, std::vector<Step>>& problems) {
    const std::vector<std::int64_t> grid = grid_of(problems);
    ErrorCurve curve{.label = "", .problems = problems.size()};
    curve.iterations.assign(grid.begin(), grid.end());
    curve.errors.assign(grid.size(), 0);
    curve.seconds.assign(grid.size(), 0);
    for (const auto& [name, steps] : problems) {
        auto at = steps.begin();
        for (std::size_t k = 0; k < grid.size(); ++k) {
            while (at != steps.end() && at->iteration < grid[k]) ++at;
            const Step state = state_at(steps, at, grid[k]);
            curve.errors[k] += state.error / static_cast<double>(problems.size());
            curve.seconds[k] += state.seconds / static_cast<double>(problems.size());
        }
    }
    return curve;
}

// Returns an axis for the x of some lines. It is logarithmic if the lines end at very different places, so
// that the short ones remain visible.
plot::Axis length_axis(const std::string& title, const std::vector<plot::Line>& lines) {
    std::vector<double> all;
    double shortest = 0;
    double longest = 0;
    for (const plot::Line& line : lines) {
        all.insert(all.end(), line.x.begin(), line.x.end());
        const double end = line.x.back();
        if (end > 0 && (shortest == 0 || end < shortest)) shortest = end;
        longest = std::max(longest, end);
    }
    return longest > 20 * shortest ? plot::log_axis(title, all) : plot::linear_axis(title, all);
}

Figure convergence_figure(const std::vector<ErrorCurve>& curves, std::vector<double> ErrorCurve::*along,
                          const std::string& name) {
    std::vector<plot::Line> lines;
    std::vector<std::string> names;
    std::vector<std::size_t> groups;
    std::vector<double> errors;
    for (const ErrorCurve& curve : curves) {
        lines.push_back({.x = curve.*along,
                         .y = curve.errors,
                         .group = curve.group,
                         .title = curve.label + ", " + core::counted(curve.problems, "problem")});
        names.push_back(curve.label);
        groups.push_back(curve.group);
        errors.insert(errors.end(), curve.errors.begin(), curve.errors.end());
    }
    return {.name = "marginal error by " + name,
            .title = "Marginal error by " + name,
            .charts = {plot::line_chart("Mean marginal error by " + name, length_axis(name, lines),
                                        plot::log_axis("marginal error", errors), lines)},
            .legend = names,
            .groups = groups,
            .sign = plot::Sign::line,
            .note = "Mean over problems. A problem that has stopped keeps its last error" +
                    std::string(name == "iteration" ? "." : " and time.")};
}

// Power of ten by which values are multiplied, so that the largest one has at most three digits before the
// decimal point and is at least 1.
int decimal_shift(double largest) {
    if (!(largest > 0) || (largest >= 1 && largest < 1000)) return 0;
    return -static_cast<int>(std::floor(std::log10(largest)));
}

// Means of the finite values of blocks of `block` x `block` cells. NaN for blocks without any.
linalg::Matrix<double> block_means(const linalg::Matrix<double>& x, std::size_t block) {
    const std::size_t n = (x.rows() + block - 1) / block;
    linalg::Matrix<double> sums(n, n);
    linalg::Matrix<double> counts(n, n);
    for (std::size_t i = 0; i < x.rows(); ++i) {
        for (std::size_t j = 0; j < x.cols(); ++j) {
            if (!std::isfinite(x(i, j))) continue;
            sums(i / block, j / block) += x(i, j);
            counts(i / block, j / block) += 1;
        }
    }
    for (std::size_t k = 0; k < sums.size(); ++k) sums.values()[k] /= counts.values()[k];
    return sums;
}

}  // namespace

std::vector<ErrorCurve> error_curves(const eval::ProblemResults& results) {
    if (results.convergence.rows() == 0) return {};
    const Courses courses = read_courses(results.convergence);
    std::vector<SolverKey> order;  // as in the tables, then others
    for (const SolverScores& scores : solver_scores(results)) order.push_back(scores.key);
    for (const auto& [key, problems] : courses) {
        if (std::ranges::find(order, key) == order.end()) order.push_back(key);
    }
    std::vector<ErrorCurve> curves;
    for (std::size_t group = 0; group < order.size(); ++group) {
        const auto course = courses.find(order[group]);
        if (course == courses.end()) continue;
        curves.push_back(mean_curve(course->second));
        curves.back().label = order[group].label();
        curves.back().group = group;
    }
    return curves;
}

std::vector<Figure> convergence_figures(const eval::ProblemResults& results) {
    const std::vector<ErrorCurve> curves = error_curves(results);
    if (curves.empty()) return {};
    return {convergence_figure(curves, &ErrorCurve::iterations, "iteration"),
            convergence_figure(curves, &ErrorCurve::seconds, "seconds")};
}

std::vector<std::string> ordered_populations(const eval::DistanceMatrix& distances) {
    std::vector<std::string> names;
    for (const std::size_t i : average_linkage_order(distances.values.view()))
        names.push_back(distances.names[i]);
    return names;
}

// Returns a remark for distances of entropic plans, which are larger than those of exact ones.
std::string entropic_text(const eval::ProblemResults& results) {
    const std::vector<std::string>& solvers = results.problems.strings("solver");
    return std::ranges::find(solvers, "exact") != solvers.end() ? "" : ", of entropic plans";
}

std::vector<Figure> distance_figures(const eval::ProblemResults& results) {
    if (!results.distances || results.distances->names.empty()) return {};
    const eval::DistanceMatrix& distances = *results.distances;
    const std::size_t n = distances.names.size();
    double largest = 0;
    std::size_t unknown = 0;
    for (const double value : distances.values.values()) {
        if (std::isfinite(value)) largest = std::max(largest, value);
        if (!std::isfinite(value)) ++unknown;
    }
    const int shift = decimal_shift(largest);
    const double factor = std::pow(10.0, shift);
    const std::vector<std::size_t> order = average_linkage_order(distances.values.view());
    std::vector<std::string> names = ordered_populations(distances);
    linalg::Matrix<double> values(n, n);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < n; ++j) values(i, j) = factor * distances.values(order[i], order[j]);
    }
    const std::string unit = shift == 0 ? "" : fmt::format(" x 1e{}", shift);
    const std::string label = distances.what + unit + " between populations" + entropic_text(results);
    Figure figure{.name = "distances " + distances.what, .title = label, .has_own_legend = false};
    figure.note = "Ordered by average-linkage clustering.";
    if (unknown > 0)
        figure.note += " Empty cells have no distance, because their problems failed or were not solved.";
    if (n <= max_numbers) {
        std::vector<std::vector<plot::HeatCell>> cells;
        for (std::size_t i = 0; i < n; ++i) {
            cells.emplace_back();
            for (std::size_t j = 0; j < n; ++j) {
                const double value = std::isfinite(values(i, j)) ? values(i, j) : std::nan("");
                cells.back().push_back({.value = value,
                                        .title = fmt::format("{}, {}: {}", names[i], names[j],
                                                             plot::value_text(value / factor))});
            }
        }
        figure.charts = {plot::heat_map_drawing(label, names, names, cells, 0, factor * largest)};
        figure.table = plot::heat_map(label, names, names, cells, 0, factor * largest);
        return {figure};
    }
    const std::size_t block = (n + max_map_rows - 1) / max_map_rows;
    if (block > 1) {
        values = block_means(values, block);
        names.resize(values.rows());
        figure.note += fmt::format(" A cell is the mean of {} x {} populations.", block, block);
    }
    figure.charts = {plot::matrix_map(label, names, values.view(), 0, factor * largest)};
    return {figure};
}

std::vector<std::pair<std::string, Figure>> named_problem_figures(
    const std::vector<eval::ProblemResults>& results) {
    FigureNames names;
    for (const eval::ProblemResults& file : results) {
        const std::string begin =
            results.size() > 1 ? std::filesystem::path(file.file).stem().string() + " " : "";
        for (const Figure& figure : convergence_figures(file)) names.add(begin + figure.name, figure);
        for (const Figure& figure : distance_figures(file)) names.add(begin + figure.name, figure);
    }
    return names.figures();
}

}  // namespace popflow::report
