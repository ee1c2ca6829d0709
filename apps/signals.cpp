// SPDX-License-Identifier: MIT
#include "signals.hpp"

#include <signal.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "console.hpp"

namespace popflow::apps {

namespace {

sigset_t stop_signals() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGUSR1);
    return set;
}

bool interrupt_is_blocked = false;
std::atomic<bool> interrupted{false};

}  // namespace

void block_stop_signals() {
    sigset_t set = stop_signals();
    struct sigaction interrupt {};
    sigaction(SIGINT, nullptr, &interrupt);
    // A shell ignores SIGINT for commands that a script starts with &.
    interrupt_is_blocked = interrupt.sa_handler != SIG_IGN;
    if (interrupt_is_blocked) sigaddset(&set, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

void watch_for_interrupt() {
    if (!interrupt_is_blocked) return;
    std::thread([] {
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGINT);
        int signal = 0;
        sigwait(&set, &signal);
        interrupted = true;
        sigwait(&set, &signal);
        std::signal(SIGINT, SIG_DFL);
        pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
        std::raise(SIGINT);
    }).detach();
}

bool stop_requested() {
    if (console() != nullptr) return console()->should_stop();
    static bool requested = false;
    const sigset_t set = stop_signals();
    const timespec at_once{};
    while (sigtimedwait(&set, nullptr, &at_once) > 0) requested = true;
    return requested || interrupted;
}

}  // namespace popflow::apps
