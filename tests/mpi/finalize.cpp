// SPDX-License-Identifier: MIT
// Crashes on purpose before, inside or during MPI_Finalize, see finalize.sh.
// Usage: finalize WHERE SIGNAL RANK CODE [CODE OF RANK 1]
//   WHERE   before: ahead of Session::finish(); inside: at the end of MPI_Finalize; thread: there, in another
//   thread;
//           none: nowhere
//   RANK    rank that crashes, or -1 for all
#include <mpi.h>

#include <csignal>
#include <cstdlib>
#include <string>
#include <thread>

#include "mpi/communicator.hpp"

namespace {

std::string place = "none";
int signal_number = SIGSEGV;
bool crashes_here = false;

void crash() {
    if (signal_number == SIGABRT) std::abort();
    std::raise(signal_number);
}

}  // namespace

// Replaces the function of the MPI library, which has the same function under the name PMPI_Finalize.
extern "C" int MPI_Finalize() {
    const int result = PMPI_Finalize();
    if (crashes_here && place == "inside") crash();
    if (crashes_here && place == "thread") std::thread(crash).join();
    return result;
}

int main(int argc, char** argv) {
    popflow::mpi::Session session(argc, argv);
    if (argc < 5) return session.finish(2);
    const popflow::mpi::Communicator comm = popflow::mpi::Communicator::world();
    place = argv[1];
    signal_number = std::atoi(argv[2]);
    const int rank = std::atoi(argv[3]);
    crashes_here = rank == comm.rank() || rank == -1;
    const int code = std::atoi(argv[argc > 5 && comm.rank() == 1 ? 5 : 4]);
    if (crashes_here && place == "before") crash();
    return session.finish(code);
}
