// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "linalg/matrix.hpp"

namespace popflow::screen {

/// The cells of one experiment under one treatment at one concentration.
///
/// If the cells have several values of a label (for example of the replicate, where the replicate is no
/// pairing key), the label is the distinct values joined by `+`.
struct Population {
    std::size_t experiment = 0;  ///< index into Screen::experiments
    std::string patient;
    std::string culture;
    std::string treatment;
    std::string concentration;       ///< label as in the file
    double concentration_value = 0;  ///< the label read as a number
    std::string replicate;
    std::string plate;
    bool control = false;
    std::size_t n_cells = 0;
    std::vector<std::string>
        split_values{};                   ///< distinct values of the split column, sorted; empty without one
    std::vector<std::string> vehicles{};  ///< distinct values of the role vehicle, sorted; empty without it
    /// (treatment, concentration) of the controls that were pooled into this control, empty for others.
    std::vector<std::pair<std::string, std::string>> pooled{};
    std::vector<std::uint8_t>
        cell_types{};  ///< types of its cells, ascending, indices into Screen::cell_types
    // Range of rows of the file that holds all its cells. Cells of other populations may lie in between.
    std::size_t first_row = 0;
    std::size_t end_row = 0;
};

/// A control population and a treated population of one experiment, as indices into Screen::populations.
struct PopulationPair {
    std::size_t control = 0;
    std::size_t treated = 0;
};

/// Non-owning view of the cells of one population.
struct CellsView {
    linalg::ConstMatrixView<float> x;
    std::span<const std::uint8_t> cell_type;
    bool on_disk = false;  ///< true in a memory-mapped file, see CellStore
};

/// Cells of one population, transformed (e.g. arcsinh) but not normalised.
struct Cells {
    linalg::Matrix<float> x;              ///< [n, d]
    std::vector<std::uint8_t> cell_type;  ///< [n], index into Screen::cell_types
    CellsView view() const { return {x.view(), cell_type}; }
};

/// Destination span: memory that receives the cells of one population.
struct CellsSpan {
    linalg::MatrixView<float> x;
    std::span<std::uint8_t> cell_type;
    std::span<double> totals{};  ///< [n] sum of each cell over all columns of the matrix, or empty
};

}  // namespace popflow::screen
