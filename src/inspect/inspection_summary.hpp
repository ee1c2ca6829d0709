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

/// Smallest, middle and largest number of cells; the median of an even number is the lower middle.
struct SizeRange {
    std::size_t n = 0;
    std::size_t n_cells = 0;
    std::size_t smallest = 0;
    std::size_t median = 0;
    std::size_t largest = 0;
};
SizeRange size_range(std::vector<std::size_t> sizes);

/// The populations of one treatment at one concentration.
struct DoseSummary {
    std::string treatment;
    std::string concentration;
    bool control = false;
    SizeRange sizes;
    std::size_t n_pairs = 0;  ///< in which they are the treated or the control side
};

/// What the two forms of an inspection share.
struct InspectionSummary {
    std::vector<std::string> patients;  ///< sorted as numbers if all are
    std::vector<std::string> cultures;
    std::vector<std::string> plates;
    std::vector<std::string> replicates;
    SizeRange populations;
    std::vector<DoseSummary> doses;  ///< controls first, then by treatment and concentration
    /// (culture, patient) -> pairs in train, validation, test; without a split all are in the first.
    std::map<std::pair<std::string, std::string>, std::array<std::size_t, 3>> pairs;
    /// Reason -> what was dropped for it.
    std::map<std::string, std::vector<screen::Dropped>> dropped;
};
InspectionSummary summarise(const screen::Screen& screen, const screen::Split* split);

}  // namespace popflow::inspect
