// SPDX-License-Identifier: MIT
#include "core/cancellation.hpp"

#include <utility>

namespace popflow::core {

namespace {

thread_local const std::atomic<bool>* current = nullptr;

}  // namespace

CancellationScope::CancellationScope(const std::atomic<bool>* flag) : outer_(std::exchange(current, flag)) {}

CancellationScope::~CancellationScope() {
    current = outer_;
}

const std::atomic<bool>* cancellation_flag() {
    return current;
}

void check_cancelled() {
    if (current != nullptr && current->load(std::memory_order_relaxed)) throw Cancelled();
}

}  // namespace popflow::core
