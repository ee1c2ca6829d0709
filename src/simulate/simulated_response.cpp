// SPDX-License-Identifier: MIT
#include "simulate/simulated_response.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <initializer_list>

#include "core/error.hpp"
#include "core/random.hpp"

namespace popflow::simulate {

namespace {

using core::Purpose;
using core::Stream;

constexpr std::array<const char*, 10> published_patients{"5",  "11", "21",  "23",  "27",
                                                         "75", "99", "109", "141", "216"};
constexpr std::size_t first_further_patient = 301;

double logistic(double x) {
    return 1 / (1 + std::exp(-x));
}

// A trait of the patients. The patient means lie in [low, high], on the logit scale for shares. `jitter` is
// the standard deviation between the experiments of one patient.
struct Trait {
    const char* name;
    double low;
    double high;
    double jitter;
};

// Stratified sampling of the patient means: in each group of ten patients, each one draws from another tenth
// of the range. Independent draws would leave gaps, and a held-out patient would often lie outside of the
// range of the other nine.
double patient_mean(std::uint64_t seed, std::size_t patient, const Trait& trait) {
    constexpr std::size_t group = published_patients.size();
    Stream stream(seed, Purpose::simulation, label_key(std::string("trait ") + trait.name), patient / group);
    const auto order = stream.permutation(group);
    const double quantile = (order[patient % group] + stream.uniform()) / group;
    return trait.low + quantile * (trait.high - trait.low);
}

double trait_value(std::uint64_t seed, const screen::Population& p, const Trait& trait) {
    const std::string cell = p.patient + '/' + p.culture;
    const std::string experiment = cell + '/' + p.plate + '/' + p.replicate;
    Stream by_culture(seed, Purpose::simulation, label_key("culture " + cell), label_key(trait.name));
    Stream by_experiment(seed, Purpose::simulation, label_key("experiment " + experiment),
                         label_key(trait.name));
    const double shift = 0.4 * by_culture.normal() + 0.9 * by_experiment.normal();
    return patient_mean(seed, patient_index(p.patient), trait) + trait.jitter * std::clamp(shift, -2.0, 2.0);
}

// Returns the full effect of a drug at a sensitivity of 1: O oxaliplatin, S SN-38, V berzosertib (ATR), L
// LGK974 (WNT secretion), F 5-fluorouracil, C cetuximab (EGFR).
Effect drug_effect(char drug) {
    Effect e;
    switch (drug) {
        case 'O':
            e.apoptosis = 0.8, e.mitosis_block = 0.9, e.damage = 1.8, e.checkpoint = 0.9, e.stress = 1.0;
            e.pi3k = -0.5;
            break;
        case 'S':
            e.apoptosis = 0.9, e.replication_block = 0.9, e.mitosis_block = 0.7, e.damage = 2.1,
            e.checkpoint = 1.2;
            e.stress = 0.9, e.pi3k = -0.6, e.mapk = -0.4;
            break;
        case 'V':
            e.apoptosis = 0.5, e.mitosis_entry = 1.2, e.damage = 1.2, e.checkpoint = -2.2, e.stress = 0.9;
            e.mapk = -0.4;
            break;
        case 'L':
            e.apoptosis = 0.3, e.quiescence = 0.7, e.differentiation = 1.4, e.wnt = -1.7, e.pi3k = -0.8;
            break;
        case 'F':
            e.apoptosis = 0.6, e.replication_block = 1.2, e.damage = 1.5, e.checkpoint = 1.0, e.stress = 1.2;
            e.pi3k = -0.8;
            break;
        case 'C':
            e.apoptosis = 0.5, e.quiescence = 1.0, e.mapk = -2.0, e.pi3k = -1.2, e.stress = 0.5;
            break;
        default:
            throw core::ConfigError(
                "treatments", std::string("found drug '") + drug + "'. Give drugs of O, S, V, L, F and C");
    }
    return e;
}

void add(Effect& sum, const Effect& e, double strength) {
    for (double Effect::*member :
         {&Effect::apoptosis, &Effect::replication_block, &Effect::mitosis_block, &Effect::quiescence,
          &Effect::mitosis_entry, &Effect::differentiation, &Effect::damage, &Effect::checkpoint,
          &Effect::mapk, &Effect::pi3k, &Effect::stress, &Effect::wnt}) {
        sum.*member += strength * (e.*member);
    }
}

double synergy(const std::string& treatment) {
    const bool both = treatment.find('V') != std::string::npos && treatment.find('S') != std::string::npos;
    return both ? 1.5 : 1 + 0.2 * (static_cast<double>(treatment.size()) - 1);
}

// Limits the strength of an effect: once every target is occupied, a higher dose has no further effect.
double saturate(double strength) {
    constexpr double max_strength = 2;
    return max_strength * (1 - std::exp(-strength / max_strength));
}

// Returns the sensitivity to a drug without the protection by fibroblasts.
double intrinsic_sensitivity(const Composition& c, char drug) {
    switch (drug) {
        case 'C':
            return 2 * logistic(-3 * c.mapk);
        case 'L':
            return 2 * logistic(7 * (c.stem - 0.35));
        case 'V':
            return 2 * logistic(6 * (c.proliferating - 0.45));
        default:
            return 2 * logistic(8 * (c.proliferating - 0.45));
    }
}

}  // namespace

std::uint64_t label_key(const std::string& text) {
    std::uint64_t key = 0xcbf29ce484222325U;
    for (const char c : text) key = (key ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    return key;
}

std::string patient_name(std::size_t index) {
    constexpr std::size_t published = published_patients.size();
    return index < published ? published_patients[index]
                             : std::to_string(first_further_patient + index - published);
}

std::size_t patient_index(const std::string& name) {
    const auto found = std::find(published_patients.begin(), published_patients.end(), name);
    const auto index = static_cast<std::size_t>(found - published_patients.begin());
    return found != published_patients.end() ? index : index + std::stoul(name) - first_further_patient;
}

Composition control_composition(std::uint64_t seed, const screen::Population& p, ResponseKind kind) {
    const auto level = [&](const Trait& trait) { return trait_value(seed, p, trait); };
    const auto share = [&](const Trait& trait) { return logistic(level(trait)); };
    Composition c;
    const double fibroblasts = share({"fibroblasts", -1.2, 1.0, 1.1});
    c.fibroblasts = p.culture == "F" ? 1 : p.culture == "PDO" ? 0 : fibroblasts;
    c.activation = share({"activation", -1.5, 1.5, 1.2});
    c.proliferating = share({"proliferating", -1.3, 1.1, 1.1});
    c.stem = share({"stem", -1.6, 0.6, 0.8});
    c.secretory = share({"secretory", -3.2, -2.2, 0.3});
    c.apoptotic = share({"apoptotic", -3.2, -2.2, 0.3});
    c.mapk = level({"mapk", -0.6, 0.6, 0.5});
    c.pi3k = level({"pi3k", -0.3, 0.3, 0.15});
    c.damage = level({"damage", -0.2, 0.2, 0.1});
    if (kind == ResponseKind::correlation)
        c.correlation = std::clamp(level({"correlation", -0.9, 0.9, 0.1}), -0.95, 0.95);
    return c;
}

double exposure(double level, double doses) {
    constexpr double half = 0.3;  // half-saturation constant, relative to the highest concentration
    if (level <= 0) return 0;
    const double concentration = std::pow(4.0, level - doses);
    return (1 + half) * concentration / (concentration + half);
}

double sensitivity(const Composition& c, char drug, ResponseKind kind) {
    if (kind == ResponseKind::correlation) return 2 * logistic(4.5 * c.correlation);
    const double shield = c.fibroblasts * (0.4 + 0.6 * c.activation);
    return intrinsic_sensitivity(c, drug) * std::exp(-4.5 * shield);
}

Response response(const Composition& c, const std::string& treatment, double dose, ResponseKind kind) {
    Response r;
    if (dose <= 0) return r;
    const double synergy_factor = synergy(treatment);
    // Fibroblasts divide little and are less damaged. Drugs that act in S phase hardly affect them.
    const double fibroblast_sensitivity = kind == ResponseKind::correlation ? 0.55 : 1 - 0.9 * c.activation;
    for (const char drug : treatment) {
        const Effect e = drug_effect(drug);
        add(r.organoid, e, saturate(dose * synergy_factor * sensitivity(c, drug, kind)));
        add(r.fibroblast, e, saturate(dose * synergy_factor * fibroblast_sensitivity));
    }
    return r;
}

}  // namespace popflow::simulate
