// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "eval/evaluator.hpp"

namespace popflow::eval {

/// All that a rank found out about one pair.
struct ScoredPair {
    std::size_t pair = 0;
    std::vector<float> embedding{};
    std::vector<PairScore> scores{};
    std::vector<CellSample> samples{};  ///< one or none; without its name
};

/// Appends a pair as bytes, for the way to rank 0.
void append_text(const ScoredPair& pair, std::string& text);
/// Appends the pairs of such bytes.
void read_text(const std::string& text, std::vector<ScoredPair>& pairs);

}  // namespace popflow::eval
