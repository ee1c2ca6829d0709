// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "screen/row_keys.hpp"
#include "screen/screen.hpp"
#include "screen/screen_columns.hpp"

namespace popflow::screen {

/// A candidate population, before the filters are applied.
struct PopulationDraft {
    Population population;
    std::vector<std::size_t> keys;  ///< keys in RowKeys that belong to the population
};

/// Result of one pass over obs.
struct ScreenDraft {
    /// Experiments by the values of their pairing keys. Populations are sorted by treatment and concentration
    /// label.
    std::map<std::vector<std::string>, std::vector<PopulationDraft>> experiments;
    std::map<std::string, std::size_t> left_out;  ///< reason -> number of excluded cells
    std::uint64_t obs_digest = 0;                 ///< digest over the labels of all rows, in order
};

/// Streams obs and groups its rows.
ScreenDraft draft_screen(const anndata::AnnData& data, const ScreenColumns& columns, RowKeys& keys);

/// Returns the digest after adding `bytes` (FNV-1a).
std::uint64_t digest_text(std::uint64_t digest, const std::string& bytes);

}  // namespace popflow::screen
