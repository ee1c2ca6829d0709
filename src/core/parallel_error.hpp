// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <exception>
#include <utility>

namespace popflow::core {

/// Carries the first exception of an OpenMP parallel region to the code after it.
///
/// An exception must not leave a parallel region, and any allocation there may throw. After a failure the
/// remaining work is skipped. Thread-safe.
class ParallelError {
  public:
    /// Runs one item of work inside the region, unless an earlier one failed. Stores its exception if it is
    /// the first of all threads.
    template <class Work>
    void run(Work&& work) noexcept {
        if (failed_) return;
        try {
            std::forward<Work>(work)();
        } catch (...) {
            if (!failed_.exchange(true)) error_ = std::current_exception();
        }
    }
    /// Throws the stored exception, if there is one. Call it after the region.
    void rethrow() const {
        if (failed_) std::rethrow_exception(error_);
    }

  private:
    std::atomic<bool> failed_ = false;
    std::exception_ptr error_;
};

}  // namespace popflow::core
