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
#if defined(__SANITIZE_THREAD__)
#define POPFLOW_THREAD_SANITIZER
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define POPFLOW_THREAD_SANITIZER
#endif
#endif

namespace popflow::h5 {

namespace {

// Global, because open_file() is called deep inside the readers, which have no access to the guard object.
FileGuard* current_guard = nullptr;
// Whether this process is a guard or a child of one.
bool is_guard_process = false;

constexpr std::size_t max_message_bytes = 64 << 10;
// First byte of an answer. The error message follows `damaged`.
constexpr char intact = '+';
constexpr char damaged = '-';

// Returns the number of threads of this process, or 0 if it is unknown.
std::size_t count_threads() {
    DIR* folder = ::opendir("/proc/self/task");
    if (folder == nullptr) return 0;
    std::size_t count = 0;
    while (const dirent* entry = ::readdir(folder)) count += entry->d_name[0] != '.' ? 1 : 0;
    ::closedir(folder);
    return count;
}

// Receives a message. Returns an empty string if the socket is closed.
std::string receive(int socket) {
    std::vector<char> buffer(max_message_bytes);
    while (true) {
        const ssize_t size = ::recv(socket, buffer.data(), buffer.size(), 0);
        if (size >= 0) return {buffer.data(), static_cast<std::size_t>(size)};
        if (errno != EINTR) return {};
    }
}

// Sends a message. Returns false if the socket is closed.
bool transmit(int socket, const std::string& message) {
    const std::size_t size = std::min(message.size(), max_message_bytes);
    while (true) {
        const ssize_t sent = ::send(socket, message.data(), size, MSG_NOSIGNAL);
        if (sent >= 0) return true;
        if (errno != EINTR) return false;
    }
}

// Waits for a child process. Returns its status, as waitpid().
int wait_for(pid_t process) {
    int status = 0;
    while (::waitpid(process, &status, 0) < 0) {
        if (errno != EINTR) return -1;
    }
    return status;
}

// Limits processor time and memory of this process. Intact files need milliseconds, and memory for one block
// and some chunks.
void limit_resources(const std::string& path, std::chrono::milliseconds cpu_limit) {
    struct stat file {};
    (void)::stat(path.c_str(), &file);
    const auto bytes = static_cast<rlim_t>(std::max<off_t>(0, file.st_size));
    const rlim_t milliseconds = static_cast<rlim_t>(cpu_limit.count()) + bytes / 8192;
    itimerval timer{};  // measures processor time. Its signal SIGPROF terminates the process
    timer.it_value.tv_sec = static_cast<time_t>(milliseconds / 1000);
    timer.it_value.tv_usec = static_cast<suseconds_t>(milliseconds % 1000 * 1000);
    (void)::setitimer(ITIMER_PROF, &timer, nullptr);
    sigset_t timer_signal;
    sigemptyset(&timer_signal);
    sigaddset(&timer_signal, SIGPROF);
    ::sigprocmask(SIG_UNBLOCK, &timer_signal, nullptr);
#ifdef POPFLOW_ADDRESS_SANITIZER
    return;  // AddressSanitizer keeps freed memory, so a limit on memory would be exceeded
#endif
    unsigned long pages = 0;
    if (std::FILE* statm = std::fopen("/proc/self/statm", "r")) {
        if (std::fscanf(statm, "%lu", &pages) != 1) pages = 0;
        std::fclose(statm);
    }
    if (pages > 0) {
        const rlim_t max_bytes = static_cast<rlim_t>(pages) * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE)) +
                                 (rlim_t{14} << 20) + 4 * bytes;
        const rlimit memory{max_bytes, RLIM_INFINITY};
        (void)::setrlimit(RLIMIT_AS, &memory);
    }
    const rlimit none{0, 0};
    (void)::setrlimit(RLIMIT_CORE, &none);
}

// Raises the memory limit by the size of the largest chunk so far, not by the sum of all chunks.
void raise_memory_limit(std::size_t bytes) {
    static std::size_t granted = 0;
    rlimit memory{};
    if (bytes <= granted || ::getrlimit(RLIMIT_AS, &memory) != 0 || memory.rlim_cur == RLIM_INFINITY) return;
    memory.rlim_cur += bytes - granted;
    granted = bytes;
    (void)::setrlimit(RLIMIT_AS, &memory);
}

std::string make_answer(char kind, const std::string& text) {
    return kind + text;
}

// Splits a request into the path and the members to skip.
std::vector<std::string> split_request(const std::string& request) {
    std::vector<std::string> parts;
    for (std::size_t begin = 0; begin <= request.size();) {
        const std::size_t end = std::min(request.find('\0', begin), request.size());
        parts.push_back(request.substr(begin, end - begin));
        begin = end + 1;
    }
    return parts;
}

// Validates a file under limits, sends the answer and exits. Runs in a child process of the guard.
[[noreturn]] void validate_and_exit(const std::vector<std::string>& request, int socket,
                                    std::chrono::milliseconds cpu_limit) {
    limit_resources(request.front(), cpu_limit);
    try {
        const std::string problem =
            validate_file(request.front(), {request.begin() + 1, request.end()}, raise_memory_limit);
        (void)transmit(socket, problem.empty() ? make_answer(intact, "")
                                               : make_answer(damaged, "is damaged: " + problem));
    } catch (const std::exception&) {
        (void)transmit(
            socket,
            make_answer(damaged, "is damaged: reading it needs far more memory than its size allows for"));
    }
    ::_exit(0);
}

// Returns the error message for a child process that ended without an answer.
std::string unanswered_message(int status) {
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGPROF)
        return "is damaged: reading it exceeds the limit on processor time";
    return "is damaged: reading it crashes the HDF5 library";
}

// Main loop of the guard process: answers requests until the other end of the socket is closed.
[[noreturn]] void serve(int socket, std::chrono::milliseconds cpu_limit) {
    while (true) {
        const std::string request = receive(socket);
        if (request.empty()) ::_exit(0);
        std::array<int, 2> pair{-1, -1};
        std::string answer;
        int status = 0;
        if (::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair.data()) == 0) {
            const pid_t child = ::fork();
            if (child == 0) validate_and_exit(split_request(request), pair[1], cpu_limit);
            ::close(pair[1]);
            if (child > 0) {
                answer = receive(pair[0]);
                status = wait_for(child);
            }
            ::close(pair[0]);
            if (answer.empty() && child > 0) answer = make_answer(damaged, unanswered_message(status));
        }
        // No child process could be created. check() then reports that the guard has ended.
        if (answer.empty()) ::_exit(1);
        if (!transmit(socket, answer)) ::_exit(0);
    }
}

// Detaches the guard process from the program, so that the program never waits for it. Closes inherited file
// descriptors, which would keep pipes open, redirects the standard streams to /dev/null and blocks all
// signals.
void detach(int socket) {
    sigset_t all;
    sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, nullptr);
    is_guard_process = true;
    if (DIR* folder = ::opendir("/proc/self/fd")) {
        std::vector<int> open;
        while (const dirent* entry = ::readdir(folder)) {
            const int fd = std::atoi(entry->d_name);
            if (fd > 2 && fd != socket && fd != ::dirfd(folder)) open.push_back(fd);
        }
        ::closedir(folder);
        for (const int fd : open) ::close(fd);
    }
    const int null_device = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null_device < 0) ::_exit(1);
    for (int fd = 0; fd <= 2; ++fd) ::dup2(null_device, fd);
    if (null_device > 2) ::close(null_device);
}

}  // namespace

FileGuard* FileGuard::current() {
    return current_guard;
}

bool FileGuard::contains_crashes() {
    return current_guard != nullptr || is_guard_process;
}

bool FileGuard::can_start() {
#ifdef POPFLOW_THREAD_SANITIZER
    return true;  // ThreadSanitizer has a thread of its own, and handles the fork
#endif
    return count_threads() <= 1;
}

FileGuard::FileGuard(std::chrono::milliseconds cpu_limit) {
    if (current_guard != nullptr) throw core::Error("cannot start a second file guard");
    // A child of a threaded process may only call async-signal-safe functions: another thread may have held
    // a lock of malloc() or of a library at the time of the fork.
    if (!can_start()) {
        throw core::Error("cannot start the file guard: found " + std::to_string(count_threads()) +
                          " threads. Create it before threads start");
    }
    std::array<int, 2> pair{-1, -1};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()) != 0) {
        throw core::Error(std::string("cannot start the file guard: ") + std::strerror(errno));
    }
    std::fflush(nullptr);  // otherwise the child inherits and prints buffered output again
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
    if (::stat(path.c_str(), &file) != 0) return;  // open_file() reports the reason
    // The guard keeps the working directory in which the program started, so it needs an absolute path.
    std::array<char, PATH_MAX> absolute{};
    std::string request = ::realpath(path.c_str(), absolute.data()) != nullptr ? absolute.data() : path;
    for (const std::string& name : skipped) request += '\0' + name;
    const Identity identity{request,      file.st_dev,         file.st_ino,
                            file.st_size, file.st_mtim.tv_sec, file.st_mtim.tv_nsec};
    if (validated_.contains(identity)) return;
    std::string answer;
    if (transmit(socket_, request)) answer = receive(socket_);
    if (answer.empty())
        throw core::Error(path + ": cannot be validated, because the file guard process has ended");
    if (answer.front() != intact) throw core::DataError(path, "", answer.substr(1));
    validated_.insert(identity);
}

}  // namespace popflow::h5
