// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

#include "screen/population.hpp"

namespace popflow::simulate {

/// What the control population of one experiment is made of. Every number can be read off the markers of that
/// population, and most of them off no single cell: this is what a population embedding has to find.
struct Composition {
    double fibroblasts = 0;    ///< share of all cells; 0 in culture PDO, 1 in F
    double activation = 0;     ///< of the fibroblasts, in (0, 1)
    double proliferating = 0;  ///< share of organoid cells in the cell cycle
    double stem = 0;           ///< share of organoid cells
    double secretory = 0;      ///< share of organoid cells
    double apoptotic = 0;      ///< share of organoid cells
    double mapk = 0;           ///< mean activity of the pathway, natural log units
    double pi3k = 0;
    double damage = 0;
};

/// The composition of the experiment that a population belongs to: the patient's traits (spread evenly over
/// each ten patients, in an order drawn from the seed), moved at random by culture, plate and replicate.
///
/// Random: streams keyed by the labels, so that an experiment does not depend on what else is simulated.
Composition control_composition(std::uint64_t seed, const screen::Population& population);

/// What a treatment does to the cells of one type. Hazards h act with probability 1 - exp(-h); shifts are
/// added to pathway activities.
struct Effect {
    double apoptosis = 0;          ///< hazard of dying, cycling cells; a third of it in G0
    double replication_block = 0;  ///< hazard of G1 cells being held in S
    double mitosis_block = 0;      ///< hazard of S and M cells being held in G2
    double quiescence = 0;         ///< hazard of cycling cells leaving the cycle
    double mitosis_entry = 0;      ///< hazard of G2 cells entering mitosis early
    double differentiation = 0;    ///< hazard of stem cells losing their state
    double damage = 0;
    double checkpoint = 0;
    double mapk = 0;
    double pi3k = 0;
    double stress = 0;
    double wnt = 0;
};

/// What a treatment does in one experiment.
struct Response {
    Effect organoid;
    Effect fibroblast;
};

/// The share of its full effect that a drug has at a dose: Hill's law over fourfold dilutions, 1 at `level` =
/// `doses` and 0 at `level` = 0.
double exposure(double level, double doses);

/// How strongly the organoid cells of an experiment feel a drug; 1 in the middle of the screen.
///
/// S, O, F and V act where many cells proliferate, C where MAPK activity is low, L where many cells are stem
/// cells, and fibroblasts shield from each of them, activated ones more.
double sensitivity(const Composition& composition, char drug);

/// The effect of a treatment, whose letters are its drugs, on both cell types of an experiment.
///
/// The drugs of a combination add up, and strengthen one another by a fifth per further drug (V and S, which
/// hit the same checkpoint from both sides, by a half).
///
/// @param dose  exposure(), 0 for a control
/// @throws ConfigError for a letter that is no drug
Response response(const Composition& composition, const std::string& treatment, double dose);

/// 64 bits that depend on the text alone (FNV-1a): keys of random streams.
std::uint64_t label_key(const std::string& text);

/// Position of a patient name in the endless list of simulated patients.
std::size_t patient_index(const std::string& name);
/// The ten published patients, then 301, 302, ...
std::string patient_name(std::size_t index);

}  // namespace popflow::simulate
