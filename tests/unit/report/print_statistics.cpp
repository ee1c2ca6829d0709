// SPDX-License-Identifier: MIT
// Prints the bounds of the 95 % interval of the mean and the p-value of the sign-flip test of each line of
// numbers on standard input.
#include <cstdio>
#include <iostream>
#include <sstream>
#include <string>

#include "report/resampling.hpp"
#include "report/stratified_mean.hpp"

namespace report = popflow::report;

int main() {
    for (std::string line; std::getline(std::cin, line);) {
        std::istringstream in(line);
        report::StratifiedMean mean;
        std::vector<double> values;
        for (double value = 0; in >> value;) {
            mean.add(0, 0, values.size(), value);
            values.push_back(value);
        }
        const auto interval =
            report::percentile_interval(mean.resampled(report::Resamples(values.size())), values.size());
        if (!interval) return 1;
        std::printf("%.17g %.17g %.17g\n", interval->low, interval->high, report::sign_flip_p_value(values));
    }
    return 0;
}
