// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "log_file.hpp"
#include "progress_line.hpp"

namespace popflow::apps {

/// Progress of a long job on standard error: one line redrawn on a terminal, as wide as the terminal is at
/// that moment; a plain line now and then elsewhere. A silent one says nothing (ranks other than 0).
class Progress {
  public:
    /// @param what  begins the line, as in `train`
    /// @param total  units of work; @param start  those done before
    /// @param log_seconds  between lines where there is no terminal, and in the log
    /// @param log  gets the same lines; may be nullptr
    Progress(std::string what, std::uint64_t total, std::uint64_t start, bool silent, double log_seconds = 10,
             LogFile* log = nullptr);
    /// Ends the line if one is being redrawn.
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    /// The speed is shown in these instead of units of work. @param amount  dealt with since the last call
    void add(std::uint64_t amount, const char* unit);
    /// @param note  follows the counts, as in `loss 12.3`
    void update(std::uint64_t done, const std::string& note);
    /// A line of its own, above the bar if there is one.
    void message(const std::string& text);

  private:
    void draw(const std::string& text, std::size_t width);

    ProgressState state_;
    bool silent_;
    bool terminal_;
    double log_seconds_;
    LogFile* log_;
    std::size_t drawn_ = 0;  ///< characters of the line on the terminal
    std::uint64_t amount_ = 0;
    RecentRate speed_;  ///< of the work
    RecentRate amounts_;
    std::chrono::steady_clock::time_point began_;
    std::optional<std::chrono::steady_clock::time_point> shown_{};
    std::optional<std::chrono::steady_clock::time_point> logged_{};
};

}  // namespace popflow::apps
