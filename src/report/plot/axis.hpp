// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

namespace popflow::report::plot {

/// Horizontal or vertical axis of a chart.
struct Axis {
    std::string title;
    double low = 0;
    double high = 1;
    bool logarithmic = false;
    std::vector<double> ticks{};

    /// Returns the relative position of a value: 0 at low, 1 at high.
    double place(double value) const;
};

/// Returns an axis that covers all finite values with a margin. The step between ticks is 1, 2 or 5 times a
/// power of ten.
Axis linear_axis(const std::string& title, const std::vector<double>& values);

/// Returns a logarithmic axis that covers all finite values above 0 with a margin. Ticks are at powers of
/// ten. An axis of less than two decades also has ticks at 2 and 5 times them.
Axis log_axis(const std::string& title, const std::vector<double>& values);

}  // namespace popflow::report::plot
