// SPDX-License-Identifier: MIT
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "reference.hpp"
#include "verbs.hpp"

namespace popflow::apps {

namespace {

// Line width of --help: the width of the terminal, limited to 40 to 120, or 100 without a terminal.
std::size_t help_width() {
    winsize size{};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 100;
    return std::clamp<std::size_t>(size.ws_col, 40, 120);
}

}  // namespace

bool asks_for_help(const Arguments& arguments) {
    return std::ranges::any_of(arguments, [](const std::string& a) { return a == "--help" || a == "-h"; });
}

bool parse_or_help(const options::OptionTable& table, const std::string& usage, const Arguments& arguments,
                   const std::vector<options::Section>& sections, const mpi::Communicator& comm,
                   std::vector<std::string>* positional) {
    if (asks_for_help(arguments)) {
        if (comm.is_root())
            std::printf("usage: popflow %s\n\n%s", usage.c_str(), table.help(sections, help_width()).c_str());
        return true;
    }
    if (arguments.size() == 1 && is_listing(arguments[0])) {
        if (comm.is_root()) print_listing(arguments[0], usage, table, sections);
        return true;
    }
    table.parse(arguments, sections, positional);
    return false;
}

void refuse_option(const Arguments& arguments, const std::string& option, const std::string& why) {
    const bool is_given = std::ranges::any_of(arguments, [&](const std::string& argument) {
        return argument == "--" + option || argument.starts_with("--" + option + "=");
    });
    if (is_given) throw core::ConfigError(option, why);
}

void require(const std::string& value, const std::string& option, const std::string& example) {
    if (value.empty()) throw core::ConfigError(option, "missing. Give --" + option + " " + example);
}

}  // namespace popflow::apps
