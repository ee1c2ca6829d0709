// SPDX-License-Identifier: MIT
#include "core/progress.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace popflow::core {

namespace {

double seconds_between(std::chrono::steady_clock::time_point from, std::chrono::steady_clock::time_point to) {
    return std::chrono::duration<double>(to - from).count();
}

std::size_t terminal_width() {
    winsize size{};
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

std::string duration_text(double seconds) {
    const auto s = static_cast<long>(std::lround(std::max(0.0, seconds)));
    char text[64];
    if (s < 60) {
        std::snprintf(text, sizeof text, "%ld s", s);
    } else if (s < 3600) {
        std::snprintf(text, sizeof text, "%ld min %02ld s", s / 60, s % 60);
    } else {
        std::snprintf(text, sizeof text, "%ld h %02ld min", s / 3600, s % 3600 / 60);
    }
    return text;
}

Progress::Progress(std::string what, std::uint64_t total, std::uint64_t start, bool silent)
    : what_(std::move(what)),
      total_(total),
      start_(start),
      silent_(silent),
      terminal_(isatty(STDERR_FILENO) != 0),
      began_(std::chrono::steady_clock::now()),
      shown_(began_ - std::chrono::hours(1)) {}

Progress::~Progress() {
    if (drawn_) std::fputc('\n', stderr);
}

std::string Progress::line(std::uint64_t done, const std::string& note, double seconds) const {
    const auto made = static_cast<double>(done - start_);
    const double rate = seconds > 0 ? made / seconds : 0;
    std::string text = what_ + " " + std::to_string(done) + "/" + std::to_string(total_);
    if (!note.empty()) text += "  " + note;
    if (rate > 0) {
        char speed[32];
        std::snprintf(speed, sizeof speed, "  %.3g/s", rate);
        text += speed;
        if (done < total_) text += "  " + duration_text(static_cast<double>(total_ - done) / rate) + " left";
    }
    return text;
}

void Progress::update(std::uint64_t done, const std::string& note) {
    if (silent_) return;
    const auto now = std::chrono::steady_clock::now();
    const double pause = terminal_ ? 0.1 : 10;
    if (done < total_ && seconds_between(shown_, now) < pause) return;
    shown_ = now;
    std::string text = line(done, note, seconds_between(began_, now));
    if (terminal_) {
        text.resize(std::min(text.size(), terminal_width() - 1));
        std::fprintf(stderr, "\r\033[K%s", text.c_str());
        drawn_ = true;
    } else {
        std::fprintf(stderr, "%s\n", text.c_str());
    }
    std::fflush(stderr);
}

void Progress::message(const std::string& text) {
    if (silent_) return;
    std::fprintf(stderr, "%s%s\n", drawn_ ? "\r\033[K" : "", text.c_str());
    drawn_ = false;
}

}  // namespace popflow::core
