// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "models/family.hpp"
#include "models/population_statistics.hpp"
#include "models/start_map.hpp"
#include "mpi/communicator.hpp"
#include "screen/cell_store.hpp"
#include "screen/conditions.hpp"
#include "screen/latent_space.hpp"
#include "screen/normalisation.hpp"
#include "screen/splits.hpp"
#include "screen/value_range.hpp"
#include "train/pair_sampler.hpp"

namespace popflow::train {

/// Place where a rank keeps the cells of its pairs.
struct CellStorage {
    std::string folder;                               ///< folder for a file of cells, empty for memory only
    std::uint64_t max_in_memory = ~std::uint64_t{0};  ///< number of bytes above which cells go to the file
};

/// Options of the training data. Each of them changes the result.
struct TrainingSetOptions {
    std::size_t lanes = 4;  ///< number of slots of a batch
    /// Whether the model works on normalised values, see screen::Normalisation. If false, it works on the
    /// transformed values.
    bool normalise = true;
    bool rows_correspond = false;  ///< whether the populations of a pair must have equal numbers of cells
    /// Whether to read the cells. Without cells there are no lanes, normalisation, mean shifts and moment
    /// map.
    bool reads_cells = true;
    models::StartKind start = models::StartKind::none;  ///< map of TrainingPair::start
    /// Whether unpaired controls (screen::ScreenOptions::unpaired) are sources, which have no condition.
    bool controls_are_sources = false;
    /// Whether lanes have target populations alone, and a rank also holds the sources with the pairing keys
    /// of its targets. Used with controls_are_sources.
    bool shares_sources = false;
    /// Number of principal components in whose coordinates the model works, 0 for the markers themselves.
    std::size_t latent = 0;
};

/// Training data: statistics that all ranks have, and the cells of this rank's own pairs.
///
/// The pairs are partitioned into lanes, one for each slot of a batch. A rank holds only the populations of
/// its lanes.
class TrainingSet {
  public:
    /// Reads the cells of this rank, computes the normalisation with all ranks and applies it. Collective.
    ///
    /// Cells that go to a file are read in groups of some megabytes.
    ///
    /// Means and standard deviations cover all training cells, and count each cell once. The moments of each
    /// population come from one rank and are combined in the order of the populations. The result is
    /// therefore bitwise identical on any number of ranks.
    ///
    /// With TrainingSetOptions::latent, fit_latent_space() computes the components of the normalised cells,
    /// and the cells that lanes() returns are coordinates in this space. All statistics below except range()
    /// and normalisation() are then those of the coordinates.
    /// @param vectors  vectors of all treatments with pairs in any part of the split, or none
    /// @throws core::DataError if a file cannot be read, or if rows are coupled and the populations of a pair
    ///         differ in size
    /// @throws core::ConfigError if there are more slots than pairs, if a treatment has no vector, or for
    /// more
    ///         components than the cells have directions
    TrainingSet(const screen::Screen& screen, const screen::Split& split, const TrainingSetOptions& options,
                const mpi::Communicator& comm, const CellStorage& storage = {},
                screen::TreatmentVectors vectors = {});

    /// Training pairs of all ranks, as indices into Screen::pairs.
    const std::vector<std::size_t>& pairs() const { return pairs_; }
    const screen::Conditions& conditions() const { return conditions_; }
    const screen::Normalisation& normalisation() const { return normalisation_; }
    /// Principal components in whose coordinates the model works, empty for the markers themselves.
    const screen::LatentSpace& latent() const { return latent_; }
    /// Mean shift of each condition [count, d], in normalised units: the mean over its training pairs of
    /// (mean of the treated cells - mean of the control cells). With unpaired populations, the mean over the
    /// populations of the condition minus that over all controls, or zeros without controls.
    const linalg::Matrix<float>& mean_shifts() const { return mean_shifts_; }
    /// Mean shifts of the markers [count, d], normalised, if the model works in a latent space. No rows
    /// otherwise.
    const linalg::Matrix<float>& marker_shifts() const { return marker_shifts_; }
    /// Weights of models::make_moment_map_baseline() for these pairs, empty for unpaired populations.
    const linalg::AlignedVector<float>& moment_map() const { return moment_map_; }
    /// Typical distance between the control populations, see models::typical_distance().
    double typical_distance() const { return typical_distance_; }
    /// Statistics of the control populations of the training pairs, each of them once, normalised. Cell types
    /// as in models::DataShape::cell_types.
    const std::vector<models::PopulationStatistics>& controls() const { return controls_; }
    /// Number of control populations of the training pairs, also without cells.
    std::size_t n_controls() const { return control_populations_.size(); }
    /// Index into controls() of each training pair.
    const std::vector<std::size_t>& control_of_pair() const { return control_of_pair_; }
    /// Returns the number of conditions whose training pairs are of fewer than `min` units, see
    /// screen::population_units().
    std::size_t conditions_with_few_units(std::size_t min) const;
    /// Range of the cells of all training populations: transformed values without the normalisation.
    const screen::ValueRange& range() const { return range_; }
    /// Cell types of the controls of the training pairs. Only they have an input in the encoder.
    const std::vector<std::string>& cell_types() const { return cell_types_; }
    /// Sizes that these data give to a model.
    models::DataShape shape() const;
    /// Lanes of this rank. Their cells are non-owning views into this object.
    std::vector<PairLane> lanes() const;
    /// Cells of a control that flows start at.
    struct Source {
        std::size_t pair = 0;  ///< index among the training pairs
        screen::CellsView cells;
    };
    /// Sources that this rank holds, with TrainingSetOptions::shares_sources.
    std::vector<Source> sources() const;
    /// Whether the cells of this rank are in a file.
    bool on_disk() const { return cells_.on_disk(); }

  private:
    // Moments of all training populations, known to all ranks.
    struct Statistics {
        std::vector<std::size_t> populations;  ///< ascending
        /// Rows [n | means [d] | squared deviations [d] | minima [d] | maxima [d] | shares of the cell types]
        /// of the populations.
        linalg::Matrix<double> table;
        std::size_t d = 0;
        screen::Moments all;       ///< moments of all cells
        screen::ValueRange range;  ///< range of all cells

        std::span<const double> row(std::size_t population) const;
    };

    void check_rows_correspond() const;
    void deal_pairs(const TrainingSetOptions& options);
    std::vector<std::size_t> own_sources() const;
    void number_cell_types();
    void read_cells(const CellStorage& storage);
    void read_group(std::span<const std::size_t> group);
    screen::CellsView population_cells(std::size_t population) const;
    std::size_t own_index(std::size_t population) const;
    void normalise_cells(const screen::Normalisation& normalisation);
    void compute_moments();
    std::vector<std::size_t> counted_populations(std::span<const std::size_t> populations) const;
    Statistics gather_statistics(const mpi::Communicator& comm) const;
    void enter_latent_space(const Statistics& markers, const TrainingSetOptions& options,
                            const CellStorage& storage, const mpi::Communicator& comm);
    bool is_source(std::size_t pair) const;
    linalg::Matrix<float> mean_shifts_of(const Statistics& statistics, float scale) const;
    linalg::Matrix<float> unpaired_shifts_of(const Statistics& statistics, float scale) const;
    void fit_moment_map(const Statistics& statistics, const screen::Normalisation& normalisation);
    void number_controls();

    const screen::Screen& screen_;
    std::vector<std::size_t> pairs_;                    ///< indices into Screen::pairs
    std::vector<std::vector<std::size_t>> lane_pairs_;  ///< pairs of each lane, as indices into pairs_
    std::size_t n_dealt_ = 0;                           ///< number of pairs in lane_pairs_
    std::vector<std::size_t> groups_;  ///< see screen::pairing_groups(), empty unless sources are shared
    /// Lane that counts a shared source, by index into pairs_.
    std::map<std::size_t, std::size_t> lane_of_source_;
    std::vector<std::size_t> own_lanes_;        ///< lanes of this rank
    std::vector<std::size_t> own_populations_;  ///< populations of this rank, ascending
    screen::CellStore cells_;                   ///< cells of own_populations_
    std::vector<screen::Moments> moments_;      ///< moments of own_populations_
    std::vector<screen::ValueRange> ranges_;    ///< ranges of own_populations_
    screen::ValueRange range_;
    std::vector<std::string> cell_types_;
    std::vector<std::uint8_t> type_number_;  ///< index into cell_types_ by that into Screen::cell_types
    screen::Conditions conditions_;
    screen::Normalisation normalisation_;
    std::size_t latent_size_ = 0;  ///< see TrainingSetOptions::latent
    screen::LatentSpace latent_;
    linalg::Matrix<float> marker_shifts_;
    std::vector<std::size_t> units_;  ///< see screen::population_units(), one per Screen::pairs
    linalg::Matrix<float> mean_shifts_;
    linalg::AlignedVector<float> moment_map_;
    double typical_distance_ = 0;
    std::vector<std::size_t> control_populations_;  ///< populations of controls_, ascending
    std::vector<std::size_t> control_of_pair_;
    std::vector<models::PopulationStatistics> controls_;
    std::vector<std::vector<double>> type_shares_;  ///< shares of the cell types of own_populations_
    models::StartKind start_ = models::StartKind::none;
    bool controls_are_sources_ = false;
};

}  // namespace popflow::train
