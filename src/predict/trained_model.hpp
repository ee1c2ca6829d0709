// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/random.hpp"
#include "models/model.hpp"
#include "screen/conditions.hpp"
#include "screen/normalisation.hpp"
#include "screen/read_populations.hpp"
#include "screen/screen.hpp"

namespace popflow::predict {

/// A trained model with what it needs to be used; refers to things that must outlive it.
struct TrainedModel {
    const models::Model& model;
    std::span<const float> values;  ///< weights
    bool gaussian_base = false;
    const screen::Normalisation& normalisation;
    const screen::Conditions& conditions;
    const linalg::Matrix<float>& mean_shifts;    ///< [conditions.count(), d], normalised
    const std::vector<std::string>& cell_types;  ///< those of the training data; one: the model ignores them
    std::size_t neighbours = 0;                  ///< of a cell in the graph of the encoder; 0: no graph
};

/// The roles of draws in an evaluation or prediction, the last part of their key. Part of every result:
/// append, never renumber.
enum class DrawRole : std::uint64_t {
    control,
    target,
    halves,
    base,
    embedding,
    sample_control,
    sample_target
};

/// A draw for one pair of an evaluation.
core::Stream pair_stream(std::uint64_t seed, std::size_t pair, DrawRole role);
/// A draw for one control population. It is keyed by the population's name: an evaluation and a prediction,
/// also of another file, draw the same for a population of the same experiment, control and concentration.
core::Stream control_stream(std::uint64_t seed, const screen::Screen& screen, std::size_t control,
                            DrawRole role);

/// Some rows of a population.
screen::Cells take_rows(const screen::Cells& cells, std::span<const std::uint32_t> rows);
/// Which cells of a population are scored if it has more than the limit.
enum class Draw {
    random,
    first,  ///< the first rows, as published; they may be of one cell type alone
};

/// At most `most` of n rows, in the order of the file.
std::vector<std::uint32_t> draw_rows(std::size_t n, std::size_t most, Draw draw, core::Stream stream);

/// Cells of a screen in the terms of a model, which may come from another file.
class ScreenReader {
  public:
    /// @throws core::DataError for a cell type that the model does not know
    ScreenReader(const screen::Screen& screen, const TrainedModel& flow);
    /// Reads some populations, normalises them and numbers their cell types as in training.
    /// @param rows  as of screen::read_populations()
    std::vector<screen::Cells> read(std::span<const std::size_t> populations,
                                    std::vector<std::vector<std::uint64_t>>* rows = nullptr) const;

  private:
    const screen::Screen& screen_;
    const screen::Normalisation& normalisation_;
    std::vector<std::uint8_t> type_;  ///< of the screen's cell types, their numbers in training
};

/// What the model knows of a control population, given its cells.
std::vector<float> population_context(const TrainedModel& flow, const screen::Cells& control);

/// Carries control cells to a condition, from flow time 0 to 1; from a Gaussian base it is noise that is
/// carried, and the cells are overwritten by it first.
///
/// Shapes: x [n, d], normalised, in place.
/// @param noise  of the Gaussian base; goes on where the last call for the population stopped
/// @throws core::Error for a treatment that was not trained on; core::NumericalError
void transport_cells(const TrainedModel& flow, std::span<const float> context,
                     const screen::Population& treated, double tolerance, core::Stream& noise,
                     linalg::MatrixView<float> x, const ode::Snapshots<float>& snapshots = {});

}  // namespace popflow::predict
