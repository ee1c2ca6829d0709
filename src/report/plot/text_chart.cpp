// SPDX-License-Identifier: MIT
#include "report/plot/text_chart.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/plot/markup.hpp"

namespace popflow::report::plot {

namespace {

constexpr std::size_t label_width = 9;

struct Mean {
    double sum = 0;
    double n = 0;
};

}  // namespace

std::string text_chart(const std::vector<double>& y, std::size_t width, std::size_t height) {
    if (width <= label_width + 2 || height == 0) return "";
    const std::size_t columns = std::min(width - label_width - 2, std::max<std::size_t>(y.size(), 1));
    std::vector<Mean> means(columns);
    for (std::size_t i = 0; i < y.size(); ++i) {
        if (!std::isfinite(y[i])) continue;
        Mean& mean = means[i * columns / y.size()];
        mean.sum += y[i];
        mean.n += 1;
    }
    std::vector<double> shown;
    for (const Mean& mean : means) {
        if (mean.n > 0) shown.push_back(mean.sum / mean.n);
    }
    if (shown.empty()) return "";
    const double low = std::ranges::min(shown);
    const double high = std::ranges::max(shown);
    const bool logarithmic = low > 0;
    const auto scaled = [&](double value) { return logarithmic ? std::log(value) : value; };
    const double span = scaled(high) - scaled(low);
    const auto row_of = [&](double value) {
        const double share = span > 0 ? (scaled(value) - scaled(low)) / span : 0;
        return height - 1 - static_cast<std::size_t>(std::lround(share * static_cast<double>(height - 1)));
    };
    std::vector<std::string> rows(height, std::string(columns, ' '));
    for (std::size_t c = 0; c < columns; ++c) {
        if (means[c].n > 0) rows[row_of(means[c].sum / means[c].n)][c] = '*';
    }
    std::string text;
    for (std::size_t r = 0; r < height; ++r) {
        const std::string label = r == 0 ? value_text(high) : r + 1 == height ? value_text(low) : "";
        text += fmt::format("{:>{}.{}} |{}\n", label, label_width, label_width, rows[r]);
    }
    return text;
}

}  // namespace popflow::report::plot
