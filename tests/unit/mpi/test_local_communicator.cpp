// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <vector>

#include "core/error.hpp"
#include "mpi/communicator.hpp"
#include "mpi/exact_sum.hpp"
#include "mpi/run_collectively.hpp"
#include "mpi/work_queue.hpp"

using popflow::mpi::Communicator;

// No test of this file initialises MPI, where a call of MPI ends the process.

TEST(LocalCommunicator, IsOneRankWithoutMpi) {
    const Communicator comm = Communicator::self();
    EXPECT_EQ(comm.rank(), 0);
    EXPECT_EQ(comm.size(), 1);
    EXPECT_TRUE(comm.is_root());
    EXPECT_EQ(comm.ranks_on_host(), 1);
    comm.barrier();
}

TEST(LocalCommunicator, LeavesValuesUnchanged) {
    const Communicator comm = Communicator::self();
    std::vector<std::int64_t> integers{3, -4};
    std::vector<double> doubles{0.5, 1e300};
    std::vector<float> floats{1, 2, 3};
    comm.sum(std::span<std::int64_t>(integers));
    comm.sum(std::span<double>(doubles));
    comm.all_gather(floats, std::vector<std::size_t>{0, 3});
    EXPECT_EQ(integers, (std::vector<std::int64_t>{3, -4}));
    EXPECT_EQ(doubles, (std::vector<double>{0.5, 1e300}));
    EXPECT_EQ(floats, (std::vector<float>{1, 2, 3}));
    EXPECT_EQ(comm.gather("text"), std::vector<std::string>{"text"});
}

TEST(LocalCommunicator, SumsGradients) {
    popflow::mpi::ExactSum sum(3);
    EXPECT_TRUE(sum.add(std::vector<float>{1, 2, 3}));
    EXPECT_TRUE(sum.add(std::vector<float>{0.5, 0.25, -3}));
    std::vector<float> out(3);
    sum.reduce(Communicator::self(), std::vector<std::size_t>{0, 3}, 2, out);
    EXPECT_EQ(out, (std::vector<float>{3, 4.5, 0}));
}

TEST(LocalCommunicator, HandsOutItems) {
    popflow::mpi::WorkQueue queue(2, Communicator::self());
    EXPECT_EQ(queue.next(), 0U);
    EXPECT_EQ(queue.next(), 1U);
    EXPECT_EQ(queue.next(), std::nullopt);
    EXPECT_TRUE(queue.has_ended());
}

TEST(LocalCommunicator, PassesErrorsOn) {
    const auto fail = [] { throw popflow::core::UserError("found nothing"); };
    EXPECT_THROW(popflow::mpi::run_collectively(Communicator::self(), fail), popflow::core::UserError);
}
