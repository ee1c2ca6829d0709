// SPDX-License-Identifier: MIT
// Library for LD_PRELOAD. It counts the calls of a program that change files below a folder, and makes one of
// them fail. Environment variables:
//   FAILING_DISK_FOLDER=F     absolute path of the folder
//   FAILING_DISK_CALL=K       from the K-th call on the disk is full: files cannot be created or grow
//                             (ENOSPC). fsync (EIO) and rename (ENOSPC) fail only as the K-th call
//   FAILING_DISK_KILL=K       the K-th call kills the process (SIGKILL)
//   FAILING_DISK_COUNT=C      at exit the process appends its number of calls to the file C, unless it is 0
//   FAILING_DISK_NO_LOCKS=1   flock fails with ENOLCK, as on a file system without locks
//   FAILING_DISK_CLOCK=1      the real-time clock jumps by a year at each call
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace {

std::atomic<long> calls{0};
std::atomic<long> clock_reads{0};

// Returns the integer value of an environment variable, or 0 if it is not set.
long env_number(const char* name) {
    const char* text = std::getenv(name);
    return text == nullptr ? 0 : std::strtol(text, nullptr, 10);
}

// Returns whether a path is below the folder.
bool is_watched(const char* path) {
    const char* folder = std::getenv("FAILING_DISK_FOLDER");
    return folder != nullptr && path != nullptr && std::strncmp(path, folder, std::strlen(folder)) == 0;
}

// Returns whether the file of a descriptor is below the folder.
bool is_watched(int fd) {
    char link[64];
    char path[PATH_MAX];
    std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t n = ::readlink(link, path, sizeof path - 1);
    if (n <= 0) return false;
    path[n] = '\0';
    return is_watched(path);
}

// Counts a call. Returns whether it fails, and if so sets errno to `error`.
// @param lasting  whether the calls after the K-th fail, too
bool should_fail(bool lasting, int error) {
    const long call = ++calls;
    if (call == env_number("FAILING_DISK_KILL")) ::kill(::getpid(), SIGKILL);
    const long failing_call = env_number("FAILING_DISK_CALL");
    if (failing_call == 0 || call < failing_call || (call > failing_call && !lasting)) return false;
    errno = error;
    return true;
}

// Returns the function that this library replaces.
template <class Function>
Function original(const char* name) {
    return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

// Appends the number of calls to a file at exit.
struct CountWriter {
    ~CountWriter() {
        const char* path = std::getenv("FAILING_DISK_COUNT");
        if (path == nullptr || calls == 0) return;
        if (std::FILE* out = std::fopen(path, "a")) {
            std::fprintf(out, "%ld\n", calls.load());
            std::fclose(out);
        }
    }
} count_writer;

// Opens a file by the original function `name`.
int open_or_fail(const char* name, const char* path, int flags, mode_t mode) {
    if ((flags & O_CREAT) != 0 && is_watched(path) && should_fail(true, ENOSPC)) return -1;
    return original<int (*)(const char*, int, ...)>(name)(path, flags, mode);
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    const auto mode = static_cast<mode_t>((flags & O_CREAT) != 0 ? va_arg(more, int) : 0);
    va_end(more);
    return open_or_fail("open", path, flags, mode);
}

int open64(const char* path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    const auto mode = static_cast<mode_t>((flags & O_CREAT) != 0 ? va_arg(more, int) : 0);
    va_end(more);
    return open_or_fail("open64", path, flags, mode);
}

ssize_t write(int fd, const void* data, size_t size) {
    if (is_watched(fd) && should_fail(true, ENOSPC)) return -1;
    return original<ssize_t (*)(int, const void*, size_t)>("write")(fd, data, size);
}

ssize_t pwrite(int fd, const void* data, size_t size, off_t offset) {
    if (is_watched(fd) && should_fail(true, ENOSPC)) return -1;
    return original<ssize_t (*)(int, const void*, size_t, off_t)>("pwrite")(fd, data, size, offset);
}

ssize_t pwrite64(int fd, const void* data, size_t size, off64_t offset) {
    if (is_watched(fd) && should_fail(true, ENOSPC)) return -1;
    return original<ssize_t (*)(int, const void*, size_t, off64_t)>("pwrite64")(fd, data, size, offset);
}

int fsync(int fd) {
    if (is_watched(fd) && should_fail(false, EIO)) return -1;
    return original<int (*)(int)>("fsync")(fd);
}

int rename(const char* from, const char* to) {
    if (is_watched(to) && should_fail(false, ENOSPC)) return -1;
    return original<int (*)(const char*, const char*)>("rename")(from, to);
}

int link(const char* from, const char* to) {
    if (is_watched(to) && should_fail(true, ENOSPC)) return -1;
    return original<int (*)(const char*, const char*)>("link")(from, to);
}

int flock(int fd, int operation) {
    if (env_number("FAILING_DISK_NO_LOCKS") != 0 && is_watched(fd)) {
        errno = ENOLCK;
        return -1;
    }
    return original<int (*)(int, int)>("flock")(fd, operation);
}

int clock_gettime(clockid_t clock, struct timespec* time) {
    const int result = original<int (*)(clockid_t, struct timespec*)>("clock_gettime")(clock, time);
    if (clock == CLOCK_REALTIME && env_number("FAILING_DISK_CLOCK") != 0)
        time->tv_sec += (++clock_reads % 2 == 0 ? 1 : -1) * 31536000L;
    return result;
}

}  // extern "C"
