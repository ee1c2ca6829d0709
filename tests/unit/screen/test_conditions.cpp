// SPDX-License-Identifier: MIT
#include "screen/conditions.hpp"

#include <gtest/gtest.h>

#include <algorithm>

using popflow::screen::Conditions;
using popflow::screen::Doses;
using popflow::screen::Population;
using popflow::screen::TreatmentVectors;

namespace {

Population treated(const std::string& treatment, double concentration) {
    Population p;
    p.treatment = treatment;
    p.concentration_value = concentration;
    return p;
}

popflow::linalg::Matrix<float> matrix(std::size_t rows, std::size_t cols, const std::vector<float>& values) {
    popflow::linalg::Matrix<float> m(rows, cols);
    std::ranges::copy(values, m.values().begin());
    return m;
}

const Conditions with_doses({{"S", {1, 10, 100}}, {"V", {2}}}, Doses::all);

}  // namespace

TEST(Conditions, AreOneHotWithoutDoses) {
    const Conditions conditions({{"O", {}}, {"S", {}}, {"V", {}}}, Doses::highest);
    EXPECT_EQ(conditions.size(), 3U);
    EXPECT_EQ(conditions.encode(treated("S", 7)), (std::vector<float>{0, 1, 0}));
    EXPECT_EQ(conditions.index(treated("V", 7)), 2U);
}

TEST(Conditions, EncodeADoseAsItsLevelOnALogScale) {
    EXPECT_EQ(with_doses.size(), 4U);
    EXPECT_EQ(with_doses.encode(treated("S", 1)), (std::vector<float>{1, 0, 1.0F / 3, 0}));
    EXPECT_EQ(with_doses.encode(treated("S", 100)), (std::vector<float>{1, 0, 1, 0}));
    EXPECT_EQ(with_doses.encode(treated("V", 2)), (std::vector<float>{0, 1, 0, 1}));
    EXPECT_NEAR(with_doses.encode(treated("S", 31.6227766))[2], 2.5 / 3, 1e-6) << "between 10 and 100";
    EXPECT_EQ(with_doses.encode(treated("S", 1000))[2], 1) << "beyond the last";
    EXPECT_NEAR(with_doses.encode(treated("S", 0.1))[2], 1.0 / 3, 1e-6) << "before the first";
}

TEST(Conditions, AnUnseenDoseHasTheIndexOfTheNearestDose) {
    EXPECT_EQ(with_doses.count(), 4U);
    EXPECT_EQ(with_doses.index(treated("S", 50)), 2U);
    EXPECT_EQ(with_doses.index(treated("S", 20)), 1U);
    EXPECT_EQ(with_doses.index(treated("V", 9)), 3U);
}

TEST(Conditions, TreatmentVectorsEncodeHeldOutTreatments) {
    const TreatmentVectors vectors({"S", "V", "O"}, matrix(3, 2, {1, 0, 0.5F, 2, 0, 1}));
    const Conditions conditions({{"S", {}}, {"V", {}}}, Doses::highest, vectors);

    EXPECT_EQ(conditions.size(), 2U);
    EXPECT_EQ(conditions.count(), 2U);
    EXPECT_EQ(conditions.encode(treated("V", 7)), (std::vector<float>{0.5F, 2}));
    EXPECT_EQ(conditions.encode(treated("O", 7)), (std::vector<float>{0, 1}));
    EXPECT_EQ(conditions.encode(treated("S+V", 7)), (std::vector<float>{1.5F, 2}));
    EXPECT_EQ(conditions.index(treated("V", 7)), 1U);
    EXPECT_FALSE(conditions.index(treated("O", 7)));
    EXPECT_TRUE(conditions.can_encode("O"));
    EXPECT_FALSE(conditions.can_encode("S+X"));
    EXPECT_THROW(conditions.encode(treated("X", 7)), popflow::core::Error);
}

TEST(Conditions, WithTreatmentVectorsAllTreatmentsShareTheDoseLevels) {
    const TreatmentVectors vectors({"S", "V", "O"}, matrix(3, 1, {1, 2, 4}));
    const Conditions conditions({{"S", {1, 10}}, {"V", {100}}}, Doses::all, vectors);

    EXPECT_EQ(conditions.size(), 2U);
    EXPECT_EQ(conditions.encode(treated("V", 100)), (std::vector<float>{2, 2}));
    EXPECT_EQ(conditions.encode(treated("S", 1)), (std::vector<float>{1, 1.0F / 3}));
    EXPECT_EQ(conditions.encode(treated("O", 10)), (std::vector<float>{4, 8.0F / 3}));
    EXPECT_NEAR(conditions.encode(treated("O", 31.6227766))[1], 4 * 2.5 / 3, 1e-5);
    EXPECT_EQ(conditions.concentrations("O"), (std::vector<double>{1, 10, 100}));
}

TEST(Conditions, TheErrorNamesAnUnseenTreatment) {
    try {
        with_doses.encode(treated("CSF", 1));
        FAIL();
    } catch (const popflow::core::Error& error) {
        EXPECT_NE(std::string(error.what()).find("CSF"), std::string::npos);
    }
}
