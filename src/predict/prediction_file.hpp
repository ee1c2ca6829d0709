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
#include "screen/normalisation.hpp"
#include "screen/screen.hpp"

namespace popflow::predict {

/// The obs columns of a prediction file that are not of the data file, besides PredictionPlan::source_column.
inline constexpr const char* predicted_treatment_column = "predicted_treatment";
inline constexpr const char* predicted_concentration_column = "predicted_concentration";
inline constexpr const char* predicted_part_column = "predicted_part";
inline constexpr const char* predicted_cell_column = "predicted_from";
/// The layer of cells at a flow time, as in `t=0.25`.
std::string prediction_layer(double time);

/// Control cells carried to one condition.
struct Prediction {
    std::size_t control = 0;  ///< index into Screen::populations
    std::string treatment;
    std::string concentration;  ///< empty: not said
    std::string part;           ///< empty: none
    std::size_t source = 0;     ///< index into PredictionPlan::sources
};

/// What a file of predictions is to hold.
struct PredictionPlan {
    std::string path{};
    Space space = Space::raw;
    std::vector<double> times{};            ///< flow times of the layers
    std::vector<Prediction> predictions{};  ///< in the order of the file
    std::string source_column{};            ///< obs column that names what an embedding is of
    std::vector<std::string> sources{};     ///< its values, one per row of the embeddings
    bool parts = false;                     ///< there is an obs column of parts
};

/// Collects the predicted cells of all ranks into one AnnData file.
///
/// X has the predicted cells, a row per control cell, in the space that was asked for; layers["t=0.25"] those
/// on their way. obs has every column of the data file for those control cells, then predicted_treatment,
/// predicted_concentration, predicted_part (if there are parts), predicted_pair or predicted_population, and
/// predicted_from, the name of the control cell. Cells keep their names; if a control population is carried
/// to several conditions, ` / TREATMENT [@ CONCENTRATION]` is appended. var has the markers of the model in
/// its order, with the columns of the data file. uns["popflow"] has the provenance, and `embeddings`, whose
/// row k is of category k of predicted_pair or predicted_population.
///
/// Every rank sets its cells aside on disk as they come; at the end the ranks write in turn. Memory is that
/// of a block of cells.
class PredictionFile {
  public:
    /// @throws core::DataError for an obs column of the data file that has a name of ours, or of a kind
    /// unknown; if nothing can be written at the path
    PredictionFile(const screen::Screen& screen, const screen::Normalisation& normalisation,
                   PredictionPlan plan);

    const PredictionPlan& plan() const { return plan_; }
    /// Adds cells of a prediction, in the order of its rows.
    /// @param rows  of the data file
    /// @param states  normalised; predicted cells, then a matrix for each of the times. Each [n, d]
    void add(std::size_t prediction, std::span<const std::uint64_t> rows,
             std::span<const linalg::ConstMatrixView<float>> states);
    /// Forgets a prediction that failed after all.
    void drop(std::size_t prediction) { own_.erase(prediction); }
    /// Writes the file. Collective over comm.
    /// @param embeddings  [sources, context], on rank 0
    /// @return  number of cells
    std::size_t write(const mpi::Communicator& comm, const Provenance& provenance,
                      const linalg::Matrix<float>& embeddings);

  private:
    struct Block {
        std::size_t n = 0;
        std::uint64_t rows = 0;  ///< places in scratch_
        std::vector<std::uint64_t> states;
    };
    // Which predictions have cells, and where they go.
    struct Layout {
        std::vector<std::int64_t> n;     ///< cells of each prediction
        std::vector<std::size_t> first;  ///< its first row in the file
        std::size_t rows = 0;
        std::vector<std::size_t> sources;                            ///< with cells, ascending
        std::map<std::string, std::vector<std::string>> categories;  ///< of our columns
    };
    // A block on its way into the file.
    struct Piece {
        std::size_t prediction;
        std::size_t first;
        const Block* block;
        std::vector<std::uint64_t> rows;
    };
    void create(h5::Group root, const Layout& layout, const Provenance& provenance,
                const linalg::Matrix<float>& embeddings) const;
    void create_obs(h5::Group& root, const Layout& layout) const;
    void write_uns(h5::Group& root, const Layout& layout, const Provenance& provenance,
                   const linalg::Matrix<float>& embeddings) const;
    void write_own(h5::Group root, const Layout& layout) const;
    void write_pieces(h5::Group& root, const Layout& layout, const std::vector<Piece>& pieces) const;
    std::vector<std::string> own_columns() const;
    std::string label(const Prediction& prediction, const std::string& column) const;
    std::vector<std::string> labels(const Layout& layout, const std::string& column) const;

    const screen::Screen& screen_;
    const screen::Normalisation& normalisation_;
    PredictionPlan plan_;
    bool repeats_ = false;  ///< a control cell is there more than once
    anndata::AnnData data_;
    anndata::TableCopy obs_;
    PredictionScratch scratch_;
    std::map<std::size_t, std::vector<Block>> own_;
};

}  // namespace popflow::predict
