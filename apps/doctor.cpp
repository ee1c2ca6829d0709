// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <omp.h>
#include <sched.h>
#include <sys/statfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <span>
#include <sstream>

#include "core/folder_lock.hpp"
#include "core/host_name.hpp"
#include "core/memory.hpp"
#include "core/stored_file.hpp"
#include "core/text.hpp"
#include "core/version.hpp"
#include "h5/file.hpp"
#include "linalg/gemm.hpp"
#include "linalg/precision.hpp"
#include "verbs.hpp"

namespace popflow::apps {

namespace {

std::string gibibytes(double bytes) {
    return fmt::format("{:.1f} GiB", bytes / (1024.0 * 1024 * 1024));
}

std::string memory_of(const char* key) {
    const std::string value = core::proc_value("/proc/meminfo", key);
    return value.empty() ? "unknown" : gibibytes(1024 * std::strtod(value.c_str(), nullptr));
}

bool threads_are_bound() {
    return omp_get_proc_bind() != omp_proc_bind_false;
}

// Returns the cores on which the threads of this process may run. If OpenMP binds threads, each has its own
// place, so all threads are queried.
std::vector<int> allowed_cores() {
    std::set<int> cores;
    const int bound = threads_are_bound() ? std::min(omp_get_max_threads(), omp_get_num_places()) : 1;
#pragma omp parallel num_threads(std::max(bound, 1))
    {
        cpu_set_t set;
        CPU_ZERO(&set);
        if (::sched_getaffinity(0, sizeof set, &set) != 0) CPU_ZERO(&set);
#pragma omp critical
        for (int core = 0; core < CPU_SETSIZE; ++core) {
            if (CPU_ISSET(core, &set)) cores.insert(core);
        }
    }
    return {cores.begin(), cores.end()};
}

// Formats core numbers as the kernel does, such as 0-3,8.
std::string core_list(const std::vector<int>& cores) {
    std::string text;
    for (std::size_t i = 0; i < cores.size();) {
        std::size_t last = i;
        while (last + 1 < cores.size() && cores[last + 1] == cores[last] + 1) ++last;
        text += (text.empty() ? "" : ",") + std::to_string(cores[i]);
        if (last > i) text += "-" + std::to_string(cores[last]);
        i = last + 1;
    }
    return text.empty() ? "unknown" : text;
}

std::string environment(std::initializer_list<const char*> names) {
    std::string text;
    for (const char* name : names) {
        if (const char* value = std::getenv(name))
            text += (text.empty() ? "" : ", ") + std::string(name) + "=" + value;
    }
    return text.empty() ? "none set" : text;
}

// Describes this rank for rank 0, as lines `key = value`.
std::string describe_rank() {
    const std::vector<int> cores = allowed_cores();
    std::ostringstream out;
    out << "host = " << core::host_name() << "\nthreads = " << omp_get_max_threads()
        << "\nbound = " << (threads_are_bound() ? "yes" : "no") << "\ncores = " << core_list(cores)
        << "\nallowed = " << cores.size() << "\nonline = " << ::sysconf(_SC_NPROCESSORS_ONLN)
        << "\nisa = " << linalg::instruction_set() << "\nbf16 = " << (linalg::cpu_has_bf16() ? "yes" : "no")
        << "\n";
    return out.str();
}

using Rank = std::map<std::string, std::string>;

// Returns a note for each property of the placement of the ranks that makes the program slower.
std::vector<std::string> placement_notes(const std::vector<Rank>& ranks) {
    std::vector<std::string> notes;
    std::map<std::string, std::size_t> threads_of_cores;
    std::map<std::string, std::size_t> allowed;
    bool bf16 = false;
    bool fp32 = false;
    bool unbound = false;
    for (const Rank& rank : ranks) {
        const std::string place = rank.at("host") + ", cores " + rank.at("cores");
        threads_of_cores[place] += std::stoul(rank.at("threads"));
        allowed[place] = std::stoul(rank.at("allowed"));
        (rank.at("bf16") == "yes" ? bf16 : fp32) = true;
        unbound = unbound || (rank.at("bound") == "no" && rank.at("threads") != "1");
    }
    for (const auto& [place, threads] : threads_of_cores) {
        if (threads <= allowed.at(place)) continue;
        notes.push_back(
            fmt::format("{} threads share {} on {}: set OMP_NUM_THREADS, or change the binding of the ranks "
                        "(mpirun --bind-to, srun --cpus-per-task)",
                        threads, core::counted(allowed.at(place), "core"), place));
    }
    if (unbound) {
        notes.emplace_back(
            "threads are not bound, so two may share a core while another core is idle. If each rank has its "
            "own cores, set OMP_PROC_BIND=true and OMP_PLACES=cores");
    }
    if (bf16 && fp32)
        notes.emplace_back("some ranks do not support bf16, so --precision auto uses fp32 on all ranks");
    return notes;
}

// Locks a folder and writes a file into it, as a training does. Returns the error, or an empty text if both
// work.
std::string try_folder(const std::string& folder) {
    const std::string file = folder + "/popflow-doctor";
    std::string fault;
    try {
        const core::FolderLock lock(folder, std::chrono::milliseconds(0));
        core::store_file(file, std::as_bytes(std::span(folder)));
    } catch (const std::exception& error) {
        fault = error.what();
    }
    std::error_code ignored;
    std::filesystem::remove(file, ignored);
    return fault;
}

std::string file_system(const std::string& folder) {
    struct statfs info {};
    if (::statfs(folder.c_str(), &info) != 0) return "unknown file system";
    static const std::map<unsigned long, const char*> names{
        {0xef53, "ext2/3/4"},    {0x58465342, "xfs"},    {0x9123683e, "btrfs"}, {0x01021994, "tmpfs"},
        {0x6969, "nfs"},         {0x0bd00bd0, "lustre"}, {0x47504653, "gpfs"},  {0x19830326, "beegfs"},
        {0x794c7630, "overlay"}, {0xff534d42, "cifs"},   {0xfe534d42, "smb2"},  {0x00c36400, "ceph"},
        {0x2fc12fc1, "zfs"},     {0x65735546, "fuse"},
    };
    const auto at = names.find(static_cast<unsigned long>(info.f_type) & 0xffffffffUL);
    const double free = static_cast<double>(info.f_bavail) * static_cast<double>(info.f_bsize);
    return (at == names.end() ? "another file system" : std::string(at->second)) + ", " + gibibytes(free) +
           " free";
}

void print_line(const char* label, const std::string& text) {
    std::printf("%-9s %s\n", label, text.c_str());
}

}  // namespace

int verb_doctor(const Arguments& arguments, const mpi::Communicator& comm) {
    std::string folder = ".";
    options::OptionTable table;
    table.add({.name = "output",
               .section = options::Section::general,
               .argument = "FOLDER",
               .help = "folder for runs, whose file system is tested",
               .set = [&](const std::vector<std::string>& values) { folder = values.back(); },
               .text = [&] { return std::vector<std::string>{folder}; },
               .stored = false});
    const std::string usage =
        "doctor [--output FOLDER]\n\n"
        "Describes the machine and the placement of the ranks, and tests the folder. Start it like the\n"
        "training, under the same mpirun or srun and in the same job script.";
    if (parse_or_help(table, usage, arguments, {options::Section::general}, comm)) return done;
    std::vector<Rank> ranks;
    for (const std::string& text : comm.gather(describe_rank())) ranks.push_back(core::key_values(text));
    if (!comm.is_root()) return done;

    utsname system{};
    (void)::uname(&system);
    std::set<std::string> hosts;
    for (const Rank& rank : ranks) hosts.insert(rank.at("host"));
    print_line("popflow", std::string(core::version()) + " (" + core::commit() + "), " + core::compiler() +
                              ", " + core::build_type() + " build");
    print_line("system", std::string(system.sysname) + " " + system.release + ", " + system.machine);
    print_line("processor", core::proc_value("/proc/cpuinfo", "model name"));
    const auto group = core::group_memory();
    print_line("memory", memory_of("MemTotal") + ", " + memory_of("MemAvailable") + " available" +
                             (group ? ", limited to " + gibibytes(static_cast<double>(group->limit)) : ""));
    print_line("mpi", mpi::library() + ", " + core::counted(ranks.size(), "rank") + " on " +
                          core::counted(hosts.size(), "host"));
    print_line("files", h5::library());
    print_line("gemm", linalg::gemm_library());
    for (std::size_t r = 0; r < ranks.size(); ++r) {
        const Rank& rank = ranks[r];
        print_line(("rank " + std::to_string(r)).c_str(),
                   rank.at("host") + ", " + core::counted(std::stoul(rank.at("threads")), "thread") +
                       " on cores " + rank.at("cores") + " of " + rank.at("online") + ", " + rank.at("isa") +
                       ", bf16 " + rank.at("bf16"));
    }
    print_line("threads", environment({"OMP_NUM_THREADS", "OMP_PROC_BIND", "OMP_PLACES", "OMP_WAIT_POLICY",
                                       "OMP_THREAD_LIMIT", "ONEDNN_MAX_CPU_ISA"}));
    print_line("slurm", environment({"SLURM_JOB_ID", "SLURM_NTASKS", "SLURM_CPUS_PER_TASK", "SLURM_NNODES",
                                     "SLURM_MEM_PER_NODE", "SLURM_MPI_TYPE"}));
    const std::string fault = try_folder(folder);
    print_line("folder", std::filesystem::absolute(folder).lexically_normal().string() + ", " +
                             file_system(folder) + "; lock, write, sync and rename " +
                             (fault.empty() ? "work" : "FAIL"));
    for (const std::string& note : placement_notes(ranks)) print_line("note", note);
    if (!fault.empty()) print_line("note", fault);
    return fault.empty() ? done : failed;
}

}  // namespace popflow::apps
