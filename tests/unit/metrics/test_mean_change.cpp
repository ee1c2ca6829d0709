// SPDX-License-Identifier: MIT
#include "metrics/mean_change.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.hpp"
#include "metrics/scores.hpp"
#include "support/populations.hpp"

namespace metrics = popflow::metrics;
using metrics::change_correlation;
using metrics::recall_of_changed;
using popflow::support::rows;
using Means = std::vector<double>;

TEST(MarkerMeans, AreTheMeansOfColumns) {
    EXPECT_EQ(metrics::marker_means(rows({{1, 2}, {3, 8}}).view()), (Means{2, 5}));
}

TEST(ChangeCorrelation, ComparesChangesNotMeans) {
    const Means control{10, 20, 30, 40};
    const Means truth{11, 19, 32, 40};      // 1 -1 2 0
    const Means predicted{13, 17, 36, 40};  // three times the change
    const Means opposite{9, 21, 28, 40};
    EXPECT_NEAR(change_correlation(control, predicted, truth), 1, 1e-14);
    EXPECT_NEAR(change_correlation(control, opposite, truth), -1, 1e-14);
    // Changes 1 0 0 0 and 1 -1 2 0: deviations .75 -.25 -.25 -.25 and .5 -1.5 1.5 -.5.
    EXPECT_NEAR(change_correlation(control, Means{11, 20, 30, 40}, truth), 0.5 / std::sqrt(0.75 * 5), 1e-14);
}

TEST(ChangeCorrelation, IsUndefinedWithoutAChange) {
    const Means control{10, 20, 30};
    const Means truth{11, 19, 32};
    EXPECT_TRUE(std::isnan(change_correlation(control, control, truth))) << "the identity";
    EXPECT_TRUE(std::isnan(change_correlation(control, truth, control)));
    EXPECT_TRUE(std::isnan(change_correlation(control, Means{11, 21, 31}, truth)))
        << "the same change everywhere";
    EXPECT_TRUE(std::isnan(change_correlation(Means{1, 2}, Means{2, 4}, Means{2, 3})))
        << "two points always lie on a line";
    EXPECT_THROW(change_correlation(control, Means{1, 2}, truth), popflow::core::ShapeMismatch);
    EXPECT_THROW(change_correlation(control, truth, Means{1, 2}), popflow::core::ShapeMismatch);
}

TEST(ChangedMarkers, AreAFifthRoundedUp) {
    EXPECT_EQ(metrics::changed_markers(1), 1U);
    EXPECT_EQ(metrics::changed_markers(5), 1U);
    EXPECT_EQ(metrics::changed_markers(6), 2U);
    EXPECT_EQ(metrics::changed_markers(36), 8U);
    EXPECT_EQ(metrics::changed_markers(2000), 400U);
}

TEST(RecallOfChanged, CountsTheMostChangedMarkersThatArePredicted) {
    const Means control(10, 1.0);
    Means truth = control;
    truth[3] = 5;
    truth[7] = -4;  // a decrease counts as an increase does
    truth[1] = 2;
    Means predicted = control;
    predicted[3] = 1.2;
    predicted[7] = 1.3;
    EXPECT_EQ(recall_of_changed(control, predicted, truth), 1)
        << "the size of the predicted change does not count";
    predicted[1] = 1.4;
    EXPECT_EQ(recall_of_changed(control, predicted, truth), 0.5) << "1 and 7 in place of 3 and 7";
    predicted[0] = 0;
    EXPECT_EQ(recall_of_changed(control, predicted, truth), 0);
}

TEST(RecallOfChanged, TakesTheFirstOfEqualChanges) {
    const Means control(5, 0.0);
    EXPECT_EQ(recall_of_changed(control, Means{0, 1, 1, 0, 0}, Means{0, 2, 0, 0, 0}), 1);
    EXPECT_EQ(recall_of_changed(control, Means{0, 1, 1, 0, 0}, Means{0, 0, 2, 0, 0}), 0);
}

TEST(RecallOfChanged, IsUndefinedWithoutAChange) {
    const Means control{1, 2, 3};
    const Means truth{1, 2, 4};
    EXPECT_TRUE(std::isnan(recall_of_changed(control, control, truth))) << "the identity";
    EXPECT_TRUE(std::isnan(recall_of_changed(control, truth, control)));
    EXPECT_TRUE(std::isnan(recall_of_changed(Means{1}, Means{2}, Means{3}))) << "one marker is always found";
    EXPECT_THROW(recall_of_changed(control, Means{1}, truth), popflow::core::ShapeMismatch);
}

TEST(ScoresOfChanges, NeedTheMeansOfTheControl) {
    const auto predicted = popflow::support::normal_population(20, 6, 1, 1);
    const auto truth = popflow::support::normal_population(20, 6, 2, 2);
    const Means control{0, 0.5, 1, 0, -1, 0};
    const metrics::Scores without = metrics::score(predicted.view(), truth.view());
    EXPECT_TRUE(std::isnan(without.change_correlation));
    EXPECT_TRUE(std::isnan(without.recall_top));
    const metrics::Scores with =
        metrics::score(predicted.view(), truth.view(), {}, {.control_means = &control});
    const Means p = metrics::marker_means(predicted.view());
    const Means t = metrics::marker_means(truth.view());
    EXPECT_EQ(with.change_correlation, change_correlation(control, p, t));
    EXPECT_EQ(with.recall_top, recall_of_changed(control, p, t));
}
