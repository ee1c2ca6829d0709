// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <functional>
#include <new>
#include <optional>
#include <system_error>
#include <thread>

#include "core/host_name.hpp"
#include "core/text.hpp"
#include "core/utf8.hpp"
#include "core/version.hpp"
#include "h5/hardening/file_guard.hpp"
#include "linalg/gemm.hpp"
#include "mpi/same_on_all_ranks.hpp"
#include "reference.hpp"
#include "signals.hpp"
#include "verbs.hpp"

namespace apps = popflow::apps;
namespace core = popflow::core;
namespace mpi = popflow::mpi;
namespace h5 = popflow::h5;

namespace {

using apps::Verb;

const Verb verbs[] = {
    {"run", "train, evaluate and print the table, from one configuration", apps::verb_run, true},
    {"train", "train a model and store it in a run folder", apps::verb_train, true},
    {"evaluate", "score a trained model and the baselines on held-out pairs", apps::verb_evaluate, true},
    {"predict", "predict treated cells from control cells", apps::verb_predict},
    {"ot", "solve many optimal transport problems", apps::verb_ot, true},
    {"report", "print the table of one or more result files", apps::verb_report},
    {"inspect", "show the contents of a data file: populations, pairs, splits, dropped rows and reasons",
     apps::verb_inspect},
    {"doctor", "describe the machine as the program sees it, for bug reports", apps::verb_doctor},
    {"import", "convert FCS files, tables of cells or images to a data file", apps::verb_import},
    {"export", "write the pixels of a data file as images", apps::verb_export},
    {"metrics", "compute the scores between two files of cells", apps::verb_metrics},
    {"simulate", "write simulated data: a screen, letters, shapes, images, supply and demand",
     apps::verb_simulate},
};

void print_usage(std::FILE* out) {
    std::fprintf(out, "usage: popflow VERB [options]\n\n");
    for (const Verb& verb : verbs) std::fprintf(out, "  %-10s %s\n", verb.name, verb.summary);
    std::fprintf(
        out,
        "\nEvery verb runs as one process, or on any number of ranks under mpirun or srun. The results are "
        "the same.\n"
        "popflow help VERB lists the options of a verb. popflow --version prints the version.\n");
}

const Verb* find_verb(const std::string& name) {
    for (const Verb& verb : verbs) {
        if (name == verb.name) return &verb;
    }
    return nullptr;
}

std::string unknown_verb(const std::string& name) {
    std::vector<std::string> known;
    for (const Verb& verb : verbs) known.emplace_back(verb.name);
    return "unknown verb '" + name + "'" + core::did_you_mean(name, known) +
           ". popflow --help lists the verbs";
}

// Prints an error and ends all ranks. Most errors occur on all ranks, and rank 0 reports them. Another rank
// waits two seconds, within which rank 0 ends the run. It reports its error only if rank 0 does not have it.
int fail(const mpi::Communicator& comm, int code, std::string message) {
    message = core::printable(message);  // labels of the data may contain line breaks
    if (comm.rank() > 0) std::this_thread::sleep_for(std::chrono::seconds(2));
    const std::string who =
        comm.rank() == 0 ? "" : fmt::format("rank {} on {}: ", comm.rank(), core::host_name());
    std::fprintf(stderr, "popflow: %s%s\n", who.c_str(), message.c_str());
    std::fflush(stderr);
    if (comm.size() > 1) mpi::abort(code);
    return code;
}

int run_verb(const Verb& verb, const apps::Arguments& arguments, const mpi::Communicator& comm) {
    try {
        mpi::check_same_program(comm);
        return verb.run(arguments, comm);
    } catch (const core::UserError& error) {
        return fail(comm, apps::bad_input, error.what());
    } catch (const std::bad_alloc&) {
        return fail(comm, apps::failed, "out of memory");
    } catch (const std::exception& error) {
        return fail(comm, apps::failed, error.what());
    }
}

int run_program(int argc, char** argv) {
    std::string name = argc > 1 ? argv[1] : "";
    if (name == "--version") {
        std::printf("popflow %s (%s), %s, %s build, %s, %d threads\n", core::version(), core::commit(),
                    core::compiler(), core::build_type(), popflow::linalg::gemm_library(),
                    omp_get_max_threads());
        return apps::done;
    }
    if (name == "help" && argc == 3 && apps::is_listing(argv[2])) {
        mpi::Session session(argc, argv);
        apps::print_reference(argv[2], verbs, mpi::Communicator::world());
        return session.finish(apps::done);
    }
    if (name == "--help" || name == "-h" || (name == "help" && argc == 2)) {
        print_usage(stdout);
        return apps::done;
    }
    const bool help = name == "help";  // `help VERB` is the same as `VERB --help`
    if (help) {
        name = argv[2];
        ++argv;
        --argc;
    }
    const Verb* verb = find_verb(name);
    if (verb == nullptr) {
        if (name.empty()) {
            print_usage(stderr);
            return apps::bad_input;
        }
        const mpi::Session session(argc, argv);
        return fail(mpi::Communicator::world(), apps::bad_input, unknown_verb(name));
    }
    std::signal(SIGXFSZ, SIG_IGN);  // a write above the limit on file sizes then fails with an error
    if (verb->stops_on_signal) apps::block_stop_signals();
    std::optional<h5::FileGuard> guard;  // forks, so it must precede MPI and threads
    if (h5::FileGuard::can_start()) guard.emplace();
    if (verb->stops_on_signal) apps::watch_for_interrupt();
    mpi::Session session(argc, argv);
    const mpi::Communicator comm = mpi::Communicator::world();
    if (!guard && comm.rank() == 0)
        std::fprintf(
            stderr,
            "popflow: warning: a damaged file may crash the program: there is no file guard, because "
            "a library (LD_PRELOAD?) started a thread before it\n");
    apps::Arguments arguments(argv + 2, argv + argc);
    if (help) arguments.emplace_back("--help");
    return session.finish(run_verb(*verb, arguments, comm));
}

// Returns the exit code, or `failed` if the output could not be written, as on a full disk.
int with_written_output(int code) {
    errno = 0;
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
    std::fprintf(stderr, "popflow: standard output: cannot write%s%s\n", errno == 0 ? "" : ": ",
                 errno == 0 ? "" : std::generic_category().message(errno).c_str());
    return code == apps::done ? apps::failed : code;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return with_written_output(run_program(argc, argv));
    } catch (const std::exception& error) {  // before MPI is initialised
        std::fprintf(stderr, "popflow: %s\n", core::printable(error.what()).c_str());
        return apps::failed;
    }
}
