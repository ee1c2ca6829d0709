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

/// Numbers the distinct combinations of labels ("keys") of some obs columns, reading obs in blocks.
///
/// Memory grows with the distinct keys, not with the rows.
class RowKeys {
  public:
    /// Rows of obs read at a time.
    static constexpr std::size_t block_rows = std::size_t{1} << 16;

    /// An empty column name stands for a column that holds one empty label. @throws core::DataError
    RowKeys(const anndata::AnnData& data, const std::vector<std::string>& columns);

    /// The key of each of `count` rows from `first` on; valid until the next call. count <= block_rows
    std::span<const std::uint32_t> read(std::size_t first, std::size_t count);
    /// Keys met so far.
    std::size_t size() const { return keys_.size(); }
    bool missing(std::size_t key, std::size_t column) const;
    /// Empty for a missing value.
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
