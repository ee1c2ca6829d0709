// SPDX-License-Identifier: MIT
#include "models/moment_map.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.hpp"
#include "core/random.hpp"
#include "models/mean_shift.hpp"
#include "support/golden.hpp"
#include "support/populations.hpp"

namespace models = popflow::models;
using models::MomentMap;
using popflow::core::Stream;
using popflow::linalg::AlignedVector;
using popflow::linalg::Matrix;
using popflow::linalg::RidgeKernel;
using popflow::support::rows;

namespace {

// Cells of a training pair.
struct Pair {
    std::size_t condition = 0;
    std::size_t unit = 0;
    Matrix<float> control;
    Matrix<float> treated;
    std::vector<std::uint8_t> types{};
};

// Returns the vector of a condition: one-hot.
std::vector<float> code(std::size_t condition, std::size_t conditions) {
    std::vector<float> vector(conditions, 0.0F);
    vector[condition] = 1;
    return vector;
}

// Weights of a model of the given type for some pairs.
template <class Model>
struct Fitted {
    Fitted(Model fitted_model, const std::vector<Pair>& pairs, std::size_t n_conditions)
        : model(std::move(fitted_model)),
          conditions(n_conditions),
          values(model.layout().size(), std::numeric_limits<float>::quiet_NaN()) {
        Matrix<double> summaries(pairs.size(), model.summary_size());
        for (std::size_t p = 0; p < pairs.size(); ++p) {
            const std::vector<float> condition = code(pairs[p].condition, conditions);
            model.summarise({.control = pairs[p].control.view(),
                             .treated = pairs[p].treated.view(),
                             .control_type = pairs[p].types,
                             .condition = condition,
                             .condition_row = pairs[p].condition,
                             .unit = pairs[p].unit},
                            summaries.view().row_span(p));
        }
        loss = model.fit(summaries, values);
    }
    // Returns the predicted cells.
    Matrix<float> transport(const Matrix<float>& cells, const std::vector<float>& condition,
                            const std::vector<std::uint8_t>& types = {}) const {
        Matrix<float> x = cells;
        const std::vector<float> context = model.context(values, cells.view(), types);
        model.transport(values, context, condition, {}, x.view());
        return x;
    }
    Matrix<float> transport(const Matrix<float>& cells, std::size_t condition) const {
        return transport(cells, code(condition, conditions));
    }
    float value(const char* tensor, std::size_t row, std::size_t column) const {
        return popflow::nn::matrix_of(std::span<const float>(values), model.layout().find(tensor))(row,
                                                                                                   column);
    }

    Model model;
    std::size_t conditions;
    AlignedVector<float> values;
    double loss = 0;
};

Fitted<MomentMap> fit(const std::vector<Pair>& pairs, std::size_t conditions,
                      RidgeKernel kernel = RidgeKernel::rbf, std::size_t cell_types = 0) {
    const models::DataShape shape{.markers = pairs.front().control.cols(),
                                  .cell_types = cell_types,
                                  .conditions = conditions,
                                  .condition_rows = conditions,
                                  .training_pairs = pairs.size()};
    return {MomentMap(shape, kernel), pairs, conditions};
}

Matrix<float> as_matrix(std::size_t n, std::size_t cols, const std::vector<float>& values) {
    Matrix<float> x(n, cols);
    std::ranges::copy(values, x.values().begin());
    return x;
}

// Returns n cells at `centre` plus `spread` times fixed cells whose mean is 0.
Matrix<float> around(float centre, float spread, std::size_t n = 8) {
    Matrix<float> x(n, 1);
    for (std::size_t i = 0; i < n; ++i)
        x(i, 0) = centre + spread * (static_cast<float>(i) - static_cast<float>(n - 1) / 2);
    return x;
}

// Ten populations of one marker. The shift is sin of the mean of the control.
std::vector<Pair> sine(float treated_spread = 1) {
    std::vector<Pair> pairs;
    for (std::size_t p = 0; p < 10; ++p) {
        const float centre = 0.4F * static_cast<float>(p) - 2;
        pairs.push_back({0, p, around(centre, 1), around(centre + std::sin(centre), treated_spread)});
    }
    return pairs;
}

void expect_near(const Matrix<float>& found, const Matrix<float>& expected, float tolerance) {
    ASSERT_EQ(found.rows(), expected.rows());
    for (std::size_t i = 0; i < found.rows(); ++i) {
        for (std::size_t j = 0; j < found.cols(); ++j)
            EXPECT_NEAR(found(i, j), expected(i, j), tolerance) << "row " << i << ", column " << j;
    }
}

}  // namespace

// The golden file has NumPy's predictions: a condition with shift and spread, one whose spread has no signal,
// and one with two units only.
TEST(MomentMap, PredictsLikeRefitsOfEachFold) {
    popflow::support::GoldenFile file("moments/map.bin");
    const auto sizes = file.read<std::int32_t>(3);
    const auto d = static_cast<std::size_t>(sizes[1]);
    std::vector<Pair> pairs;
    for (std::int32_t p = 0; p < sizes[0]; ++p) {
        const auto head = file.read<std::int32_t>(4);
        const auto n = static_cast<std::size_t>(head[2]);
        const auto m = static_cast<std::size_t>(head[3]);
        Matrix<float> control = as_matrix(n, d, file.read<float>(n * d));
        pairs.push_back({static_cast<std::size_t>(head[0]), static_cast<std::size_t>(head[1]),
                         std::move(control), as_matrix(m, d, file.read<float>(m * d))});
    }
    const Matrix<float> cells = as_matrix(5, d, file.read<float>(5 * d));
    const Fitted<MomentMap> fitted = fit(pairs, static_cast<std::size_t>(sizes[2]));
    for (std::size_t condition = 0; condition < 3; ++condition) {
        const Matrix<float> predicted = fitted.transport(cells, condition);
        const auto expected = file.read<double>(5 * d);
        for (std::size_t k = 0; k < expected.size(); ++k)
            EXPECT_NEAR(predicted.values()[k], expected[k], 2e-5) << "condition " << condition << ", " << k;
    }
    EXPECT_TRUE(file.at_end());
    EXPECT_GT(fitted.value("log_ratio_kernels", 0, 1), 0);
    EXPECT_EQ(fitted.value("log_ratio_kernels", 1, 1), 0) << "the spread has no signal";
    EXPECT_EQ(fitted.value("log_ratios", 1, 0), 0);
    EXPECT_EQ(fitted.value("shift_kernels", 2, 1), 0) << "two units";
}

TEST(MomentMap, FollowsThePopulation) {
    const Fitted<MomentMap> fitted = fit(sine(), 1);
    for (const float centre : {-1.3F, 0.1F, 1.1F})
        expect_near(fitted.transport(around(centre, 1), 0), around(centre + std::sin(centre), 1), 0.02F);
    EXPECT_LT(fitted.loss, 1e-3);
}

// Equal shifts have no signal, and two units are too few: both have the bits of the mean shift.
TEST(MomentMap, IsTheMeanShiftWithAnInfinitePenalty) {
    std::vector<Pair> pairs;
    Stream stream(1, popflow::core::Purpose::test);
    for (std::size_t p = 0; p < 12; ++p) {
        Matrix<float> control(6 + p, 3);
        stream.fill_normal(control.values());
        Matrix<float> treated(9, 3);
        stream.fill_normal(treated.values());
        pairs.push_back({p % 2, p % 4 / 2, std::move(control), std::move(treated)});
    }
    const Fitted<MomentMap> fitted = fit(pairs, 2);
    EXPECT_EQ(fitted.value("shift_kernels", 0, 1), 0);
    const models::DataShape shape{.markers = 3, .conditions = 2, .condition_rows = 2, .training_pairs = 12};
    const Fitted<models::MeanShift> mean_shift{models::MeanShift(shape), pairs, 2};
    for (std::size_t condition = 0; condition < 2; ++condition) {
        const Matrix<float> found = fitted.transport(pairs[0].control, condition);
        const Matrix<float> expected = mean_shift.transport(pairs[0].control, condition);
        EXPECT_TRUE(std::ranges::equal(found.values(), expected.values()));
    }
    EXPECT_DOUBLE_EQ(fitted.loss, mean_shift.loss);
}

TEST(MomentMap, IsTheMeanShiftFarFromTheTrainingData) {
    const std::vector<Pair> pairs = sine();
    const Fitted<MomentMap> fitted = fit(pairs, 1);
    ASSERT_GT(fitted.value("shift_kernels", 0, 1), 0);
    const Matrix<float> far = around(1000, 1);
    const models::DataShape shape{.markers = 1, .conditions = 1, .condition_rows = 1, .training_pairs = 10};
    const Fitted<models::MeanShift> mean_shift{models::MeanShift(shape), pairs, 1};
    EXPECT_TRUE(std::ranges::equal(fitted.transport(far, 0).values(), mean_shift.transport(far, 0).values()));
}

TEST(MomentMap, ExtrapolatesWithTheLinearKernel) {
    std::vector<Pair> pairs;
    for (std::size_t p = 0; p < 6; ++p) {
        const auto centre = static_cast<float>(p);
        pairs.push_back({0, p, around(centre, 1), around(3 * centre, 1)});
    }
    const Fitted<MomentMap> fitted = fit(pairs, 1, RidgeKernel::linear);
    // The shift 2 x is shrunk towards its mean 5 at 2.5.
    expect_near(fitted.transport(around(20, 1), 0), around(20 + 5 + 35 / (1 + 0.01F / 6), 1), 1e-3F);
}

TEST(MomentMap, ScalesTheCellsAroundTheMeanOfTheirPopulation) {
    // All treated populations are three times as wide. The offset of 0.05 reduces the ratio slightly.
    const Fitted<MomentMap> fitted = fit(sine(3), 1);
    const Matrix<float> control = around(0.5F, 1);
    const Matrix<float> predicted = fitted.transport(control, 0);
    for (std::size_t i = 1; i < 8; ++i)
        EXPECT_NEAR(predicted(i, 0) - predicted(0, 0),
                    (control(i, 0) - control(0, 0)) * std::exp(fitted.value("log_ratios", 0, 0)), 1e-5);
    // (3 s + 0.05 s) / (s + 0.05 s) with the standard deviation s of the control
    EXPECT_NEAR(std::exp(fitted.value("log_ratios", 0, 0)), 3.05 / 1.05, 1e-5);
}

TEST(MomentMap, UsesNoScaleWithoutSignalInTheSpread) {
    // Neighbouring populations change their spread in opposite directions.
    std::vector<Pair> pairs = sine();
    for (std::size_t p = 0; p < pairs.size(); ++p) {
        const float centre = 0.4F * static_cast<float>(p) - 2;
        pairs[p].treated = around(centre + std::sin(centre), p % 2 == 0 ? 2.0F : 0.5F);
    }
    const Fitted<MomentMap> fitted = fit(pairs, 1);
    EXPECT_GT(fitted.value("shift_kernels", 0, 1), 0);
    EXPECT_EQ(fitted.value("log_ratios", 0, 0), 0);
    EXPECT_EQ(fitted.value("log_ratio_kernels", 0, 1), 0);
    const Matrix<float> predicted = fitted.transport(around(0, 1), 0);
    EXPECT_NEAR(predicted(7, 0) - predicted(0, 0), 7, 1e-5);
}

TEST(MomentMap, UsesTheSharesOfTheCellTypes) {
    // All controls have equal means. The shift is four times the share of type 1. The last type is unknown.
    std::vector<Pair> pairs;
    const auto types = [](std::size_t n_first) {
        std::vector<std::uint8_t> all(8, 0);
        for (std::size_t i = 0; i < n_first; ++i) all[i] = 1;
        all[7] = models::unknown_cell_type;
        return all;
    };
    for (std::size_t p = 0; p < 7; ++p)
        pairs.push_back({0, p, around(0, 1), around(4 * static_cast<float>(p) / 8, 1), types(p)});
    const Fitted<MomentMap> fitted = fit(pairs, 1, RidgeKernel::linear, 2);
    EXPECT_EQ(fitted.model.context_size(), 3U);
    const std::vector<float> context = fitted.model.context(fitted.values, around(2, 1).view(), types(2));
    EXPECT_EQ(context, (std::vector<float>{2, 5.0F / 8, 2.0F / 8}));
    expect_near(fitted.transport(around(0, 1), {1}, types(2)), around(1, 1), 0.01F);
    expect_near(fitted.transport(around(0, 1), {1}, types(5)), around(2.5F, 1), 0.01F);

    const models::DataShape shape{
        .markers = 1, .cell_types = 2, .conditions = 1, .condition_rows = 1, .training_pairs = 7};
    EXPECT_EQ(models::make_moment_map_baseline(shape).context_size(), 1U);
}

TEST(MomentMap, LeavesAllPairsOfAUnitOutTogether) {
    // Each unit has its own shift, at its own place. Its pairs predict each other, but not another unit.
    std::vector<Pair> pairs;
    const float shifts[] = {3, -3, 3, -3};
    for (std::size_t p = 0; p < 12; ++p) {
        const float centre = 5 * static_cast<float>(p / 3) + 0.1F * static_cast<float>(p % 3);
        pairs.push_back({0, p, around(centre, 1), around(centre + shifts[p / 3], 1)});
    }
    EXPECT_GT(fit(pairs, 1).value("shift_kernels", 0, 1), 0);
    for (std::size_t p = 0; p < 12; ++p) pairs[p].unit = p / 3;
    EXPECT_EQ(fit(pairs, 1).value("shift_kernels", 0, 1), 0);
}

TEST(MomentMap, DoesNotDependOnTheOrderOfThePairs) {
    std::vector<Pair> pairs = sine(2);
    for (std::size_t p = 0; p < 10; ++p) {
        const float centre = 0.3F * static_cast<float>(p);
        pairs.push_back({1, p, around(centre, 1), around(centre - 1, 1.5F)});
    }
    const Fitted<MomentMap> fitted = fit(pairs, 2);
    std::ranges::reverse(pairs);
    std::swap(pairs[3], pairs[15]);
    const Fitted<MomentMap> moved = fit(pairs, 2);
    for (std::size_t condition = 0; condition < 2; ++condition)
        expect_near(moved.transport(around(0.7F, 1), condition), fitted.transport(around(0.7F, 1), condition),
                    1e-5F);
}

TEST(MomentMap, UsesTheNearestConditionForAnUnknownOne) {
    std::vector<Pair> pairs = sine();
    for (std::size_t p = 0; p < 3; ++p) {
        const auto centre = static_cast<float>(p);
        pairs.push_back({1, p, around(centre, 1), around(centre - 7, 1)});
    }
    const Fitted<MomentMap> fitted = fit(pairs, 2);
    const Matrix<float> cells = around(0.2F, 1);
    const auto first = fitted.transport(cells, 0);
    const auto second = fitted.transport(cells, 1);
    expect_near(second, around(-6.8F, 1), 1e-5F);
    EXPECT_TRUE(std::ranges::equal(fitted.transport(cells, {0.3F, 2}).values(), second.values()));
    EXPECT_TRUE(std::ranges::equal(fitted.transport(cells, {0.5F, 0.5F}).values(), first.values()))
        << "equally near: the first condition";
}

TEST(MomentMap, HandlesConstantPopulations) {
    std::vector<Pair> pairs;
    for (std::size_t p = 0; p < 5; ++p) {
        const auto centre = static_cast<float>(p);
        pairs.push_back({0, p, around(centre, 0), around(centre + 1, 0)});
    }
    const Fitted<MomentMap> fitted = fit(pairs, 1);
    expect_near(fitted.transport(around(2, 0), 0), around(3, 0), 1e-6F);
}

TEST(MomentMap, ThrowsIfThePredictionIsNotFinite) {
    std::vector<Pair> pairs;
    for (std::size_t p = 0; p < 6; ++p) {
        const auto centre = static_cast<float>(p);
        pairs.push_back({0, p, around(centre, 1), around(centre, std::exp(centre))});
    }
    const Fitted<MomentMap> fitted = fit(pairs, 1, RidgeKernel::linear);
    ASSERT_GT(fitted.value("log_ratio_kernels", 0, 1), 0);
    EXPECT_THROW(fitted.transport(around(1e6F, 1), 0), popflow::core::NumericalError);
}

TEST(MomentMap, ThrowsForOtherShapes) {
    const Fitted<MomentMap> fitted = fit(sine(), 1);
    const Matrix<float> wide = rows({{1, 2}});
    EXPECT_THROW(fitted.model.context(fitted.values, wide.view(), {}), popflow::core::ShapeMismatch);
    Matrix<float> x = around(0, 1);
    const std::vector<float> context{0};
    EXPECT_THROW(fitted.model.transport(fitted.values, {}, std::vector<float>{1}, {}, x.view()),
                 popflow::core::ShapeMismatch);
    EXPECT_THROW(fitted.model.transport(fitted.values, context, std::vector<float>{1, 0}, {}, x.view()),
                 popflow::core::ShapeMismatch);
}
