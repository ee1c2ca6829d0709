// SPDX-License-Identifier: MIT
#pragma once

#include <nanobind/nanobind.h>

#include <atomic>
#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>

namespace popflow::python {

/// One call of the library from Python, without the GIL.
///
/// The work runs in a thread of its own that receives no signals. Generated matrix kernels keep data below
/// the stack pointer, where the handler of a signal would write. The thread of the caller waits. It calls the
/// signal handlers of Python twenty times a second, so that Ctrl-C cancels the work, and it runs the
/// callbacks.
class Call {
  public:
    Call() = default;
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

    /// Runs the work and returns its result. The caller holds the GIL.
    /// @throws nb::python_error for an exception of Python, such as KeyboardInterrupt
    /// @throws any exception of the work
    template <class Work>
    auto run(Work work) {
        std::optional<decltype(work())> result;
        execute([&] { result.emplace(work()); });
        return std::move(*result);
    }

    /// Runs a function in the thread of the caller, with the GIL, and waits for it. The work calls it. An
    /// exception of the function cancels the work, and run() throws it.
    void in_caller(const std::function<void()>& function);
    /// Whether the work should end.
    bool is_cancelled() const { return cancelled_; }

  private:
    void execute(const std::function<void()>& work);
    void wait();
    void serve(const std::function<void()>* request);

    std::atomic<bool> cancelled_ = false;
    std::mutex mutex_;
    std::condition_variable changed_;
    const std::function<void()>* request_ = nullptr;  // function of in_caller() that waits
    bool is_done_ = false;
    std::exception_ptr error_;         // error of the work
    std::exception_ptr python_error_;  // error of a callback or a signal handler
};

/// Runs short work in the calling thread without the GIL. It must not call generated matrix kernels.
template <class Work>
auto run_directly(Work work) {
    const nanobind::gil_scoped_release release;
    return work();
}

}  // namespace popflow::python
