// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "screen/screen.hpp"

namespace popflow::screen {

/// Which part of a split a pair belongs to.
enum class Part { train, validation, test };

const char* part_name(Part part);
/// @throws ConfigError
Part parse_part(const std::string& text);

/// Parts of the pairs of a screen.
struct Split {
    std::string spec;         ///< as the user gave it
    std::vector<Part> parts;  ///< one per Screen::pairs
    /// Indices of the pairs of one part, ascending.
    std::vector<std::size_t> pairs(Part part) const;
};

/// Splits the pairs of a screen, by whole experiments but for `treatment`.
///
/// `patient:NAME[,NAME]`: every experiment of these patients is test, the others train.
/// `treatment:NAME[,NAME]`: every pair of these treatments is test, the others train; their controls are in
/// both.
/// `replica`: of each culture's (patient, plate) batches that hold two or more replicates, 10 give one
/// replicate to validation and 10 other ones give one to test; with fewer than 30 such batches, a third of
/// them each. `column:NAME`: as the column NAME of obs says; the column must be constant within an
/// experiment. `letters`: as the column `split` says, where simulate letters puts it. `all`: every pair is
/// test, for data that a model is to be tried on.
///
/// @throws ConfigError for an unknown form; DataError for an unknown patient or treatment, or one only, a
///         column that is missing or mixed within an experiment, and a split that leaves nothing to train on
///         or nothing to test
Split make_split(const Screen& screen, const std::string& spec, std::uint64_t seed);

/// Whether `spec` holds treatments out, of which a model then needs vectors, see TreatmentVectors.
bool splits_by_treatment(const std::string& spec);

/// The obs column that `spec` names (`column:NAME`, `letters`), else empty; goes into
/// ScreenOptions::split_column.
std::string split_column(const std::string& spec);

}  // namespace popflow::screen
