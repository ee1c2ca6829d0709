// SPDX-License-Identifier: MIT
// Compares scores with POT, SciPy, scikit-learn and pandas. tests/golden/metrics/generate.py writes the
// reference values.
#include <gtest/gtest.h>

#include <cmath>

#include "metrics/scores.hpp"
#include "support/golden.hpp"

using popflow::linalg::Matrix;
using popflow::metrics::Scores;
using popflow::support::GoldenFile;

namespace {

Matrix<float> read_matrix(GoldenFile& file, std::int32_t rows, std::int32_t cols) {
    Matrix<float> x(static_cast<std::size_t>(rows), static_cast<std::size_t>(cols));
    const auto values = file.read<float>(x.size());
    std::copy(values.begin(), values.end(), x.values().begin());
    return x;
}

void expect_near(double found, double expected, const char* metric, std::size_t number) {
    if (std::isnan(expected)) {
        EXPECT_TRUE(std::isnan(found)) << metric << ", case " << number;
        return;
    }
    // Six digits, or the cancellation error in a difference of numbers of order one.
    const double tolerance = 1e-6 * std::fabs(expected) + 1e-12;
    EXPECT_TRUE(std::fabs(found - expected) <= tolerance)
        << metric << ", case " << number << ": " << found << " instead of " << expected;
}

std::size_t check_file(const char* name) {
    GoldenFile file(name);
    std::size_t number = 0;
    for (; !file.at_end(); ++number) {
        const auto shape = file.read<std::int32_t>(3);
        const auto x = read_matrix(file, shape[0], shape[2]);
        const auto y = read_matrix(file, shape[1], shape[2]);
        const auto expected = file.read<double>(7);

        const Scores found = popflow::metrics::score(x.view(), y.view());

        expect_near(found.w1, expected[0], "w1", number);
        expect_near(found.w2, expected[1], "w2", number);
        expect_near(found.mmd, expected[2], "mmd", number);
        expect_near(found.r2, expected[3], "r2", number);
        expect_near(found.energy, expected[4], "energy", number);
        expect_near(found.r2_means, expected[5], "r2_means", number);
        expect_near(found.w1_markers, expected[6], "w1_markers", number);
    }
    return number;
}

}  // namespace

TEST(ScoresGolden, AgreeOnTwoHundredPopulations) {
    EXPECT_EQ(check_file("metrics/populations.bin"), 206U);
}

TEST(ScoresGolden, AgreeOnARealScreen) {
    EXPECT_EQ(check_file("metrics/screen.bin"), 1U);
}
