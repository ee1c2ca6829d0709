// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/random.hpp"

namespace popflow::simulate {

/// Options of populations of a parametric family.
struct ShapesOptions {
    std::uint64_t seed = 0;
    std::uint64_t law_seed = 0;  ///< seed of the fixed parameters of the law
    std::string family{};
    std::size_t populations = 200;       ///< number of training populations of each treatment
    std::size_t test_populations = 100;  ///< number of test populations of each treatment
    std::size_t treatments = 0;          ///< number of treatments, 0 for the default of the family
    std::size_t min_cells = 0;           ///< size of the smallest population, 0 for the default of the family
    std::size_t max_cells = 0;           ///< size of the largest population, 0 for the default of the family
    std::size_t markers = 10;
    std::size_t states = 5;
    double separation = 8;      ///< smallest distance between the means of two states
    double dirichlet_sum = 10;  ///< sum of the Dirichlet parameters of the weights of the states
    double shift = 2;           ///< length of the vector by which a treatment moves a state
    double selection = 2;       ///< largest change of a log weight by a treatment
};

/// Number of a population within its family. It identifies the random streams of the population.
struct ShapeIndex {
    std::size_t treatment = 0;  ///< index into ShapeLaw::treatments
    bool test = false;          ///< true for a test population
    std::size_t number = 0;     ///< number among the populations of the treatment and part
};

/// Draws one cell of a population. Threads call it concurrently.
/// @param stream  random stream of the cell
/// @param x  [markers] destination
/// @return  state of the cell, an index into ShapeLaw::states, 0 without states
using CellSampler = std::function<std::size_t(core::Stream& stream, std::span<double> x)>;

/// Array of fixed parameters of a law, such as the means of the states.
struct LawArray {
    std::string name;
    std::vector<std::size_t> shape;
    std::vector<double> values;  ///< row-major
};

/// Law of the populations of a family: the law of their parameters, and the law of the cells given the
/// parameters.
struct ShapeLaw {
    std::vector<std::string> markers;
    std::vector<std::string> treatments;  ///< labels. With `is_paired`, the first one is the control
    std::vector<std::string> states{};    ///< labels of the states of cells, empty without states
    std::vector<std::string> parameters;  ///< names of the parameters of a population
    /// Whether the populations with the same number and part belong together. Their file must not tell.
    bool is_paired = false;
    std::vector<LawArray> arrays{};
    /// Draws the parameters of a population. A function of the options and the index alone.
    std::function<std::vector<double>(const ShapeIndex& index)> draw_parameters;
    /// Returns the sampler of the cells of a population with these parameters.
    std::function<CellSampler(const ShapeIndex& index, std::span<const double> parameters)> sampler;
};

/// Returns a random stream of a family, keyed by the seed, the family, the purpose and a number.
core::Stream shape_stream(const ShapesOptions& options, const std::string& purpose, std::uint64_t number = 0);

/// Returns a random stream for the fixed parameters of the law, keyed by the law seed in place of the seed.
/// So files with different seeds have the same law.
core::Stream law_stream(const ShapesOptions& options, const std::string& purpose, std::uint64_t number = 0);

/// Returns the labels of treatments of a family whose treatments share one range: the name of the family, or
/// `NAME_1`, `NAME_2`, ... of several.
std::vector<std::string> slice_labels(const ShapesOptions& options);

/// Returns the stream of the parameters of a population.
core::Stream parameter_stream(const ShapesOptions& options, const ShapeIndex& index);

/// Draws from the part of a range that belongs to a treatment. Treatment k of K has the k-th of K equal
/// parts, so all treatments together have the law of one treatment.
double draw_slice(core::Stream& stream, const ShapesOptions& options, const ShapeIndex& index, double low,
                  double high);

}  // namespace popflow::simulate
