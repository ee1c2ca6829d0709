// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

namespace popflow::report::plot {

/// One direction of a chart.
struct Axis {
    std::string title;
    double low = 0;
    double high = 1;
    bool logarithmic = false;
    std::vector<double> ticks{};

    /// Where a value lies: 0 at low, 1 at high.
    double place(double value) const;
};

/// An axis that holds all finite values, with a margin, and ticks at 1, 2 or 5 times a power of ten.
Axis linear_axis(const std::string& title, const std::vector<double>& values);

/// The same in logarithms, of the values above 0; ticks at powers of ten, and 2 and 5 times them if it is
/// short.
Axis log_axis(const std::string& title, const std::vector<double>& values);

}  // namespace popflow::report::plot
