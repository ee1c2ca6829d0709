// SPDX-License-Identifier: MIT
#include "report/resampling.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>

#include "core/random.hpp"

namespace popflow::report {

namespace {

// Kinds of draws in the key of a stream.
constexpr std::uint64_t bootstrap_key = 0;
constexpr std::uint64_t sign_flip_key = 1;

core::Stream stream(std::uint64_t kind, std::size_t clusters) {
    return {0, core::Purpose::statistics, kind, clusters};
}

// Returns P(|T| <= t) of Student's distribution. The series has about degrees / 2 terms.
double student_t_centre(double t, std::size_t degrees) {
    const double angle = std::atan(t / std::sqrt(static_cast<double>(degrees)));
    const double c = std::cos(angle);
    const bool is_odd = degrees % 2 == 1;
    if (degrees == 1) return 2 * angle / std::numbers::pi;
    double term = is_odd ? c : 1;
    double sum = term;
    for (std::size_t k = is_odd ? 3 : 2; k < degrees; k += 2) {
        const auto order = static_cast<double>(k);
        term *= c * c * (order - 1) / order;
        sum += term;
    }
    return is_odd ? 2 / std::numbers::pi * (angle + std::sin(angle) * sum) : std::sin(angle) * sum;
}

double quantile(const std::vector<double>& sorted, double p) {
    const double at = p * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<std::size_t>(at);
    const std::size_t above = std::min(below + 1, sorted.size() - 1);
    return std::lerp(sorted[below], sorted[above], at - static_cast<double>(below));
}

// Tolerance of equal sums, relative to the sum of absolute values. Rounding must not split ties.
constexpr double tie = 1e-12;

double enumerated_p_value(std::span<const double> differences, double bound) {
    std::vector<double> sums{0};
    for (const double d : differences) {
        const std::size_t n = sums.size();
        for (std::size_t i = 0; i < n; ++i) {
            sums.push_back(sums[i] - d);
            sums[i] += d;
        }
    }
    const auto hits = std::ranges::count_if(sums, [&](double s) { return std::abs(s) >= bound; });
    return static_cast<double>(hits) / static_cast<double>(sums.size());
}

double drawn_p_value(std::span<const double> differences, double bound) {
    core::Stream random = stream(sign_flip_key, differences.size());
    std::size_t hits = 1;  // the observed signs
    for (std::size_t draw = 0; draw < drawn_sign_flips; ++draw) {
        double sum = 0;
        std::uint32_t bits = 0;
        for (std::size_t i = 0; i < differences.size(); ++i) {
            if (i % 32 == 0) bits = random.next();
            sum += (bits & 1U) != 0 ? differences[i] : -differences[i];
            bits >>= 1U;
        }
        if (std::abs(sum) >= bound) ++hits;
    }
    return static_cast<double>(hits) / static_cast<double>(1 + drawn_sign_flips);
}

}  // namespace

Resamples::Resamples(std::size_t clusters) : clusters_(clusters), counts_(clusters * bootstrap_resamples) {
    if (clusters == 0) return;
    core::Stream random = stream(bootstrap_key, clusters);
    for (std::size_t draw = 0; draw < bootstrap_resamples; ++draw) {
        for (std::size_t i = 0; i < clusters; ++i)
            counts_[random.below(clusters) * bootstrap_resamples + draw] += 1;
    }
}

std::span<const float> Resamples::counts(std::size_t cluster) const {
    return std::span(counts_).subspan(cluster * bootstrap_resamples, bootstrap_resamples);
}

double student_t_quantile(double p, std::size_t degrees) {
    if (p < 0.5) return -student_t_quantile(1 - p, degrees);
    const double centre = 2 * p - 1;
    double high = 1;
    while (student_t_centre(high, degrees) < centre) high *= 2;
    double low = 0;
    while (true) {
        const double middle = (low + high) / 2;
        if (middle <= low || middle >= high) return middle;
        (student_t_centre(middle, degrees) < centre ? low : high) = middle;
    }
}

double percentile_tail(std::size_t clusters) {
    const auto n = static_cast<double>(clusters);
    const double bound = std::sqrt(n / (n - 1)) * student_t_quantile(0.975, clusters - 1);
    return std::erfc(bound / std::numbers::sqrt2) / 2;
}

std::optional<Interval> percentile_interval(std::vector<double> resampled, std::size_t clusters) {
    std::erase_if(resampled, [](double v) { return std::isnan(v); });
    if (clusters < 2 || resampled.empty()) return std::nullopt;
    std::ranges::sort(resampled);
    const double tail = percentile_tail(clusters);
    return Interval{quantile(resampled, tail), quantile(resampled, 1 - tail)};
}

double sign_flip_p_value(std::span<const double> differences) {
    if (differences.size() < 2) return std::numeric_limits<double>::quiet_NaN();
    double sum = 0;
    double size = 0;
    for (const double d : differences) {
        sum += d;
        size += std::abs(d);
    }
    const double bound = std::abs(sum) - tie * size;
    return differences.size() <= max_enumerated ? enumerated_p_value(differences, bound)
                                                : drawn_p_value(differences, bound);
}

}  // namespace popflow::report
