// SPDX-License-Identifier: MIT
#include "report/sample_panels.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>

#include "core/text.hpp"
#include "linalg/principal_components.hpp"
#include "report/plot/chart.hpp"
#include "report/plot/cloud.hpp"
#include "report/plot/markup.hpp"
#include "screen/normalisation.hpp"

namespace popflow::report {

namespace {

using linalg::Matrix;
using Texts = std::vector<std::string>;

constexpr std::size_t shown_markers = 6;
constexpr std::size_t shown_arrows = 40;

// Population of a sampled pair. Its group is the index of its colour.
struct State {
    const char* name;
    const Matrix<float>& cells;
    std::size_t group;
};

// Names of the groups. The mean shift is missing in result files of earlier versions.
const char* const state_names[] = {"control", "predicted", "treated", "mean_shift"};

Texts legend_of(const std::vector<State>& states) {
    return {std::begin(state_names), std::begin(state_names) + states.size()};
}

std::vector<double> column(const Matrix<float>& x, std::size_t j) {
    std::vector<double> values(x.rows());
    for (std::size_t i = 0; i < x.rows(); ++i) values[i] = static_cast<double>(x(i, j));
    return values;
}

// Returns a chart of the cells of all states in the first two principal components of all of them. Two
// markers are shown directly.
Figure plane_figure(const eval::CellSample& sample, const std::vector<State>& states,
                    const std::vector<std::string>& markers) {
    const std::size_t d = markers.size();
    Matrix<float> all(0, d);
    for (const State& state : states) {
        const std::size_t before = all.rows();
        Matrix<float> extended(before + state.cells.rows(), d);
        std::ranges::copy(all.values(), extended.values().begin());
        std::ranges::copy(state.cells.values(), extended.view().row(before));
        all = std::move(extended);
    }
    std::vector<double> xs(all.rows());
    std::vector<double> ys(all.rows());
    std::string titles[2] = {markers[0], d > 1 ? markers[1] : ""};
    if (d == 2) {
        xs = column(all, 0);
        ys = column(all, 1);
    } else {
        const auto components = linalg::principal_components(all.view(), 2);
        for (std::size_t i = 0; i < all.rows(); ++i) {
            xs[i] = components.scores(i, 0);
            ys[i] = components.scores(i, 1);
        }
        titles[0] = "PC 1 (" + core::percent_text(components.share[0]) + " of variance)";
        titles[1] = "PC 2 (" + core::percent_text(components.share[1]) + ")";
    }
    std::vector<plot::Cloud> clouds;
    std::size_t predicted = 0;
    std::size_t first = 0;
    for (std::size_t s = 0; s < states.size(); ++s) {
        const auto last = static_cast<std::ptrdiff_t>(first + states[s].cells.rows());
        const auto from = static_cast<std::ptrdiff_t>(first);
        clouds.push_back({.x = {xs.begin() + from, xs.begin() + last},
                          .y = {ys.begin() + from, ys.begin() + last},
                          .group = states[s].group,
                          .title = fmt::format("{}, {} cells", states[s].name, states[s].cells.rows())});
        first += states[s].cells.rows();
        if (&states[s].cells == &sample.predicted) predicted = s;
    }
    std::vector<plot::Arrow> arrows;
    for (std::size_t i = 0; i < std::min(shown_arrows, sample.control.rows()); ++i)
        arrows.push_back({clouds[0].x[i], clouds[0].y[i], clouds[predicted].x[i], clouds[predicted].y[i]});
    return {.name = "cells",
            .title = d == 2 ? "Cells" : "Cells in two principal components",
            .charts = {plot::cloud_chart("Cells of " + sample.name, plot::linear_axis(titles[0], xs),
                                         plot::linear_axis(titles[1], ys), clouds, arrows)},
            .legend = legend_of(states),
            .has_own_legend = false};
}

// @param noun  heading for the columns of the cells
Figure density_figure(const eval::CellSample& sample, const std::vector<State>& states,
                      const std::vector<std::string>& markers, const std::string& noun) {
    Figure figure{
        .name = "markers",
        .title = noun + (markers.size() > shown_markers ? " with the largest treatment effect" : ""),
        .legend = legend_of(states),
        .layout = FigureLayout::grid,
        .has_own_legend = false};
    for (const std::size_t j : moved_markers(sample, shown_markers)) {
        std::vector<plot::Density> densities;
        for (const State& state : states)
            densities.push_back({column(state.cells, j), state.group, state.name});
        figure.charts.push_back(
            plot::density_chart("Density of " + markers[j] + ", " + sample.name, markers[j], densities));
    }
    return figure;
}

std::string time_text(double time) {
    return "t = " + plot::value_text(time);
}

// Returns the cells of two markers at each flow time, and the treated cells, in frames of one scale.
Figure flow_figure(const eval::CellSample& sample) {
    double low[2];
    double high[2];
    for (const std::size_t j : {std::size_t{0}, std::size_t{1}}) {
        std::vector<double> values = column(sample.control, j);
        for (const Matrix<float>* more : {&sample.predicted, &sample.treated}) {
            const std::vector<double> own = column(*more, j);
            values.insert(values.end(), own.begin(), own.end());
        }
        const auto [minimum, maximum] = std::ranges::minmax(values);
        low[j] = minimum;
        high[j] = maximum;
    }
    const std::array<double, 2> centre{(low[0] + high[0]) / 2, (low[1] + high[1]) / 2};
    const double reach = 0.53 * std::max({high[0] - low[0], high[1] - low[1], 1e-9});
    Figure figure{.name = "flow",
                  .title = "Cells at intermediate flow times",
                  .layout = FigureLayout::frames,
                  .has_own_legend = false};
    const auto add = [&](const std::string& title, const Matrix<float>& cells, std::size_t group) {
        const plot::Cloud cloud{.x = column(cells, 0), .y = column(cells, 1), .group = group, .title = title};
        figure.charts.push_back(plot::cloud_frame(sample.name + ", " + title, cloud, centre, reach));
        figure.captions.push_back(title);
    };
    const bool from_noise = !sample.times.empty() && sample.times.front() == 0;
    add(from_noise ? "control" : "control, t = 0", sample.control, 0);
    for (std::size_t t = 0; t < sample.times.size(); ++t) add(time_text(sample.times[t]), sample.flow[t], 1);
    add("predicted, t = 1", sample.predicted, 1);
    add("treated", sample.treated, 2);
    return figure;
}

std::vector<Figure> pair_figures(const eval::CellSample& sample, const std::vector<std::string>& markers,
                                 const std::string& noun) {
    // Drawn in this order, so that the treated cells are on top.
    std::vector<State> states{{state_names[0], sample.control, 0}};
    if (sample.mean_shift.rows() > 0) states.push_back({state_names[3], sample.mean_shift, 3});
    states.push_back({state_names[1], sample.predicted, 1});
    states.push_back({state_names[2], sample.treated, 2});
    std::vector<Figure> figures;
    if (markers.size() == 2) figures.push_back(flow_figure(sample));
    figures.push_back(plane_figure(sample, states, markers));
    figures.push_back(density_figure(sample, states, markers, noun));
    return figures;
}

}  // namespace

std::vector<std::size_t> moved_markers(const eval::CellSample& sample, std::size_t count) {
    const screen::Moments control = screen::moments(sample.control.view());
    const screen::Moments treated = screen::moments(sample.treated.view());
    std::vector<double> moved;
    for (std::size_t j = 0; j < sample.control.cols(); ++j) {
        double scale = control.standard_deviation(j);
        if (!(scale > 0)) scale = treated.standard_deviation(j);
        const double shift = std::abs(treated.mean[j] - control.mean[j]);
        moved.push_back(scale > 0 ? shift / scale : 0);
    }
    std::vector<std::size_t> order(moved.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return moved[a] > moved[b]; });
    order.resize(std::min(count, order.size()));
    return order;
}

std::vector<SampledPairFigures> sample_figures(const eval::Results& results) {
    std::vector<SampledPairFigures> pairs;
    const std::string noun = results.provenance.latent > 0 ? "Components of the latent space" : "Markers";
    for (const eval::CellSample& sample : results.samples) {
        if (sample.control.rows() == 0 || sample.treated.rows() == 0 || results.markers.empty()) continue;
        pairs.push_back({.pair = sample.name, .figures = pair_figures(sample, results.markers, noun)});
    }
    return pairs;
}

std::string sample_panels(const std::vector<SampledPairFigures>& pairs) {
    std::string html;
    for (const SampledPairFigures& pair : pairs) {
        std::string panels;
        for (const Figure& figure : pair.figures) panels += figure_html(figure);
        html += plot::element("details", html.empty() ? "class=\"pair\" open" : "class=\"pair\"",
                              plot::element("summary", "", plot::escaped(pair.pair)) +
                                  legend_html(pair.figures.back()) +
                                  plot::element("div", "class=\"panels cells\"", panels)) +
                "\n";
    }
    return html;
}

}  // namespace popflow::report
