// SPDX-License-Identifier: MIT
#include "simulate/simulated_screen.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>

#include "core/error.hpp"
#include "core/random.hpp"
#include "core/text.hpp"
#include "simulate/marker_panel.hpp"
#include "simulate/simulated_response.hpp"

namespace popflow::simulate {

namespace {

using core::ConfigError;
using core::Purpose;
using core::Stream;

struct Plate {
    const char* name;
    const char* vehicle;
    std::vector<std::string> treatments;
};

const std::array<Plate, 3>& plates() {
    static const std::array<Plate, 3> all{{
        {"SLV", "DMSO", {"S", "L", "V", "VS"}},
        {"CSF", "AH", {"C", "F", "CF", "SF", "CS", "CSF"}},
        {"O", "H2O", {"O"}},
    }};
    return all;
}

bool contains(const std::vector<std::string>& list, const std::string& value) {
    return std::find(list.begin(), list.end(), value) != list.end();
}

void check_range(const char* key, std::size_t found, std::size_t low, std::size_t high) {
    if (found >= low && found <= high) return;
    throw ConfigError(key, fmt::format("found {}. Give a number from {} to {}", found, low, high));
}

void check_names(const char* key, const std::vector<std::string>& found,
                 const std::vector<std::string>& known) {
    if (found.empty()) throw ConfigError(key, "no name given. Give one or more");
    for (const std::string& name : found) {
        if (!contains(known, name))
            throw ConfigError(key, "found '" + name + "'" + core::did_you_mean(name, known) +
                                       ". Give some of " + core::joined(known, known.size()));
        if (std::count(found.begin(), found.end(), name) > 1) {
            throw ConfigError(key, "found '" + name + "' twice. Give each name once");
        }
    }
}

void check(const SimulatedScreenOptions& o) {
    constexpr std::size_t max_count = 1'000'000;
    check_range("patients", o.patients, 1, max_count);
    check_range("replicates", o.replicates, 1, 26);
    check_range("doses", o.doses, 1, 9);
    check_range("pairs", o.pairs, 0, max_count);
    check_range("cells", o.min_cells, 1, o.max_cells);
    check_names("cultures", o.cultures, SimulatedScreenOptions().cultures);
    check_names("treatments", o.treatments, SimulatedScreenOptions().treatments);
    if (!(o.failed_wells >= 0 && o.failed_wells <= 0.9)) {
        throw ConfigError("failed-wells",
                          fmt::format("found {:g}. Give a fraction from 0 to 0.9", o.failed_wells));
    }
}

// A treatment at all of its doses in one experiment. Makes one pair of the screen. The members are indices.
struct DoseSeries {
    std::size_t replicate;
    std::size_t plate;
    std::size_t culture;
    std::size_t patient;
    std::size_t treatment;  // index into the treatments of the plate
};

screen::Population labels(const SimulatedScreenOptions& o, const DoseSeries& s) {
    screen::Population p;
    p.patient = patient_name(s.patient);
    p.culture = o.cultures[s.culture];
    p.plate = plates().at(s.plate).name;
    p.replicate = std::string(1, static_cast<char>('A' + s.replicate));
    return p;
}

std::string identity(const screen::Population& p) {
    return p.patient + '/' + p.culture + '/' + p.plate + '/' + p.replicate + '/' + p.treatment + '/' +
           p.concentration;
}

bool has_failed(const SimulatedScreenOptions& o, const DoseSeries& s) {
    screen::Population p = labels(o, s);
    p.treatment = plates().at(s.plate).treatments[s.treatment];
    return Stream(o.seed, Purpose::simulation, label_key("failed " + identity(p))).uniform() < o.failed_wells;
}

// Lists the dose series that did not fail. Of replicate, plate, culture and patient, the patient varies
// fastest, so that a small number of pairs still has many patients to split.
std::vector<DoseSeries> list_dose_series(const SimulatedScreenOptions& o, std::size_t patients) {
    std::vector<DoseSeries> all;
    for (std::size_t replicate = 0; replicate < o.replicates; ++replicate)
        for (std::size_t plate = 0; plate < plates().size(); ++plate)
            for (std::size_t culture = 0; culture < o.cultures.size(); ++culture)
                for (std::size_t patient = 0; patient < patients; ++patient)
                    for (std::size_t t = 0; t < plates().at(plate).treatments.size(); ++t) {
                        const DoseSeries s{replicate, plate, culture, patient, t};
                        if (contains(o.treatments, plates().at(plate).treatments[t]) && !has_failed(o, s))
                            all.push_back(s);
                    }
    return all;
}

// Chooses the dose series of the screen and sorts them by experiment.
std::vector<DoseSeries> choose_dose_series(const SimulatedScreenOptions& o) {
    std::vector<DoseSeries> chosen = list_dose_series(o, o.patients);
    for (std::size_t patients = o.patients; o.pairs > chosen.size();) {
        patients += std::max<std::size_t>(1, patients / 4);
        chosen = list_dose_series(o, patients);
    }
    if (o.pairs > 0) chosen.resize(o.pairs);
    if (chosen.empty())
        throw ConfigError("failed-wells",
                          "no treatment is left, because all wells failed: choose a smaller share");
    const auto key = [](const DoseSeries& s) {
        return std::tie(s.patient, s.culture, s.plate, s.replicate, s.treatment);
    };
    std::sort(chosen.begin(), chosen.end(),
              [&](const DoseSeries& a, const DoseSeries& b) { return key(a) < key(b); });
    return chosen;
}

// Draws the size of a population from a log-normal distribution, truncated at the limits, which are 2.5
// standard deviations from the median.
std::size_t population_size(const SimulatedScreenOptions& o, const screen::Population& p) {
    constexpr double reach = 2.5;
    Stream stream(o.seed, Purpose::simulation, label_key("size " + identity(p)));
    double z = stream.normal();
    while (std::abs(z) > reach) z = stream.normal();
    const double low = std::log(static_cast<double>(o.min_cells));
    const double high = std::log(static_cast<double>(o.max_cells));
    const double n = std::exp((low + high) / 2 + z / reach * (high - low) / 2);
    return std::clamp(static_cast<std::size_t>(std::lround(n)), o.min_cells, o.max_cells);
}

void append(SimulatedScreen& screen, screen::Population p, const std::string& treatment, std::size_t level) {
    p.experiment = screen.experiments - 1;
    p.treatment = treatment;
    p.control = level == 0;
    p.concentration = std::to_string(level);
    p.concentration_value = static_cast<double>(level);
    p.n_cells = population_size(screen.options, p);
    screen.first_row.push_back(screen.first_row.back() + p.n_cells);
    screen.populations.push_back(std::move(p));
}

}  // namespace

SimulatedScreen plan_simulated_screen(const SimulatedScreenOptions& options) {
    check(options);
    SimulatedScreen screen;
    screen.options = options;
    screen.markers = marker_names(n_panel_markers + (options.cyclin_b1 ? 1 : 0));
    screen.cell_types = {"Fibs", "PDOs"};
    screen.first_row = {0};
    const auto experiment = [](const DoseSeries& s) {
        return std::tie(s.patient, s.culture, s.plate, s.replicate);
    };
    const DoseSeries* previous = nullptr;
    const std::vector<DoseSeries> chosen = choose_dose_series(options);
    for (const DoseSeries& s : chosen) {
        const screen::Population p = labels(options, s);
        const Plate& plate = plates().at(s.plate);
        if (previous == nullptr || experiment(*previous) != experiment(s)) {
            ++screen.experiments;
            append(screen, p, plate.vehicle, 0);
        }
        previous = &s;
        const std::string& treatment = plate.treatments[s.treatment];
        const std::size_t levels =
            treatment.size() == 1 ? options.doses : std::max<std::size_t>(1, options.doses / 3);
        for (std::size_t level = options.doses - levels + 1; level <= options.doses; ++level) {
            append(screen, p, treatment, level);
        }
    }
    screen.pairs = chosen.size();
    return screen;
}

}  // namespace popflow::simulate
