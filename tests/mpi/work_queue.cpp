// SPDX-License-Identifier: MIT
// Exits 1 unless the queue assigns each item exactly once, to a rank that asked, and assigns no item after it
// has been closed.
#include "mpi/work_queue.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <thread>
#include <vector>

namespace {

using popflow::mpi::Communicator;
using popflow::mpi::WorkQueue;

// Returns whether each item is assigned exactly once. Rank 0 waits at its first item until the other ranks
// have finished all other items. Collective.
bool assigns_each_item_once(const Communicator& comm) {
    constexpr std::size_t items = 200;
    std::vector<std::int64_t> times_assigned(items, 0);
    std::int64_t own = 0;
    std::size_t finished = items;
    {
        WorkQueue queue(items, comm);
        while (const auto item = queue.next()) {
            ++times_assigned[*item];
            ++own;
            if (comm.is_root() && comm.size() > 1) {
                while (queue.finished() + 1 < items)
                    std::this_thread::sleep_for(std::chrono::milliseconds(1));
            }
            queue.add_finished(1);
        }
        while (comm.is_root() && !queue.has_ended())
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        if (comm.is_root()) finished = queue.finished();
    }
    comm.sum(times_assigned);
    const bool root_had_one_item = !comm.is_root() || comm.size() == 1 || own == 1;
    return root_had_one_item && finished == items &&
           std::ranges::all_of(times_assigned, [](std::int64_t times) { return times == 1; });
}

// The last rank closes the queue at its third item. Without that the loops would hand out a billion items.
// Returns whether the last rank received an item. Collective.
bool ends_after_close(const Communicator& comm) {
    constexpr std::size_t items = 1000000000;
    WorkQueue queue(items, comm);
    std::size_t own = 0;
    while (queue.next()) {
        if (++own == 3 && comm.rank() == comm.size() - 1) queue.close();
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return own >= 1 || comm.rank() != comm.size() - 1;
}

}  // namespace

int main(int argc, char** argv) {
    popflow::mpi::Session session(argc, argv);
    const Communicator comm = Communicator::world();
    std::vector<std::int64_t> failed_ranks{assigns_each_item_once(comm) ? 0 : 1,
                                           ends_after_close(comm) ? 0 : 1};
    comm.sum(failed_ranks);
    if (comm.is_root())
        std::printf("ranks with items lost or doubled: %ld, not closed: %ld\n", failed_ranks[0],
                    failed_ranks[1]);
    return session.finish(failed_ranks[0] + failed_ranks[1] == 0 ? 0 : 1);
}
