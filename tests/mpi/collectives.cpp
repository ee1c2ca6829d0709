// SPDX-License-Identifier: MIT
// Exits 1 unless rank 0 has the texts of all ranks, however little comes at a time, and all ranks leave work
// that fails on some of them, with the kind of error that it is.
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

// None of rank 1, longer the higher the rank.
std::string text_of(int rank) {
    std::string text;
    for (int i = 0; rank != 1 && i < 7 * rank + 3; ++i) text += static_cast<char>('a' + (i + rank) % 26);
    return text;
}

bool gathers(const Communicator& comm, std::size_t most) {
    const std::vector<std::string> texts = comm.gather(text_of(comm.rank()), most);
    if (!comm.is_root()) return texts.empty();
    std::vector<std::string> expected;
    for (int rank = 0; rank < comm.size(); ++rank) expected.push_back(text_of(rank));
    return texts == expected;
}

enum class Met { nothing, users, failure };

Met met(const Communicator& comm, const std::function<void(int)>& work) {
    try {
        popflow::mpi::run_collectively(comm, [&] { work(comm.rank()); });
    } catch (const core::UserError&) {
        return Met::users;
    } catch (const core::Error&) {
        return Met::failure;
    }
    return Met::nothing;
}

bool fails_together(const Communicator& comm) {
    const int last = comm.size() - 1;
    const auto on_last = [&](int rank, const auto& error) {
        if (rank == last) throw error;
    };
    const core::UserError users("a wrong value");
    const core::WriteError failure("F.h5ad", "cannot write: disk full");
    return met(comm, [](int) {}) == Met::nothing &&
           met(comm, [&](int rank) { on_last(rank, users); }) == Met::users &&
           met(comm, [&](int rank) { on_last(rank, failure); }) == Met::failure &&
           met(comm, [&](int rank) {
               on_last(rank, failure);
               throw core::UserError(users);
           }) == Met::failure;
}

}  // namespace

int main(int argc, char** argv) {
    popflow::mpi::Session session(argc, argv);
    const Communicator comm = Communicator::world();
    bool good = true;
    for (const std::size_t most : {std::size_t{1}, std::size_t{5}, std::size_t{16}, std::size_t{1000}})
        good = gathers(comm, most) && good;
    good = fails_together(comm) && good;
    std::int64_t bad[] = {good ? 0 : 1};
    comm.sum(std::span<std::int64_t>(bad));
    if (comm.is_root() && bad[0] > 0) std::printf("failed on %lld ranks\n", static_cast<long long>(bad[0]));
    return session.finish(bad[0] == 0 ? 0 : 1);
}
