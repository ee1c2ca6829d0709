// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

#include "screen/population.hpp"

namespace popflow::simulate {

/// Property of the control population on which the response of its organoid cells depends.
enum class ResponseKind : std::uint8_t {
    composition,  ///< shares of cell states and fibroblasts, which the means of the markers show
    /// Correlation between damage and WNT signalling of a cell, which changes neither the mean nor the
    /// variance of a marker.
    correlation,
};

/// Composition of the control population of one experiment.
///
/// Every number can be estimated from the markers of the population. Most of them cannot be estimated from a
/// single cell, so a model needs a population embedding to use them.
struct Composition {
    double fibroblasts = 0;    ///< share of all cells; 0 in culture PDO, 1 in F
    double activation = 0;     ///< activation of the fibroblasts, in (0, 1)
    double proliferating = 0;  ///< share of organoid cells in the cell cycle
    double stem = 0;           ///< share of organoid cells
    double secretory = 0;      ///< share of organoid cells
    double apoptotic = 0;      ///< share of organoid cells
    double mapk = 0;           ///< mean activity of the pathway, natural log units
    double pi3k = 0;
    double damage = 0;
    double correlation =
        0;  ///< between damage and WNT signalling of a cell. 0 with ResponseKind::composition
};

/// Draws the composition of the experiment that a population belongs to. Starts from the traits of the
/// patient and shifts them at random by culture, plate and replicate. Traits are spread evenly over each
/// group of ten patients, in an order drawn from the seed.
///
/// Random: streams keyed by the labels. An experiment does not depend on which others are simulated.
Composition control_composition(std::uint64_t seed, const screen::Population& population, ResponseKind kind);

/// Effect of a treatment on the cells of one type. A hazard h acts with probability 1 - exp(-h). The other
/// values are shifts that are added to pathway activities.
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

/// Effect of a treatment in one experiment, by cell type.
struct Response {
    Effect organoid;
    Effect fibroblast;
};

/// Returns the share of its full effect that a drug has at a dose level. Follows the Hill equation over
/// fourfold dilutions, with value 1 at `level` = `doses` and 0 at `level` = 0.
double exposure(double level, double doses);

/// Returns the sensitivity of the organoid cells of an experiment to a drug, 1 at the centre of the screen.
///
/// S, O, F and V act strongly where many cells proliferate, C where MAPK activity is low, and L where many
/// cells are stem cells. Fibroblasts shield from all drugs, activated ones more strongly. With
/// ResponseKind::correlation it depends on the correlation alone, and is the same for all drugs.
double sensitivity(const Composition& composition, char drug, ResponseKind kind);

/// Returns the effect of a treatment on both cell types of an experiment. Each letter of the treatment is a
/// drug.
///
/// The effects of the drugs of a combination add up. Each additional drug strengthens the sum by a fifth. V
/// and S, which act on the same checkpoint from both sides, strengthen it by a half.
///
/// @param dose  value of exposure(), 0 for a control
/// @throws ConfigError for a letter that is not a drug
Response response(const Composition& composition, const std::string& treatment, double dose,
                  ResponseKind kind);

/// Returns a 64-bit hash of the text (FNV-1a), used as a key of random streams.
std::uint64_t label_key(const std::string& text);

/// Returns the position of a patient name in the unbounded list of simulated patients.
std::size_t patient_index(const std::string& name);
/// Returns the name of a simulated patient: the ten published patients, then 301, 302, ...
std::string patient_name(std::size_t index);

}  // namespace popflow::simulate
