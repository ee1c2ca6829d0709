// SPDX-License-Identifier: MIT
#include "ot/exact/units.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "core/error.hpp"

namespace popflow::ot {

namespace {

std::vector<std::int64_t> quantised(std::span<const double> weights, double total, int bits) {
    std::vector<std::int64_t> units(weights.size());
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < units.size(); ++i) {
        units[i] = std::max<std::int64_t>(std::llround(std::ldexp(weights[i] / total, bits)), 1);
        sum += units[i];
    }
    *std::max_element(units.begin(), units.end()) += (std::int64_t{1} << bits) - sum;
    return units;
}

}  // namespace

double checked_total(std::span<const double> weights, std::size_t count, const char* name) {
    core::check_shape(std::string("ot.exact.") + name, weights.size(), 1, count, 1);
    double total = 0;
    for (double w : weights) {
        if (!std::isfinite(w) || w < 0) {
            throw core::NumericalError("ot.exact", std::string(name) + " has the weight " +
                                                       std::to_string(w) +
                                                       ": weights must be finite and not negative");
        }
        total += w;
    }
    if (!(total > 0) || !std::isfinite(total)) {
        throw core::NumericalError("ot.exact", std::string(name) + " sums to " + std::to_string(total) +
                                                   ": the sum must be positive and finite");
    }
    return total;
}

Units make_units(std::size_t n, std::size_t m, std::span<const double> a, std::span<const double> b,
                 int bits) {
    if (a.empty() && b.empty()) {
        const std::size_t common = std::gcd(n, m);
        return {std::vector<std::int64_t>(n, static_cast<std::int64_t>(m / common)),
                std::vector<std::int64_t>(m, static_cast<std::int64_t>(n / common)),
                static_cast<double>(common) / (static_cast<double>(n) * static_cast<double>(m)), n == m};
    }
    const std::vector<double> uniform_a(a.empty() ? n : 0, 1.0 / static_cast<double>(n));
    const std::vector<double> uniform_b(b.empty() ? m : 0, 1.0 / static_cast<double>(m));
    if (a.empty()) a = uniform_a;
    if (b.empty()) b = uniform_b;
    const double total_a = checked_total(a, n, "a");
    const double total_b = checked_total(b, m, "b");
    if (!(std::fabs(total_a - total_b) <= 1e-6 * total_a)) {
        throw core::NumericalError("ot.exact", "a sums to " + std::to_string(total_a) + " and b to " +
                                                   std::to_string(total_b) + ": the sums must be equal");
    }
    return {quantised(a, total_a, bits), quantised(b, total_b, bits), std::ldexp(total_a, -bits), false};
}

}  // namespace popflow::ot
