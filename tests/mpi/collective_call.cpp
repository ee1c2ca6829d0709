// SPDX-License-Identifier: MIT
#include "mpi/collective_call.hpp"

#include <gtest/gtest.h>
#include <mpi.h>

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <stdexcept>
#include <string>

#include "core/error.hpp"
#include "core/exit_code.hpp"
#include "support/ranks.hpp"

namespace core = popflow::core;
namespace mpi = popflow::mpi;
using popflow::support::communicator;

namespace {

int world_handle() {
    return MPI_Comm_c2f(MPI_COMM_WORLD);
}

// Returns the text and the kind of the exception of a call.
std::string error_of(const std::function<int(const mpi::Communicator&)>& work) {
    try {
        mpi::call_collectively(world_handle(), work);
    } catch (const core::UserError& error) {
        return std::string("user error: ") + error.what();
    } catch (const core::Error& error) {
        return std::string("error: ") + error.what();
    } catch (const std::exception& error) {
        return std::string("other: ") + error.what();
    }
    return "none";
}

TEST(CollectiveCall, RunsTheWorkOnAllRanks) {
    std::array<std::int64_t, 1> ranks{1};
    const int code = mpi::call_collectively(world_handle(), [&](const mpi::Communicator& comm) {
        EXPECT_EQ(comm.rank(), communicator().rank());
        comm.sum(std::span<std::int64_t>(ranks));
        return core::exit_done;
    });
    EXPECT_EQ(code, core::exit_done);
    EXPECT_EQ(ranks[0], communicator().size());
}

TEST(CollectiveCall, ReturnsTheLargestCodeOnAllRanks) {
    const int last = communicator().size() - 1;
    EXPECT_EQ(mpi::call_collectively(world_handle(),
                                     [&](const mpi::Communicator& comm) {
                                         return comm.rank() == last ? core::exit_stopped : core::exit_done;
                                     }),
              core::exit_stopped);
}

TEST(CollectiveCall, AnErrorOfOneRankIsAnErrorOfAll) {
    const int last = communicator().size() - 1;
    const std::string text = error_of([&](const mpi::Communicator& comm) {
        if (comm.rank() == last) throw std::runtime_error("of the last rank");
        return core::exit_done;
    });
    if (communicator().rank() == last) {
        EXPECT_EQ(text, "other: of the last rank");
    } else if (communicator().is_root()) {
        EXPECT_EQ(text, "error: of the last rank");
    } else {
        EXPECT_EQ(text, "error: another rank failed");
    }
}

TEST(CollectiveCall, UserErrorsStayUserErrors) {
    const int last = communicator().size() - 1;
    const std::string text = error_of([&](const mpi::Communicator& comm) {
        if (comm.rank() == last) throw core::UserError("found 3");
        return core::exit_done;
    });
    if (communicator().is_root() || communicator().rank() == last) {
        EXPECT_EQ(text, "user error: found 3");
    } else {
        EXPECT_EQ(text, "user error: another rank failed");
    }
}

TEST(CollectiveCall, EachRankKeepsItsOwnError) {
    const std::string own = "rank " + std::to_string(communicator().rank());
    EXPECT_EQ(error_of([&](const mpi::Communicator&) -> int { throw core::Error(own); }), "error: " + own);
}

TEST(CollectiveCall, WorksAfterAnError) {
    if (communicator().size() < 2) GTEST_SKIP() << "needs two ranks";
    error_of([&](const mpi::Communicator& comm) -> int {
        if (comm.is_root()) throw core::Error("of rank 0");
        if (comm.rank() == 1) return core::exit_done;
        throw core::Error("of another rank");
    });
    std::array<std::int64_t, 1> ranks{1};
    mpi::call_collectively(world_handle(), [&](const mpi::Communicator& comm) {
        comm.sum(std::span<std::int64_t>(ranks));
        return core::exit_done;
    });
    EXPECT_EQ(ranks[0], communicator().size());
}

TEST(CollectiveCall, RefusesANullCommunicator) {
    const auto call = [] {
        mpi::call_collectively(MPI_Comm_c2f(MPI_COMM_NULL),
                               [](const mpi::Communicator&) { return core::exit_done; });
    };
    EXPECT_THROW(call(), core::UserError);
}

}  // namespace
