// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

namespace popflow::apps {

/// Formats a duration as `42 s`, `3 min 10 s` or `2 h 05 min`.
std::string duration_text(double seconds);

/// Formats a number with three digits, as `7.25`, `312`, `34.2k` or `1.25M`.
std::string magnitude_text(double value);

/// Contents of a progress line.
struct ProgressState {
    std::string what;         ///< start of the line, such as `train`
    std::uint64_t done = 0;   ///< number of units of work that are done
    std::uint64_t total = 0;  ///< number of units of work
    std::string note{};       ///< text such as `loss 12.3`, may be empty
    double rate = 0;          ///< speed in `unit` per second, 0 if unknown
    std::string unit{};       ///< unit of `rate` such as `cells`, empty for units of work
    double left = -1;         ///< remaining seconds, negative if unknown
};

/// Returns one line of at most `width` characters: counts, bar, note, rate, remaining time. Fields that do
/// not fit are omitted as a whole, in the order bar, rate, note, time.
/// @param width  maximum length, 0 for no limit and no bar
std::string progress_line(const ProgressState& state, std::size_t width);

/// Speed over the last 30 seconds, so that a slow start or a pause does not affect it for long.
class RecentRate {
  public:
    /// Adds a measurement. @param seconds  time of a clock @param amount  total amount at this time
    void add(double seconds, double amount);
    /// Returns the amount per second, 0 before the second measurement.
    double value() const;

  private:
    struct Point {
        double seconds;
        double amount;
    };
    std::deque<Point> points_;  ///< at least a second apart, except the last
};

}  // namespace popflow::apps
