// SPDX-License-Identifier: MIT
#include "data/conditions.hpp"

#include <gtest/gtest.h>

using popflow::data::Conditions;
using popflow::data::Doses;
using popflow::data::Population;

namespace {

Population treated(const std::string& treatment, double concentration) {
    Population p;
    p.treatment = treatment;
    p.concentration_value = concentration;
    return p;
}

const Conditions with_doses({{"S", {1, 10, 100}}, {"V", {2}}}, Doses::all);

}  // namespace

TEST(Conditions, WithoutDosesAreOneHot) {
    const Conditions conditions({{"O", {}}, {"S", {}}, {"V", {}}}, Doses::highest);
    EXPECT_EQ(conditions.size(), 3U);
    EXPECT_EQ(conditions.encode(treated("S", 7)), (std::vector<float>{0, 1, 0}));
    EXPECT_EQ(conditions.index(treated("V", 7)), 2U);
}

TEST(Conditions, DosesAreLevelsOnTheLogScale) {
    EXPECT_EQ(with_doses.size(), 4U);
    EXPECT_EQ(with_doses.encode(treated("S", 1)), (std::vector<float>{1, 0, 1.0F / 3, 0}));
    EXPECT_EQ(with_doses.encode(treated("S", 100)), (std::vector<float>{1, 0, 1, 0}));
    EXPECT_EQ(with_doses.encode(treated("V", 2)), (std::vector<float>{0, 1, 0, 1}));
    EXPECT_NEAR(with_doses.encode(treated("S", 31.6227766))[2], 2.5 / 3, 1e-6) << "between 10 and 100";
    EXPECT_EQ(with_doses.encode(treated("S", 1000))[2], 1) << "beyond the last";
    EXPECT_NEAR(with_doses.encode(treated("S", 0.1))[2], 1.0 / 3, 1e-6) << "before the first";
}

TEST(Conditions, AnUnseenDoseCountsAsTheNearest) {
    EXPECT_EQ(with_doses.count(), 4U);
    EXPECT_EQ(with_doses.index(treated("S", 50)), 2U);
    EXPECT_EQ(with_doses.index(treated("S", 20)), 1U);
    EXPECT_EQ(with_doses.index(treated("V", 9)), 3U);
}

TEST(Conditions, AnUnseenTreatmentIsNamed) {
    try {
        with_doses.encode(treated("CSF", 1));
        FAIL();
    } catch (const popflow::core::Error& error) {
        EXPECT_NE(std::string(error.what()).find("CSF"), std::string::npos);
    }
}
