// SPDX-License-Identifier: MIT
#include "progress.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace popflow::apps {

namespace {

double seconds_between(std::chrono::steady_clock::time_point from, std::chrono::steady_clock::time_point to) {
    return std::chrono::duration<double>(to - from).count();
}

// Returns the current width. It is queried for each drawing, because SIGWINCH would need a signal handler.
std::size_t terminal_width() {
    winsize size{};
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

bool on_terminal() {
    const char* kind = std::getenv("TERM");
    return isatty(STDERR_FILENO) != 0 && kind != nullptr && std::string_view(kind) != "dumb";
}

}  // namespace

Progress::Progress(std::string what, std::uint64_t total, std::uint64_t start, bool silent,
                   double log_seconds, LogFile* log)
    : state_{.what = std::move(what), .done = start, .total = total},
      silent_(silent),
      terminal_(console() == nullptr && on_terminal()),
      log_seconds_(log_seconds),
      log_(log),
      began_(std::chrono::steady_clock::now()) {
    speed_.add(0, static_cast<double>(start));
    amounts_.add(0, 0);
}

Progress::~Progress() {
    if (drawn_ > 0) std::fputc('\n', stderr);
}

void Progress::add(std::uint64_t amount, const char* unit) {
    amount_ += amount;
    state_.unit = unit;
}

void Progress::set_losses(double loss, double energy) {
    report_.loss = loss;
    report_.energy = energy;
}

void Progress::update(std::uint64_t done, const std::string& note) {
    if (silent_) return;
    const auto now = std::chrono::steady_clock::now();
    if (console() != nullptr) {
        report_.what = state_.what;
        report_.done = done;
        report_.total = state_.total;
        report_.note = note;
        console()->show_progress(report_);
    }
    const double pause = terminal_ ? 0.1 : log_seconds_;
    if (done < state_.total && shown_ && seconds_between(*shown_, now) < pause) return;
    shown_ = now;
    const double seconds = seconds_between(began_, now);
    speed_.add(seconds, static_cast<double>(done));
    amounts_.add(seconds, static_cast<double>(amount_));
    state_.done = done;
    state_.note = note;
    const double speed = speed_.value();
    state_.rate = state_.unit.empty() ? speed : amounts_.value();
    state_.left = speed > 0 && done < state_.total ? static_cast<double>(state_.total - done) / speed : -1;
    if (terminal_) {
        const std::size_t width = terminal_width();
        // The last column stays empty. After a character in it, terminals differ in where the cursor is.
        draw(progress_line(state_, std::max<std::size_t>(width, 2) - 1), width);
    } else if (console() == nullptr) {
        std::fprintf(stderr, "%s\n", progress_line(state_, 0).c_str());
    }
    std::fflush(stderr);
    write_log(done, now);
}

// Appends the line to the log every log_seconds seconds.
void Progress::write_log(std::uint64_t done, std::chrono::steady_clock::time_point now) {
    if (log_ == nullptr) return;
    if (done < state_.total && logged_ && seconds_between(*logged_, now) < log_seconds_) return;
    logged_ = now;
    log_->line(progress_line(state_, 0));
}

// Overwrites the line and then erases the rest, in one write, so that the line does not flicker.
void Progress::draw(const std::string& text, std::size_t width) {
    std::string out;
    // If the terminal became narrower, the previous line is wrapped over several lines.
    for (std::size_t rest = drawn_; rest > width; rest -= width) out += "\033[A";
    out += "\r" + text + "\033[J";
    drawn_ = text.size();
    std::fwrite(out.data(), 1, out.size(), stderr);
}

void Progress::message(const std::string& text) {
    if (silent_) return;
    if (drawn_ > 0) draw("", terminal_width());
    print_message("%s", text.c_str());
    if (log_ != nullptr) log_->line(text);
}

}  // namespace popflow::apps
