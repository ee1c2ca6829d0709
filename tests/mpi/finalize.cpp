// SPDX-License-Identifier: MIT
// Crashes on purpose before, inside or during MPI_Finalize, see finalize.sh.
// Usage: finalize WHERE SIGNAL RANK CODE [CODE OF RANK 1]
//   WHERE   before   before Session::finish()
//           inside   at the end of MPI_Finalize
//           thread   at the end of MPI_Finalize, in another thread
//           none     no crash
//   SIGNAL  number of the signal that ends the process
//   RANK    rank that crashes, or -1 for all
//   CODE    exit code that the ranks pass to Session::finish()
#include <mpi.h>

#include <csignal>
#include <cstdlib>
#include <string>
#include <thread>

#include "mpi/communicator.hpp"

namespace {

std::string crash_place = "none";
int signal_number = SIGSEGV;
bool should_crash = false;

void crash() {
    if (signal_number == SIGABRT) std::abort();
    std::raise(signal_number);
}

}  // namespace

// Replaces MPI_Finalize of the MPI library, which provides the same function as PMPI_Finalize.
extern "C" int MPI_Finalize() {
    const int result = PMPI_Finalize();
    if (should_crash && crash_place == "inside") crash();
    if (should_crash && crash_place == "thread") std::thread(crash).join();
    return result;
}

int main(int argc, char** argv) {
    popflow::mpi::Session session(argc, argv);
    if (argc < 5) return session.finish(2);
    const popflow::mpi::Communicator comm = popflow::mpi::Communicator::world();
    crash_place = argv[1];
    signal_number = std::atoi(argv[2]);
    const int rank = std::atoi(argv[3]);
    should_crash = rank == comm.rank() || rank == -1;
    const int code = std::atoi(argv[argc > 5 && comm.rank() == 1 ? 5 : 4]);
    if (should_crash && crash_place == "before") crash();
    return session.finish(code);
}
