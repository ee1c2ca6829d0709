// SPDX-License-Identifier: MIT
#include "same_on_all_ranks.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>
#include <vector>

#include "core/digest.hpp"
#include "core/error.hpp"
#include "core/host_name.hpp"
#include "core/version.hpp"

namespace popflow::apps {

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

void check_same_on_all_ranks(const mpi::Communicator& comm, const std::string& what,
                             const std::string& text) {
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

void check_same_program(const mpi::Communicator& comm) {
    check_same_on_all_ranks(comm, "program",
                            std::string("popflow ") + core::version() + " (" + core::commit() + "), " +
                                core::compiler() + ", " + core::build_type());
}

std::string file_sample(const std::string& path) {
    constexpr std::uint64_t blocks = 64;
    std::vector<char> block(4096);
    std::ifstream in(path, std::ios::binary);
    in.seekg(0, std::ios::end);
    const std::streamoff length = in.tellg();
    if (!in || length < 0)
        throw core::DataError(path, "", "cannot open: " + std::generic_category().message(errno));
    core::Digest digest;
    for (std::uint64_t b = 0; b < blocks; ++b) {
        in.clear();
        in.seekg(static_cast<std::streamoff>(static_cast<double>(length) * static_cast<double>(b) / blocks));
        in.read(block.data(), static_cast<std::streamsize>(block.size()));
        digest.add(std::string_view(block.data(), static_cast<std::size_t>(in.gcount())));
    }
    return std::to_string(length) + " bytes, digest " + digest.text();
}

screen::Screen open_same_screen(const mpi::Communicator& comm, const std::string& path,
                                const std::function<screen::Screen()>& open) {
    if (comm.size() > 1) check_same_on_all_ranks(comm, "data file " + path, file_sample(path));
    screen::Screen screen = open();
    check_same_on_all_ranks(comm, "data file " + path, screen.fingerprint);
    return screen;
}

std::string file_stamp(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return "";
    return std::to_string(status.st_size) + " " + std::to_string(status.st_mtim.tv_sec) + "." +
           std::to_string(status.st_mtim.tv_nsec);
}

}  // namespace popflow::apps
