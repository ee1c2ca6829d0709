// SPDX-License-Identifier: MIT
#include "screen/conditions.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "core/text.hpp"

namespace popflow::screen {

namespace {

// Logarithm of a concentration. Dilution series are evenly spaced on the log scale. 0 sorts before all
// others.
double log_dose(double concentration) {
    return std::log(std::max(concentration, 1e-300));
}

}  // namespace

Conditions::Conditions(std::vector<Treatment> treatments, Doses doses, TreatmentVectors vectors,
                       core::Quantity dose_quantity)
    : treatments_(std::move(treatments)),
      doses_(doses),
      dose_quantity_(dose_quantity),
      vectors_(std::move(vectors)) {
    if (vectors_.empty()) return;
    std::set<double> all;
    for (const Treatment& treatment : treatments_)
        all.insert(treatment.concentrations.begin(), treatment.concentrations.end());
    all_concentrations_.assign(all.begin(), all.end());
}

Conditions Conditions::from_pairs(const Screen& screen, std::span<const std::size_t> pairs,
                                  TreatmentVectors vectors) {
    std::map<std::string, std::set<double>> seen;
    std::map<std::string, std::set<std::string>> labels;
    std::map<std::string, std::set<std::string>> vehicles;
    for (std::size_t p : pairs) {
        const Population& treated = screen.populations[screen.pairs[p].treated];
        auto& concentrations = seen[treated.treatment];
        if (screen.options.doses == Doses::all) concentrations.insert(treated.concentration_value);
        labels[treated.treatment].insert(core::plain_label(treated.concentration));
        vehicles[treated.treatment].insert(vehicle_in_column(screen, treated).value_or(""));
    }
    std::vector<Treatment> treatments;
    for (const auto& [name, values] : seen) {
        const std::set<std::string>& own = labels[name];
        const bool has_one = screen.options.doses == Doses::highest && own.size() == 1;
        const std::set<std::string>& own_vehicles = vehicles[name];
        treatments.push_back({.name = name,
                              .concentrations = {values.begin(), values.end()},
                              .highest = has_one ? *own.begin() : "",
                              .vehicle = own_vehicles.size() == 1 ? *own_vehicles.begin() : ""});
    }
    return {std::move(treatments), screen.options.doses, std::move(vectors), screen.dose_quantity};
}

std::optional<std::size_t> Conditions::treatment_index(const std::string& name) const {
    const auto at = std::ranges::find(treatments_, name, &Treatment::name);
    if (at == treatments_.end()) return std::nullopt;
    return static_cast<std::size_t>(at - treatments_.begin());
}

bool Conditions::can_encode(const std::string& treatment) const {
    return vectors_.empty() ? treatment_index(treatment).has_value() : vectors_.find(treatment).has_value();
}

const std::vector<double>& Conditions::concentrations(const std::string& treatment) const {
    return vectors_.empty() ? treatments_.at(treatment_index(treatment).value()).concentrations
                            : all_concentrations_;
}

void Conditions::require(const std::string& treatment) const {
    if (can_encode(treatment)) return;
    throw core::Error("treatment '" + treatment + "' " +
                      (vectors_.empty() ? "was not among those trained on" : "has no vector"));
}

// The vector of a treatment, or its one-hot.
std::vector<float> Conditions::treatment_code(const std::string& treatment) const {
    require(treatment);
    if (!vectors_.empty()) return vectors_.find(treatment).value();
    std::vector<float> one_hot(treatments_.size(), 0.0F);
    one_hot[treatment_index(treatment).value()] = 1;
    return one_hot;
}

std::vector<float> Conditions::encode(const Population& treated) const {
    std::vector<float> c = treatment_code(treated.treatment);
    if (doses_ == Doses::highest) return c;
    const std::vector<double>& seen = concentrations(treated.treatment);
    const auto above = std::lower_bound(seen.begin(), seen.end(), treated.concentration_value);
    auto level = static_cast<double>(above - seen.begin()) + 1;
    if (above == seen.end()) {
        level = static_cast<double>(seen.size());
    } else if (above != seen.begin() && *above != treated.concentration_value) {
        const double low = log_dose(*(above - 1));
        level -= (log_dose(*above) - log_dose(treated.concentration_value)) / (log_dose(*above) - low);
    }
    const auto scale = static_cast<float>(level / static_cast<double>(seen.size()));
    c.reserve(2 * code_length());
    for (std::size_t i = 0; i < code_length(); ++i) c.push_back(scale * c[i]);
    return c;
}

std::size_t Conditions::count() const {
    if (doses_ == Doses::highest) return treatments_.size();
    std::size_t n = 0;
    for (const Treatment& treatment : treatments_) n += treatment.concentrations.size();
    return n;
}

std::optional<std::size_t> Conditions::index(const Population& treated) const {
    const auto i = treatment_index(treated.treatment);
    if (!i || doses_ == Doses::highest) return i;
    std::size_t first = 0;
    for (std::size_t before = 0; before < *i; ++before) first += treatments_[before].concentrations.size();
    const auto& seen = treatments_[*i].concentrations;
    const double wanted = log_dose(treated.concentration_value);
    const auto nearest = std::min_element(seen.begin(), seen.end(), [&](double a, double b) {
        return std::abs(log_dose(a) - wanted) < std::abs(log_dose(b) - wanted);
    });
    return first + static_cast<std::size_t>(nearest - seen.begin());
}

}  // namespace popflow::screen
