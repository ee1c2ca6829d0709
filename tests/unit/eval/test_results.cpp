// SPDX-License-Identifier: MIT
#include "eval/results.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "eval/result_kind.hpp"
#include "support/temporary_folder.hpp"

using popflow::eval::Evaluation;
using popflow::eval::PairScore;
namespace screen = popflow::screen;
namespace eval = popflow::eval;
namespace h5 = popflow::h5;

namespace {

// Returns a screen with two pairs of culture A and one of culture B.
screen::Screen small_screen() {
    screen::Screen screen;
    screen.experiments = {{"21 / A", {}, {}}, {"21 / B", {}, {}}};
    for (int i = 0; i < 3; ++i) {
        screen::Population p;
        p.experiment = i < 2 ? 0 : 1;
        p.culture = i < 2 ? "A" : "B";
        p.treatment = "T" + std::to_string(i);
        screen.populations.push_back(p);
        screen.pairs.push_back({static_cast<std::size_t>(i), static_cast<std::size_t>(i)});
    }
    return screen;
}

PairScore score(std::size_t pair, const std::string& predictor, double w2) {
    PairScore row{.pair = pair, .predictor = predictor};
    row.scores.w2 = w2;
    return row;
}

// Returns the scores of two predictors for the three pairs.
// @param status  status of predictor `identity` for the second pair
h5::DataFrame score_table(const std::string& status = "ok") {
    Evaluation evaluation;
    evaluation.scores = {score(0, "model", 1),    score(1, "model", 3),    score(2, "model", 10),
                         score(0, "identity", 5), score(1, "identity", 7), score(2, "identity", 20)};
    evaluation.scores[4].status = status;
    evaluation.scores[4].message = "no way";
    const screen::Split split{"", {screen::Part::test, screen::Part::test, screen::Part::test}};
    return eval::pairs_frame(small_screen(), split, evaluation);
}

double find_w2(const h5::DataFrame& summary, const std::string& predictor, const std::string& aggregation) {
    for (std::size_t i = 0; i < summary.rows(); ++i) {
        if (summary.strings("predictor")[i] == predictor &&
            summary.strings("aggregation")[i] == aggregation) {
            return summary.doubles("w2")[i];
        }
    }
    return -1;
}

}  // namespace

TEST(Summary, AveragesWithinCulturesThenOverCultures) {
    const h5::DataFrame summary = eval::summarise(score_table());
    EXPECT_DOUBLE_EQ(find_w2(summary, "model", "culture:A"), 2);
    EXPECT_DOUBLE_EQ(find_w2(summary, "model", "culture:B"), 10);
    EXPECT_DOUBLE_EQ(find_w2(summary, "model", "culture_mean"), 6);
    EXPECT_DOUBLE_EQ(find_w2(summary, "model", "pair_mean"), 14.0 / 3);
}

TEST(Summary, ExcludesPairsWithAFailedPredictorAndCountsFailures) {
    const h5::DataFrame summary = eval::summarise(score_table("failed"));
    EXPECT_DOUBLE_EQ(find_w2(summary, "identity", "culture:A"), 5);
    EXPECT_DOUBLE_EQ(find_w2(summary, "model", "culture:A"), 1);
    EXPECT_DOUBLE_EQ(find_w2(summary, "model", "pair_mean"), 5.5);
    for (std::size_t i = 0; i < summary.rows(); ++i) {
        const bool identity = summary.strings("predictor")[i] == "identity";
        if (summary.strings("aggregation")[i] != "pair_mean") continue;
        EXPECT_EQ(summary.ints("n_pairs")[i], 2);
        EXPECT_EQ(summary.ints("n_failed")[i], identity ? 1 : 0);
    }
}

TEST(Summary, HasTheGroupsOfAChosenColumn) {
    const h5::DataFrame summary =
        eval::summarise(score_table(), {.column = "treatment", .name = "drug", .is_chosen = true});
    EXPECT_DOUBLE_EQ(find_w2(summary, "model", "drug:T1"), 3);
    EXPECT_DOUBLE_EQ(find_w2(summary, "identity", "drug:T2"), 20);
    EXPECT_DOUBLE_EQ(find_w2(summary, "model", "culture_mean"), 6) << "still the mean over cultures";
    EXPECT_EQ(find_w2(summary, "model", "culture:A"), -1);
    const h5::DataFrame unlabelled =
        eval::summarise(score_table(), {.column = "plate", .name = "plate", .is_chosen = true});
    EXPECT_DOUBLE_EQ(find_w2(unlabelled, "model", "plate:none"), 14.0 / 3) << "one group, without a label";
}

TEST(Summary, KeepsPredictorsOfOtherVersions) {
    Evaluation evaluation;
    evaluation.scores = {score(0, "model", 1), score(0, "later", 2)};
    const screen::Split split{"", {screen::Part::test, screen::Part::test, screen::Part::test}};
    EXPECT_DOUBLE_EQ(
        find_w2(eval::summarise(eval::pairs_frame(small_screen(), split, evaluation)), "later", "pair_mean"),
        2);
}

TEST(Results, RoundTripThroughAFile) {
    const popflow::support::TemporaryFolder folder;
    eval::Results results;
    results.provenance.knn = 5;
    results.provenance.split = "replica";
    results.pairs = score_table();
    results.summary = eval::summarise(results.pairs);
    results.embeddings = popflow::linalg::Matrix<float>(3, 2);
    results.embedding_names = {"a", "b", "c"};
    results.training_populations.add_categorical("pair", {"d", "e"});
    results.training_embeddings = popflow::linalg::Matrix<float>(2, 2);
    results.training_embeddings(1, 0) = 7;
    h5::DataFrame training;
    training.add("step", h5::DataFrame::Ints{1, 2});
    results.training = training;

    eval::write_results(folder.file("r.h5"), results);
    const eval::Results back = eval::read_results(folder.file("r.h5"));

    EXPECT_EQ(back.provenance.knn, 5U);
    EXPECT_EQ(back.provenance.split, "replica");
    EXPECT_EQ(back.pairs.strings("message")[4], "no way");
    EXPECT_EQ(find_w2(back.summary, "model", "culture_mean"), 6);
    EXPECT_EQ(back.training_populations.strings("pair")[1], "e");
    EXPECT_EQ(back.training_embeddings(1, 0), 7);
    EXPECT_EQ(eval::result_kind(folder.file("r.h5")), eval::ResultKind::pairs);
    EXPECT_EQ(eval::result_kind(folder.file("nothing.h5")), eval::ResultKind::unknown);
    EXPECT_THROW(eval::read_results(folder.file("nothing.h5")), popflow::core::DataError);
}
