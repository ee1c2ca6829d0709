// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <exception>
#include <utility>

namespace popflow::core {

/// Carries an exception out of a parallel region, which none may leave by itself: memory may run out there.
///
/// What is still to do when one fails is left out.
class ParallelError {
  public:
    /// Runs a piece of the region's work; an exception is kept, the first of all threads'.
    template <class Work>
    void run(Work&& work) noexcept {
        if (failed_) return;
        try {
            std::forward<Work>(work)();
        } catch (...) {
            if (!failed_.exchange(true)) error_ = std::current_exception();
        }
    }
    /// After the region: throws what was kept.
    void rethrow() const {
        if (failed_) std::rethrow_exception(error_);
    }

  private:
    std::atomic<bool> failed_ = false;
    std::exception_ptr error_;
};

}  // namespace popflow::core
