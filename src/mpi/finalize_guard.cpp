// SPDX-License-Identifier: MIT
#include "mpi/finalize_guard.hpp"

#include <signal.h>
#include <unistd.h>

#include <array>
#include <string_view>

namespace popflow::mpi {

namespace {

constexpr std::array<int, 5> crash_signals{SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
volatile sig_atomic_t exit_code = 0;

// Async-signal-safe: the heap and stdio may be what crashed.
void end_process(int) {
    constexpr std::string_view message =
        "popflow: note: the MPI library crashed in MPI_Finalize, after all ranks had completed their work; "
        "the exit code is that of the work\n";
    [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, message.data(), message.size());
    ::_exit(exit_code);
}

void set_action(void (*action)(int)) {
    struct sigaction change {};
    change.sa_handler = action;
    for (const int signal : crash_signals) sigaction(signal, &change, nullptr);
}

}  // namespace

FinalizeGuard::FinalizeGuard(int code) {
    exit_code = code;
    set_action(end_process);
}

FinalizeGuard::~FinalizeGuard() {
    set_action(SIG_DFL);
}

}  // namespace popflow::mpi
