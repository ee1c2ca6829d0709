// SPDX-License-Identifier: MIT
#include "core/dose.hpp"

#include <gtest/gtest.h>

namespace core = popflow::core;
using core::Quantity;

namespace {

/// Expects that a label has a value in the unit of its quantity.
void expect_dose(const char* label, double value, Quantity quantity) {
    const auto dose = core::parse_dose(label);
    ASSERT_TRUE(dose.has_value()) << label;
    EXPECT_EQ(dose->value, value) << label;
    EXPECT_EQ(dose->quantity, quantity) << label;
}

}  // namespace

TEST(ParseDose, ReadsPlainNumbers) {
    expect_dose("10", 10, Quantity::number);
    expect_dose("1.5e-3", 1.5e-3, Quantity::number);
    expect_dose("-1", -1, Quantity::number);
    expect_dose("0,5", 0.5, Quantity::number);
}

TEST(ParseDose, ConvertsMolarConcentrationsToMicromolar) {
    for (const char* label :
         {"10 uM", "10uM", "10 \xC2\xB5M", "10\xCE\xBCM", "10_uM", "10\xC2\xA0uM", "10000 nM", "0.01 mM",
          "1e-5 M", "1e7 pM", "10 umol/l", "10 nmol/ml", "10 micromolar", " 10 uM", "+10 uM"})
        expect_dose(label, 10, Quantity::molar);
    expect_dose("100 nM", 0.1, Quantity::molar);
    expect_dose("0,25 mM", 250, Quantity::molar);
    expect_dose("0 uM", 0, Quantity::molar);
}

TEST(ParseDose, ConvertsMassesPerVolumeToMicrogramsPerMillilitre) {
    expect_dose("0.5 mg/ml", 500, Quantity::mass_per_volume);
    expect_dose("20 ng/mL", 0.02, Quantity::mass_per_volume);
    expect_dose("3 \xC2\xB5g/ml", 3, Quantity::mass_per_volume);
    expect_dose("2 g/L", 2000, Quantity::mass_per_volume);
    expect_dose("7 mg/l", 7, Quantity::mass_per_volume);
    expect_dose("1 ng/ul", 1, Quantity::mass_per_volume);
    expect_dose("5 mg/dl", 50, Quantity::mass_per_volume);
}

TEST(ParseDose, ReadsOtherQuantities) {
    expect_dose("100 U/ml", 100, Quantity::activity_per_volume);
    expect_dose("0.1 IU/ul", 100, Quantity::activity_per_volume);
    expect_dose("5 mg/kg", 5, Quantity::mass_per_mass);
    expect_dose("50 ug/kg", 0.05, Quantity::mass_per_mass);
    expect_dose("0.1 %", 0.1, Quantity::fraction);
    expect_dose("0.1% (v/v)", 0.1, Quantity::fraction);
    expect_dose("200 cGy", 2, Quantity::radiation);
}

TEST(ParseDose, ConvertsTimesToHours) {
    expect_dose("6h", 6, Quantity::time);
    expect_dose("30 min", 0.5, Quantity::time);
    expect_dose("1 d", 24, Quantity::time);
    expect_dose("2 Days", 48, Quantity::time);
    expect_dose("90 s", 0.025, Quantity::time);
    expect_dose("1 week", 168, Quantity::time);
    expect_dose("4 hours", 4, Quantity::time);
}

TEST(ParseDose, RefusesOtherTexts) {
    for (const char* label : {"", "high", "uM", "1 spoon", "1,000 nM", "12,500 uM", "1 000 nM", "3D", "1e uM",
                              "1.2.3 uM", "10 um", "10 uM extra", "1/2 uM", "-"})
        EXPECT_FALSE(core::parse_dose(label).has_value()) << label;
}

TEST(PlainDose, KeepsTextsThatAreNoDoses) {
    EXPECT_EQ(core::plain_dose("100 nM"), "0.1");
    EXPECT_EQ(core::plain_dose("1.0"), "1");
    EXPECT_EQ(core::plain_dose("high"), "high");
    EXPECT_STREQ(core::unit_name(Quantity::time), "h");
    EXPECT_STREQ(core::unit_name(Quantity::number), "");
}
