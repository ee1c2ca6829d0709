// SPDX-License-Identifier: MIT
#include "core/folder_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

#include "core/error.hpp"
#include "core/host_name.hpp"
#include "core/stored_file.hpp"
#include "core/text.hpp"

namespace popflow::core {

namespace {

// Clock ticks from the start of the machine to that of a process: tells it from a later one of its number.
std::string start_of_process(long pid) {
    std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
    std::string line;
    std::getline(in, line);
    const auto name_end = line.rfind(')');  // a name may hold spaces
    if (name_end == std::string::npos) return "";
    std::istringstream fields(line.substr(name_end + 1));
    std::string field;
    for (int i = 3; i <= 22; ++i) fields >> field;
    return field;
}

std::string slurm_job() {
    const char* job = std::getenv("SLURM_JOB_ID");
    return job == nullptr ? "" : job;
}

// What the lock file says of who has it; empty fields if it says nothing.
struct Holder {
    std::string host, pid, start, job;

    static Holder read(const std::string& path) {
        std::ifstream in(path);
        std::ostringstream text;
        text << in.rdbuf();
        auto values = key_values(text.str());
        return {values["host"], values["process"], values["started"], values["job"]};
    }
    bool gone() const {
        const long number = std::strtol(pid.c_str(), nullptr, 10);
        if (number <= 0) return false;  // perhaps it is just being written
        if (!job.empty() && job == slurm_job() && (host != host_name() || number != ::getpid())) return true;
        if (host != host_name()) return false;
        if (::kill(static_cast<pid_t>(number), 0) != 0 && errno == ESRCH) return true;
        return start_of_process(number) != start;
    }
    std::string text() const {
        if (pid.empty()) return "another process";
        return "process " + pid + " on " + host + (job.empty() ? "" : " (Slurm job " + job + ")");
    }
};

std::string own_entry() {
    const std::string job = slurm_job();
    return "host = " + host_name() + "\nprocess = " + std::to_string(::getpid()) +
           "\nstarted = " + start_of_process(::getpid()) + "\n" + (job.empty() ? "" : "job = " + job + "\n");
}

bool locks_are_missing(int error) {
    return error == ENOLCK || error == ENOSYS || error == EOPNOTSUPP || error == EINVAL;
}

bool same_file(int fd, const std::string& path) {
    struct stat open_one {};
    struct stat named {};
    return ::fstat(fd, &open_one) == 0 && ::stat(path.c_str(), &named) == 0 &&
           open_one.st_ino == named.st_ino && open_one.st_dev == named.st_dev;
}

}  // namespace

FolderLock::FolderLock(const std::string& folder, std::chrono::milliseconds patience)
    : folder_(folder), path_(folder + "/lock") {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (!try_to_take()) {
        if (std::chrono::steady_clock::now() >= end) {
            throw ConfigError(
                "output", "found the folder '" + folder_ + "' in use by " + Holder::read(path_).text() +
                              ", allowed one training at a time (if that process is gone, remove " + path_ +
                              ")");
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
}

// Takes a lock file whose name counts, `fd` or one in its place; who finds a name other than its own after a
// moment was second.
int FolderLock::take_by_name(int fd) const {
    struct stat status {};
    const bool fresh = ::fstat(fd, &status) == 0 && status.st_size == 0;
    if (!fresh) {
        ::close(fd);
        if (!Holder::read(path_).gone()) return -1;
        ::unlink(path_.c_str());
        fd = ::open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd < 0) return -1;
    }
    const std::string entry = own_entry();
    (void)!::pwrite(fd, entry.data(), entry.size(), 0);
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    const Holder holder = Holder::read(path_);
    if (holder.host == host_name() && holder.pid == std::to_string(::getpid())) return fd;
    ::close(fd);
    return -1;
}

// The holder removes the file while it has it, so a lock counts only on the file that has the name now.
bool FolderLock::try_to_take() {
    fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd_ < 0) fail_to_create(path_, errno);
    if (::flock(fd_, LOCK_EX | LOCK_NB) == 0) {
        if (same_file(fd_, path_)) {
            // A full disk keeps no name, but the lock holds.
            const std::string entry = own_entry();
            if (::ftruncate(fd_, 0) == 0) (void)!::pwrite(fd_, entry.data(), entry.size(), 0);
            return true;
        }
    } else if (locks_are_missing(errno)) {
        fd_ = take_by_name(fd_);
        return fd_ >= 0;
    }
    ::close(std::exchange(fd_, -1));
    return false;
}

FolderLock::~FolderLock() {
    if (same_file(fd_, path_)) ::unlink(path_.c_str());
    ::close(fd_);
}

FolderUse folder_use(const std::string& folder) {
    const std::string path = folder + "/lock";
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return FolderUse::none;
    // Shared and for a moment; who wants the folder then tries again.
    const bool seen = ::flock(fd, LOCK_SH | LOCK_NB) != 0 && !locks_are_missing(errno);
    ::close(fd);
    if (seen) return FolderUse::here;
    const Holder holder = Holder::read(path);
    if (holder.gone()) return FolderUse::none;
    return holder.host == host_name() ? FolderUse::here : FolderUse::elsewhere;
}

}  // namespace popflow::core
