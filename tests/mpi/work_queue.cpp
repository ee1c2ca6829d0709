// SPDX-License-Identifier: MIT
// Exits 1 unless each item is handed out exactly once, to a rank that asked, and none after the queue is
// closed.
#include "mpi/work_queue.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <thread>
#include <vector>

namespace {

using popflow::mpi::Communicator;
using popflow::mpi::WorkQueue;

// Rank 0 is held up at its first item: the others have to get all the rest meanwhile.
bool hands_out_each_once(const Communicator& comm) {
    constexpr std::size_t items = 200;
    std::vector<std::int64_t> handed(items, 0);
    std::int64_t own = 0;
    std::size_t finished = items;
    {
        WorkQueue queue(items, comm);
        while (const auto item = queue.next()) {
            ++handed[*item];
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
    comm.sum(handed);
    const bool alone = !comm.is_root() || comm.size() == 1 || own == 1;
    return alone && finished == items &&
           std::ranges::all_of(handed, [](std::int64_t times) { return times == 1; });
}

// The last rank closes at its third item: no rank gets more than it had taken by then.
bool closes(const Communicator& comm) {
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
    std::vector<std::int64_t> wrong{hands_out_each_once(comm) ? 0 : 1, closes(comm) ? 0 : 1};
    comm.sum(wrong);
    if (comm.is_root())
        std::printf("ranks with items lost or doubled: %ld, not closed: %ld\n", wrong[0], wrong[1]);
    return session.finish(wrong[0] + wrong[1] == 0 ? 0 : 1);
}
