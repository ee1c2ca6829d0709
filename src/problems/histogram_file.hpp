// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "anndata/matrix_source.hpp"
#include "linalg/matrix.hpp"
#include "ot/histogram_problem.hpp"

namespace popflow::problems {

/// Treatment of rows whose weights have different sums.
enum class Mass {
    normalise,  ///< divide each row by its sum
    equal,      ///< refuse rows whose sums differ by more than a relative 1e-6
};

/// How the histograms of a file are read.
struct HistogramOptions {
    anndata::MatrixSource source{};
    /// Member of varm with the positions of the atoms. Empty for `position`, if the file has it.
    std::string position{};
    /// Conditions `COLUMN=VALUE[,COLUMN=VALUE]` on obs: a row must match one of them. Empty for all rows.
    std::vector<std::string> rows{};
    std::vector<std::string> exclude{};  ///< conditions of rows to leave out
    /// Column and label of the training part, and those of the parts that --split holds out. Empty for all
    /// rows.
    std::vector<std::pair<std::string, std::string>> training_part{};
    std::vector<std::pair<std::string, std::string>> held_out{};
    Mass mass = Mass::normalise;

    /// Returns the name of the member of varm with the positions, `position` if none is given.
    std::string position_member() const;
};

/// Histograms of an AnnData file: rows are histograms, columns are atoms.
class HistogramFile {
  public:
    /// Reads everything except the weights.
    /// @throws core::DataError if the file is no AnnData file, lacks what the options name, or a position is
    /// not finite
    HistogramFile(std::string path, HistogramOptions options);

    const std::string& path() const { return path_; }
    std::size_t atoms() const { return atoms_; }
    /// Names of the histograms, without those that the options leave out.
    const std::vector<std::string>& names() const { return names_; }
    /// Rows of the file that hold the histograms, ascending.
    const std::vector<std::size_t>& rows() const { return rows_; }
    /// Positions of the atoms [atoms, d], without rows if the file has none.
    const linalg::Matrix<double>& positions() const { return positions_; }
    /// Throws unless the file has positions.
    /// @param purpose  what needs them, for the message
    /// @throws core::DataError
    void require_positions(const std::string& purpose) const;
    /// Hex digest over the shape, the names, the positions and a sample of the weights.
    const std::string& fingerprint() const { return fingerprint_; }

    /// Reads histograms.
    /// @param indices  indices into names(), ascending
    /// @param notes  receives a note if the sums of rows differ and are divided out
    /// @throws core::DataError for a row without mass, a weight that is negative or not finite, and with
    /// Mass::equal for a row with another sum
    std::vector<ot::Histogram> read(std::span<const std::size_t> indices,
                                    std::vector<std::string>& notes) const;

  private:
    std::string row_text(std::size_t index) const;

    std::string path_;
    HistogramOptions options_;
    std::size_t atoms_ = 0;
    std::vector<std::string> names_;
    std::vector<std::size_t> rows_;  // rows of the file
    std::vector<std::string> members_of_varm_;
    linalg::Matrix<double> positions_;
    std::string fingerprint_;
};

}  // namespace popflow::problems
