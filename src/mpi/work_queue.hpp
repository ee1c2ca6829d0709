// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>

#include "mpi/communicator.hpp"

namespace popflow::mpi {

/// Items 0, 1, ..., n - 1, each handed to the rank that asks next: no rank waits while there is work.
///
/// A thread of rank 0 answers the others, so that rank 0 works on items like any rank; it looks for requests
/// a thousand times a second and sleeps in between. Messages, not a one-sided counter: those do without a
/// thread only where the network has atomics in hardware, and some MPI libraries get them wrong.
///
/// While the queue lives no other call of MPI may be made on rank 0. Every rank asks until it gets nothing.
class WorkQueue {
  public:
    /// Collective over comm.
    WorkQueue(std::size_t items, const Communicator& comm);
    /// On rank 0 waits until all ranks have got nothing, unless the stack is unwinding.
    ~WorkQueue();
    WorkQueue(const WorkQueue&) = delete;
    WorkQueue& operator=(const WorkQueue&) = delete;

    /// The next item; none if all are handed out or the queue is closed.
    std::optional<std::size_t> next();
    /// No rank gets another item.
    void close();
    /// Adds to what the ranks have done, in units of the caller.
    void finish(std::size_t amount);
    /// What the ranks have said that they have done. On rank 0.
    std::size_t finished() const { return finished_; }
    /// All other ranks have got nothing, so nothing more will come from them. On rank 0.
    /// @throws core::MpiError if answering them failed
    bool ended();

  private:
    enum class Message : std::int64_t { ask, close, finish };
    std::int64_t take();
    void send(Message message, std::int64_t value) const;
    void answer();
    bool answer_one(int& asking);

    Communicator comm_;
    std::int64_t items_;
    int exceptions_at_start_;
    // Of rank 0.
    std::mutex mutex_;
    std::int64_t next_ = 0;
    std::atomic<std::size_t> finished_ = 0;
    std::atomic<bool> ended_ = false;
    std::atomic<bool> abandoned_ = false;
    std::exception_ptr failure_;
    std::thread thread_;
};

}  // namespace popflow::mpi
