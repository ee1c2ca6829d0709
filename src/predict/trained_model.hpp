// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/random.hpp"
#include "models/model.hpp"
#include "models/start_map.hpp"
#include "screen/conditions.hpp"
#include "screen/latent_space.hpp"
#include "screen/normalisation.hpp"
#include "screen/read_populations.hpp"
#include "screen/screen.hpp"

namespace popflow::predict {

/// Trained model with the data that its use needs. Non-owning: the referenced objects must outlive it.
struct TrainedModel {
    const models::CellTransport& model;
    std::span<const float> values;               ///< weights
    const screen::Normalisation& normalisation;  ///< that of the markers
    const screen::Conditions& conditions;
    const linalg::Matrix<float>& mean_shifts;  ///< [conditions.count(), d], in the space of the model
    /// Cell types of the controls of the training data. The model ignores a single one.
    const std::vector<std::string>& cell_types;
    /// Baseline moment_map and its weights, null for a run of an earlier version.
    const models::MomentMap* moment_map = nullptr;
    std::span<const float> moment_map_values{};
    models::StartOptions start{};
    double typical_distance = 0;  ///< see models::StartStatistics
    /// Components in whose coordinates the model works, null for the normalised markers. All cells that the
    /// functions below get are such coordinates.
    const screen::LatentSpace* latent = nullptr;
    /// Mean shifts of the normalised markers [conditions.count(), d], null without components.
    const linalg::Matrix<float>* marker_shifts = nullptr;

    models::StartStatistics start_statistics() const {
        return {moment_map, moment_map_values, mean_shifts, typical_distance};
    }
};

/// Description of a control population. Its predictions depend on it, in addition to the moved cells.
struct PopulationInput {
    std::vector<float> embedding;  ///< [context] see population_context()
    std::vector<float> means;      ///< [d] means of the cells in the space of the model
    double distance = 0;           ///< see models::relative_distance()
};

/// Role of a draw in an evaluation or prediction, the last part of its stream key. Results depend on the
/// values: append new roles, never renumber.
enum class DrawRole : std::uint64_t {
    control,
    target,
    halves,
    base,
    embedding,
    sample_control,
    sample_target
};

/// Returns the random stream of a draw for one pair of an evaluation.
core::Stream pair_stream(std::uint64_t seed, std::size_t pair, DrawRole role);
/// Returns the random stream of a draw for one control population. The key contains the population's name: an
/// evaluation and a prediction draw the same for a population of the same experiment, control and
/// concentration, even if it comes from another file.
core::Stream control_stream(std::uint64_t seed, const screen::Screen& screen, std::size_t control,
                            DrawRole role);

/// Returns copies of some rows of a population.
screen::Cells take_rows(const screen::Cells& cells, std::span<const std::uint32_t> rows);
/// Selection of the cells of a population that has more cells than the limit.
enum class Draw {
    random,
    first,  ///< first rows, as in the published evaluation. They may all have the same cell type
};

/// Draws at most `max_rows` of n rows.
/// @return  row indices, ascending
std::vector<std::uint32_t> draw_rows(std::size_t n, std::size_t max_rows, Draw draw, core::Stream stream);

/// Returns the number of a cell type in the training data, nullopt for an unknown label.
std::optional<std::uint8_t> cell_type_number(const std::vector<std::string>& trained_types,
                                             const std::string& label);

/// Returns a note about cell types of the controls that are not among those of the training, empty if all
/// are.
std::string unknown_types_note(const screen::Screen& screen, const std::vector<std::string>& trained_types);

/// Reads cells of a screen in the space of a model, with its cell type numbers. The screen may be
/// another file than the training data.
class ScreenReader {
  public:
    ScreenReader(const screen::Screen& screen, const TrainedModel& trained)
        : ScreenReader(screen, trained.normalisation, trained.latent, trained.cell_types) {}
    /// @param latent, cell_types  see TrainedModel
    ScreenReader(const screen::Screen& screen, const screen::Normalisation& normalisation,
                 const screen::LatentSpace* latent, const std::vector<std::string>& cell_types);
    /// Reads populations in the space of the model: encoded() cells of read_markers().
    /// @param rows  same as in screen::read_populations()
    std::vector<screen::Cells> read(std::span<const std::size_t> populations,
                                    std::vector<std::vector<std::uint64_t>>* rows = nullptr) const;
    /// Reads populations, normalises them and numbers their cell types as in training. A type that is not in
    /// the training data becomes models::unknown_cell_type.
    /// @param rows  same as in screen::read_populations()
    std::vector<screen::Cells> read_markers(std::span<const std::size_t> populations,
                                            std::vector<std::vector<std::uint64_t>>* rows = nullptr) const;

  private:
    const screen::Screen& screen_;
    const screen::Normalisation& normalisation_;
    const screen::LatentSpace* latent_;
    std::vector<std::uint8_t> type_;  ///< number of each cell type of the screen in training
};

/// Returns the context of a control population, which the model computes from its cells.
/// @return  [context]
std::vector<float> population_context(const TrainedModel& trained, const screen::Cells& control);

/// Computes the input of predictions of a control population from its cells.
PopulationInput population_input(const TrainedModel& trained, const screen::Cells& control);

/// Moves control cells by a map. Does nothing for StartKind::none.
///
/// Shapes: x [n, d], in the space of the model, in place.
void move_by_map(models::StartKind kind, const TrainedModel& trained, const PopulationInput& population,
                 const screen::Population& treated, linalg::MatrixView<float> x);

/// Overwrites x with target + factor (x - target).
void shrink(linalg::ConstMatrixView<float> target, double factor, linalg::MatrixView<float> x);

/// Predicts treated cells: moves control cells to the start, transports them to a condition from flow time 0
/// to 1, and shrinks the prediction towards a simple one, see models::StartOptions. With a Gaussian base it
/// first replaces the cells by noise and transports the noise.
///
/// Snapshots lie on a path from the control cell to the predicted cell. At time t it is the state of the flow
/// minus (1 - t) times the move to the start, shrunk towards the straight line to the simple prediction.
///
/// Shapes: x [n, d], in the space of the model, in place.
/// @param noise  stream of the Gaussian base. Consecutive calls for blocks of a population continue the
/// stream
/// @return work of the ODE solver, see models::CellTransport::transport()
/// @throws core::Error for a treatment that the model cannot encode, core::NumericalError
ode::Statistics transport_cells(const TrainedModel& trained, const PopulationInput& population,
                                const screen::Population& treated, const ode::Options& solver,
                                core::Stream& noise, linalg::MatrixView<float> x,
                                const ode::Snapshots<float>& snapshots = {});

}  // namespace popflow::predict
