// SPDX-License-Identifier: MIT
#include "eval/pair_validation.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>

namespace eval = popflow::eval;
using Numbers = std::vector<std::size_t>;

TEST(ValidationSize, IsBoundedWithoutALimitOfTheWork) {
    EXPECT_EQ(eval::validation_size(40, 0, {}).pairs, 16U);
    EXPECT_EQ(eval::validation_size(40, 0, {}).cells, 256U);
    EXPECT_EQ(eval::validation_size(3, 0, {}).pairs, 3U);
}

TEST(ValidationSize, FewerCellsThenFewerPairsFitTheWork) {
    std::size_t pairs = 17;
    std::size_t cells = 257;
    for (const std::uint64_t work : {10000000, 300000, 100000, 30000, 10000, 3000, 1000, 300, 0}) {
        const eval::ValidationSize size = eval::validation_size(40, 50, work);
        EXPECT_LE(size.pairs, pairs);
        EXPECT_TRUE(size.cells >= 16 || size.pairs == 1) << "pairs with too few cells";
        EXPECT_GE(size.cells, 2U);
        EXPECT_TRUE(size.pairs == 1 || size.pairs * (50 + 48 * size.cells) <= work);
        EXPECT_TRUE(size.pairs < pairs || size.cells <= cells);
        pairs = size.pairs;
        cells = size.cells;
    }
    EXPECT_EQ(pairs, 1U);
    EXPECT_EQ(cells, 2U);
}

TEST(SpreadOverUnits, TakesAPairOfEachUnitBeforeASecondOne) {
    Numbers pairs(12);
    std::iota(pairs.begin(), pairs.end(), std::size_t{3});
    Numbers units(15, 0);
    for (std::size_t p = 0; p < units.size(); ++p)
        units[p] = p < 11 ? 7 : p % 4 + 1;  // unit 7 has most pairs
    const Numbers order = eval::spread_over_units(pairs, units, 1);
    Numbers sorted = order;
    std::ranges::sort(sorted);
    EXPECT_EQ(sorted, pairs);
    std::set<std::size_t> first;
    for (std::size_t k = 0; k < 5; ++k) first.insert(units[order[k]]);
    EXPECT_EQ(first.size(), 5U);
    EXPECT_EQ(order, eval::spread_over_units(pairs, units, 1));
    EXPECT_NE(order, eval::spread_over_units(pairs, units, 2));
    EXPECT_TRUE(eval::spread_over_units({}, units, 1).empty());
}
