// SPDX-License-Identifier: MIT
#include "call.hpp"

#include <pthread.h>
#include <signal.h>

#include <chrono>
#include <thread>

#include "core/cancellation.hpp"

namespace nb = nanobind;

namespace popflow::python {

namespace {

// Blocks the signals of this thread for the lifetime of the object, except those of its own faults. A thread
// that is started in the meantime inherits this.
class BlockedSignals {
  public:
    BlockedSignals() {
        sigset_t set;
        sigfillset(&set);
        for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP}) sigdelset(&set, signal);
        pthread_sigmask(SIG_BLOCK, &set, &before_);
    }
    ~BlockedSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    BlockedSignals(const BlockedSignals&) = delete;
    BlockedSignals& operator=(const BlockedSignals&) = delete;

  private:
    sigset_t before_{};
};

}  // namespace

void Call::execute(const std::function<void()>& work) {
    {
        const nb::gil_scoped_release release;
        std::thread worker;
        {
            const BlockedSignals blocked;
            worker = std::thread([&] {
                const core::CancellationScope scope(&cancelled_);
                try {
                    work();
                } catch (...) {
                    error_ = std::current_exception();
                }
                const std::scoped_lock lock(mutex_);
                is_done_ = true;
                changed_.notify_all();
            });
        }
        wait();
        worker.join();
    }
    if (python_error_) std::rethrow_exception(std::exchange(python_error_, nullptr));
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
}

void Call::wait() {
    std::unique_lock lock(mutex_);
    while (!is_done_) {
        changed_.wait_for(lock, std::chrono::milliseconds(50),
                          [&] { return is_done_ || request_ != nullptr; });
        if (is_done_) return;
        const std::function<void()>* request = request_;
        lock.unlock();
        serve(request);
        lock.lock();
        if (request == nullptr) continue;
        request_ = nullptr;
        changed_.notify_all();
    }
}

// Runs a callback, which may be null, and the signal handlers of Python. The first exception cancels the work.
void Call::serve(const std::function<void()>* request) {
    const nb::gil_scoped_acquire gil;
    if (python_error_) return;
    try {
        if (request != nullptr) (*request)();
        if (PyErr_CheckSignals() != 0) throw nb::python_error();
    } catch (...) {
        python_error_ = std::current_exception();
        cancelled_ = true;
    }
}

void Call::in_caller(const std::function<void()>& function) {
    std::unique_lock lock(mutex_);
    request_ = &function;
    changed_.notify_all();
    changed_.wait(lock, [&] { return request_ == nullptr; });
}

}  // namespace popflow::python
