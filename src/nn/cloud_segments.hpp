// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <vector>

#include "linalg/row_blocks.hpp"

namespace popflow::nn {

/// Rows of one block of rows that belong to one cloud.
struct Segment {
    std::size_t index, cloud, first, count;
};

/// Division of the rows of a batch of clouds into segments, block of rows after block of rows.
class CloudSegments {
  public:
    /// @param bounds  cloud c has rows [bounds[c], bounds[c + 1])
    void assign(std::span<const std::size_t> bounds) {
        segments_.clear();
        first_.assign(1, 0);
        std::size_t cloud = 0;
        for (std::size_t first = 0; first < bounds.back(); first += linalg::block_rows) {
            const std::size_t end = std::min(first + linalg::block_rows, bounds.back());
            for (std::size_t at = first; at < end;) {
                while (bounds[cloud + 1] <= at) ++cloud;
                const std::size_t segment_end = std::min(end, bounds[cloud + 1]);
                segments_.push_back({segments_.size(), cloud, at, segment_end - at});
                at = segment_end;
            }
            first_.push_back(segments_.size());
        }
    }

    std::span<const Segment> all() const { return segments_; }
    /// Segments of a block of rows.
    std::span<const Segment> of(std::size_t row_block) const {
        return all().subspan(first_[row_block], first_[row_block + 1] - first_[row_block]);
    }

  private:
    std::vector<Segment> segments_;
    std::vector<std::size_t> first_;  ///< first segment of each block of rows, and the number of segments
};

}  // namespace popflow::nn
