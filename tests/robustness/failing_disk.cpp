// SPDX-License-Identifier: MIT
// Preloaded into a program (LD_PRELOAD), this counts its calls that change files below a folder and lets one
// of them go wrong. Set in the environment:
//   FAILING_DISK_FOLDER=F   the folder, an absolute path
//   FAILING_DISK_CALL=K     from the K-th call on the disk is full: files cannot be made or grow (ENOSPC). If
//   the K-th
//                           is a sync it fails with EIO, a rename with ENOSPC, but later ones do not
//   FAILING_DISK_KILL=K     the K-th call ends the process by SIGKILL
//   FAILING_DISK_COUNT=C    at its end the process appends its number of calls to the file C, if there was
//   one FAILING_DISK_NO_LOCKS=1 flock says that the file system has none FAILING_DISK_CLOCK=1    the clock of
//   the day jumps by a year at each look
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
std::atomic<long> looks{0};

long number(const char* name) {
    const char* text = std::getenv(name);
    return text == nullptr ? 0 : std::strtol(text, nullptr, 10);
}

bool watched(const char* path) {
    const char* folder = std::getenv("FAILING_DISK_FOLDER");
    return folder != nullptr && path != nullptr && std::strncmp(path, folder, std::strlen(folder)) == 0;
}

bool watched(int fd) {
    char link[64];
    char path[PATH_MAX];
    std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t n = ::readlink(link, path, sizeof path - 1);
    if (n <= 0) return false;
    path[n] = '\0';
    return watched(path);
}

// Whether a call fails. `lasting`: it also does once the disk is full.
bool fails(bool lasting, int error) {
    const long call = ++calls;
    if (call == number("FAILING_DISK_KILL")) ::kill(::getpid(), SIGKILL);
    const long full = number("FAILING_DISK_CALL");
    if (full == 0 || call < full || (call > full && !lasting)) return false;
    errno = error;
    return true;
}

template <class Function>
Function next(const char* name) {
    return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

struct AtEnd {
    ~AtEnd() {
        const char* path = std::getenv("FAILING_DISK_COUNT");
        if (path == nullptr || calls == 0) return;
        if (std::FILE* out = std::fopen(path, "a")) {
            std::fprintf(out, "%ld\n", calls.load());
            std::fclose(out);
        }
    }
} at_end;

int open_one(const char* name, const char* path, int flags, mode_t mode) {
    if ((flags & O_CREAT) != 0 && watched(path) && fails(true, ENOSPC)) return -1;
    return next<int (*)(const char*, int, ...)>(name)(path, flags, mode);
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    const auto mode = static_cast<mode_t>((flags & O_CREAT) != 0 ? va_arg(more, int) : 0);
    va_end(more);
    return open_one("open", path, flags, mode);
}

int open64(const char* path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    const auto mode = static_cast<mode_t>((flags & O_CREAT) != 0 ? va_arg(more, int) : 0);
    va_end(more);
    return open_one("open64", path, flags, mode);
}

ssize_t write(int fd, const void* data, size_t size) {
    if (watched(fd) && fails(true, ENOSPC)) return -1;
    return next<ssize_t (*)(int, const void*, size_t)>("write")(fd, data, size);
}

ssize_t pwrite(int fd, const void* data, size_t size, off_t offset) {
    if (watched(fd) && fails(true, ENOSPC)) return -1;
    return next<ssize_t (*)(int, const void*, size_t, off_t)>("pwrite")(fd, data, size, offset);
}

ssize_t pwrite64(int fd, const void* data, size_t size, off64_t offset) {
    if (watched(fd) && fails(true, ENOSPC)) return -1;
    return next<ssize_t (*)(int, const void*, size_t, off64_t)>("pwrite64")(fd, data, size, offset);
}

int fsync(int fd) {
    if (watched(fd) && fails(false, EIO)) return -1;
    return next<int (*)(int)>("fsync")(fd);
}

int rename(const char* from, const char* to) {
    if (watched(to) && fails(false, ENOSPC)) return -1;
    return next<int (*)(const char*, const char*)>("rename")(from, to);
}

int link(const char* from, const char* to) {
    if (watched(to) && fails(true, ENOSPC)) return -1;
    return next<int (*)(const char*, const char*)>("link")(from, to);
}

int flock(int fd, int operation) {
    if (number("FAILING_DISK_NO_LOCKS") != 0 && watched(fd)) {
        errno = ENOLCK;
        return -1;
    }
    return next<int (*)(int, int)>("flock")(fd, operation);
}

int clock_gettime(clockid_t clock, struct timespec* time) {
    const int result = next<int (*)(clockid_t, struct timespec*)>("clock_gettime")(clock, time);
    if (clock == CLOCK_REALTIME && number("FAILING_DISK_CLOCK") != 0)
        time->tv_sec += (++looks % 2 == 0 ? 1 : -1) * 31536000L;
    return result;
}

}  // extern "C"
