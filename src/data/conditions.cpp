// SPDX-License-Identifier: MIT
#include "data/conditions.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace popflow::data {

namespace {

// Concentrations are compared on the log scale, where dilution series are even; 0 comes before all others.
double log_dose(double concentration) {
    return std::log(std::max(concentration, 1e-300));
}

}  // namespace

Conditions Conditions::of_pairs(const Screen& screen, std::span<const std::size_t> pairs) {
    std::map<std::string, std::set<double>> seen;
    for (std::size_t p : pairs) {
        const Population& treated = screen.populations[screen.pairs[p].treated];
        auto& concentrations = seen[treated.treatment];
        if (screen.options.doses == Doses::all) concentrations.insert(treated.concentration_value);
    }
    std::vector<Treatment> treatments;
    for (const auto& [name, values] : seen) treatments.push_back({name, {values.begin(), values.end()}});
    return {std::move(treatments), screen.options.doses};
}

std::size_t Conditions::treatment_index(const std::string& name) const {
    for (std::size_t i = 0; i < treatments_.size(); ++i) {
        if (treatments_[i].name == name) return i;
    }
    throw core::Error("treatment '" + name + "' was not among those trained on");
}

std::vector<float> Conditions::encode(const Population& treated) const {
    const std::size_t i = treatment_index(treated.treatment);
    std::vector<float> c(size(), 0.0F);
    c[i] = 1;
    if (doses_ == Doses::all) {
        const auto& seen = treatments_[i].concentrations;
        const auto above = std::lower_bound(seen.begin(), seen.end(), treated.concentration_value);
        auto level = static_cast<double>(above - seen.begin()) + 1;
        if (above == seen.end()) {
            level = static_cast<double>(seen.size());
        } else if (above != seen.begin() && *above != treated.concentration_value) {
            const double low = log_dose(*(above - 1));
            level -= (log_dose(*above) - log_dose(treated.concentration_value)) / (log_dose(*above) - low);
        }
        c[treatments_.size() + i] = static_cast<float>(level / static_cast<double>(seen.size()));
    }
    return c;
}

std::size_t Conditions::count() const {
    if (doses_ == Doses::highest) return treatments_.size();
    std::size_t n = 0;
    for (const Treatment& treatment : treatments_) n += treatment.concentrations.size();
    return n;
}

std::size_t Conditions::index(const Population& treated) const {
    const std::size_t i = treatment_index(treated.treatment);
    if (doses_ == Doses::highest) return i;
    std::size_t first = 0;
    for (std::size_t before = 0; before < i; ++before) first += treatments_[before].concentrations.size();
    const auto& seen = treatments_[i].concentrations;
    const double wanted = log_dose(treated.concentration_value);
    const auto nearest = std::min_element(seen.begin(), seen.end(), [&](double a, double b) {
        return std::abs(log_dose(a) - wanted) < std::abs(log_dose(b) - wanted);
    });
    return first + static_cast<std::size_t>(nearest - seen.begin());
}

}  // namespace popflow::data
