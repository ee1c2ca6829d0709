// SPDX-License-Identifier: MIT
#include "report/sample_panels.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
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
using plot::element;
using plot::escaped;

constexpr std::size_t shown_markers = 6;
constexpr std::size_t shown_arrows = 40;

struct State {
    const char* name;
    const Matrix<float>& cells;
};

std::vector<double> column(const Matrix<float>& x, std::size_t j) {
    std::vector<double> values(x.rows());
    for (std::size_t i = 0; i < x.rows(); ++i) values[i] = static_cast<double>(x(i, j));
    return values;
}

std::string figure(const std::string& heading, const std::string& content) {
    return element("figure", "", element("h4", "", escaped(heading)) + content);
}

// Returns a chart of the control, predicted and treated cells in the first two principal components of all
// three. Two markers are shown directly.
std::string plane_panel(const eval::CellSample& sample, const std::vector<State>& states,
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
    std::size_t first = 0;
    for (std::size_t s = 0; s < states.size(); ++s) {
        const auto last = static_cast<std::ptrdiff_t>(first + states[s].cells.rows());
        const auto from = static_cast<std::ptrdiff_t>(first);
        clouds.push_back({.x = {xs.begin() + from, xs.begin() + last},
                          .y = {ys.begin() + from, ys.begin() + last},
                          .group = s,
                          .title = fmt::format("{}, {} cells", states[s].name, states[s].cells.rows())});
        first += states[s].cells.rows();
    }
    std::vector<plot::Arrow> arrows;
    for (std::size_t i = 0; i < std::min(shown_arrows, sample.control.rows()); ++i)
        arrows.push_back({clouds[0].x[i], clouds[0].y[i], clouds[1].x[i], clouds[1].y[i]});
    return figure(d == 2 ? "Cells" : "Cells in two principal components",
                  plot::cloud_chart("Cells of " + sample.name, plot::linear_axis(titles[0], xs),
                                    plot::linear_axis(titles[1], ys), clouds, arrows));
}

std::string density_panel(const eval::CellSample& sample, const std::vector<State>& states,
                          const std::vector<std::string>& markers) {
    std::string charts;
    for (const std::size_t j : moved_markers(sample, shown_markers)) {
        std::vector<plot::Density> densities;
        for (std::size_t s = 0; s < states.size(); ++s)
            densities.push_back({column(states[s].cells, j), s, states[s].name});
        charts += plot::density_chart("Density of " + markers[j] + ", " + sample.name, markers[j], densities);
    }
    return figure(markers.size() > shown_markers ? "Markers with the largest treatment effect" : "Markers",
                  element("div", "class=\"small\"", charts));
}

std::string time_text(double time) {
    return "t = " + plot::value_text(time);
}

// Returns the cells of two markers at each flow time, and the treated cells, in frames of one scale.
std::string flow_panel(const eval::CellSample& sample) {
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
    std::string frames;
    const auto add = [&](const std::string& title, const Matrix<float>& cells, std::size_t group) {
        const plot::Cloud cloud{.x = column(cells, 0), .y = column(cells, 1), .group = group, .title = title};
        frames += element("div", "class=\"frame\"",
                          plot::cloud_frame(sample.name + ", " + title, cloud, centre, reach) +
                              element("span", "", escaped(title)));
    };
    const bool from_noise = !sample.times.empty() && sample.times.front() == 0;
    add(from_noise ? "control" : "control, t = 0", sample.control, 0);
    for (std::size_t t = 0; t < sample.times.size(); ++t) add(time_text(sample.times[t]), sample.flow[t], 1);
    add("predicted, t = 1", sample.predicted, 1);
    add("treated", sample.treated, 2);
    return element(
        "figure", "class=\"wide\"",
        element("h4", "", "Cells at intermediate flow times") + element("div", "class=\"frames\"", frames));
}

std::string pair_panels(const eval::CellSample& sample, const std::vector<std::string>& markers) {
    const std::vector<State> states{
        {"control", sample.control}, {"predicted", sample.predicted}, {"treated", sample.treated}};
    std::string html = plot::legend({"control", "predicted", "treated"}, true);
    std::string panels = plane_panel(sample, states, markers) + density_panel(sample, states, markers);
    if (markers.size() == 2) panels = flow_panel(sample) + panels;
    return html + element("div", "class=\"panels cells\"", panels);
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

std::string sample_panels(const eval::Results& results) {
    std::string html;
    for (const eval::CellSample& sample : results.samples) {
        if (sample.control.rows() == 0 || sample.treated.rows() == 0 || results.markers.empty()) continue;
        html += element("details", html.empty() ? "class=\"pair\" open" : "class=\"pair\"",
                        element("summary", "", escaped(sample.name)) + pair_panels(sample, results.markers)) +
                "\n";
    }
    return html;
}

}  // namespace popflow::report
