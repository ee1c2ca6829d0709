// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "eval/evaluator.hpp"

namespace popflow::eval {

/// Results of one pair: its scores, embedding and sampled cells.
struct ScoredPair {
    std::size_t pair = 0;
    std::vector<float> embedding{};
    std::vector<PairScore> scores{};
    std::vector<CellSample> samples{};  ///< at most one, without its name
};

/// Serialises a pair and appends the bytes to `text`.
void serialise_pair(const ScoredPair& pair, std::string& text);
/// Deserialises all pairs of `text` and appends them to `pairs`.
/// @throws core::Error for incomplete bytes
void deserialise_pairs(const std::string& text, std::vector<ScoredPair>& pairs);

}  // namespace popflow::eval
