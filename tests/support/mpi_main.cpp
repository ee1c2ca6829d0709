// SPDX-License-Identifier: MIT
// main() of GoogleTest programs that run on several ranks. All ranks run the same tests.
//   - If a test fails on any rank, it fails on rank 0, and all ranks exit with 1.
//   - If a rank leaves a test early, by an exception or a failed ASSERT_*, all ranks end after that test. The
//     others may wait for that rank in a collective: then it aborts the program.
#include <gtest/gtest.h>
#include <mpi.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/exit_code.hpp"
#include "mpi/mpi_call.hpp"
#include "support/rank_printer.hpp"
#include "support/ranks.hpp"

namespace popflow::support {

namespace {

std::optional<mpi::Communicator> world;

// Time that the other ranks get to finish a test and print their failures after a rank has left it early.
constexpr std::chrono::seconds grace_period{5};

enum class Outcome : int { passed, failed, left_early };

Outcome outcome_of(const testing::TestResult& result) {
    if (result.HasFatalFailure()) return Outcome::left_early;
    return result.Failed() ? Outcome::failed : Outcome::passed;
}

// Returns the ranks with an outcome as text, for example `1, 3`.
std::string list_ranks(const std::vector<int>& outcomes, Outcome wanted) {
    std::string list;
    for (std::size_t rank = 0; rank < outcomes.size(); ++rank) {
        if (outcomes[rank] == static_cast<int>(wanted))
            list += (list.empty() ? "" : ", ") + std::to_string(rank);
    }
    return list;
}

// Compares the outcomes of all ranks after each test. The messages have a communicator of their own, so they
// do not match those that a rank has left behind. To be appended after the printer, so that it is called
// before the printer at the end of a test.
class CompareOutcomes : public testing::EmptyTestEventListener {
  public:
    CompareOutcomes() {
        mpi::check(MPI_Comm_dup(MPI_COMM_WORLD, &comm_), "MPI_Comm_dup");
        mpi::check(MPI_Comm_rank(comm_, &rank_), "MPI_Comm_rank");
        int size = 0;
        mpi::check(MPI_Comm_size(comm_, &size), "MPI_Comm_size");
        outcomes_.resize(static_cast<std::size_t>(size));
    }
    void OnTestEnd(const testing::TestInfo& test) override {
        const Outcome outcome = outcome_of(*test.result());
        gather(outcome);
        const std::string early = list_ranks(outcomes_, Outcome::left_early);
        if (rank_ == 0 && outcome == Outcome::passed) {
            const std::string failed = list_ranks(outcomes_, Outcome::failed);
            if (!failed.empty()) ADD_FAILURE() << "failed on rank " << failed;
            if (!early.empty()) ADD_FAILURE() << "left early by rank " << early;
        }
        if (early.empty() || outcomes_.size() == 1) return;
        if (rank_ == 0)
            std::printf(
                "The remaining tests are not run, because messages may be left over from this one.\n");
        mpi::check(MPI_Barrier(comm_), "MPI_Barrier");
        std::fflush(nullptr);
        mpi::abort(core::exit_failed);
    }
    void OnTestProgramEnd(const testing::UnitTest&) override { MPI_Comm_free(&comm_); }

  private:
    // Gathers the outcomes of all ranks. A rank that has left early does not wait indefinitely.
    void gather(Outcome outcome) {
        const auto own = static_cast<int>(outcome);
        MPI_Request request = MPI_REQUEST_NULL;
        mpi::check(MPI_Iallgather(&own, 1, MPI_INT, outcomes_.data(), 1, MPI_INT, comm_, &request),
                   "MPI_Iallgather");
        const auto deadline = std::chrono::steady_clock::now() + grace_period;
        for (int arrived = 0; true; std::this_thread::sleep_for(std::chrono::milliseconds(1))) {
            mpi::check(MPI_Test(&request, &arrived, MPI_STATUS_IGNORE), "MPI_Test");
            if (arrived != 0) return;
            if (outcome == Outcome::left_early && std::chrono::steady_clock::now() > deadline) break;
        }
        std::printf("[rank %d] aborts, because other ranks still wait inside this test\n", rank_);
        std::fflush(nullptr);
        mpi::abort(core::exit_failed);
    }

    MPI_Comm comm_ = MPI_COMM_NULL;
    int rank_ = 0;
    std::vector<int> outcomes_;  // by rank
};

// With --gtest_shuffle all ranks use the order of rank 0. Collective.
void use_same_order(const mpi::Communicator& comm) {
    if (!GTEST_FLAG_GET(shuffle) || GTEST_FLAG_GET(random_seed) != 0) return;
    constexpr std::int64_t max_seed = 99999;
    std::array<std::int64_t, 1> seed{comm.is_root() ? std::time(nullptr) % max_seed + 1 : 0};
    comm.sum(std::span<std::int64_t>(seed));
    GTEST_FLAG_SET(random_seed, static_cast<std::int32_t>(seed[0]));
}

// Returns whether a test has failed on any rank. Collective.
bool fails_on_any_rank(const mpi::Communicator& comm) {
    std::array<std::int64_t, 1> failed{RUN_ALL_TESTS()};
    comm.sum(std::span<std::int64_t>(failed));
    return failed[0] != 0;
}

}  // namespace

const mpi::Communicator& communicator() {
    return world.value();
}

}  // namespace popflow::support

int main(int argc, char** argv) {
    namespace support = popflow::support;
    testing::InitGoogleTest(&argc, argv);
    popflow::mpi::Session session(argc, argv);
    const popflow::mpi::Communicator& comm = support::world.emplace(popflow::mpi::Communicator::world());
    support::print_as_rank(comm.rank());
    testing::UnitTest::GetInstance()->listeners().Append(
        std::make_unique<support::CompareOutcomes>().release());
    support::use_same_order(comm);
    const bool failed = support::fails_on_any_rank(comm);
    support::world.reset();
    return session.finish(failed ? popflow::core::exit_failed : popflow::core::exit_done);
}
