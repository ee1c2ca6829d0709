// SPDX-License-Identifier: MIT
#include "screen/transform.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "core/error.hpp"

using popflow::core::ConfigError;
using popflow::screen::Transform;

namespace {

constexpr float largest = std::numeric_limits<float>::max();

float transformed(const std::string& text, float raw) {
    Transform::parse(text).apply({&raw, 1});
    return raw;
}

double library_transform(const std::string& text, double raw) {
    if (text == "log1p") return std::log1p(raw);
    const Transform transform = Transform::parse(text);
    return transform.kind == Transform::Kind::none ? raw : std::asinh(raw / transform.cofactor);
}

/// Returns magnitudes from the smallest float to the largest, including 0, 1 and their neighbours.
std::vector<float> magnitudes() {
    std::vector<float> all{0,
                           1,
                           std::nextafter(1.0F, 0.0F),
                           std::nextafter(1.0F, 2.0F),
                           5,
                           largest,
                           std::numeric_limits<float>::denorm_min()};
    for (double x = 1e-42; x < 3e38; x *= 1.0173) all.push_back(static_cast<float>(x));
    return all;
}

}  // namespace

TEST(Transform, ParsesAndPrintsItsText) {
    for (const char* text : {"arcsinh:5", "arcsinh:0.5", "log1p", "none"})
        EXPECT_EQ(Transform::parse(text).text(), text);
    EXPECT_EQ(Transform::parse("arcsinh").text(), "arcsinh:5");
    for (const char* text : {"arcsinh:0", "arcsinh:x", "log", ""})
        EXPECT_THROW(Transform::parse(text), ConfigError);
}

TEST(Transform, MatchesTheStandardLibraryToHalfAUnitInTheLastPlace) {
    for (const char* text : {"arcsinh:5", "arcsinh:0.5", "arcsinh:150", "arcsinh:1e-30", "log1p", "none"}) {
        const Transform transform = Transform::parse(text);
        std::vector<float> raw = magnitudes();
        if (transform.kind != Transform::Kind::log1p) {
            for (const float x : magnitudes()) raw.push_back(-x);
        }
        ASSERT_TRUE(transform.allows(raw));
        std::vector<float> found = raw;
        transform.apply(found);
        for (std::size_t i = 0; i < raw.size(); ++i) {
            const double unit =
                double{std::nextafter(std::abs(found[i]), largest)} - double{std::abs(found[i])};
            ASSERT_NEAR(found[i], library_transform(text, double{raw[i]}), 0.5000001 * unit)
                << text << " of " << raw[i];
            ASSERT_EQ(std::signbit(found[i]), std::signbit(raw[i])) << text << " of " << raw[i];
        }
    }
}

TEST(Transform, GivesTheSameForManyValuesAsForEach) {
    const std::vector<float> raw = magnitudes();
    for (const char* text : {"arcsinh:5", "log1p"}) {
        std::vector<float> found = raw;
        Transform::parse(text).apply(found);
        for (std::size_t i = 0; i < raw.size(); ++i) ASSERT_EQ(found[i], transformed(text, raw[i]));
    }
}

TEST(Transform, InvertUndoesApply) {
    for (const char* text : {"arcsinh:5", "arcsinh:0.5", "log1p", "none"}) {
        for (const float raw : {0.0F, 0.3F, 5.0F, 30000.0F})
            EXPECT_NEAR(Transform::parse(text).invert(double{transformed(text, raw)}), raw,
                        1e-6F * (1 + raw));
    }
}

TEST(Transform, AllowsOnlyValuesThatItCanTransform) {
    const float infinite = std::numeric_limits<float>::infinity();
    for (const char* text : {"arcsinh:5", "log1p", "none"}) {
        const Transform transform = Transform::parse(text);
        for (const float bad : {infinite, -infinite, std::numeric_limits<float>::quiet_NaN()}) {
            std::vector<float> values(40, 1.0F);
            EXPECT_TRUE(transform.allows(values));
            values[37] = bad;
            EXPECT_FALSE(transform.allows(values));
        }
        EXPECT_EQ(transform.allows(std::vector<float>{-1}), transform.kind != Transform::Kind::log1p);
    }
}
