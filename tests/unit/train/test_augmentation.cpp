// SPDX-License-Identifier: MIT
#include "train/augmentation.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "core/error.hpp"
#include "support/populations.hpp"
#include "train/pair_sampler.hpp"

using popflow::core::ConfigError;
using popflow::core::Purpose;
using popflow::core::Stream;
using popflow::linalg::Matrix;
using popflow::screen::Cells;
using popflow::support::normal_population;
using popflow::train::augment;
using popflow::train::Augmentation;
using popflow::train::check_augmentation;
using popflow::train::PairLane;
using popflow::train::TrainingPair;

namespace {

Stream slot_stream(std::uint64_t step) {
    return {7, Purpose::augment, step, 0};
}

// Returns n cells. Cell i is (value, i), and its cell type is `value`.
Cells numbered_cells(std::size_t n, float value) {
    Cells cells{Matrix<float>(n, 2), std::vector<std::uint8_t>(n, static_cast<std::uint8_t>(value))};
    for (std::size_t i = 0; i < n; ++i) {
        cells.x(i, 0) = value;
        cells.x(i, 1) = static_cast<float>(i);
    }
    return cells;
}

double distance(const Matrix<float>& a, std::size_t i, const Matrix<float>& b, std::size_t k) {
    return std::hypot(static_cast<double>(a(i, 0) - b(k, 0)), static_cast<double>(a(i, 1) - b(k, 1)));
}

// Cells of one slot in two dimensions, augmented without a lane.
struct SlotCells {
    Matrix<float> control = normal_population(40, 2, 1);
    Matrix<float> treated = normal_population(40, 2, 2);
    std::vector<std::uint8_t> type = std::vector<std::uint8_t>(40);

    void augment_at(const std::string& names, std::uint64_t step) {
        augment(Augmentation::parse(names), slot_stream(step), PairLane{}, TrainingPair{}, false,
                {control, type, treated});
    }
};

// Returns the angle by which cell i of `after` is rotated against `before`, in [-pi, pi].
double rotation_angle(const Matrix<float>& before, const Matrix<float>& after, std::size_t i) {
    const double angle = std::atan2(after(i, 1), after(i, 0)) - std::atan2(before(i, 1), before(i, 0));
    return std::remainder(angle, 2 * M_PI);
}

// A lane with three pairs: the first two share a condition, the third has another.
struct ThreePairs {
    Cells control[3] = {numbered_cells(30, 1), numbered_cells(30, 2), numbered_cells(30, 3)};
    Cells treated[3] = {numbered_cells(30, 11), numbered_cells(30, 12), numbered_cells(30, 13)};
    PairLane lane;

    ThreePairs() {
        for (std::size_t p = 0; p < 3; ++p)
            lane.pairs.push_back({p, control[p].view(), treated[p].view(), {p < 2 ? 1.0F : 0.0F}});
    }
};

struct SlotBatch {
    Matrix<float> control;
    std::vector<std::uint8_t> type;
    Matrix<float> treated;
};

SlotBatch augment_pair(const std::string& names, const ThreePairs& pairs, std::size_t pair,
                       bool rows_correspond, std::uint64_t step) {
    SlotBatch batch{pairs.control[pair].x, pairs.control[pair].cell_type, pairs.treated[pair].x};
    augment(Augmentation::parse(names), slot_stream(step), pairs.lane, pairs.lane.pairs[pair],
            rows_correspond, {batch.control, batch.type, batch.treated});
    return batch;
}

SlotBatch mix_pair(const ThreePairs& pairs, std::size_t pair, bool rows_correspond, std::uint64_t step) {
    return augment_pair("mix", pairs, pair, rows_correspond, step);
}

}  // namespace

TEST(Augmentation, ParsesAndFormatsItsText) {
    for (const char* text :
         {"none", "rotate", "rotate, reflect", "rotate, reflect, mix", "mix", "stretch, splice"})
        EXPECT_EQ(Augmentation::parse(text).text(), text);
    EXPECT_EQ(Augmentation::parse("mix,rotate").text(), "rotate, mix");
    EXPECT_THROW(Augmentation::parse("spin"), ConfigError);
    EXPECT_THROW(Augmentation::parse("none,rotate"), ConfigError);
    EXPECT_THROW(Augmentation::parse(""), ConfigError);
}

TEST(Augmentation, RotatesSourceAndTargetByTheSameAngle) {
    std::set<int> quadrants;
    for (std::uint64_t step = 0; step < 40; ++step) {
        const SlotCells before;
        SlotCells after;
        after.augment_at("rotate", step);
        const double angle = rotation_angle(before.control, after.control, 0);
        quadrants.insert(static_cast<int>(std::floor(angle / (M_PI / 2))));
        for (std::size_t i = 0; i < 40; ++i) {
            ASSERT_NEAR(std::remainder(rotation_angle(before.control, after.control, i) - angle, 2 * M_PI), 0,
                        1e-4);
            ASSERT_NEAR(std::remainder(rotation_angle(before.treated, after.treated, i) - angle, 2 * M_PI), 0,
                        1e-4);
            ASSERT_NEAR(distance(before.control, i, before.treated, 0),
                        distance(after.control, i, after.treated, 0), 1e-5);
        }
    }
    EXPECT_EQ(quadrants.size(), 4U);
}

TEST(Augmentation, ReflectsBothPopulationsOrNeither) {
    std::size_t mirrored = 0;
    for (std::uint64_t step = 0; step < 400; ++step) {
        const SlotCells before;
        SlotCells after;
        after.augment_at("reflect", step);
        const float sign = after.control(0, 0) / before.control(0, 0);
        mirrored += sign < 0 ? 1 : 0;
        for (std::size_t i = 0; i < 40; ++i) {
            ASSERT_EQ(after.control(i, 0), sign * before.control(i, 0));
            ASSERT_EQ(after.treated(i, 0), sign * before.treated(i, 0));
            ASSERT_EQ(after.treated(i, 1), before.treated(i, 1));
        }
    }
    EXPECT_NEAR(static_cast<double>(mirrored), 200, 5 * 10);  // five standard deviations
}

TEST(Augmentation, ChangesNothingForNone) {
    const SlotCells before;
    SlotCells after;
    after.augment_at("none", 3);
    EXPECT_TRUE(std::ranges::equal(before.control.values(), after.control.values()));
    EXPECT_TRUE(std::ranges::equal(before.treated.values(), after.treated.values()));
}

TEST(Augmentation, MixesTheSameShareOfBothPopulations) {
    const ThreePairs pairs;
    std::size_t mixed_batches = 0;
    for (std::uint64_t step = 0; step < 200; ++step) {
        const SlotBatch batch = mix_pair(pairs, 0, false, step);
        ASSERT_EQ(batch.control.rows(), 30U);
        std::size_t controls = 0;
        std::size_t treated = 0;
        std::set<std::pair<float, float>> distinct;
        for (std::size_t i = 0; i < 30; ++i) {
            ASSERT_TRUE(batch.control(i, 0) == 1 || batch.control(i, 0) == 2);
            ASSERT_EQ(static_cast<float>(batch.type[i]), batch.control(i, 0));
            controls += batch.control(i, 0) == 2 ? 1 : 0;
            treated += batch.treated(i, 0) == 12 ? 1 : 0;
            distinct.insert({batch.treated(i, 0), batch.treated(i, 1)});
        }
        EXPECT_EQ(controls, treated);
        EXPECT_EQ(distinct.size(), 30U);
        mixed_batches += controls > 0 ? 1 : 0;
    }
    // A batch is mixed with probability 1/2, but one share in 31 is zero. The tolerance is five standard
    // deviations of 7 around 97.
    EXPECT_NEAR(static_cast<double>(mixed_batches), 97, 35);
}

TEST(Augmentation, MixingKeepsPartnersIfRowsCorrespond) {
    const ThreePairs pairs;
    for (std::uint64_t step = 0; step < 50; ++step) {
        const SlotBatch batch = mix_pair(pairs, 1, true, step);
        for (std::size_t i = 0; i < 30; ++i) {
            ASSERT_EQ(batch.treated(i, 0), batch.control(i, 0) + 10);
            ASSERT_EQ(batch.treated(i, 1), batch.control(i, 1));
        }
    }
}

TEST(Augmentation, StretchIsLinearAndKeepsDisplacements) {
    double log_area = 0;
    for (std::uint64_t step = 0; step < 400; ++step) {
        SlotCells after;
        for (std::size_t i = 0; i < 2; ++i)
            for (std::size_t j = 0; j < 2; ++j) after.treated(i, j) = i == j ? 1.0F : 0.0F;
        for (std::size_t j = 0; j < 2; ++j) after.treated(2, j) = 3.0F;
        const SlotCells before = after;
        after.augment_at("stretch", step);
        const Matrix<float>& y = after.treated;
        ASSERT_NEAR(y(0, 1), y(1, 0), 1e-6);  // images of the unit vectors: a symmetric matrix
        for (std::size_t j = 0; j < 2; ++j) ASSERT_NEAR(y(2, j), 3 * (y(0, j) + y(1, j)), 1e-5);
        for (std::size_t i = 0; i < 40; ++i) {
            for (std::size_t j = 0; j < 2; ++j) {
                ASSERT_NEAR(after.control(i, j) - after.treated(i, j),
                            before.control(i, j) - before.treated(i, j), 1e-5);
            }
        }
        log_area += std::log(static_cast<double>(y(0, 0) * y(1, 1) - y(0, 1) * y(1, 0)));
    }
    EXPECT_NEAR(log_area / 400, 0, 5 * 0.2 * std::sqrt(2.0 / 400));  // five standard deviations
}

TEST(Augmentation, SpliceCutsAlongALineAndKeepsPartners) {
    ThreePairs pairs;
    for (Cells* cells : {&pairs.control[0], &pairs.control[1], &pairs.treated[0], &pairs.treated[1]}) {
        for (std::size_t i = 0; i < 30; ++i) cells->x(i, 0) = 0;  // all on a line through the origin
    }
    std::size_t splices = 0;
    for (std::uint64_t step = 0; step < 200; ++step) {
        const SlotBatch batch = augment_pair("splice", pairs, 0, true, step);
        double own[] = {1e9, -1e9};
        double other[] = {1e9, -1e9};
        for (std::size_t i = 0; i < 30; ++i) {
            const double at{batch.treated(i, 1)};
            ASSERT_EQ(batch.control(i, 1), batch.treated(i, 1));
            auto& range = batch.type[i] == 1 ? own : other;
            range[0] = std::min(range[0], at);
            range[1] = std::max(range[1], at);
        }
        if (other[0] > other[1]) continue;
        ++splices;
        ASSERT_TRUE(own[1] < other[0] || other[1] < own[0]);
    }
    // A batch is spliced with probability 1/2, unless the line leaves the other pair no or too few rows.
    EXPECT_GT(splices, 60U);
    EXPECT_LT(splices, 135U);
}

TEST(Augmentation, DoesNotMixAPairThatIsAloneInItsCondition) {
    const ThreePairs pairs;
    for (std::uint64_t step = 0; step < 20; ++step) {
        const SlotBatch batch = mix_pair(pairs, 2, false, step);
        for (std::size_t i = 0; i < 30; ++i) ASSERT_EQ(batch.control(i, 0), 3);
    }
}

TEST(Augmentation, IsDisabledForTheLastSteps) {
    popflow::train::PairSampling options;
    options.augmentation = Augmentation::parse("rotate,reflect,mix,stretch,splice");
    EXPECT_EQ(options.augmentation_at(9, 10).text(), options.augmentation.text());
    options.augment_until = 0.7;
    EXPECT_EQ(options.augmentation_at(6, 10).text(), options.augmentation.text());
    EXPECT_FALSE(options.augmentation_at(7, 10).any());
    options.augment_until = 0;
    EXPECT_FALSE(options.augmentation_at(0, 10).any());
}

TEST(Augmentation, ThrowsForModelsThatDoNotSupportIt) {
    EXPECT_NO_THROW(check_augmentation(Augmentation::parse("rotate,reflect,mix"), 2, false, ""));
    EXPECT_NO_THROW(check_augmentation(Augmentation::parse("mix"), 43, false, ""));
    EXPECT_THROW(check_augmentation(Augmentation::parse("rotate"), 3, false, ""), ConfigError);
    EXPECT_THROW(check_augmentation(Augmentation::parse("reflect"), 1, false, ""), ConfigError);
    EXPECT_THROW(check_augmentation(Augmentation::parse("mix"), 2, false, "cgfm"), ConfigError);
    EXPECT_NO_THROW(check_augmentation(Augmentation::parse("stretch,splice"), 2, true, ""));
    EXPECT_THROW(check_augmentation(Augmentation::parse("stretch"), 2, false, ""), ConfigError);
    EXPECT_THROW(check_augmentation(Augmentation::parse("splice"), 3, true, ""), ConfigError);
    EXPECT_THROW(check_augmentation(Augmentation::parse("splice"), 2, true, "cgfm"), ConfigError);
}
