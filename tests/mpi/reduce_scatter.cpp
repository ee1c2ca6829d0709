// SPDX-License-Identifier: MIT
// Exits 1 unless each rank receives the sum of its part, independently of the order in which the summands
// become final. Covers consecutive sums, parts of unequal length, empty parts, and values whose partial sums
// wrap.
#include "mpi/reduce_scatter.hpp"

#include <algorithm>
#include <cstdio>
#include <limits>
#include <vector>

#include "core/random.hpp"
#include "mpi/partition.hpp"

namespace {

using popflow::core::Purpose;
using popflow::core::Stream;
using popflow::mpi::Communicator;
using popflow::mpi::ReduceScatter;

// Most summands are small enough to be packed. For the others the sum over three ranks exceeds the limit.
std::int64_t summand(int rank, std::size_t i) {
    const std::int64_t large = i / 500 % 3 == 1 ? std::numeric_limits<std::int64_t>::max() / 2 : 0;
    const std::int64_t cancels = rank % 2 == 0 ? large : -large;
    return cancels + static_cast<std::int64_t>(i) * (rank % 2 == 0 ? rank + 1 : -rank);
}

std::int64_t sum_of_ranks(int ranks, std::size_t i) {
    std::uint64_t sum = 0;
    for (int rank = 0; rank < ranks; ++rank) sum += static_cast<std::uint64_t>(summand(rank, i));
    return static_cast<std::int64_t>(sum);
}

// Writes the summands in pieces from the end backwards and marks each piece as final. Returns whether the sum
// is correct. Collective.
bool sums_correctly(ReduceScatter& sum, std::size_t size, std::size_t pieces, const Communicator& comm) {
    const std::vector<std::size_t> bounds = popflow::mpi::part_bounds(size, 64, comm.size());
    std::vector<std::int64_t> values(size);
    Stream stream(size, Purpose::test, static_cast<std::uint64_t>(comm.rank()), pieces);
    sum.start(values, bounds);
    std::size_t end = size;
    for (std::size_t piece = 0; piece < pieces; ++piece) {
        const std::size_t first = end - std::min<std::size_t>(end, stream.below(2 * size / pieces + 2));
        for (std::size_t i = first; i < end; ++i) values[i] = summand(comm.rank(), i);
        sum.mark_final_from(first);
        end = first;
    }
    for (std::size_t i = 0; i < end; ++i) values[i] = summand(comm.rank(), i);
    const auto rank = static_cast<std::size_t>(comm.rank());
    std::vector<float> out(bounds[rank + 1] - bounds[rank]);
    sum.finish(0.5, out);
    for (std::size_t i = 0; i < out.size(); ++i) {
        const auto expected = static_cast<double>(sum_of_ranks(comm.size(), bounds[rank] + i));
        if (out[i] != static_cast<float>(0.5 * expected)) return false;
    }
    return !sum.started();
}

}  // namespace

int main(int argc, char** argv) {
    popflow::mpi::Session session(argc, argv);
    const Communicator comm = Communicator::world();
    ReduceScatter sum(comm);
    std::vector<std::int64_t> wrong_sums(1, 0);
    for (const std::size_t size : {100UL, 64UL, 100000UL, 1000UL}) {
        for (const std::size_t pieces : {0UL, 1UL, 7UL, 200UL})
            wrong_sums[0] += sums_correctly(sum, size, pieces, comm) ? 0 : 1;
    }
    comm.sum(wrong_sums);
    if (comm.is_root()) std::printf("wrong sums: %ld\n", wrong_sums[0]);
    return session.finish(wrong_sums[0] == 0 ? 0 : 1);
}
