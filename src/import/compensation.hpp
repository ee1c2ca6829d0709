// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "import/fcs.hpp"
#include "linalg/matrix.hpp"

namespace popflow::data_import {

/// Spillover matrix S of the fluorescence between channels: measured = true S.
struct Spillover {
    std::string keyword{};               ///< keyword that holds the matrix
    std::vector<std::size_t> columns{};  ///< parameters of the file, from 0 on
    std::vector<double> values{};        ///< [n n], row-major; row i belongs to columns[i]
};

/// Parses the first of $SPILLOVER, SPILLOVER, SPILL, $SPILL, $COMP and COMP that a file has.
///
/// Channels are named by $PnN, or by their numbers. $COMP of FCS 3.0 has no names: its channels are all
/// parameters of the file.
/// @throws core::DataError if there is none, or if it is invalid or names a channel that the file lacks, or
/// if it lists percentages that the instrument has already subtracted, as $COMP does by the standard
Spillover read_spillover(const FcsFile& file);

/// Compensation: multiplies the events by the inverse of the spillover matrix S.
class Compensation {
  public:
    /// Inverts the spillover matrix of a file.
    /// @throws core::DataError if the matrix is singular, and the errors of read_spillover()
    explicit Compensation(const FcsFile& file);
    /// Returns the keyword that holds the matrix.
    const std::string& keyword() const { return spillover_.keyword; }
    /// Returns the columns that the matrix combines.
    const std::vector<std::size_t>& columns() const { return spillover_.columns; }
    /// Compensates events in place.
    ///
    /// Shapes:  x [n, parameters of the file].
    void apply(linalg::Matrix<float>& x) const;

  private:
    Spillover spillover_;
    std::vector<double> inverse_;  ///< inverse of S, row-major
};

}  // namespace popflow::data_import
