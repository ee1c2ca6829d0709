// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "anndata/anndata.hpp"

namespace popflow::screen {

/// Numbers the distinct combinations of labels ("keys") of some obs columns. Reads obs in blocks.
///
/// Memory use is proportional to the number of distinct keys, not to the number of rows.
class RowKeys {
  public:
    /// Maximum number of rows of obs that are read at a time.
    static constexpr std::size_t block_rows = std::size_t{1} << 16;

    /// @param columns  names of obs columns; an empty name stands for a column with one empty label
    /// @throws core::DataError if a column cannot be read
    RowKeys(const anndata::AnnData& data, const std::vector<std::string>& columns);

    /// Returns the keys of rows [first, first + count). The span is valid until the next call.
    /// @param count  at most block_rows
    std::span<const std::uint32_t> read(std::size_t first, std::size_t count);
    /// Number of distinct keys found so far.
    std::size_t size() const { return keys_.size(); }
    /// Returns whether a key has no value in a column.
    bool is_missing(std::size_t key, std::size_t column) const;
    /// Returns the label of a key in a column, empty for a missing value.
    const std::string& label(std::size_t key, std::size_t column) const;

  private:
    using Codes = std::vector<std::int32_t>;
    struct CodesHash {
        std::size_t operator()(const Codes& codes) const;
    };

    std::vector<std::optional<anndata::LabelColumn>> columns_;
    std::vector<Codes> keys_;
    std::unordered_map<Codes, std::uint32_t, CodesHash> number_;
    std::vector<std::uint32_t> block_;
};

}  // namespace popflow::screen
