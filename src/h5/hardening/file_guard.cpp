// SPDX-License-Identifier: MIT
#include "h5/hardening/file_guard.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <vector>

#include "core/error.hpp"
#include "h5/hardening/validation.hpp"

#if defined(__SANITIZE_ADDRESS__)
#define POPFLOW_ADDRESS_SANITIZER
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POPFLOW_ADDRESS_SANITIZER
#endif
#endif

namespace popflow::h5 {

namespace {

// open_file() is called from deep inside the readers, which know nothing of how the program began.
FileGuard* current_guard = nullptr;

constexpr std::size_t longest_message = 64 << 10;
// First byte of an answer: the file is sound, or what is wrong with it follows.
constexpr char sound = '+';
constexpr char damaged = '-';

std::string receive(int socket) {
    std::vector<char> buffer(longest_message);
    while (true) {
        const ssize_t size = ::recv(socket, buffer.data(), buffer.size(), 0);
        if (size >= 0) return {buffer.data(), static_cast<std::size_t>(size)};
        if (errno != EINTR) return {};
    }
}

bool transmit(int socket, const std::string& message) {
    const std::size_t size = std::min(message.size(), longest_message);
    while (true) {
        const ssize_t sent = ::send(socket, message.data(), size, MSG_NOSIGNAL);
        if (sent >= 0) return true;
        if (errno != EINTR) return false;
    }
}

int wait_for(pid_t process) {
    int status = 0;
    while (::waitpid(process, &status, 0) < 0) {
        if (errno != EINTR) return -1;
    }
    return status;
}

// What a trial may take. Honest files need milliseconds, and the memory of one block and some chunks.
void limit_resources(const std::string& path, std::chrono::milliseconds cpu_limit) {
    struct stat file {};
    (void)::stat(path.c_str(), &file);
    const auto bytes = static_cast<rlim_t>(std::max<off_t>(0, file.st_size));
    const rlim_t milliseconds = static_cast<rlim_t>(cpu_limit.count()) + bytes / 8192;
    itimerval timer{};  // of processor time; its signal ends a process that has not asked for it
    timer.it_value.tv_sec = static_cast<time_t>(milliseconds / 1000);
    timer.it_value.tv_usec = static_cast<suseconds_t>(milliseconds % 1000 * 1000);
    (void)::setitimer(ITIMER_PROF, &timer, nullptr);
    sigset_t end;
    sigemptyset(&end);
    sigaddset(&end, SIGPROF);
    ::sigprocmask(SIG_UNBLOCK, &end, nullptr);
#ifdef POPFLOW_ADDRESS_SANITIZER
    return;  // which keeps freed memory
#endif
    unsigned long pages = 0;
    if (std::FILE* statm = std::fopen("/proc/self/statm", "r")) {
        if (std::fscanf(statm, "%lu", &pages) != 1) pages = 0;
        std::fclose(statm);
    }
    if (pages > 0) {
        const rlim_t most = static_cast<rlim_t>(pages) * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE)) +
                            (rlim_t{14} << 20) + 4 * bytes;
        const rlimit memory{most, RLIM_INFINITY};
        (void)::setrlimit(RLIMIT_AS, &memory);
    }
    const rlimit none{0, 0};
    (void)::setrlimit(RLIMIT_CORE, &none);
}

// Room for the largest chunk met so far, not for each.
void grow_limit(std::size_t bytes) {
    static std::size_t granted = 0;
    rlimit memory{};
    if (bytes <= granted || ::getrlimit(RLIMIT_AS, &memory) != 0 || memory.rlim_cur == RLIM_INFINITY) return;
    memory.rlim_cur += bytes - granted;
    granted = bytes;
    (void)::setrlimit(RLIMIT_AS, &memory);
}

std::string answer_of(char kind, const std::string& text) {
    return kind + text;
}

/// A path and the members to be left out.
std::vector<std::string> parts_of(const std::string& request) {
    std::vector<std::string> parts;
    for (std::size_t begin = 0; begin <= request.size();) {
        const std::size_t end = std::min(request.find('\0', begin), request.size());
        parts.push_back(request.substr(begin, end - begin));
        begin = end + 1;
    }
    return parts;
}

[[noreturn]] void try_file(const std::vector<std::string>& request, int socket,
                           std::chrono::milliseconds cpu_limit) {
    limit_resources(request.front(), cpu_limit);
    try {
        const std::string problem =
            validate_file(request.front(), {request.begin() + 1, request.end()}, grow_limit);
        (void)transmit(socket,
                       problem.empty() ? answer_of(sound, "") : answer_of(damaged, "is damaged: " + problem));
    } catch (const std::exception&) {
        (void)transmit(socket,
                       answer_of(damaged, "is damaged: it asks for far more memory than it has content"));
    }
    ::_exit(0);
}

std::string why_ended(int status) {
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGPROF) return "is damaged: reading it comes to no end";
    return "is damaged: reading it crashes the HDF5 library";
}

// Serves the other end of a socket until it is closed.
[[noreturn]] void serve(int socket, std::chrono::milliseconds cpu_limit) {
    while (true) {
        const std::string request = receive(socket);
        if (request.empty()) ::_exit(0);
        std::array<int, 2> pair{-1, -1};
        std::string answer;
        int status = 0;
        if (::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair.data()) == 0) {
            const pid_t trial = ::fork();
            if (trial == 0) try_file(parts_of(request), pair[1], cpu_limit);
            ::close(pair[1]);
            if (trial > 0) {
                answer = receive(pair[0]);
                status = wait_for(trial);
            }
            ::close(pair[0]);
            if (answer.empty() && trial > 0) answer = answer_of(damaged, why_ended(status));
        }
        if (answer.empty()) ::_exit(1);  // no process to be had: check() says that the guard is gone
        if (!transmit(socket, answer)) ::_exit(0);
    }
}

// Nothing of the program may wait for the guard: not a pipe that it would hold open, not a signal that it
// takes.
void detach(int socket) {
    sigset_t all;
    sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, nullptr);
    if (DIR* folder = ::opendir("/proc/self/fd")) {
        std::vector<int> open;
        while (const dirent* entry = ::readdir(folder)) {
            const int fd = std::atoi(entry->d_name);
            if (fd > 2 && fd != socket && fd != ::dirfd(folder)) open.push_back(fd);
        }
        ::closedir(folder);
        for (const int fd : open) ::close(fd);
    }
    const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    if (nothing < 0) ::_exit(1);
    for (int fd = 0; fd <= 2; ++fd) ::dup2(nothing, fd);
    if (nothing > 2) ::close(nothing);
}

}  // namespace

FileGuard* FileGuard::current() {
    return current_guard;
}

FileGuard::FileGuard(std::chrono::milliseconds cpu_limit) {
    if (current_guard != nullptr) throw core::Error("there is a file guard already");
    std::array<int, 2> pair{-1, -1};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()) != 0) {
        throw core::Error(std::string("cannot start the file guard: ") + std::strerror(errno));
    }
    std::fflush(nullptr);  // or the child would have a copy of what waits to be printed
    const pid_t child = ::fork();
    if (child == 0) {
        ::close(pair[0]);
        (void)::prctl(PR_SET_NAME, "popflow-guard");
        detach(pair[1]);
        serve(pair[1], cpu_limit);
    }
    ::close(pair[1]);
    if (child < 0) {
        ::close(pair[0]);
        throw core::Error(std::string("cannot start the file guard: ") + std::strerror(errno));
    }
    socket_ = pair[0];
    process_ = child;
    current_guard = this;
}

FileGuard::~FileGuard() {
    current_guard = nullptr;
    ::close(socket_);
    (void)wait_for(process_);
}

void FileGuard::check(const std::string& path, const std::vector<std::string>& skipped) {
    struct stat file {};
    if (::stat(path.c_str(), &file) != 0) return;  // open_file() says why
    // The guard stays in the folder that the program began in.
    std::array<char, PATH_MAX> absolute{};
    std::string request = ::realpath(path.c_str(), absolute.data()) != nullptr ? absolute.data() : path;
    for (const std::string& name : skipped) request += '\0' + name;
    const Identity identity{request,      file.st_dev,         file.st_ino,
                            file.st_size, file.st_mtim.tv_sec, file.st_mtim.tv_nsec};
    if (sound_.contains(identity)) return;
    std::string answer;
    if (transmit(socket_, request)) answer = receive(socket_);
    if (answer.empty()) throw core::Error(path + ": the process that tries files has ended");
    if (answer.front() != sound) throw core::DataError(path, "", answer.substr(1));
    sound_.insert(identity);
}

}  // namespace popflow::h5
