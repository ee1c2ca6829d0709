// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "console.hpp"
#include "log_file.hpp"
#include "progress_line.hpp"

namespace popflow::apps {

/// Displays the progress of a long job on standard error. On a terminal it redraws one line in the current
/// width of the terminal. Elsewhere it prints a plain line every `log_seconds` seconds. With a console() it
/// sends a report to it at every update instead.
class Progress {
  public:
    /// @param what  start of the line, such as `train`
    /// @param total  number of units of work
    /// @param start  number of units that were done before
    /// @param silent  print nothing, for ranks other than 0
    /// @param log_seconds  seconds between lines if there is no terminal, and in the log
    /// @param log  receives the same lines, may be nullptr
    Progress(std::string what, std::uint64_t total, std::uint64_t start, bool silent, double log_seconds = 10,
             LogFile* log = nullptr);
    /// Ends the line on a terminal.
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    /// Displays the speed in another unit than the units of work.
    /// @param amount  number of these units since the last call
    void add(std::uint64_t amount, const char* unit);
    /// Sets the loss and the energy of the reports to a console(), NaN for none.
    void set_losses(double loss, double energy);
    /// Displays the progress.
    /// @param done  number of units of work that are done
    /// @param note  text after the counts, such as `loss 12.3`
    void update(std::uint64_t done, const std::string& note);
    /// Prints a separate line, above the progress line of a terminal.
    void message(const std::string& text);

  private:
    void write_log(std::uint64_t done, std::chrono::steady_clock::time_point now);
    void draw(const std::string& text, std::size_t width);

    ProgressState state_;
    bool silent_;
    bool terminal_;
    double log_seconds_;
    LogFile* log_;
    std::size_t drawn_ = 0;  ///< length of the line on the terminal
    std::uint64_t amount_ = 0;
    ProgressReport report_;
    RecentRate speed_;    ///< units of work per second
    RecentRate amounts_;  ///< units of add() per second
    std::chrono::steady_clock::time_point began_;
    std::optional<std::chrono::steady_clock::time_point> shown_{};
    std::optional<std::chrono::steady_clock::time_point> logged_{};
};

}  // namespace popflow::apps
