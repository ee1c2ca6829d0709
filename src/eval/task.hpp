// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "mpi/communicator.hpp"

namespace popflow::eval {

class PartialResults;

/// Result of one work item, in bytes that only its task can read.
struct TaskRecord {
    std::size_t item = 0;
    std::string text{};
    bool is_complete = true;  ///< false if a resumed evaluation should compute the item again
};

/// An evaluation in terms of independent work items: pairs of populations, transport problems or sets of
/// populations. It uses a capability of a trained model, and its records become a table of the results.
class Task {
  public:
    virtual ~Task() = default;
    /// Work items of all ranks, ascending.
    virtual std::span<const std::size_t> items() const = 0;
    /// Relative cost of an item, to start with the most expensive one.
    virtual std::size_t cost(std::size_t item) const = 0;
    /// Computes a chunk of items with all threads of the rank, one record for each item.
    /// @throws core::WriteError if a further output cannot be stored. A failed item is no exception.
    virtual std::vector<TaskRecord> run(std::span<const std::size_t> items) = 0;
    /// Whether kept items must be passed to repeat(), since the task has outputs that no record contains.
    virtual bool repeats_kept_items() const { return false; }
    /// Computes the further outputs of an item whose record was kept.
    virtual void repeat(std::size_t /*item*/) {}
};

/// Callbacks and storage of a task. Each may be empty.
struct TaskControl {
    /// Stores each record. Items that it already has are not computed again.
    PartialResults* partial = nullptr;
    /// Called repeatedly on rank 0 with the number of items that all ranks have finished and the number of
    /// all items.
    std::function<void(std::size_t done, std::size_t of)> progress{};
    /// Called on each rank between chunks. The task stops if it returns true on any rank.
    std::function<bool()> stop{};
};

/// Records of a task.
struct TaskOutcome {
    std::vector<TaskRecord> records;  ///< in ascending order of the items. Empty on ranks other than 0
    bool stopped = false;             ///< stopped on request. Only the finished items are included
};

/// Runs a task. Collective over comm.
///
/// Ranks fetch chunks of items from a work queue, most expensive items first. The chunk sizes follow guided
/// self-scheduling: a chunk has as many items as a rank has threads, and fewer towards the end.
/// @throws as Task::run()
TaskOutcome run_task(Task& task, const TaskControl& control, const mpi::Communicator& comm);

}  // namespace popflow::eval
