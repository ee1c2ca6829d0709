// SPDX-License-Identifier: MIT
#include "mpi/same_on_all_ranks.hpp"

#include <sstream>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "core/host_name.hpp"
#include "core/version.hpp"

namespace popflow::mpi {

namespace {

// Returns the first line of each text that differs from the other text.
std::pair<std::string, std::string> differing_lines(const std::string& a, const std::string& b) {
    std::istringstream in_a(a);
    std::istringstream in_b(b);
    std::string line_a;
    std::string line_b;
    do {
        line_a.clear();
        line_b.clear();
        std::getline(in_a, line_a);
        std::getline(in_b, line_b);
    } while (line_a == line_b && (in_a || in_b));
    return {line_a, line_b};
}

}  // namespace

void check_same_on_all_ranks(const Communicator& comm, const std::string& what, const std::string& text) {
    if (comm.size() == 1) return;
    const std::vector<std::string> texts = comm.gather(text);
    const std::vector<std::string> hosts = comm.gather(core::host_name());
    for (std::size_t r = 1; r < texts.size(); ++r) {
        if (texts[r] == texts[0]) continue;
        const auto [theirs, ours] = differing_lines(texts[r], texts[0]);
        throw core::Error("the ranks do not have the same " + what + ": rank " + std::to_string(r) + " on " +
                          hosts[r] + " has `" + theirs + "`, rank 0 on " + hosts[0] + " has `" + ours + "`");
    }
}

void check_same_program(const Communicator& comm) {
    check_same_on_all_ranks(comm, "program",
                            std::string("popflow ") + core::version() + " (" + core::commit() + "), " +
                                core::compiler() + ", " + core::build_type());
}

}  // namespace popflow::mpi
