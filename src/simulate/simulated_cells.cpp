// SPDX-License-Identifier: MIT
#include "simulate/simulated_cells.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "core/random.hpp"
#include "simulate/marker_panel.hpp"
#include "simulate/simulated_response.hpp"
#include "simulate/simulated_screen.hpp"

namespace popflow::simulate {

namespace {

using core::Purpose;
using core::Stream;

enum class Phase { g0, g1, s, g2, m };

struct CellState {
    bool fibroblast = false;
    bool apoptotic = false;
    bool secretory = false;
    bool stem = false;
    Phase phase = Phase::g0;
};

// Parameters that the cells of a population share.
struct PopulationParameters {
    Composition composition;
    Effect organoid;
    Effect fibroblast;
    bool has_correlation = false;                   // whether damage and WNT signalling are correlated
    std::array<float, n_panel_markers + 1> base{};  // log intensity of a baseline cell, gains included
    std::uint64_t seed = 0;
    std::uint64_t key = 0;  // key of the random streams of the cells
};

void add_gains(std::uint64_t seed, const std::string& what, double sd, PopulationParameters& shared) {
    Stream stream(seed, Purpose::simulation, label_key("gain " + what));
    for (float& base : shared.base) base += static_cast<float>(sd * stream.normal());
}

PopulationParameters population_parameters(const SimulatedScreen& screen, const screen::Population& p) {
    PopulationParameters shared;
    shared.seed = screen.options.seed;
    const std::string plate = p.patient + '/' + p.culture + '/' + p.plate;
    const std::string experiment = plate + '/' + p.replicate;
    const std::string well = experiment + '/' + p.treatment + '/' + p.concentration;
    shared.key = label_key("cells " + well);
    shared.composition = control_composition(shared.seed, p, screen.options.response);
    shared.has_correlation = screen.options.response == ResponseKind::correlation;
    if (!p.control) {
        // Pipetting error: the dose differs slightly between wells.
        Stream stream(shared.seed, Purpose::simulation, label_key("dose " + well));
        const double dose = exposure(p.concentration_value, static_cast<double>(screen.options.doses));
        const Response r = response(shared.composition, p.treatment, dose * std::exp(0.03 * stream.normal()),
                                    screen.options.response);
        shared.organoid = r.organoid;
        shared.fibroblast = r.fibroblast;
    }
    const auto panel = marker_panel();
    for (std::size_t j = 0; j < shared.base.size(); ++j) shared.base[j] = panel[j].base;
    add_gains(shared.seed, plate, 0.08, shared);
    add_gains(shared.seed, experiment, 0.05, shared);
    add_gains(shared.seed, well, 0.02, shared);
    return shared;
}

Phase draw_phase(Stream& stream, double cycling) {
    const double u = stream.uniform();
    if (u >= cycling) return Phase::g0;
    const double place = u / cycling;
    if (place < 0.46) return Phase::g1;
    if (place < 0.76) return Phase::s;
    return place < 0.94 ? Phase::g2 : Phase::m;
}

CellState draw_untreated(const Composition& c, Stream& stream) {
    CellState cell;
    cell.fibroblast = stream.uniform() < c.fibroblasts;
    const double fate = stream.uniform();
    if (cell.fibroblast) {
        cell.apoptotic = fate < 0.03;
        cell.phase = draw_phase(stream, 0.15);
        return cell;
    }
    cell.apoptotic = fate < c.apoptotic;
    cell.secretory = !cell.apoptotic && fate < c.apoptotic + c.secretory;
    // Secretory cells have left the cell cycle. The share of cycling cells among the others is raised, so
    // that the share of the whole population stays at c.proliferating.
    const double cycling = std::min(1.0, c.proliferating / (1 - c.secretory));
    cell.phase = cell.secretory ? Phase::g0 : draw_phase(stream, cycling);
    cell.stem = !cell.secretory && stream.uniform() < c.stem;
    return cell;
}

bool happens(Stream& stream, double hazard) {
    return hazard > 0 && stream.uniform() < 1 - std::exp(-hazard);
}

void treat(const Effect& e, Stream& stream, CellState& cell) {
    if (cell.phase == Phase::g1 && happens(stream, e.replication_block)) {
        cell.phase = Phase::s;
    } else if ((cell.phase == Phase::s || cell.phase == Phase::m) && happens(stream, e.mitosis_block)) {
        cell.phase = Phase::g2;
    } else if (cell.phase == Phase::g2 && happens(stream, e.mitosis_entry)) {
        cell.phase = Phase::m;
    }
    const bool cycling = cell.phase != Phase::g0;
    if (cycling && happens(stream, e.quiescence)) cell.phase = Phase::g0;
    if (cell.stem && happens(stream, e.differentiation)) cell.stem = false;
    if (happens(stream, e.apoptosis * (cycling ? 1.0 : 0.33))) cell.apoptotic = true;
}

// Draws the programs of a cell. Pathway activities vary around those of the population and are correlated:
// SRC and RAS activate both MAPK and PI3K, and damage causes stress.
Programs draw_programs(const PopulationParameters& shared, const Effect& e, const CellState& cell,
                       Stream& stream) {
    const Composition& c = shared.composition;
    Programs programs{};
    const auto set = [&](Program program, double value) {
        programs[static_cast<std::size_t>(program)] = static_cast<float>(value);
    };
    const bool cycling = cell.phase != Phase::g0;
    set(Program::organoid, cell.fibroblast ? 0 : 1);
    set(Program::fibroblast, cell.fibroblast ? 1 : 0);
    set(Program::cycling, cycling ? 1 : 0);
    set(Program::synthesis, cell.phase == Phase::s ? 1 : 0);
    set(Program::gap2, cell.phase == Phase::g2 ? 1 : 0);
    set(Program::mitosis, cell.phase == Phase::m ? 1 : 0);
    set(Program::apoptosis, cell.apoptotic ? 1 : 0);
    set(Program::secretory, cell.secretory ? 1 : 0);
    const double growth = 0.35 * stream.normal();
    const double strain = 0.35 * stream.normal();
    const double dying = cell.apoptotic ? -1.2 : 0;
    // With a correlation to be seen, damage and WNT signalling vary more.
    const double spread = shared.has_correlation ? 0.8 : 0.35;
    const double affected = cycling ? 1.0 : 0.7;  // a resting cell takes less damage
    const double mapk = cell.fibroblast ? 0.2 : c.mapk;
    const double pi3k = cell.fibroblast ? 0.1 : c.pi3k;
    set(Program::mapk, mapk + e.mapk + growth + 0.3 * stream.normal() + dying);
    set(Program::pi3k, pi3k + e.pi3k + growth + 0.3 * stream.normal() + dying);
    set(Program::stress, e.stress + strain + 0.35 * stream.normal());
    const double injury = stream.normal();
    set(Program::damage, c.damage + affected * e.damage + 0.5 * strain + spread * injury);
    const double own = stream.normal();
    const double signal = c.correlation * injury + std::sqrt(1 - c.correlation * c.correlation) * own;
    set(Program::wnt, (cell.stem ? 1.1 : cell.fibroblast ? -0.4 : 0) + e.wnt + spread * signal);
    set(Program::tgf_beta, (cell.fibroblast ? 2.2 * c.activation - 0.3 : -0.3) + 0.35 * stream.normal());
    set(Program::checkpoint, e.checkpoint);
    return programs;
}

double uniform32(Stream& stream) {
    return stream.next() * 0x1.0p-32;
}

// Draws a Poisson count. Small means: inversion. Means above 16: a Gaussian corrected for the skewness of the
// Poisson distribution (Cornish-Fisher expansion).
double draw_count(double mean, Stream& stream) {
    if (mean > 16) {
        const double z = stream.normal();
        return std::max(0.0, std::round(mean + std::sqrt(mean) * z + (z * z - 1) / 6));
    }
    double term = std::exp(-mean);
    double u = uniform32(stream) - term;
    int count = 0;
    while (u >= 0 && count < 100) {
        ++count;
        term *= mean / count;
        u -= term;
    }
    return count;
}

float draw_marker(const Marker& marker, float base, const Programs& programs, Stream& stream) {
    float above = marker.spread * static_cast<float>(stream.normal());
    for (std::size_t k = 0; k < n_programs; ++k) above += marker.loading[k] * programs[k];
    const float ratio = std::exp(above);
    constexpr double background = 0.15;  // mean count
    const bool silent = uniform32(stream) * (1 + ratio) < 2 * marker.dropout;
    const double count = draw_count(silent ? background : std::exp(base) * ratio, stream);
    return count > 0 ? static_cast<float>(count - uniform32(stream)) : 0.0F;
}

}  // namespace

void simulate_cells(const SimulatedScreen& screen, std::size_t population, std::size_t first,
                    linalg::MatrixView<float> x, std::span<std::uint8_t> cell_type) {
    core::check_shape("simulate_cells.x", x.rows, x.cols, cell_type.size(), screen.markers.size());
    const PopulationParameters shared = population_parameters(screen, screen.populations.at(population));
    const auto panel = marker_panel();
#pragma omp parallel for schedule(static)
    for (std::size_t i = 0; i < x.rows; ++i) {
        Stream stream(shared.seed, Purpose::simulation, shared.key, first + i);
        CellState cell = draw_untreated(shared.composition, stream);
        const Effect& effect = cell.fibroblast ? shared.fibroblast : shared.organoid;
        treat(effect, stream, cell);
        const Programs programs = draw_programs(shared, effect, cell, stream);
        for (std::size_t j = 0; j < x.cols; ++j)
            x(i, j) = draw_marker(panel[j], shared.base[j], programs, stream);
        cell_type[i] = cell.fibroblast ? 0 : 1;
    }
}

}  // namespace popflow::simulate
