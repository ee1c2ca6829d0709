// SPDX-License-Identifier: MIT
// exchange_bench [ROUNDS]: what the ranks of a training step say to each other, for gradients of several
// lengths: the integer sums of the parts and the new weights given to all. One JSON object a line, medians
// over the rounds of the slowest rank. Run by mpirun; read by cost_model.py.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "dist/communicator.hpp"
#include "dist/partition.hpp"
#include "dist/parts_sum.hpp"

namespace {

using namespace popflow;

double slowest(const dist::Communicator& comm, double seconds) {
    std::vector<double> of_ranks(static_cast<std::size_t>(comm.size()));
    of_ranks[static_cast<std::size_t>(comm.rank())] = seconds;
    comm.sum(of_ranks);
    return *std::ranges::max_element(of_ranks);
}

}  // namespace

int main(int argc, char** argv) {
    const dist::Session session(argc, argv);
    const dist::Communicator comm = dist::Communicator::world();
    const int rounds = argc > 1 ? std::atoi(argv[1]) : 51;
    for (const std::size_t size :
         {1UL << 10, 1UL << 14, 1UL << 17, 1UL << 19, 1UL << 20, 1UL << 21, 1UL << 22}) {
        const std::vector<std::size_t> bounds = dist::part_bounds(size, 64, comm.size());
        std::vector<std::int64_t> sums(size, 1);
        dist::PartsSum sum(comm);
        std::vector<float> weights(size, 1);
        std::vector<double> seconds;
        for (int round = 0; round <= rounds; ++round) {
            comm.barrier();
            const auto start = std::chrono::steady_clock::now();
            sum.start(sums, bounds);
            sum.finish();
            comm.share_parts(weights, bounds);
            const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
            const double of_all = slowest(comm, taken.count());
            if (round > 0) seconds.push_back(of_all);  // the first makes the connections
        }
        std::ranges::sort(seconds);
        if (comm.root()) {
            std::printf("{\"ranks\": %d, \"elements\": %zu, \"seconds\": %.3e}\n", comm.size(), size,
                        seconds[seconds.size() / 2]);
        }
    }
}
