// SPDX-License-Identifier: MIT
#include "eval/task.hpp"

#include <omp.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <optional>
#include <set>
#include <thread>

#include "core/error.hpp"
#include "eval/partial_results.hpp"
#include "mpi/partition.hpp"
#include "mpi/work_queue.hpp"

namespace popflow::eval {

namespace {

// Items, most expensive first, cut into chunks.
struct ChunkSchedule {
    std::vector<std::size_t> items;
    std::vector<std::size_t> first;  // index of the first item of each chunk, then items.size()
};

ChunkSchedule schedule_chunks(const Task& task, std::vector<std::size_t> items,
                              const mpi::Communicator& comm) {
    std::ranges::stable_sort(items, std::greater<>(), [&](std::size_t item) { return task.cost(item); });
    // All ranks must compute the same chunks, even if their numbers of threads differ.
    std::array<std::int64_t, 1> threads{omp_get_max_threads()};
    comm.sum(threads);
    const auto ranks = static_cast<std::size_t>(comm.size());
    ChunkSchedule schedule{.items = std::move(items), .first = {0}};
    for (const std::size_t n :
         mpi::guided_chunks(schedule.items.size(), ranks, static_cast<std::size_t>(threads[0]) / ranks))
        schedule.first.push_back(schedule.first.back() + n);
    return schedule;
}

// Work loop of a rank: fetches chunks and reports the progress until all work is finished or a stop is
// requested.
class WorkLoop {
  public:
    // @param units  number of units that the ranks fetch: chunks of items, and items to repeat
    // @param kept  number of items that an earlier evaluation computed
    // @param items  number of all items
    WorkLoop(std::size_t units, std::size_t kept, std::size_t items, const TaskControl& control,
             const mpi::Communicator& comm)
        : queue_(units, comm), kept_(kept), items_(items), control_(control), root_(comm.is_root()) {}

    // Returns the next unit, or none if the work is finished or a stop was requested.
    std::optional<std::size_t> next() {
        if (control_.stop && control_.stop()) queue_.close();
        return queue_.next();
    }
    // Reports items of this rank as finished.
    void finish(std::size_t items) {
        queue_.add_finished(items);
        report();
    }
    // On rank 0, reports the progress of the other ranks until they have finished. Returns at once on other
    // ranks.
    void wait_for_others() {
        while (root_ && !queue_.has_ended()) {
            report();
            if (control_.stop && control_.stop()) queue_.close();
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
        report();
    }

  private:
    void report() {
        if (!root_) return;
        const std::size_t done = kept_ + queue_.finished();
        if (control_.progress && done != reported_) control_.progress(done, items_);
        reported_ = done;
    }

    mpi::WorkQueue queue_;
    std::size_t kept_;
    std::size_t items_;
    const TaskControl& control_;
    bool root_;
    std::size_t reported_ = 0;
};

// Appends the bytes of a record to a message.
void append(const TaskRecord& record, std::string& message) {
    for (const std::size_t number : {record.item, record.text.size()})
        message.append(reinterpret_cast<const char*>(&number), sizeof number);
    message += record.text;
}

// Appends the records of a message to `records`.
void read(const std::string& message, std::vector<TaskRecord>& records) {
    std::size_t at = 0;
    while (at < message.size()) {
        std::array<std::size_t, 2> head{};  // item and length
        if (message.size() - at < sizeof head)
            throw core::Error("evaluation: a rank sent an incomplete message");
        std::memcpy(head.data(), message.data() + at, sizeof head);
        at += sizeof head;
        if (message.size() - at < head[1]) throw core::Error("evaluation: a rank sent an incomplete message");
        records.push_back({.item = head[0], .text = message.substr(at, head[1])});
        at += head[1];
    }
}

}  // namespace

TaskOutcome run_task(Task& task, const TaskControl& control, const mpi::Communicator& comm) {
    const std::span<const std::size_t> items = task.items();
    std::set<std::size_t> kept;
    if (control.partial != nullptr)
        kept.insert(control.partial->kept_items().begin(), control.partial->kept_items().end());
    std::vector<std::size_t> open;
    for (const std::size_t item : items) {
        if (!kept.contains(item)) open.push_back(item);
    }
    const ChunkSchedule schedule = schedule_chunks(task, open, comm);
    // Each item to repeat is a unit after the chunks.
    const std::vector<std::size_t> repeated(kept.begin(),
                                            task.repeats_kept_items() ? kept.end() : kept.begin());
    const std::size_t chunks = schedule.first.size() - 1;
    const std::size_t units = chunks + repeated.size();

    std::string message;
    // Number of units minus those that the ranks fetched, as a sum over the ranks.
    std::array<std::int64_t, 1> unfinished{static_cast<std::int64_t>(units)};
    if (!comm.is_root()) unfinished[0] = 0;
    {
        WorkLoop work_loop(units, kept.size(), items.size(), control, comm);
        while (const std::optional<std::size_t> k = work_loop.next()) {
            --unfinished[0];
            if (*k >= chunks) {
                task.repeat(repeated[*k - chunks]);
                continue;
            }
            const std::size_t first = schedule.first[*k];
            const std::size_t count = schedule.first[*k + 1] - first;
            for (const TaskRecord& record : task.run(std::span(schedule.items).subspan(first, count))) {
                if (control.partial != nullptr) control.partial->add(record);
                append(record, message);
            }
            work_loop.finish(count);
        }
        work_loop.wait_for_others();
    }
    comm.sum(unfinished);
    TaskOutcome outcome{.records = {}, .stopped = unfinished[0] > 0};
    if (control.partial != nullptr) outcome.records = control.partial->kept();
    for (const std::string& part : comm.gather(message)) read(part, outcome.records);
    std::ranges::sort(outcome.records, {}, &TaskRecord::item);
    return outcome;
}

}  // namespace popflow::eval
