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

/// Hands out items 0, 1, ..., n - 1 dynamically: each goes to the rank that asks next, so no rank idles while
/// items remain.
///
/// A thread of rank 0 answers the other ranks, so that rank 0 works on items like any other rank. The thread
/// polls for requests a thousand times a second and sleeps in between.
///
/// Uses messages rather than a one-sided counter (MPI_Fetch_and_op). One-sided counters need no thread only
/// if the network has atomics in hardware, and some MPI libraries implement them incorrectly.
///
/// While the queue exists, rank 0 must not make any other MPI call. Every rank has to call next() until it
/// returns no item. All methods throw core::MpiError if an MPI call fails. If a rank throws while the queue
/// exists, other ranks may block, so the program has to end with mpi::abort().
class WorkQueue {
  public:
    /// Creates the queue. Collective over `comm`: every rank passes the same number of items. Does not block.
    WorkQueue(std::size_t items, const Communicator& comm);
    /// On rank 0 waits until every other rank knows that the queue is empty. Does not wait while the stack
    /// unwinds: ranks that still ask for items then block until the program aborts.
    ~WorkQueue();
    WorkQueue(const WorkQueue&) = delete;
    WorkQueue& operator=(const WorkQueue&) = delete;

    /// Returns the next item, or no value if all items have been handed out or the queue is closed.
    std::optional<std::size_t> next();
    /// Closes the queue: no rank gets another item. Any rank may call it.
    void close();
    /// Reports progress: adds `amount` to finished(). The caller chooses the unit.
    void add_finished(std::size_t amount);
    /// Sum of the amounts that all ranks have reported by add_finished(). Valid on rank 0 only.
    std::size_t finished() const { return finished_; }
    /// Whether every other rank knows that the queue is empty, so that no more messages will arrive. Valid on
    /// rank 0 only.
    /// @throws core::MpiError if the thread that answers them failed
    bool has_ended();

  private:
    enum class Message : std::int64_t { ask, close, finish };
    std::int64_t take();
    void send(Message message, std::int64_t value) const;
    void answer_requests();
    bool answer_request(int& active);

    Communicator comm_;
    std::int64_t items_;
    int exceptions_at_start_;
    // Used on rank 0 only.
    std::mutex mutex_;
    std::int64_t next_ = 0;
    std::atomic<std::size_t> finished_ = 0;
    std::atomic<bool> ended_ = false;
    std::atomic<bool> abandoned_ = false;
    std::exception_ptr failure_;
    std::thread thread_;
};

}  // namespace popflow::mpi
