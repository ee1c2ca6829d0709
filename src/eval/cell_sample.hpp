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

/// Some cells of one scored pair, for pictures; values are transformed, as `--transform` says.
struct CellSample {
    std::size_t pair = 0;                       ///< index into Screen::pairs; not kept in a file
    std::string name{};                         ///< as in `/pairs`
    linalg::Matrix<float> control{};            ///< [n, d]
    linalg::Matrix<float> predicted{};          ///< [n, d]: where the model carried row i of `control`
    linalg::Matrix<float> treated{};            ///< [m, d]
    std::vector<double> times{};                ///< flow times on the way; none with more than three markers
    std::vector<linalg::Matrix<float>> flow{};  ///< [n, d] for each of the times
};

/// Flow times at which the cells of a pair of so many markers are kept. With a Gaussian base also time 0,
/// where the cells are noise.
std::vector<double> sample_times(std::size_t markers, bool gaussian_base);

/// The pairs of which cells are kept: of `pairs` at most `count` of the test part (of the validation part if
/// there is none, else of the training part), one of each treatment before any has a second one, and from
/// one treatment to the next another patient and culture. With one treatment alone it is the patients that
/// take turns.
/// @return  ascending
std::vector<std::size_t> sampled_pairs(const screen::Screen& screen, const screen::Split& split,
                                       std::span<const std::size_t> pairs, std::size_t count);

/// Of `pairs` the first `count` whose pair_name() holds one of some texts, letter case aside.
/// @throws core::ConfigError{sample} for a text that no name holds
std::vector<std::size_t> named_pairs(const screen::Screen& screen, std::span<const std::size_t> pairs,
                                     const std::vector<std::string>& texts, std::size_t count);

/// Writes samples as group `cells` in AnnData's encoding: X, obs with pair, state (control, flow, predicted,
/// treated), time and cell, which tells the states of one cell; var with the markers.
void write_cell_samples(h5::Group& root, const std::vector<CellSample>& samples,
                        const std::vector<std::string>& markers);
/// Reads them back, none if there is no such group. @throws core::DataError
std::vector<CellSample> read_cell_samples(const h5::Group& root, std::vector<std::string>& markers);

}  // namespace popflow::eval
