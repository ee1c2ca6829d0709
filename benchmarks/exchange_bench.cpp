// SPDX-License-Identifier: MIT
// exchange_bench [ROUNDS]: what the ranks of a training step say to each other. One JSON object a line,
// medians over the rounds of the slowest rank: `what` is `parts`, for gradients of `elements` the integer
// sums of the parts and the new weights given to all; or `told`, the sum of `elements` doubles (losses, flags
// and squares of the blocks of the gradient) that every rank has. Run by mpirun; read by cost_model.py.
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

double slowest(const mpi::Communicator& comm, double seconds) {
    std::vector<double> of_ranks(static_cast<std::size_t>(comm.size()));
    of_ranks[static_cast<std::size_t>(comm.rank())] = seconds;
    comm.sum(of_ranks);
    return *std::ranges::max_element(of_ranks);
}

// Prepares and then times `exchange` a number of times.
void measure(const mpi::Communicator& comm, int rounds, const char* what, std::size_t elements,
             const std::function<void()>& prepare, const std::function<void()>& exchange) {
    std::vector<double> seconds;
    for (int round = 0; round <= rounds; ++round) {
        prepare();
        comm.barrier();
        const auto start = std::chrono::steady_clock::now();
        exchange();
        const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
        const double of_all = slowest(comm, taken.count());
        if (round > 0) seconds.push_back(of_all);  // the first makes the connections
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
        measure(comm, rounds, "told", size, clear, [&] { comm.sum(values); });
    }
}
