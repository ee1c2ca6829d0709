// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <cmath>

#include "report/comparison.hpp"
#include "support/reports.hpp"
#include "support/summaries.hpp"

using popflow::eval::Results;
using popflow::report::Comparison;
using popflow::report::SeedStatistics;
using popflow::support::add_scope;
using popflow::support::result_of_seed;
namespace report = popflow::report;

namespace {

using Texts = std::vector<std::string>;

Texts labels(const Comparison& comparison) {
    Texts labels;
    for (const report::ComparisonRow& row : comparison.rows) labels.push_back(row.label());
    return labels;
}

// Returns the result of a run in which option `key` has the given value.
Results with_option(std::uint64_t seed, const std::string& key, const std::string& value) {
    Results results = result_of_seed(seed, 4);
    std::string& config = results.provenance.config;
    const auto at = config.find(key + " = ");
    if (at != std::string::npos) config.erase(at, config.find('\n', at) + 1 - at);
    config += key + " = " + value + "\n";
    return results;
}

}  // namespace

TEST(SeedStatistics, AreMeanAndSampleStandardDeviation) {
    SeedStatistics statistics;
    EXPECT_TRUE(std::isnan(statistics.mean()));
    statistics.add(2);
    EXPECT_TRUE(std::isnan(statistics.deviation()));
    statistics.add(std::nan(""));
    statistics.add(4);
    statistics.add(9);
    EXPECT_DOUBLE_EQ(statistics.mean(), 5);
    EXPECT_DOUBLE_EQ(statistics.deviation(), std::sqrt(13));  // ((-3)^2 + (-1)^2 + 4^2) / 2
    SeedStatistics equal;
    for (int i = 0; i < 3; ++i) equal.add(0.1);
    EXPECT_EQ(equal.deviation(), 0);
}

TEST(Compare, GroupsSeedsIntoOneRowAndNamesDifferingOptions) {
    const std::vector<Results> results{result_of_seed(1, 3), result_of_seed(2, 5),
                                       with_option(1, "hidden", "128"), with_option(2, "log-every", "7")};
    const auto comparisons = popflow::support::compare(results);
    ASSERT_EQ(comparisons.size(), 1U);
    EXPECT_EQ(labels(comparisons[0]),
              (Texts{"MFM k=100 (hidden=64)", "MFM k=100 (hidden=128)", "noise_floor"}));
    EXPECT_EQ(comparisons[0].rows[0].seeds, (std::vector<std::uint64_t>{1, 2}));
    EXPECT_EQ(comparisons[0].rows[0].find({"test", "culture_mean"}, "w2")->values(),
              (std::vector<double>{3, 5}));
    EXPECT_EQ(comparisons[0].rows[2].find({"test", "culture_mean"}, "w2")->values(),
              (std::vector<double>{0.25}));
}

TEST(Compare, IgnoresOptionsThatDoNotChangeScores) {
    const std::vector<Results> results{result_of_seed(1, 3), with_option(2, "space", "normalised"),
                                       with_option(3, "sample", "EGF_5min")};
    EXPECT_EQ(labels(popflow::support::compare(results)[0]), (Texts{"MFM k=100", "noise_floor"}));
}

TEST(Compare, ReportsWhyScoresAreMissing) {
    Results results = result_of_seed(1, 3);
    results.pairs.add("status", Texts{"ok", "failed", "failed"});
    results.pairs.add("message", Texts{"", "no way", "no way"});
    EXPECT_EQ(popflow::support::compare({results})[0].notes,
              (Texts{"2 scores failed: no way",
                     "the means of a file exclude pairs for which any predictor failed"}));
}

TEST(Compare, PutsAnEarlierCheckpointIntoItsOwnRow) {
    Results early = result_of_seed(1, 3);
    early.provenance.steps = 10;
    EXPECT_EQ(labels(popflow::support::compare({early, result_of_seed(1, 4)})[0]),
              (Texts{"MFM k=100 (steps=10)", "MFM k=100 (steps=30)", "noise_floor"}));
}

TEST(Compare, AveragesSeedsThatThePatienceEndedAfterOtherSteps) {
    std::vector<Results> results{with_option(1, "patience", "2"), with_option(2, "patience", "2")};
    results[0].provenance.steps = 10;
    EXPECT_EQ(labels(popflow::support::compare(results)[0]), (Texts{"MFM k=100", "noise_floor"}));
}

TEST(Compare, IgnoresGraphOptionsForMethodsWithoutAGraph) {
    Results fm = result_of_seed(1, 3);
    fm.provenance.method = "fm";
    Results other = fm;
    other.provenance.seed = 2;
    other.provenance.knn = 5;
    other.provenance.config += "embedding = 3\n";
    EXPECT_EQ(labels(popflow::support::compare({fm, other})[0]), (Texts{"FM", "noise_floor"}));
}

TEST(Compare, LabelsFixedEncodersInsteadOfTheGraph) {
    Results other = with_option(2, "encoder", "kernel-pca:3");
    other.provenance.knn = 5;
    Results fm = with_option(1, "encoder", "moments");  // an option that fm does not use
    fm.provenance.method = "fm";
    const Comparison comparison = popflow::support::compare(
        {result_of_seed(1, 3), with_option(1, "encoder", "kernel-pca:3"), other,
         with_option(1, "encoder", "moments"), with_option(1, "encoder", "learned"), fm})[0];
    EXPECT_EQ(labels(comparison),
              (Texts{"FM", "MFM kernel-pca:3", "MFM moments", "MFM k=100", "noise_floor"}));
    EXPECT_EQ(comparison.rows[1].seeds, (std::vector<std::uint64_t>{1, 2}));
    EXPECT_EQ(comparison.rows[1].knn_text(), "");
    EXPECT_EQ(comparison.rows[3].knn_text(), "100");
}

TEST(Compare, LabelsAndNotesOptionsThatChangeTheScoredCells) {
    Results fm = with_option(1, "max-cells", "50");
    fm.provenance.method = "fm";
    const Comparison comparison = popflow::support::compare({result_of_seed(1, 3), fm})[0];
    EXPECT_EQ(labels(comparison), (Texts{"FM (max-cells=50)", "MFM k=100 (max-cells=80)",
                                         "noise_floor (max-cells=80)", "noise_floor (max-cells=50)"}));
    EXPECT_EQ(comparison.notes,
              (Texts{"the files differ in max-cells (50, 80), which changes the scored cells or their units: "
                     "compare only rows with the same value"}));
}

// Returns results whose baselines have the given scores on two pairs.
Results with_baselines(Results results, double first) {
    results.pairs.add("pair", Texts{"a", "b", "a"});
    results.pairs.add("predictor", Texts{"identity", "identity", "model"});
    results.pairs.add("status", Texts{"ok", "ok", "ok"});
    results.pairs.add("message", Texts{"", "", ""});
    results.pairs.add("w2", std::vector<double>{first, 2, static_cast<double>(results.provenance.seed)});
    return results;
}

TEST(Compare, JoinsRunsThatDifferInTheColumnOfCellTypesOnly) {
    Results other = with_option(1, "column", "cell_type=gate");
    other.provenance.data_fingerprint = "ff";  // the labels of another column
    const auto joined =
        popflow::support::compare({with_baselines(result_of_seed(1, 3), 1), with_baselines(other, 1)});
    ASSERT_EQ(joined.size(), 1U);
    EXPECT_EQ(labels(joined[0]),
              (Texts{"MFM k=100 (no cell_type)", "MFM k=100 (cell_type=gate)", "noise_floor"}));
    EXPECT_TRUE(joined[0].notes.empty()) << joined[0].notes[0];
    EXPECT_EQ(popflow::support::compare({with_baselines(result_of_seed(1, 3), 1), with_baselines(other, 1.5)})
                  .size(),
              2U)
        << "other cells";
    // A method without an encoder does not see the cell types.
    Results fm = with_baselines(result_of_seed(1, 3), 1);
    fm.provenance.method = "fm";
    other = with_baselines(other, 1);
    other.provenance.method = "fm";
    other.provenance.seed = 2;
    EXPECT_EQ(labels(popflow::support::compare({fm, other})[0]), (Texts{"FM", "noise_floor"}));
}

TEST(Compare, AnnouncesColumnsThatChangeThePopulations) {
    Results other = with_option(1, "column", "patient=donor");
    other.provenance.config += "column = cell_type=gate\n";
    const Comparison comparison = popflow::support::compare({result_of_seed(1, 3), other})[0];
    EXPECT_EQ(labels(comparison), (Texts{"MFM k=100 (no cell_type, no column)",
                                         "MFM k=100 (cell_type=gate, column=patient=donor)",
                                         "noise_floor (no column)", "noise_floor (column=patient=donor)"}));
    ASSERT_EQ(comparison.notes.size(), 1U);
    EXPECT_NE(comparison.notes[0].find("the files differ in column"), std::string::npos);
}

TEST(Compare, SeparatesSplitsAndDataFiles) {
    Results patient = result_of_seed(1, 3);
    patient.provenance.split = "patient:21";
    Results data = result_of_seed(2, 3);
    data.provenance.data_fingerprint = "ff";
    const auto comparisons = popflow::support::compare(
        {result_of_seed(1, 3), patient, data, result_of_seed(2, 4), with_option(1, "split-seed", "3")});
    ASSERT_EQ(comparisons.size(), 4U);
    EXPECT_EQ(comparisons[0].results, (std::vector<std::size_t>{0, 3}));
    EXPECT_EQ(comparisons[1].split, "patient:21");
    EXPECT_EQ(comparisons[3].split, "replica (split-seed 3)");
}

TEST(Compare, CountsARepeatedRunOnceButMergesItsParts) {
    Results train = result_of_seed(1, 3);
    train.file = "train.h5";
    add_scope(train, "train", "culture_mean", 0.1);
    const Comparison more = popflow::support::compare({result_of_seed(1, 3), train})[0];
    EXPECT_TRUE(more.notes.empty());
    EXPECT_EQ(more.rows[0].find({"train", "culture_mean"}, "w1")->values().size(), 1U);
    EXPECT_EQ(more.rows[0].find({"test", "culture_mean"}, "w1")->values().size(), 1U);

    const Comparison twice = popflow::support::compare({train, result_of_seed(1, 3)})[0];
    EXPECT_EQ(twice.notes, (Texts{"MFM k=100, seed 1: seed1.h5 repeats the run of train.h5 and is ignored"}));
}

TEST(Compare, NotesDifferentBuilds) {
    Results first = result_of_seed(1, 3);
    first.provenance.version = "0.1.0";
    first.provenance.commit = "abc";
    Results second = result_of_seed(2, 3);
    second.provenance.version = "0.2.0";
    second.provenance.commit = "def";
    EXPECT_EQ(popflow::support::compare({first, second})[0].notes,
              (Texts{"written by 2 builds of popflow: 0.1.0 abc, 0.2.0 def"}));
}
