// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "screen/screen.hpp"
#include "screen/splits.hpp"

namespace popflow::inspect {

/// Distribution of the numbers of cells of some populations.
struct SizeRange {
    std::size_t n = 0;        ///< number of populations
    std::size_t n_cells = 0;  ///< total number of cells
    std::size_t smallest = 0;
    std::size_t median = 0;  ///< the lower of the two middle values if `n` is even
    std::size_t largest = 0;
};
/// Computes the distribution of sizes. Returns zeros for no sizes.
SizeRange size_range(std::vector<std::size_t> sizes);

/// The populations of one treatment at one concentration.
struct DoseSummary {
    std::string treatment;
    std::string concentration;
    bool control = false;
    SizeRange sizes;
    std::size_t n_pairs = 0;  ///< number of pairs that use one of them as treated or as control
};

/// Data that the text and the JSON form of an inspection share.
struct InspectionSummary {
    // Distinct labels, sorted as numbers if all of them are numbers.
    std::vector<std::string> patients;
    std::vector<std::string> cultures;
    std::vector<std::string> plates;
    std::vector<std::string> replicates;
    SizeRange populations;
    std::vector<DoseSummary> doses;  ///< controls first, then by treatment and concentration
    /// (culture, patient) -> number of pairs in train, validation, test. Without a split all pairs count as
    /// train.
    std::map<std::pair<std::string, std::string>, std::array<std::size_t, 3>> pairs;
    /// Value of the column by which pairs are held out -> numbers as in `pairs`. Empty if there is no such
    /// column, or if `pairs` shows it.
    std::map<std::string, std::array<std::size_t, 3>> pairs_by_column;
    /// Reason -> items that were dropped for it.
    std::map<std::string, std::vector<screen::Dropped>> dropped;
};
/// Summarises a screen.
/// @param split  null for none
/// @throws core::ShapeMismatch if the split has another number of pairs than the screen
InspectionSummary summarise(const screen::Screen& screen, const screen::Split* split);

}  // namespace popflow::inspect
