// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "linalg/matrix.hpp"
#include "simulate/shape_law.hpp"

namespace popflow::simulate {

/// A parametric family of populations. A new family is a function `make` and a line in shapes.cpp.
struct ShapeFamily {
    const char* name;
    const char* summary;
    std::size_t min_cells;   ///< default size of the smallest population
    std::size_t max_cells;   ///< default size of the largest population
    std::size_t treatments;  ///< default number of treatments
    /// Names of the options that not every family has.
    std::vector<std::string> options;
    ShapeLaw (*make)(const ShapesOptions& options);

    bool has_option(const std::string& option) const;
};

/// Returns all families.
const std::vector<ShapeFamily>& shape_families();
/// Returns the family of a name. @throws core::ConfigError for an unknown name. It lists the families
const ShapeFamily& find_shape_family(const std::string& name);
/// Checks that an option is one of the family, or one of all families.
/// @throws core::ConfigError for an option of other families only
void check_shape_option(const ShapeFamily& family, const std::string& option);
/// Returns the names of the families with an option that not every family has, separated by commas.
std::string families_with(const std::string& option);

/// A population of a family, with the parameters of its law.
struct ShapePopulation {
    ShapeIndex index;
    std::string name;
    std::string pair{};  ///< label that a control and its treated populations share, empty without pairs
    std::size_t n_cells = 0;
    std::size_t first_row = 0;
    std::vector<double> parameters;  ///< in the order of ShapeLaw::parameters
};

/// Populations of a family before their cells are drawn.
struct Shapes {
    ShapesOptions options;  ///< with the defaults of the family
    const ShapeFamily* family = nullptr;
    ShapeLaw law{};
    /// Populations sorted by treatment. Within a treatment, training populations precede test populations.
    std::vector<ShapePopulation> populations{};

    std::size_t n_cells() const;
};

/// Draws the parameters and sizes of all populations.
///
/// Random: the streams of a population are keyed by its family, treatment, part and number. So its parameters
/// and cells do not depend on the number of populations. The size also depends on min_cells and max_cells.
/// They are uniform whole numbers. The parameters also depend on the fixed parameters of the law.
///
/// With pairs, a name holds a scrambled number, and the populations of a treatment and part are sorted by it.
/// So neither names nor rows tell which populations belong together. The label `pair` does.
///
/// @throws core::ConfigError for an unknown family or an invalid value
Shapes plan_shapes(const ShapesOptions& options);

/// Draws the cells [first, first + x.rows) of a population. Runs on all OpenMP threads. Deterministic: any
/// slice of a population has the same bits as in the whole population.
///
/// Shapes:  x [n, markers].
/// @param population  index into shapes.populations
/// @param state  [n], index into the states of the law, 0 without states
/// @throws core::ShapeMismatch
void draw_shape_cells(const Shapes& shapes, std::size_t population, std::size_t first,
                      linalg::MatrixView<float> x, std::span<std::uint8_t> state);

}  // namespace popflow::simulate
