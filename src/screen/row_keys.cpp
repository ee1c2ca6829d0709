// SPDX-License-Identifier: MIT
#include "screen/row_keys.hpp"

#include "core/error.hpp"

namespace popflow::screen {

std::size_t RowKeys::CodesHash::operator()(const Codes& codes) const {
    std::uint64_t hash = 0x9e3779b97f4a7c15;
    for (const std::int32_t code : codes) {
        hash = (hash ^ static_cast<std::uint32_t>(code)) * 0xff51afd7ed558ccd;
        hash ^= hash >> 32;
    }
    return hash;
}

RowKeys::RowKeys(const anndata::AnnData& data, const std::vector<std::string>& columns) {
    for (const std::string& name : columns) {
        columns_.push_back(name.empty() ? std::nullopt : std::optional<anndata::LabelColumn>(data.obs(name)));
    }
}

std::span<const std::uint32_t> RowKeys::read(std::size_t first, std::size_t count) {
    std::vector<Codes> codes(columns_.size(), Codes(count, 0));
    for (std::size_t c = 0; c < columns_.size(); ++c) {
        if (columns_[c]) columns_[c]->read_codes(first, codes[c]);
    }
    block_.resize(count);
    Codes key(columns_.size(), 0);
    for (std::size_t i = 0; i < count; ++i) {
        // Neighbouring rows mostly have the same key, even in files that are only partly sorted.
        bool same = i > 0;
        for (std::size_t c = 0; c < codes.size(); ++c) {
            same = same && codes[c][i] == key[c];
            key[c] = codes[c][i];
        }
        if (same) {
            block_[i] = block_[i - 1];
            continue;
        }
        const auto [place, is_new] = number_.try_emplace(key, static_cast<std::uint32_t>(keys_.size()));
        if (is_new) keys_.push_back(key);
        block_[i] = place->second;
    }
    return block_;
}

bool RowKeys::is_missing(std::size_t key, std::size_t column) const {
    return columns_[column] && keys_[key][column] == anndata::LabelColumn::missing_code;
}

const std::string& RowKeys::label(std::size_t key, std::size_t column) const {
    static const std::string empty;
    if (!columns_[column] || keys_[key][column] == anndata::LabelColumn::missing_code) return empty;
    return columns_[column]->labels()[static_cast<std::size_t>(keys_[key][column])];
}

}  // namespace popflow::screen
