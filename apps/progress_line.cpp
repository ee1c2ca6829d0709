// SPDX-License-Identifier: MIT
#include "progress_line.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace popflow::apps {

namespace {

constexpr double window = 30;  // seconds
constexpr std::size_t min_bar = 10;
constexpr std::size_t max_bar = 40;

std::string bar(std::uint64_t done, std::uint64_t total, std::size_t inside) {
    const double share =
        total > 0 ? static_cast<double>(std::min(done, total)) / static_cast<double>(total) : 1;
    const auto full = static_cast<std::size_t>(share * static_cast<double>(inside));
    std::string text(inside, ' ');
    std::fill_n(text.begin(), full, '=');
    if (full < inside && full > 0) text[full - 1] = '>';
    return "[" + text + "]";
}

}  // namespace

std::string duration_text(double seconds) {
    const auto s = static_cast<long>(std::lround(std::max(0.0, seconds)));
    if (s < 60) return fmt::format("{} s", s);
    if (s < 3600) return fmt::format("{} min {:02} s", s / 60, s % 60);
    return fmt::format("{} h {:02} min", s / 3600, s % 3600 / 60);
}

std::string magnitude_text(double value) {
    const char* suffix = value >= 999.5e3 ? "M" : value >= 999.5 ? "k" : "";
    const double unit = value >= 999.5e3 ? 1e6 : value >= 999.5 ? 1e3 : 1;
    return fmt::format("{:.3g}{}", value / unit, suffix);
}

std::string progress_line(const ProgressState& state, std::size_t width) {
    struct Field {
        std::string text;
        int weight;  // fields with a smaller weight are omitted first
    };
    std::vector<Field> fields{{fmt::format("{} {}/{}", state.what, state.done, state.total), 3}};
    if (!state.note.empty()) fields.push_back({state.note, 1});
    if (state.rate > 0) {
        fields.push_back(
            {magnitude_text(state.rate) + (state.unit.empty() ? "" : " " + state.unit) + "/s", 0});
    }
    if (state.left >= 0) fields.push_back({duration_text(state.left) + " left", 2});
    const auto length = [&] {
        std::size_t sum = 2 * (fields.size() - 1);
        for (const Field& field : fields) sum += field.text.size();
        return sum;
    };
    const std::size_t whole = length();
    while (width > 0 && fields.size() > 1 && length() > width)
        fields.erase(std::ranges::min_element(fields, {}, &Field::weight));
    if (const std::size_t taken = whole + 4; width >= taken + min_bar) {
        const std::size_t inside = std::min(width - taken, max_bar);
        fields.insert(fields.begin() + 1, {bar(state.done, state.total, inside), 0});
    }
    std::string line;
    for (const Field& field : fields) line += (line.empty() ? "" : "  ") + field.text;
    if (width > 0) line.resize(std::min(line.size(), width));
    return line;
}

void RecentRate::add(double seconds, double amount) {
    if (points_.size() > 1 && seconds - points_[points_.size() - 2].seconds < 1) points_.pop_back();
    points_.push_back({seconds, amount});
    while (points_.size() > 2 && seconds - points_[1].seconds > window) points_.pop_front();
}

double RecentRate::value() const {
    if (points_.size() < 2) return 0;
    const double seconds = points_.back().seconds - points_.front().seconds;
    return seconds > 0 ? (points_.back().amount - points_.front().amount) / seconds : 0;
}

}  // namespace popflow::apps
