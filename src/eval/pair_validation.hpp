// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "mpi/communicator.hpp"
#include "predict/trained_model.hpp"
#include "screen/screen.hpp"
#include "train/training_set.hpp"
#include "train/validation.hpp"

namespace popflow::eval {

/// Maximum number of pairs of a validation sample.
inline constexpr std::size_t max_validation_pairs = 16;
/// Maximum number of predicted cells of each pair of a validation sample.
inline constexpr std::size_t max_validation_cells = 256;

/// Size of a validation sample.
struct ValidationSize {
    std::size_t pairs = 0;
    std::size_t cells = 0;  ///< maximum number of predicted cells of each pair
};

/// Chooses the size of a sample such that a check stays within its work, with an estimate of the evaluations
/// that the ODE solver needs for a cell. At least one pair with two cells.
/// @param available  number of pairs to choose from, at least 1
/// @param context_cells  number of cells that the encoder sees of each pair
/// @param work  counted work of one check, empty for no limit
ValidationSize validation_size(std::size_t available, std::size_t context_cells,
                               std::optional<std::uint64_t> work);

/// Returns the pairs in a random order in which every unit has one pair before any has a second one.
/// @param units  see screen::validation_units(), one per Screen::pairs
std::vector<std::size_t> spread_over_units(std::span<const std::size_t> pairs,
                                           std::span<const std::size_t> units, std::uint64_t seed);

/// Options of a PairValidation. Each of them changes its scores.
struct PairValidationOptions {
    std::vector<std::size_t> pairs{};     ///< validation pairs, ascending
    std::vector<std::size_t> units{};     ///< see screen::validation_units(), one per Screen::pairs
    std::uint64_t seed = 1;               ///< seed of the draws of pairs and cells
    std::size_t context_cells = 1024;     ///< maximum number of control cells that describe a population
    std::optional<std::uint64_t> work{};  ///< counted work of one check, empty for no limit
    models::StartOptions start{};
    /// Solver of the flow. Independent of the options of predictions, so that these change no weights.
    ode::Options solver{.method = ode::Method::dormand_prince, .tolerance = 1e-2};
};

/// Validation on a fixed sample of held-out pairs.
///
/// The sample has at most max_validation_pairs pairs, spread over the units. Of each pair it has as many
/// control cells to predict from as target cells, at most max_validation_cells. The pairs are dealt over the
/// ranks, and the threads of a rank process different pairs.
class PairValidation : public train::Validation {
  public:
    /// @param screen, set  must outlive this object
    PairValidation(const screen::Screen& screen, const train::TrainingSet& set, PairValidationOptions options,
                   const mpi::Communicator& comm);

    std::string prepare(const models::Model& model, std::span<const train::ValidationRow> rows) override;
    train::ValidationRow check(const models::Model& model, std::span<const float> average,
                               std::uint64_t step) override;

  private:
    // Cells of one pair of this rank, normalised.
    struct PairSample {
        std::size_t index = 0;  ///< index among the pairs of the sample
        std::size_t pair = 0;   ///< index into Screen::pairs
        screen::Cells context;  ///< control cells that describe the population, empty if `input` is set
        /// Description of a population whose context does not depend on the weights.
        std::optional<predict::PopulationInput> input{};
        linalg::Matrix<float> control;
        linalg::Matrix<float> target;
    };

    std::vector<std::size_t> usable_pairs(const models::CellTransport& model, std::string& problem) const;
    std::size_t cells_of(std::size_t pair, std::size_t max_cells) const;
    std::size_t total_cells(std::span<const std::size_t> pairs, std::size_t max_cells) const;
    ValidationSize stored_size(std::span<const std::size_t> pairs, const train::ValidationRow& row) const;
    void read_cells(std::span<const std::size_t> pairs, std::size_t max_cells, const models::Model& model);
    void score_simple_models(const models::Model& model);
    predict::TrainedModel trained(const models::Model& model, std::span<const float> values) const;
    const screen::Population& treated(std::size_t pair) const;
    template <class Score>
    std::vector<double> score_own_pairs(std::size_t scores, Score score) const;

    const screen::Screen& screen_;
    const train::TrainingSet& set_;
    PairValidationOptions options_;
    mpi::Communicator comm_;
    models::MomentMap moment_map_;
    std::size_t pairs_ = 0;         ///< number of pairs of the sample
    std::uint64_t cells_ = 0;       ///< number of predicted cells of the sample
    std::vector<PairSample> own_;   ///< pairs of this rank
    double mean_shift_ = 0;         ///< mean energy distance
    double moment_map_energy_ = 0;  ///< mean energy distance
};

}  // namespace popflow::eval
