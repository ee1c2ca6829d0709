// SPDX-License-Identifier: MIT
#include "eval/pair_choice.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "core/error.hpp"

namespace screen = popflow::screen;
using popflow::eval::chosen_pairs;
using popflow::eval::spread_over_patients;

namespace {

// Returns a screen of six patients with 5, 5, 5, 5, 5 and 1 pairs.
screen::Screen small_screen() {
    screen::Screen screen;
    for (std::size_t p = 0; p < 26; ++p) {
        screen::Population population;
        population.patient = std::string(1, static_cast<char>('A' + p / 5));
        screen.populations.push_back(population);
        screen.pairs.push_back({p, p});
    }
    return screen;
}

std::vector<std::size_t> all_pairs() {
    std::vector<std::size_t> pairs(26);
    std::iota(pairs.begin(), pairs.end(), std::size_t{0});
    return pairs;
}

std::map<std::string, std::size_t> count_by_patient(const screen::Screen& screen,
                                                    const std::vector<std::size_t>& pairs) {
    std::map<std::string, std::size_t> counts;
    for (const std::size_t p : pairs) ++counts[screen.populations[screen.pairs[p].treated].patient];
    return counts;
}

}  // namespace

TEST(PairChoice, SpreadsPairsEvenlyOverPatients) {
    const screen::Screen screen = small_screen();
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        const auto four = count_by_patient(screen, spread_over_patients(screen, all_pairs(), 4, seed));
        EXPECT_EQ(four.size(), 4U);
        const auto thirteen = count_by_patient(screen, spread_over_patients(screen, all_pairs(), 13, seed));
        ASSERT_EQ(thirteen.size(), 6U);
        EXPECT_EQ(thirteen.at("F"), 1U);
        for (const char* patient : {"A", "B", "C", "D", "E"}) {
            EXPECT_GE(thirteen.at(patient), 2U);
            EXPECT_LE(thirteen.at(patient), 3U);
        }
    }
}

TEST(PairChoice, DependsOnTheSeedAndIsSorted) {
    const screen::Screen screen = small_screen();
    const auto once = spread_over_patients(screen, all_pairs(), 8, 1);
    EXPECT_EQ(once, spread_over_patients(screen, all_pairs(), 8, 1));
    EXPECT_NE(once, spread_over_patients(screen, all_pairs(), 8, 2));
    EXPECT_TRUE(std::ranges::is_sorted(once));
    EXPECT_EQ(spread_over_patients(screen, all_pairs(), 0, 1), all_pairs());
    EXPECT_EQ(spread_over_patients(screen, all_pairs(), 100, 1), all_pairs());
}

TEST(PairChoice, KeepsAllTestPairs) {
    const screen::Screen screen = small_screen();
    screen::Split split{"", std::vector<screen::Part>(26, screen::Part::train)};
    for (std::size_t p = 20; p < 26; ++p) split.parts[p] = screen::Part::test;
    using enum screen::Part;
    const std::vector<screen::Part> parts{train, test, train};

    const auto chosen = chosen_pairs(screen, split, parts, 4, 0);

    EXPECT_EQ(chosen.size(), 10U);
    EXPECT_EQ(std::ranges::count_if(chosen, [](std::size_t p) { return p >= 20; }), 6);
    EXPECT_THROW(chosen_pairs(screen, split, std::vector{validation}, 0, 0), popflow::core::ConfigError);
}
