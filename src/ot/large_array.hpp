// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>

namespace popflow::ot {

/// Uninitialised floats on large pages where the system has them.
///
/// A cost matrix of thousands of cells is read end to end many times: with pages of 4 KiB the address
/// translation takes as long as the arithmetic. Pages are placed by the thread that first writes them.
class LargeArray {
  public:
    LargeArray() = default;
    /// @throws std::bad_alloc
    explicit LargeArray(std::size_t count);

    float* data() { return values_.get(); }
    const float* data() const { return values_.get(); }

  private:
    struct Free {
        void operator()(float* values) const;
    };
    std::unique_ptr<float[], Free> values_;
};

}  // namespace popflow::ot
