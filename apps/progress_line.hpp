// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

namespace popflow::apps {

/// `42 s`, `3 min 10 s` or `2 h 05 min`.
std::string duration_text(double seconds);

/// `7.25`, `312`, `34.2k` or `1.25M`.
std::string magnitude_text(double value);

/// What a line of progress says.
struct ProgressState {
    std::string what;
    std::uint64_t done = 0;
    std::uint64_t total = 0;
    std::string note{};  ///< as in `loss 12.3`; may be empty
    double rate = 0;     ///< in `unit` a second; 0: not known
    std::string unit{};  ///< as in `cells`; empty: of the total
    double left = -1;    ///< seconds; negative: not known
};

/// One line of at most `width` characters: counts, a bar if there is room for it, note, rate, time left. What
/// has no room is left out whole: the bar first, then rate, note and time.
/// @param width  0: as long as it is, without a bar
std::string progress_line(const ProgressState& state, std::size_t width);

/// Speed over the last half minute, so that a slow start or a pause is soon forgotten.
class RecentRate {
  public:
    /// @param seconds  of the clock; @param amount  done so far
    void add(double seconds, double amount);
    /// Per second; 0 before two times are known.
    double value() const;

  private:
    struct Point {
        double seconds;
        double amount;
    };
    std::deque<Point> points_;  ///< at least a second apart, but for the last
};

}  // namespace popflow::apps
