// SPDX-License-Identifier: MIT
#include <algorithm>
#include <csignal>
#include <cstdio>

#include "verbs.hpp"

namespace popflow::apps {

namespace {

volatile std::sig_atomic_t stop_signal = 0;

extern "C" void on_stop_signal(int signal) {
    stop_signal = signal;
}

}  // namespace

bool parse_or_help(const config::OptionTable& table, const std::string& usage, const Arguments& arguments,
                   const std::vector<config::Section>& sections, const dist::Communicator& comm,
                   std::vector<std::string>* positional) {
    if (std::ranges::find(arguments, "--help") != arguments.end()) {
        if (comm.root()) std::printf("usage: popflow %s\n\n%s", usage.c_str(), table.help(sections).c_str());
        return true;
    }
    table.parse(arguments, sections, positional);
    return false;
}

void require(const std::string& value, const std::string& option, const std::string& what) {
    if (value.empty()) throw core::ConfigError(option, "missing; give --" + option + " " + what);
}

void catch_stop_signals() {
    std::signal(SIGTERM, on_stop_signal);
    std::signal(SIGUSR1, on_stop_signal);
}

bool stop_requested() {
    return stop_signal != 0;
}

}  // namespace popflow::apps
