// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace popflow::core {

/// Progress of a long job on standard error: one line redrawn on a terminal, a line now and then elsewhere.
/// A silent one says nothing (ranks other than 0).
class Progress {
  public:
    /// @param what  begins the line, as in `train`
    /// @param total  units of work; @param start  those done before
    Progress(std::string what, std::uint64_t total, std::uint64_t start, bool silent);
    /// Ends the line if one is being redrawn.
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    /// @param note  follows the counts, as in `loss 12.3`
    void update(std::uint64_t done, const std::string& note);
    /// A line of its own, above the bar if there is one.
    void message(const std::string& text);

  private:
    std::string line(std::uint64_t done, const std::string& note, double seconds) const;

    std::string what_;
    std::uint64_t total_;
    std::uint64_t start_;
    bool silent_;
    bool terminal_;
    bool drawn_ = false;
    std::chrono::steady_clock::time_point began_;
    std::chrono::steady_clock::time_point shown_;
};

/// `42 s`, `3 min 10 s` or `2 h 05 min`.
std::string duration_text(double seconds);

}  // namespace popflow::core
