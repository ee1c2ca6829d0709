// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>

namespace popflow::screen {

/// Division of the counts of each cell by their total, before the transform:
/// x -> x target / (sum of the cell over all columns of the matrix).
///
/// The total covers all columns, also those that are not used as markers. A cell whose total is zero keeps
/// its zeros.
///
/// Source: the function normalize_total of scanpy with target_sum = target. Its default target_sum is the
/// median of the totals above zero.
struct SizeFactor {
    enum class Kind {
        none,
        total,   ///< the target is an option
        median,  ///< the target is the median of the totals above zero of the training cells
    };
    static constexpr double default_target = 1e4;

    Kind kind = Kind::none;
    double target = 0;  ///< 0 until the median is known

    /// Parses `none`, `total`, `total:TARGET`, `median` or `median:TARGET`. The last is a median that is
    /// known.
    /// @throws ConfigError for any other text
    static SizeFactor parse(const std::string& text);
    /// Returns the text that parse() reads.
    std::string text() const;

    bool is_set() const { return kind != Kind::none; }
    /// Whether the target is known.
    bool has_target() const { return target > 0; }
    /// Scales one cell in place.
    /// @param total  sum of the cell over all columns, 0 or more
    void apply(double total, std::span<float> cell) const;
};

}  // namespace popflow::screen
