// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "mpi/communicator.hpp"
#include "screen/cell_store.hpp"
#include "screen/conditions.hpp"
#include "screen/normalisation.hpp"
#include "screen/splits.hpp"
#include "train/trainer.hpp"

namespace popflow::train {

/// Where a rank keeps the cells of its pairs.
struct CellStorage {
    std::string folder;                               ///< for a file of its own; empty: always in memory
    std::uint64_t max_in_memory = ~std::uint64_t{0};  ///< bytes above which they go to the file
};

/// What every rank knows of the training data, and the cells of this rank's own pairs.
///
/// The pairs are dealt into lanes, one per slot of a batch; a rank holds the populations of its lanes and no
/// others.
class TrainingSet {
  public:
    /// Reads this rank's cells, in groups of some megabytes if they go to a file, agrees on the
    /// normalisation and normalises. Collective over comm.
    ///
    /// Means and standard deviations are those of all training cells, each counted once: the moments of each
    /// population come from one rank and are combined in the order of the populations, so they have the same
    /// bits on any number of ranks.
    /// @param vectors  of all treatments that have pairs, whatever their part; or none
    /// @throws core::DataError, also if cells are coupled by rows and the populations of a pair differ in
    /// size;
    ///         core::ConfigError if there are more slots than pairs, rows are coupled with a Gaussian base,
    ///         or a treatment has no vector
    TrainingSet(const screen::Screen& screen, const screen::Split& split, const TrainOptions& options,
                const mpi::Communicator& comm, const CellStorage& storage = {},
                screen::TreatmentVectors vectors = {});

    const std::vector<std::size_t>& pairs() const { return pairs_; }
    const screen::Conditions& conditions() const { return conditions_; }
    const screen::Normalisation& normalisation() const { return normalisation_; }
    /// For each condition the mean over its training pairs of (mean of the treated - mean of the control),
    /// [count, d], normalised.
    const linalg::Matrix<float>& mean_shifts() const { return mean_shifts_; }
    /// This rank's lanes; they point into this object.
    std::vector<Lane> lanes() const;
    /// The cells of this rank are in a file.
    bool on_disk() const { return cells_.on_disk(); }

  private:
    void check_rows_correspond(const TrainOptions& options) const;
    void check_vectors() const;
    void read_cells(const CellStorage& storage);
    void read_group(std::span<const std::size_t> group);
    screen::CellsView cells_of(std::size_t population) const;
    std::size_t place_of(std::size_t population) const;
    void normalise_cells();
    void agree_on_statistics(const screen::Screen& screen, bool normalise, const mpi::Communicator& comm);

    const screen::Screen& screen_;
    std::vector<std::size_t> pairs_;  ///< indices into Screen::pairs
    std::vector<std::vector<std::size_t>> dealt_;
    std::vector<std::size_t> own_lanes_;
    std::vector<std::size_t> own_;          ///< populations of this rank, ascending
    screen::CellStore cells_;               ///< of own_
    std::vector<screen::Moments> moments_;  ///< of own_
    screen::Conditions conditions_;
    screen::Normalisation normalisation_;
    linalg::Matrix<float> mean_shifts_;
};

}  // namespace popflow::train
