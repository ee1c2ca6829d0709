// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace popflow::simulate {

/// Latent programs that determine the markers of a simulated cell: its type, its phase of the cell cycle and
/// the activity of its pathways. The first eight are 0 or 1. The others are continuous, with 0 for a baseline
/// cell.
enum class Program : std::size_t {
    organoid,
    fibroblast,
    cycling,  ///< any phase but G0
    synthesis,
    gap2,
    mitosis,
    apoptosis,
    secretory,
    mapk,
    pi3k,
    stress,
    damage,
    wnt,
    tgf_beta,    ///< activation, in fibroblasts
    checkpoint,  ///< ATR / CHK1 signalling
};
inline constexpr std::size_t n_programs = 15;

/// Program values of one cell.
using Programs = std::array<float, n_programs>;

/// One marker of the panel: log intensity = base + sum over programs of loading * program + spread * N(0, 1).
///
/// Units: intensities are mean ion counts, logarithms are natural.
struct Marker {
    std::string name;
    float base = 0;
    float spread = 0;
    /// Share of baseline cells that show only the background. The share falls as the intensity rises.
    float dropout = 0;
    Programs loading{};
};

/// Returns the simulated panel: 43 markers, then Cyclin_B1, which the published analyses leave out.
///
/// Source: names follow the mass cytometry panel of Ramos Zapatero et al., "Trellis tree-based analysis
/// reveals stromal regulation of patient-derived organoid drug responses", Cell 2023. Intensities and
/// loadings are popflow's own, chosen by the role of each protein.
std::span<const Marker> marker_panel();

/// Number of markers of the panel without Cyclin_B1.
inline constexpr std::size_t n_panel_markers = 43;

/// Returns the names of the first `count` markers.
std::vector<std::string> marker_names(std::size_t count = n_panel_markers);

}  // namespace popflow::simulate
