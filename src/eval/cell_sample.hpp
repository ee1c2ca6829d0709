// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "h5/group.hpp"
#include "linalg/matrix.hpp"
#include "screen/splits.hpp"

namespace popflow::eval {

/// Sample of the cells of one scored pair, for plots. Values are transformed (option --transform).
struct CellSample {
    std::size_t pair = 0;                       ///< index into Screen::pairs, not stored in a file
    std::string name{};                         ///< name of the pair in `/pairs`
    linalg::Matrix<float> control{};            ///< [n, d]
    linalg::Matrix<float> predicted{};          ///< [n, d]: row i is the prediction for row i of `control`
    linalg::Matrix<float> treated{};            ///< [m, d]
    linalg::Matrix<float> mean_shift{};         ///< [n, d] prediction of the mean shift, no rows if it failed
    std::vector<double> times{};                ///< flow times of `flow`, empty with more than three markers
    std::vector<linalg::Matrix<float>> flow{};  ///< [n, d] for each time: `control` at that flow time
};

/// Returns the flow times at which the cells of a pair are stored, empty for more than three markers. With a
/// Gaussian base this includes time 0, where the cells are noise.
std::vector<double> sample_times(std::size_t markers, bool gaussian_base);

/// Chooses at most `count` of `pairs` to store cells of.
///
/// - Part: test pairs. Without any, validation pairs. Without any, training pairs.
/// - Treatments: one pair of each treatment before a second pair of any.
/// - Patients and cultures: they change from one treatment to the next.
///
/// With a single treatment, patients replace treatments in these rules.
/// @return  ascending
std::vector<std::size_t> sampled_pairs(const screen::Screen& screen, const screen::Split& split,
                                       std::span<const std::size_t> pairs, std::size_t count);

/// Returns the first `count` of `pairs` whose pair_name() contains one of the texts, ignoring case.
/// @return  ascending
/// @throws core::ConfigError{sample} for a text that no name contains
std::vector<std::size_t> named_pairs(const screen::Screen& screen, std::span<const std::size_t> pairs,
                                     const std::vector<std::string>& texts, std::size_t count);

/// Writes samples as the group `cells` in AnnData's encoding.
///
/// X has the cells and var the markers. obs has the columns pair, state (control, flow, predicted,
/// mean_shift, treated), time and cell. Rows of one pair with the same `cell` are states of the same control
/// cell.
void write_cell_samples(h5::Group& root, const std::vector<CellSample>& samples,
                        const std::vector<std::string>& markers);
/// Reads the samples of a file, none if it has no group `cells`.
/// @param markers  set to the names of the columns
/// @throws core::DataError
std::vector<CellSample> read_cell_samples(const h5::Group& root, std::vector<std::string>& markers);

}  // namespace popflow::eval
