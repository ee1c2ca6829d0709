// SPDX-License-Identifier: MIT
#include "core/folder_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
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

// Returns the start time of a process in clock ticks since boot. It distinguishes the process from a later
// one with the same id. Returns an empty text if there is no such process.
std::string start_of_process(long pid) {
    std::ifstream in(fmt::format("/proc/{}/stat", pid));
    std::string line;
    std::getline(in, line);
    const auto name_end = line.rfind(')');  // a process name may contain spaces
    if (name_end == std::string::npos) return "";
    std::istringstream fields(line.substr(name_end + 1));
    std::string field;
    // The start time is field 22, and the name is field 2 (proc(5)).
    for (int i = 3; i <= 22; ++i) fields >> field;
    return field;
}

std::string slurm_job() {
    const char* job = std::getenv("SLURM_JOB_ID");
    return job == nullptr ? "" : job;
}

// Entry of a lock file: the process that holds the lock. Fields that the file does not have are empty.
struct Holder {
    std::string host, pid, start, job;

    static Holder read(const std::string& path) {
        auto values = key_values(file_contents(path).value_or(""));
        return {values["host"], values["process"], values["started"], values["job"]};
    }
    bool is_stale() const {
        const long number = std::strtol(pid.c_str(), nullptr, 10);
        if (number <= 0) return false;  // the holder may be about to write its entry
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
    return fmt::format("host = {}\nprocess = {}\nstarted = {}\n", host_name(), ::getpid(),
                       start_of_process(::getpid())) +
           (job.empty() ? "" : "job = " + job + "\n");
}

bool is_lock_unsupported(int error) {
    return error == ENOLCK || error == ENOSYS || error == EOPNOTSUPP || error == EINVAL;
}

bool is_same_file(int fd, const std::string& path) {
    struct stat opened {};
    struct stat named {};
    return ::fstat(fd, &opened) == 0 && ::stat(path.c_str(), &named) == 0 && opened.st_ino == named.st_ino &&
           opened.st_dev == named.st_dev;
}

}  // namespace

FolderLock::FolderLock(const std::string& folder, std::chrono::milliseconds time_limit)
    : folder_(folder), path_(folder + "/lock") {
    const auto end = std::chrono::steady_clock::now() + time_limit;
    while (!try_lock()) {
        if (std::chrono::steady_clock::now() >= end) {
            throw ConfigError("output", "the folder '" + folder_ + "' is in use by " +
                                            Holder::read(path_).text() +
                                            ". Wait until it ends or choose another folder. If that process "
                                            "no longer exists, remove " +
                                            path_);
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
}

// Takes the lock on a file system without flock, by writing an entry to the file `fd` or to a new one that
// replaces it. Reads the entry again after a moment: if it names another process, that process won the race.
// Returns the descriptor of the held file, or -1.
int FolderLock::lock_by_entry(int fd) const {
    struct stat status {};
    const bool is_empty = ::fstat(fd, &status) == 0 && status.st_size == 0;
    if (!is_empty) {
        ::close(fd);
        if (!Holder::read(path_).is_stale()) return -1;
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

// Tries to take the lock once. The holder unlinks the file before it releases the lock, so a lock counts only
// if the path still refers to the locked file.
bool FolderLock::try_lock() {
    fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd_ < 0) fail_to_create(path_, errno);
    if (::flock(fd_, LOCK_EX | LOCK_NB) == 0) {
        if (is_same_file(fd_, path_)) {
            // Errors are ignored: on a full disk there is no entry, but the flock holds.
            const std::string entry = own_entry();
            if (::ftruncate(fd_, 0) == 0) (void)!::pwrite(fd_, entry.data(), entry.size(), 0);
            return true;
        }
    } else if (is_lock_unsupported(errno)) {
        fd_ = lock_by_entry(fd_);
        return fd_ >= 0;
    }
    ::close(std::exchange(fd_, -1));
    return false;
}

FolderLock::~FolderLock() {
    if (is_same_file(fd_, path_)) ::unlink(path_.c_str());
    ::close(fd_);
}

FolderUse folder_use(const std::string& folder) {
    const std::string path = folder + "/lock";
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return FolderUse::none;
    // Probes with a shared lock that is released at once. A process that wants the lock just then retries.
    const bool is_locked = ::flock(fd, LOCK_SH | LOCK_NB) != 0 && !is_lock_unsupported(errno);
    ::close(fd);
    if (is_locked) return FolderUse::here;
    const Holder holder = Holder::read(path);
    if (holder.is_stale()) return FolderUse::none;
    return holder.host == host_name() ? FolderUse::here : FolderUse::elsewhere;
}

}  // namespace popflow::core
