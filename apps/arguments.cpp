// SPDX-License-Identifier: MIT
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <thread>

#include "reference.hpp"
#include "verbs.hpp"

namespace popflow::apps {

namespace {

sigset_t stop_signals() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGUSR1);
    return set;
}

bool holds_interrupt = false;
std::atomic<bool> interrupted{false};

// Of a line of --help: as wide as the terminal, within what is pleasant to read.
std::size_t help_width() {
    winsize size{};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 100;
    return std::clamp<std::size_t>(size.ws_col, 40, 120);
}

}  // namespace

bool asks_for_help(const Arguments& arguments) {
    return std::ranges::any_of(arguments, [](const std::string& a) { return a == "--help" || a == "-h"; });
}

bool parse_or_help(const config::OptionTable& table, const std::string& usage, const Arguments& arguments,
                   const std::vector<config::Section>& sections, const dist::Communicator& comm,
                   std::vector<std::string>* positional) {
    if (asks_for_help(arguments)) {
        if (comm.root())
            std::printf("usage: popflow %s\n\n%s", usage.c_str(), table.help(sections, help_width()).c_str());
        return true;
    }
    if (arguments.size() == 1 && is_listing(arguments[0])) {
        if (comm.root()) print_listing(arguments[0], usage, table, sections);
        return true;
    }
    table.parse(arguments, sections, positional);
    return false;
}

void require(const std::string& value, const std::string& option, const std::string& what) {
    if (value.empty()) throw core::ConfigError(option, "missing; give --" + option + " " + what);
}

void hold_stop_signals() {
    sigset_t set = stop_signals();
    struct sigaction interrupt {};
    sigaction(SIGINT, nullptr, &interrupt);
    holds_interrupt = interrupt.sa_handler != SIG_IGN;  // as a shell has it for what a script starts with &
    if (holds_interrupt) sigaddset(&set, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

void watch_for_interrupt() {
    if (!holds_interrupt) return;
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
    static bool requested = false;
    const sigset_t set = stop_signals();
    const timespec at_once{};
    while (sigtimedwait(&set, nullptr, &at_once) > 0) requested = true;
    return requested || interrupted;
}

}  // namespace popflow::apps
