// SPDX-License-Identifier: MIT
// exchange_bench [ROUNDS]: times the communication of a training step. Start it with mpirun. cost_model.py
// reads the output: one JSON object per line with the median over the rounds of the slowest rank's time.
//   what = parts    reduce-scatter of the exact integer sums of `elements` gradients, then all-gather of as
//                   many new weights
//   what = summary  all-reduce of `elements` doubles (losses, flags and squared norms of gradient blocks)
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <vector>

#include "mpi/communicator.hpp"
#include "mpi/exact_sum.hpp"
#include "mpi/partition.hpp"

namespace {

using namespace popflow;

// Returns the largest `seconds` of all ranks. Collective.
double max_over_ranks(const mpi::Communicator& comm, double seconds) {
    std::vector<double> rank_seconds(static_cast<std::size_t>(comm.size()));
    rank_seconds[static_cast<std::size_t>(comm.rank())] = seconds;
    comm.sum(rank_seconds);
    return *std::ranges::max_element(rank_seconds);
}

// Times `exchange`, each time after `prepare`, and prints the median. Collective.
void measure(const mpi::Communicator& comm, int rounds, const char* what, std::size_t elements,
             const std::function<void()>& prepare, const std::function<void()>& exchange) {
    std::vector<double> seconds;
    for (int round = 0; round <= rounds; ++round) {
        prepare();
        comm.barrier();
        const auto start = std::chrono::steady_clock::now();
        exchange();
        const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
        const double slowest = max_over_ranks(comm, taken.count());
        if (round > 0) seconds.push_back(slowest);  // the first round opens the connections
    }
    std::ranges::sort(seconds);
    if (comm.is_root()) {
        std::printf(R"({"ranks": %d, "what": "%s", "elements": %zu, "seconds": %.3e})"
                    "\n",
                    comm.size(), what, elements, seconds[seconds.size() / 2]);
    }
}

}  // namespace

int main(int argc, char** argv) {
    const mpi::Session session(argc, argv);
    const mpi::Communicator comm = mpi::Communicator::world();
    const auto rank = static_cast<std::size_t>(comm.rank());
    const int rounds = argc > 1 ? std::atoi(argv[1]) : 51;
    for (const std::size_t size :
         {1UL << 10, 1UL << 14, 1UL << 17, 1UL << 19, 1UL << 20, 1UL << 21, 1UL << 22}) {
        const std::vector<std::size_t> bounds = mpi::part_bounds(size, 64, comm.size());
        mpi::ExactSum sum(size);
        std::vector<float> weights(size, 1);
        std::vector<float> own(bounds[rank + 1] - bounds[rank]);
        const auto add = [&] {
            sum.clear();
            (void)sum.add(weights);
        };
        measure(comm, rounds, "parts", size, add, [&] {
            sum.reduce(comm, bounds, 1, own);
            comm.all_gather(weights, bounds);
        });
    }
    for (const std::size_t size : {8U, 64U, 192U, 512U, 2048U}) {
        std::vector<double> values(size);
        const auto clear = [&] { std::ranges::fill(values, 0.0); };
        measure(comm, rounds, "summary", size, clear, [&] { comm.sum(values); });
    }
}
