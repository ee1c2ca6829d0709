// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "anndata/anndata.hpp"
#include "anndata/table_copy.hpp"
#include "mpi/communicator.hpp"
#include "predict/prediction_scratch.hpp"
#include "predict/prediction_space.hpp"
#include "predict/provenance.hpp"
#include "screen/latent_space.hpp"
#include "screen/normalisation.hpp"
#include "screen/screen.hpp"
#include "screen/value_range.hpp"

namespace popflow::predict {

/// Columns that a prediction file adds to the obs of the data file. PredictionPlan::source_column is another.
inline constexpr const char* predicted_treatment_column = "predicted_treatment";
inline constexpr const char* predicted_concentration_column = "predicted_concentration";
inline constexpr const char* predicted_part_column = "predicted_part";
inline constexpr const char* predicted_cell_column = "predicted_from";
/// Returns the name of the layer of a flow time, for example `t=0.25`.
std::string prediction_layer(double time);

/// Control population that is transported to one condition.
struct Prediction {
    std::size_t control = 0;  ///< index into Screen::populations
    std::string treatment;
    std::string concentration;  ///< empty: not given
    /// Concentration that stands in the file if `concentration` is not given, for example that of the
    /// training.
    std::string known_concentration{};
    std::string part{};         ///< part of the split, empty without one
    std::size_t source = 0;     ///< index into PredictionPlan::sources
    std::size_t condition = 0;  ///< index into the conditions of plan_control_predictions()
};

/// Contents of a prediction file.
struct PredictionPlan {
    std::string path{};
    Space space = Space::raw;
    std::vector<double> times{};            ///< flow time of each layer
    std::vector<Prediction> predictions{};  ///< in the order of their rows in the file
    std::string source_column{};            ///< obs column that names the source of a cell
    /// obs columns of Prediction::treatment and Prediction::concentration.
    std::string treatment_column{predicted_treatment_column};
    std::string concentration_column{predicted_concentration_column};
    std::vector<std::string> sources{};  ///< values of that column, one per row of the embeddings
    bool has_parts = false;              ///< adds the obs column of parts
    /// Range of the training cells, transformed without the normalisation. Empty: cells are not compared.
    screen::ValueRange range{};
    bool clip = false;                     ///< limit the predicted cells to the range
    std::vector<std::string> too_small{};  ///< controls that have too few cells for the model
    std::vector<std::string> notes{};      ///< notes for the user on the choice of controls
    /// Components in whose coordinates the cells are added, null for normalised markers. Must outlive the
    /// file.
    const screen::LatentSpace* latent = nullptr;
};

/// Description of each source of a plan. Only rank 0 needs it.
struct SourceDescriptions {
    linalg::Matrix<float> embeddings;  ///< [sources, context]
    /// Distance to the training populations, see models::relative_distance(). NaN if it is not known.
    std::vector<double> distances{};
};

/// Collects the predicted cells of all ranks into one AnnData file.
///
/// Contents of the file:
/// - X: the predicted cells in the requested space, one row per control cell.
/// - layers["t=0.25"]: the same cells at flow time 0.25.
/// - obs: every column of the data file for those control cells, then predicted_treatment,
///   predicted_concentration, predicted_part (if has_parts), predicted_pair or predicted_population, and
///   predicted_from, the name of the control cell.
/// - obs_names: the names of the control cells. If a control population is transported to several conditions,
///   ` / TREATMENT [@ CONCENTRATION]` is appended.
/// - var: the markers in the order of the model, with the columns of the data file.
/// - With a latent space: X is its map back to the markers. obsm["X_latent"] has the coordinates of the cells
///   before the scale, varm["latent_components"] the components and uns["popflow"]["latent_mean"] the mean,
///   so that X = mean + X_latent components' in the space `normalised`, unless it was clipped.
/// - uns["popflow"]: the provenance, `embeddings` and `training_distance`, whose row k belongs to category k
///   of predicted_pair or predicted_population, and with a range: `clipped`, and the numbers of cells of X
///   that the model moved outside the range, `cells_outside_training_range` and of each marker
///   `cells_outside_training_range_by_marker`.
///
/// Every rank first stores its cells in a temporary file (PredictionScratch). At the end the ranks write to
/// the result file one after the other. Memory use is that of one block of cells.
class PredictionFile {
  public:
    /// @throws core::DataError if an obs column of the data file has the name of an added column, or if the
    /// path is not writable
    /// @throws core::ConfigError to clip without a range
    PredictionFile(const screen::Screen& screen, const screen::Normalisation& normalisation,
                   PredictionPlan plan);

    const PredictionPlan& plan() const { return plan_; }
    /// Returns a line for each column of obs and var that cannot be copied and is left out.
    std::vector<std::string> left_out() const;
    /// Cells of the file outside the training range, before they were clipped. Complete on all ranks after
    /// write(). No markers without a range.
    const screen::OutsideCounts& outside() const { return outside_; }
    /// Appends cells to a prediction.
    /// @param rows  rows of the control cells in the data file
    /// @param states  the predicted cells, then one matrix for each of plan().times, in the space of the
    /// model:
    ///                normalised markers, each [n, d], or coordinates of plan().latent, each [n, N]
    void add(std::size_t prediction, std::span<const std::uint64_t> rows,
             std::span<const linalg::ConstMatrixView<float>> states);
    /// Removes the cells of a prediction that failed.
    void drop(std::size_t prediction) { blocks_.erase(prediction); }
    /// Writes the file. Collective over comm.
    /// @return  number of cells in the file
    std::size_t write(const mpi::Communicator& comm, const Provenance& provenance,
                      const SourceDescriptions& described);

  private:
    struct Block {
        std::size_t n = 0;
        std::uint64_t rows = 0;  ///< offset in scratch_, like each of `states`
        std::vector<std::uint64_t> states;
        std::uint64_t latent = 0;  ///< as `states`, the coordinates in the latent space if there is one
        screen::OutsideCounts outside{};
    };
    // Position of each prediction in the file.
    struct Layout {
        std::vector<std::int64_t> n;     ///< number of cells of each prediction
        std::vector<std::size_t> first;  ///< first row of each prediction in the file
        std::size_t rows = 0;
        std::vector<std::size_t> sources;                            ///< sources that have cells, ascending
        std::map<std::string, std::vector<std::string>> categories;  ///< categories of each added column
    };
    // Block with its position in the file.
    struct Piece {
        std::size_t prediction;
        std::size_t first;
        const Block* block;
        std::vector<std::uint64_t> rows;
    };
    void create(h5::Group root, const Layout& layout, const Provenance& provenance,
                const SourceDescriptions& described) const;
    void create_obs(h5::Group& root, const Layout& layout) const;
    void write_uns(h5::Group& root, const Layout& layout, const Provenance& provenance,
                   const SourceDescriptions& described) const;
    void write_blocks(h5::Group root, const Layout& layout) const;
    void write_pieces(h5::Group& root, const Layout& layout, const std::vector<Piece>& pieces) const;
    void write_latent_space(h5::Group& root, const Layout& layout, h5::Group& provenance_group) const;
    void count_outside(const mpi::Communicator& comm);
    std::vector<std::string> added_columns() const;
    std::string label(const Prediction& prediction, const std::string& column) const;
    std::vector<std::string> labels(const Layout& layout, const std::string& column) const;

    const screen::Screen& screen_;
    const screen::Normalisation& normalisation_;
    PredictionPlan plan_;
    bool has_repeated_cells_ = false;  ///< some control population has several predictions
    anndata::AnnData data_;
    anndata::TableCopy obs_;
    anndata::TableCopy var_;
    PredictionScratch scratch_;
    screen::ValueRange normalised_range_;
    screen::OutsideCounts outside_;
    std::map<std::size_t, std::vector<Block>> blocks_;  ///< by prediction, of this rank
};

}  // namespace popflow::predict
