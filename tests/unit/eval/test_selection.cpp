// SPDX-License-Identifier: MIT
#include "eval/selection.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "core/error.hpp"
#include "support/temporary_folder.hpp"

namespace eval = popflow::eval;
namespace screen = popflow::screen;
using eval::CandidateScores;
using screen::Part;

namespace {

const std::vector<eval::Candidate> candidates{{.method = "identity"},
                                              {.method = "mean-shift"},
                                              {.method = "fm", .shrinkage = 0.5, .is_simple = false},
                                              {.method = "fm", .shrinkage = 1, .is_simple = false}};

std::vector<CandidateScores> scores_of(const std::vector<std::vector<double>>& by_unit) {
    std::vector<CandidateScores> scores;
    for (std::size_t u = 0; u < by_unit.size(); ++u)
        scores.push_back({.fold = u, .unit = u, .pair = "p" + std::to_string(u), .energies = by_unit[u]});
    return scores;
}

}  // namespace

TEST(CrossValidationFolds, HoldEachUnitOutOnce) {
    const auto one_each = eval::cross_validation_folds({7, 3, 3, 9}, 10, 1);
    EXPECT_EQ(one_each, (std::vector<std::vector<std::size_t>>{{3}, {7}, {9}}));
    std::vector<std::size_t> units;
    for (std::size_t u = 0; u < 23; ++u) units.push_back(u);
    const auto folds = eval::cross_validation_folds(units, 10, 1);
    ASSERT_EQ(folds.size(), 10U);
    std::multiset<std::size_t> all;
    for (const auto& fold : folds) {
        EXPECT_GE(fold.size(), 2U);
        EXPECT_LE(fold.size(), 3U);
        EXPECT_TRUE(std::ranges::is_sorted(fold));
        all.insert(fold.begin(), fold.end());
    }
    EXPECT_EQ(all, std::multiset<std::size_t>(units.begin(), units.end()));
    EXPECT_EQ(folds, eval::cross_validation_folds(units, 10, 1));
    EXPECT_NE(folds, eval::cross_validation_folds(units, 10, 2));
    EXPECT_TRUE(eval::cross_validation_folds({4, 4}, 10, 1).empty());
}

TEST(FoldSplit, HoldsOutTrainingPairsOnly) {
    screen::Split split;
    split.parts = {Part::train, Part::train, Part::test, Part::validation, Part::train};
    const screen::Split fold = eval::fold_split(split, {0, 1, 1, 0, 2}, {1});
    EXPECT_EQ(fold.parts,
              (std::vector<Part>{Part::train, Part::validation, Part::test, Part::test, Part::train}));
}

TEST(Choose, TakesANetworkThatIsBetterByMoreThanItsStandardError) {
    const eval::Choice choice = eval::choose(
        candidates, scores_of({{1, 0.50, 0.40, 0.42}, {1, 0.60, 0.49, 0.52}, {1, 0.40, 0.31, 0.29}}));
    EXPECT_EQ(choice.candidate, 2U);
    EXPECT_NEAR(choice.means[1], 0.5, 1e-12);
    EXPECT_NEAR(choice.means[2], 0.4, 1e-12);
    EXPECT_NE(choice.words.find("chose fm with --shrinkage 0.5"), std::string::npos) << choice.words;
    EXPECT_NE(choice.words.find("3 units"), std::string::npos) << choice.words;
}

TEST(Choose, KeepsTheSimpleModelIfTheGainIsUncertain) {
    // Better by 0.1 in the mean, but by 0.45 in one unit and worse in the others.
    const eval::Choice choice =
        eval::choose(candidates, scores_of({{1, 0.5, 0.05, 0.6}, {1, 0.5, 0.56, 0.6}, {1, 0.5, 0.59, 0.6}}));
    EXPECT_EQ(choice.candidate, 1U);
    EXPECT_NE(choice.words.find("No network beat"), std::string::npos) << choice.words;
}

TEST(Choose, NeverTakesATrainingThatDiverged) {
    const double infinite = std::numeric_limits<double>::infinity();
    const eval::Choice choice =
        eval::choose(candidates, scores_of({{1, 0.5, infinite, infinite}, {1, 0.6, 0.1, infinite}}));
    EXPECT_EQ(choice.candidate, 1U);
}

TEST(Choose, WeighsUnitsEqually) {
    std::vector<CandidateScores> scores = scores_of({{0.2, 0.1, 1, 1}, {0.1, 0.3, 1, 1}});
    for (int i = 0; i < 5; ++i) scores.push_back(scores[0]);
    EXPECT_EQ(eval::choose(candidates, scores).candidate, 0U);
    EXPECT_EQ(eval::choose(candidates, {}).candidate, 1U);
}

TEST(Choose, TellsThatTheMomentMapWasNotCompared) {
    const std::vector<eval::Candidate> simple{
        {.method = "identity"}, {.method = "mean-shift"}, {.method = "moment-map"}};
    const std::string note = "The moment map was not compared";
    EXPECT_NE(eval::choose(simple, scores_of({{1, 0.5, 0.5}, {1, 0.6, 0.6}})).words.find(note),
              std::string::npos);
    EXPECT_EQ(eval::choose(simple, scores_of({{1, 0.5, 0.5}, {1, 0.6, 0.7}})).words.find(note),
              std::string::npos);
}

TEST(StoredSelection, IsReadAsWritten) {
    const popflow::support::TemporaryFolder folder;
    eval::StoredSelection stored{.config = "steps = 3\n", .data_fingerprint = "f", .candidates = candidates};
    stored.scores = scores_of({{1, 0.5, 0.4, 0.4}, {1, 0.6, 0.5, 0.5}});
    stored.scores[0].training_distance = 2.5;
    eval::write_selection(folder.file("s.h5"), stored);
    eval::StoredSelection read = eval::read_selection(folder.file("s.h5"));
    EXPECT_FALSE(read.is_complete);
    EXPECT_EQ(read.config, stored.config);
    ASSERT_EQ(read.scores.size(), 2U);
    EXPECT_EQ(read.scores[0].training_distance, 2.5);
    EXPECT_EQ(read.scores[1].energies, stored.scores[1].energies);
    stored.is_complete = true;
    stored.choice = eval::choose(stored.candidates, stored.scores);
    eval::write_selection(folder.file("s.h5"), stored);
    read = eval::read_selection(folder.file("s.h5"));
    EXPECT_EQ(read.choice.candidate, stored.choice.candidate);
    EXPECT_EQ(read.choice.words, stored.choice.words);

    const auto frame = eval::selection_frame(candidates, stored.scores, 2);
    EXPECT_EQ(frame.rows(), 8U);
    EXPECT_EQ(frame.doubles("energy")[6], 0.5);
    EXPECT_EQ(frame.bools("is_chosen")[6], 1);
    EXPECT_EQ(frame.bools("is_chosen")[5], 0);
}
