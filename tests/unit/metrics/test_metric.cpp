// SPDX-License-Identifier: MIT
#include "metrics/metric.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "support/populations.hpp"

namespace metrics = popflow::metrics;
using metrics::Metric;
using popflow::support::rows;
using Strings = std::vector<std::string>;

TEST(Metrics, HaveUniqueNamesAndTitles) {
    for (const char* Metric::*text :
         {&Metric::name, &Metric::title, &Metric::html_title, &Metric::latex_title}) {
        std::set<std::string> distinct;
        for (const Metric& metric : metrics::all_metrics()) {
            EXPECT_TRUE(distinct.insert(metric.*text).second) << metric.*text;
            EXPECT_STRNE(metric.*text, "");
        }
    }
}

TEST(Metrics, HaveNamesThatAreValuesOfAListOption) {
    for (const Metric& metric : metrics::all_metrics()) {
        EXPECT_EQ(std::string(metric.name).find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_"),
                  std::string::npos)
            << metric.name;
    }
}

TEST(Metrics, AreFoundByName) {
    for (const Metric& metric : metrics::all_metrics()) EXPECT_EQ(metrics::find_metric(metric.name), &metric);
    EXPECT_EQ(metrics::find_metric("W2"), nullptr) << "names are case-sensitive";
    EXPECT_EQ(metrics::find_metric(""), nullptr);
    EXPECT_EQ(metrics::find_metric("w"), nullptr);
}

TEST(Metrics, AreListedInTheOrderOfTheTables) {
    EXPECT_EQ(metrics::metric_names(),
              (Strings{"w1", "w2", "mmd", "r2", "energy", "r2_means", "w1_markers", "sinkhorn", "mmd_scaled",
                       "change_correlation", "recall_top"}));
    EXPECT_EQ(metrics::default_metric_names(),
              (Strings{"w1", "w2", "mmd", "r2", "energy", "r2_means", "w1_markers", "mmd_scaled",
                       "change_correlation", "recall_top"}));
}

TEST(Metrics, StoreTheirScoreInAMemberOfTheirOwn) {
    for (const Metric& metric : metrics::all_metrics()) {
        metrics::Scores scores;
        scores.*metric.score = 1;
        std::size_t set = 0;
        for (const Metric& other : metrics::all_metrics()) set += std::isnan(scores.*other.score) ? 0 : 1;
        EXPECT_EQ(set, 1U) << metric.name;
    }
}

TEST(Metrics, CanBeSelectedOneByOne) {
    for (const Metric& metric : metrics::all_metrics()) {
        const Strings names{metric.name};
        const metrics::Selection selection = metrics::select_metrics(names);
        for (const Metric& other : metrics::all_metrics())
            EXPECT_EQ(selection.*other.selected, &other == &metric) << metric.name << ", " << other.name;
    }
}

// Distances that compare the spread of all markers are wrong for cells that were mapped back from a latent
// space.
TEST(Metrics, HaveOneOfTwoSpacesEach) {
    EXPECT_EQ(metrics::names_in(metrics::Space::latent),
              (Strings{"w1", "w2", "mmd", "w1_markers", "sinkhorn", "mmd_scaled"}));
    EXPECT_EQ(metrics::names_in(metrics::Space::markers),
              (Strings{"r2", "energy", "r2_means", "change_correlation", "recall_top"}));
    const metrics::Selection latent = metrics::restrict_to(metrics::Space::latent, {});
    EXPECT_TRUE(latent.w2);
    EXPECT_FALSE(latent.energy);
    EXPECT_FALSE(metrics::restrict_to(metrics::Space::latent, {.w2 = false}).w2);
    metrics::Scores to{.w2 = 1, .energy = 2};
    metrics::copy_scores(metrics::Space::markers, {.w2 = 3, .energy = 4}, to);
    EXPECT_EQ(to.w2, 1);
    EXPECT_EQ(to.energy, 4);
}

TEST(Metrics, AreSelectedByDefaultLikeADefaultSelection) {
    const metrics::Selection named = metrics::select_metrics(metrics::default_metric_names());
    const metrics::Selection by_default;
    for (const Metric& metric : metrics::all_metrics()) {
        EXPECT_EQ(named.*metric.selected, by_default.*metric.selected) << metric.name;
        EXPECT_EQ(by_default.*metric.selected, metric.is_default) << metric.name;
    }
}

TEST(Metrics, IgnoreUnknownNamesInASelection) {
    const Strings names{"nosuch", "mmd", "mmd"};
    const metrics::Selection selection = metrics::select_metrics(names);
    EXPECT_TRUE(selection.mmd);
    EXPECT_FALSE(selection.w1);
    const metrics::Selection none = metrics::select_metrics({});
    for (const Metric& metric : metrics::all_metrics()) EXPECT_FALSE(none.*metric.selected) << metric.name;
}

// The flag of a metric must select the computation of the score of that metric.
TEST(Metrics, AreComputedIfTheyAreSelected) {
    const auto predicted = popflow::support::normal_population(12, 3, 1);
    const auto truth = popflow::support::normal_population(15, 3, 2, 0.5F);
    const std::vector<double> control{-0.1, 0.2, 0};
    for (const Metric& metric : metrics::all_metrics()) {
        const Strings names{metric.name};
        const metrics::Scores scores = metrics::score(
            predicted.view(), truth.view(), metrics::select_metrics(names), {.control_means = &control});
        for (const Metric& other : metrics::all_metrics())
            EXPECT_EQ(std::isfinite(scores.*other.score), &other == &metric)
                << metric.name << ", " << other.name;
    }
}

TEST(Metrics, HaveTheDirectionOfAPerfectPrediction) {
    const auto truth = popflow::support::normal_population(20, 3, 1);
    const auto far = popflow::support::normal_population(20, 3, 2, 4);
    const metrics::Selection all = metrics::select_metrics(metrics::metric_names());
    const std::vector<double> control{-2, 9, 0};
    const metrics::SharedWork shared{.control_means = &control};
    const metrics::Scores perfect = metrics::score(truth.view(), truth.view(), all, shared);
    const metrics::Scores bad = metrics::score(far.view(), truth.view(), all, shared);
    for (const Metric& metric : metrics::all_metrics()) {
        if (metric.direction == metrics::Direction::higher_is_better) {
            EXPECT_NEAR(perfect.*metric.score, 1, 1e-6) << metric.name;
            EXPECT_LT(bad.*metric.score, perfect.*metric.score) << metric.name;
        } else {
            EXPECT_NEAR(perfect.*metric.score, 0, 1e-3) << metric.name;
            EXPECT_GT(bad.*metric.score, perfect.*metric.score) << metric.name;
        }
    }
}

TEST(Metrics, DeclareWhetherTheyNeedTheControl) {
    const auto predicted = popflow::support::normal_population(12, 3, 1);
    const auto truth = popflow::support::normal_population(15, 3, 2, 0.5F);
    const metrics::Scores scores =
        metrics::score(predicted.view(), truth.view(), metrics::select_metrics(metrics::metric_names()));
    for (const Metric& metric : metrics::all_metrics())
        EXPECT_EQ(std::isnan(scores.*metric.score), metric.needs_control) << metric.name;
}

TEST(Metrics, ReportMeansOfMarkersAsSingleScores) {
    // The first marker moves by 3 and the second by 1.
    const auto predicted = rows({{0, 0}, {1, 5}});
    const auto truth = rows({{3, 1}, {4, 6}});
    const Strings names{"w1_markers"};
    EXPECT_NEAR(metrics::score(predicted.view(), truth.view(), metrics::select_metrics(names)).w1_markers, 2,
                1e-6);
}
