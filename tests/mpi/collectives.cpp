// SPDX-License-Identifier: MIT
// Tests Communicator::gather() and run_collectively(). Exits 1 unless
//   - rank 0 receives the texts of all ranks for any maximum message size,
//   - work that throws on some ranks throws on all ranks, with the same kind of error.
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "mpi/communicator.hpp"
#include "mpi/run_collectively.hpp"

namespace {

namespace core = popflow::core;
using popflow::mpi::Communicator;

// Returns the text of a rank. It is empty for rank 1, and otherwise longer the higher the rank.
std::string rank_text(int rank) {
    std::string text;
    for (int i = 0; rank != 1 && i < 7 * rank + 3; ++i) text += static_cast<char>('a' + (i + rank) % 26);
    return text;
}

// Returns whether rank 0 gathers the texts in messages of at most `max_bytes`. Collective.
bool gathers_all_texts(const Communicator& comm, std::size_t max_bytes) {
    const std::vector<std::string> texts = comm.gather(rank_text(comm.rank()), max_bytes);
    if (!comm.is_root()) return texts.empty();
    std::vector<std::string> expected;
    for (int rank = 0; rank < comm.size(); ++rank) expected.push_back(rank_text(rank));
    return texts == expected;
}

enum class Caught { nothing, user_error, other_error };

// Runs `work(rank)` on all ranks and returns the kind of error that this rank catches. Collective.
Caught catch_error(const Communicator& comm, const std::function<void(int)>& work) {
    try {
        popflow::mpi::run_collectively(comm, [&] { work(comm.rank()); });
    } catch (const core::UserError&) {
        return Caught::user_error;
    } catch (const core::Error&) {
        return Caught::other_error;
    }
    return Caught::nothing;
}

// Returns whether an error of some ranks reaches all ranks. An error that is not a UserError takes
// precedence.
bool throws_on_all_ranks(const Communicator& comm) {
    const int last = comm.size() - 1;
    const auto throw_on_last = [&](int rank, const auto& error) {
        if (rank == last) throw error;
    };
    const core::UserError user_error("a wrong value");
    const core::WriteError write_error("F.h5ad", "cannot write: disk full");
    return catch_error(comm, [](int) {}) == Caught::nothing &&
           catch_error(comm, [&](int rank) { throw_on_last(rank, user_error); }) == Caught::user_error &&
           catch_error(comm, [&](int rank) { throw_on_last(rank, write_error); }) == Caught::other_error &&
           catch_error(comm, [&](int rank) {
               throw_on_last(rank, write_error);
               throw core::UserError(user_error);
           }) == Caught::other_error;
}

}  // namespace

int main(int argc, char** argv) {
    popflow::mpi::Session session(argc, argv);
    const Communicator comm = Communicator::world();
    bool passed = true;
    for (const std::size_t max_bytes : {std::size_t{1}, std::size_t{5}, std::size_t{16}, std::size_t{1000}})
        passed = gathers_all_texts(comm, max_bytes) && passed;
    passed = throws_on_all_ranks(comm) && passed;
    std::int64_t failed_ranks[] = {passed ? 0 : 1};
    comm.sum(std::span<std::int64_t>(failed_ranks));
    if (comm.is_root() && failed_ranks[0] > 0)
        std::printf("failed on %lld ranks\n", static_cast<long long>(failed_ranks[0]));
    return session.finish(failed_ranks[0] == 0 ? 0 : 1);
}
