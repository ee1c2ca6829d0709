// SPDX-License-Identifier: MIT
#include "fuzz/trial.hpp"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <optional>
#include <stdexcept>
#include <vector>

#include "core/error.hpp"
#include "h5/hardening/file_guard.hpp"

extern "C" [[gnu::weak]] void __gcov_dump();  // defined only if coverage is measured

namespace popflow::fuzz {

namespace {

constexpr int refused_code = 2;
constexpr int failed_code = 1;

// Runs work in the child process and returns its exit code. Sets `message` to the text of an exception.
int run_work(const std::function<void()>& work, bool guarded, std::string& message) {
    try {
        std::optional<h5::FileGuard> guard;
        // A short time limit: the files are small, and reading some of them would never end.
        if (guarded) guard.emplace(std::chrono::milliseconds(500));
        work();
        return 0;
    } catch (const core::UserError& error) {
        message = error.what();
        return refused_code;
    } catch (const std::exception& error) {
        message = error.what();
        return failed_code;
    }
}

std::string read_all(int pipe) {
    std::string text;
    std::vector<char> buffer(4096);
    for (ssize_t n = 0; (n = ::read(pipe, buffer.data(), buffer.size())) > 0;)
        text.append(buffer.data(), static_cast<std::size_t>(n));
    return text;
}

double to_seconds(const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
}

}  // namespace

Outcome run_in_child(const std::function<void()>& work, unsigned seconds, bool guarded) {
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error("no pipe");
    std::fflush(nullptr);
    const pid_t child = ::fork();
    if (child < 0) throw std::runtime_error("no process");
    if (child == 0) {
        ::close(ends[0]);
        const rlimit cpu_limit{seconds, seconds};
        ::setrlimit(RLIMIT_CPU, &cpu_limit);
        const rlimit no_core{0, 0};
        ::setrlimit(RLIMIT_CORE, &no_core);
        std::string message;
        const int code = run_work(work, guarded, message);
        if (__gcov_dump != nullptr) __gcov_dump();
        if (::write(ends[1], message.data(), std::min<std::size_t>(message.size(), 60000)) < 0) ::_exit(3);
        ::_exit(code);
    }
    ::close(ends[1]);
    Outcome outcome;
    outcome.message = read_all(ends[0]);
    ::close(ends[0]);
    int status = 0;
    rusage usage{};
    ::wait4(child, &status, 0, &usage);
    outcome.megabytes = static_cast<double>(usage.ru_maxrss) / 1024;
    outcome.seconds = to_seconds(usage.ru_utime) + to_seconds(usage.ru_stime);
    if (WIFSIGNALED(status)) {
        const bool killed = WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGXCPU;
        outcome.kind = killed ? Outcome::Kind::hung : Outcome::Kind::crashed;
        outcome.message = "signal " + std::to_string(WTERMSIG(status));
    } else if (WEXITSTATUS(status) != 0) {
        const int code = WEXITSTATUS(status);
        outcome.kind = code == refused_code  ? Outcome::Kind::refused
                       : code == failed_code ? Outcome::Kind::failed
                                             : Outcome::Kind::crashed;
    }
    return outcome;
}

}  // namespace popflow::fuzz
