// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>

#include "core/error.hpp"

namespace popflow::core {

/// A computation was cancelled on request.
class Cancelled : public Error {
  public:
    Cancelled() : Error("cancelled on request") {}
};

/// Lets another thread cancel the long computations of this thread, for the lifetime of the object.
class CancellationScope {
  public:
    /// @param flag  true to cancel. Must outlive the object. Null for computations that cannot be cancelled
    explicit CancellationScope(const std::atomic<bool>* flag);
    ~CancellationScope();
    CancellationScope(const CancellationScope&) = delete;
    CancellationScope& operator=(const CancellationScope&) = delete;

  private:
    const std::atomic<bool>* outer_;
};

/// Returns the flag of the innermost scope of this thread, null without one. A parallel region passes it to
/// the scopes of its threads.
const std::atomic<bool>* cancellation_flag();

/// Throws if the innermost CancellationScope of this thread is cancelled. Costs a few nanoseconds.
/// @throws Cancelled
void check_cancelled();

}  // namespace popflow::core
