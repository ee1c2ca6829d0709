// SPDX-License-Identifier: MIT
#include "models/mean_shift.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "support/populations.hpp"

namespace models = popflow::models;
using popflow::linalg::Matrix;
using popflow::support::rows;

namespace {

// Two markers and two conditions with the vectors (1, 0) and (0, 1).
const models::DataShape shape{.markers = 2, .conditions = 2, .condition_rows = 2, .training_pairs = 3};

// Fits three pairs: two of condition 0 with the shifts (4, 0) and (6, 2), and one of condition 1 with (-1,
// 3).
struct Fitted {
    Fitted() {
        add({{0, 0}, {2, 2}}, {{5, 1}}, {1, 0}, 0);
        add({{1, 1}}, {{7, 3}}, {1, 0}, 0);
        add({{0, 0}, {4, 0}}, {{1, 3}, {1, 2}, {1, 4}}, {0, 1}, 1);
        loss = model.fit(summaries, values);
    }
    using Rows = std::initializer_list<std::initializer_list<float>>;
    void add(Rows control, Rows treated, const std::vector<float>& condition, std::size_t row) {
        const Matrix<float> x0 = rows(control);
        const Matrix<float> x1 = rows(treated);
        model.summarise({.control = x0.view(),
                         .treated = x1.view(),
                         .control_type = {},
                         .condition = condition,
                         .condition_row = row},
                        summaries.view().row_span(n_pairs++));
    }
    // Returns the prediction of a cell (10, 20).
    Matrix<float> transport(const std::vector<float>& condition) const {
        Matrix<float> x = rows({{10, 20}});
        model.transport(values, {}, condition, {}, x.view());
        return x;
    }

    models::MeanShift model{shape};
    Matrix<double> summaries{3, model.summary_size()};
    popflow::linalg::AlignedVector<float> values =
        popflow::linalg::AlignedVector<float>(model.layout().size(), 0.0F);
    std::size_t n_pairs = 0;
    double loss = 0;
};

}  // namespace

TEST(MeanShift, AveragesTheShiftsOfThePairsOfACondition) {
    const Fitted fitted;
    EXPECT_EQ(fitted.transport({1, 0})(0, 0), 15);
    EXPECT_EQ(fitted.transport({1, 0})(0, 1), 21);
    EXPECT_EQ(fitted.transport({0, 1})(0, 0), 9);
    EXPECT_EQ(fitted.transport({0, 1})(0, 1), 23);
}

TEST(MeanShift, TheLossIsTheMeanSquaredDistanceOfTheShifts) {
    // Each pair of condition 0 has the distance (1, 1) from the mean (5, 1), and that of condition 1 has 0.
    EXPECT_DOUBLE_EQ(Fitted().loss, 4.0 / 3);
}

TEST(MeanShift, UsesTheNearestConditionForAnUnknownOne) {
    const Fitted fitted;
    EXPECT_EQ(fitted.transport({0.9F, 0.2F})(0, 0), 15);
    EXPECT_EQ(fitted.transport({0.3F, 2})(0, 0), 9);
    EXPECT_EQ(fitted.transport({0.5F, 0.5F})(0, 0), 15) << "equally near: the first condition";
}

TEST(MeanShift, HasOneTensorOfConditionsAndOneOfShifts) {
    const models::MeanShift model(shape);
    EXPECT_EQ(model.layout().count(), 8U);
    EXPECT_EQ(model.layout().find("shifts").cols, 2U);
    EXPECT_EQ(model.gradient_training(), nullptr);
    EXPECT_EQ(model.cell_transport()->context_size(), 0U);
}

TEST(MeanShift, ThrowsForOtherShapes) {
    const Fitted fitted;
    EXPECT_THROW(fitted.transport({1, 0, 0}), popflow::core::ShapeMismatch);
    Matrix<float> x = rows({{1, 2, 3}});
    EXPECT_THROW(fitted.model.transport(fitted.values, {}, std::vector<float>{1, 0}, {}, x.view()),
                 popflow::core::ShapeMismatch);
}
