// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "h5/dataframe.hpp"
#include "models/family.hpp"
#include "screen/splits.hpp"

namespace popflow::eval {

/// One method that --method auto can choose.
struct Candidate {
    std::string method;     ///< name of the method
    double shrinkage = 1;   ///< see models::StartOptions
    bool is_simple = true;  ///< a model without a network
};

/// Energy distances of all candidates on one pair that a fold has held out.
struct CandidateScores {
    std::size_t fold = 0;
    std::size_t unit = 0;  ///< see screen::validation_units()
    std::string pair{};    ///< name of the pair
    double training_distance = 0;
    std::vector<double> energies{};  ///< one for each candidate
};

/// Folds of a cross-validation over units: each unit is held out in one fold.
///
/// With at most max_folds units a fold holds out one unit, otherwise a random, nearly equal number of units.
/// @param units  units of the training pairs, any order, with repetitions
/// @return  units of each fold, ascending, empty if there are fewer than two units
std::vector<std::vector<std::size_t>> cross_validation_folds(std::vector<std::size_t> units,
                                                             std::size_t max_folds, std::uint64_t seed);

/// Returns a split whose part `validation` has the training pairs of some units, and whose part `train` has
/// the others. Pairs of other parts stay in the part `test`.
/// @param units  unit of each pair of the screen
screen::Split fold_split(const screen::Split& split, const std::vector<std::size_t>& units,
                         const std::vector<std::size_t>& held_out);

/// Result of a selection.
struct Choice {
    std::size_t candidate = 0;
    std::vector<double> means{};  ///< mean energy distance of each candidate over the units
    std::string words{};          ///< the result in words
};

/// Chooses a candidate by the energy distances on held-out pairs.
///
/// The score of a candidate is the mean over the units of the mean over the pairs of the unit. The best
/// simple model is chosen, unless a network has a lower score by more than one standard error of the paired
/// difference over the units. Of the networks, that with the lowest score counts.
Choice choose(const std::vector<Candidate>& candidates, const std::vector<CandidateScores>& scores);

/// Returns the table with one row for each fold and candidate: means over the pairs of the fold.
/// @param chosen  index of the chosen candidate
h5::DataFrame selection_frame(const std::vector<Candidate>& candidates,
                              const std::vector<CandidateScores>& scores, std::size_t chosen);

/// State of a selection in its file.
struct StoredSelection {
    std::string config{};            ///< configuration for which it holds
    std::string data_fingerprint{};  ///< see Screen::fingerprint
    models::OptionValues recipe{};   ///< options of the network among the candidates
    std::vector<Candidate> candidates{};
    std::vector<CandidateScores> scores{};  ///< scores of the finished folds
    bool is_complete = false;
    Choice choice{};  ///< result of a complete selection
};

/// Writes a selection atomically. @throws core::DataError, core::WriteError
void write_selection(const std::string& path, const StoredSelection& selection);
/// Reads a file of write_selection(). @throws core::DataError
StoredSelection read_selection(const std::string& path);

}  // namespace popflow::eval
