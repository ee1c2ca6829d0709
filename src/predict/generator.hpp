// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "models/model.hpp"
#include "models/population_sizes.hpp"
#include "mpi/communicator.hpp"
#include "screen/population.hpp"
#include "train/checkpoint.hpp"

namespace popflow::predict {

/// A trained model that draws new populations. Owns everything that it needs. Thread-safe.
class GeneratorModel {
  public:
    /// @throws core::ConfigError{run} if the method of the run does not generate populations
    explicit GeneratorModel(train::Checkpoint checkpoint);

    const train::Checkpoint& checkpoint() const { return *checkpoint_; }
    const models::Model& model() const { return *model_; }
    const models::PopulationSampler& sampler() const { return *sampler_; }

    /// Numbers of cells of the training populations, empty for a run of an earlier version.
    const models::PopulationSizes& sizes() const { return sizes_; }

  private:
    std::unique_ptr<const train::Checkpoint> checkpoint_;
    std::unique_ptr<const models::Model> model_;
    const models::PopulationSampler* sampler_;
    models::PopulationSizes sizes_;
};

/// Options of generated populations.
struct GenerateOptions {
    std::size_t populations = 20;  ///< number of populations of each condition
    std::size_t cells = 1000;      ///< number of cells of each population
    /// Whether generated_cells() draws the sizes of training populations of the condition, in place of
    /// `cells`.
    bool own_sizes = false;
    /// Number of cells of each of the populations that are drawn together, in place of `cells`.
    std::vector<std::size_t> sizes{};
    double guidance = 1;           ///< see models::GenerateRequest
    std::vector<double> times{1};  ///< flow times, ascending, the last is 1
    ode::FixedSteps fixed{};       ///< see models::GenerateRequest
    ode::Options solver{};         ///< method and tolerance of the ODE solver
    std::uint64_t seed = 0;
};

/// Draws populations [first, first + count) of a condition, in the space of the model. Uses all threads.
///
/// A population depends on the model, the options, the name of the condition and its index alone.
/// @throws core::Error for a treatment that the model cannot encode, core::NumericalError
std::vector<models::GeneratedPopulation> generate(const GeneratorModel& generator,
                                                  const screen::Population& condition,
                                                  const GenerateOptions& options, std::size_t first,
                                                  std::size_t count);

/// Returns the number of cells that a generated population is to have, for GenerateOptions::sizes.
/// @param index  of the population among those of its condition
std::size_t generated_cells(const GeneratorModel& generator, const screen::Population& condition,
                            const GenerateOptions& options, std::size_t index);

/// A population of which some cells are given.
struct PopulationToComplete {
    std::string name;              ///< part of the key of its random numbers
    screen::Population condition;  ///< its treatment
    linalg::Matrix<float> given;   ///< [PopulationSampler::given_cells(), d] cells in the space of the model
};

/// Completes a population `count` times, in the space of the model. Uses all threads.
/// @param first  index of the first completion, as in generate()
/// @throws as generate()
std::vector<models::GeneratedPopulation> complete(const GeneratorModel& generator,
                                                  const PopulationToComplete& population,
                                                  const GenerateOptions& options, std::size_t first,
                                                  std::size_t count);

/// Draws the given cells of a population that is to be completed, all if there are as many as the model
/// takes.
/// @param name  of the population, the key of the draw
/// @throws core::ShapeMismatch if there are fewer
linalg::Matrix<float> draw_given(const GeneratorModel& generator, const std::string& name,
                                 linalg::ConstMatrixView<float> cells, std::uint64_t seed);

}  // namespace popflow::predict
