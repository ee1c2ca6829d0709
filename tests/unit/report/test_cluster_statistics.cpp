// SPDX-License-Identifier: MIT
#include "report/cluster_statistics.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <tuple>

#include "report/baseline_notes.hpp"
#include "support/reports.hpp"
#include "support/screen_results.hpp"

using popflow::eval::Results;
using popflow::report::ClusterStatistics;
using popflow::report::Comparison;
using popflow::report::Interval;
using popflow::report::PairedTest;
using popflow::report::Scope;
using popflow::support::PairLabels;
using popflow::support::screen_results;
namespace report = popflow::report;

namespace {

const Scope overall{"test", "culture_mean"};

// Distance that grows with the patient. The model is better than the mean shift by `gain` of each patient.
auto gains(const std::vector<double>& gain) {
    return [gain](const PairLabels& row) {
        const double base = 4 + 0.1 * static_cast<double>(row.patient);
        return row.predictor == "model"      ? base - gain[row.patient]
               : row.predictor == "identity" ? base + 2
                                             : base;
    };
}

// Comparison of result files with its statistics.
struct Analysis {
    explicit Analysis(std::vector<Results> files)
        : results(std::move(files)),
          comparisons(popflow::support::compare(results)),
          statistics(results, comparisons.at(0)) {}
    const Comparison& comparison() const { return comparisons[0]; }
    const report::ComparisonRow& model() const { return comparisons[0].rows.at(0); }

    std::vector<Results> results;
    std::vector<Comparison> comparisons;
    ClusterStatistics statistics;
};

}  // namespace

// The same model computed in two ways neither wins nor loses.
TEST(PairedTest, DifferencesOfRoundingAreTies) {
    Analysis found({screen_results(1, {}, gains(std::vector(8, 2e-7)))});
    const PairedTest test = found.statistics.test(found.model(), "mean_shift", overall, "w2");
    EXPECT_GT(test.pairs, 0U);
    EXPECT_EQ(test.wins, 0U);
    EXPECT_EQ(test.losses, 0U);
    EXPECT_EQ(test.gain, 0);
    EXPECT_EQ(test.p_value, 1);
}

TEST(Clusters, AreTheHeldOutPatients) {
    Analysis found(
        {screen_results(1, {.cultures = {"A", "B"}, .treatments = {"T", "U"}}, gains(std::vector(8, 0.1)))});
    EXPECT_EQ(found.statistics.noun(), "patient");
    EXPECT_EQ(found.statistics.clusters(overall), 8U);
    EXPECT_EQ(found.statistics.clusters({"test", "culture:B"}), 8U);
    EXPECT_EQ(found.statistics.clusters({"train", "culture_mean"}), 0U);
}

TEST(Clusters, HaveTheNameOfTheObsColumn) {
    Results results = screen_results(1, {}, gains(std::vector(8, 0.1)));
    results.provenance.config += "column = patient=gene\n";
    EXPECT_EQ(Analysis({results}).statistics.noun(), "gene");
}

TEST(Clusters, AreTheHeldOutValuesOfALeaveOneOut) {
    for (const auto& [split, noun, clusters] :
         std::vector<std::tuple<std::string, std::string, std::size_t>>{{"each:patient", "patient", 8},
                                                                        {"each:treatment", "treatment", 2},
                                                                        {"each:culture", "culture", 3}}) {
        Results results = screen_results(1, {.cultures = {"A", "B", "C"}, .treatments = {"T", "U"}},
                                         gains(std::vector(8, 0.1)));
        results.provenance.split = split;
        Analysis found({results});
        EXPECT_EQ(found.statistics.noun(), noun);
        EXPECT_EQ(found.statistics.clusters(overall), clusters);
    }
}

TEST(Clusters, AreTheHeldOutTreatments) {
    Results results = screen_results(1, {.treatments = {"T", "U", "V"}}, gains(std::vector(8, 0.1)));
    results.provenance.split = "treatment:T,U,V";
    Analysis found({results});
    EXPECT_EQ(found.statistics.noun(), "treatment");
    EXPECT_EQ(found.statistics.clusters(overall), 3U);
}

TEST(Clusters, AreExperimentsForSplitsByExperiment) {
    for (const char* split : {"replica", "column:fold", "all", "none"}) {
        Results results = screen_results(1, {.patients = 3, .cultures = {"A", "B"}, .treatments = {"T", "U"}},
                                         gains({0, 0, 0}));
        results.provenance.split = split;
        Analysis found({results});
        EXPECT_EQ(found.statistics.noun(), "experiment") << split;
        EXPECT_EQ(found.statistics.clusters(overall), 6U) << split << ": 3 patients in 2 cultures";
    }
}

TEST(Clusters, AreTheValuesOfAnotherHeldOutColumn) {
    Results results = screen_results(1, {.patients = 4}, gains({0, 0, 0, 0}));
    results.provenance.split = "batch:b0,b1";
    popflow::h5::DataFrame::Strings batches;
    for (const std::string& patient : results.pairs.strings("patient"))
        batches.push_back(patient == "P0" || patient == "P1" ? "b0" : "b1");
    results.pairs.add_categorical("batch", batches);
    Analysis found({results});
    EXPECT_EQ(found.statistics.noun(), "batch");
    EXPECT_EQ(found.statistics.clusters(overall), 2U);
}

TEST(Clusters, AreMissingWithoutATableOfPairs) {
    Results results = screen_results(1, {}, gains(std::vector(8, 0.1)));
    results.pairs = {};
    Analysis found({results});
    EXPECT_EQ(found.statistics.clusters(overall), 0U);
    EXPECT_FALSE(found.statistics.interval(found.model(), overall, "w2"));
}

TEST(ClusterIntervals, ContainTheMeanOfTheTable) {
    Analysis found({screen_results(1, {.cultures = {"A", "B"}, .treatments = {"T", "U"}},
                                   gains({0.3, -0.2, 0.5, 0.1, 0, 0.2, 0.4, 0.3}))});
    for (const report::ComparisonRow& row : found.comparison().rows) {
        for (const Scope& scope : found.comparison().scopes()) {
            const double mean = row.find(scope, "w2")->mean();
            const Interval interval = found.statistics.interval(row, scope, "w2").value();
            EXPECT_LT(interval.low, mean) << row.label();
            EXPECT_GT(interval.high, mean) << row.label();
            EXPECT_LT(interval.high - interval.low, 1)
                << "the patients differ by 0.7 at most, and by the gain";
        }
    }
}

// Pairs of a patient are no independent observations: more of them do not narrow the interval.
TEST(ClusterIntervals, DoNotNarrowWithMorePairsOfAPatient) {
    const auto score = gains({0.3, -0.2, 0.5, 0.1, 0, 0.2, 0.4, 0.3});
    Analysis one({screen_results(1, {}, score)});
    Analysis many({screen_results(1, {.treatments = {"T", "U", "V", "W"}}, score)});
    const Interval a = one.statistics.interval(one.model(), overall, "w2").value();
    const Interval b = many.statistics.interval(many.model(), overall, "w2").value();
    EXPECT_NEAR(a.low, b.low, 1e-12);
    EXPECT_NEAR(a.high, b.high, 1e-12);
}

TEST(ClusterIntervals, AreMissingForOnePatient) {
    Analysis found({screen_results(1, {.patients = 1, .treatments = {"T", "U", "V"}}, gains({0.1}))});
    EXPECT_FALSE(found.statistics.interval(found.model(), overall, "w2"));
    EXPECT_TRUE(std::isnan(found.statistics.test(found.model(), "mean_shift", overall, "w2").p_value));
}

TEST(ClusterIntervals, AreThoseOfTheMeanOverSeeds) {
    const auto low = gains(std::vector(8, 0.5));
    const auto high = gains(std::vector(8, -0.5));
    Analysis zero({screen_results(1, {}, gains(std::vector(8, 0.0)))});
    Analysis both({screen_results(1, {}, low), screen_results(2, {}, high)});
    const Interval a = zero.statistics.interval(zero.model(), overall, "w2").value();
    const Interval b = both.statistics.interval(both.model(), overall, "w2").value();
    EXPECT_NEAR(a.low, b.low, 1e-12);
    EXPECT_NEAR(a.high, b.high, 1e-12);
}

TEST(PairedTests, CountWinsAndFlipTheSignsOfPatients) {
    // Six gains of 0.1 and one loss of 0.1 in seven patients: 16 of 128 sign flips have a sum that is as
    // large.
    Analysis found({screen_results(1, {.patients = 7, .treatments = {"T", "U"}},
                                   gains({0.1, 0.1, 0.1, -0.1, 0.1, 0.1, 0.1}))});
    for (const char* metric : {"w2", "r2"}) {
        const PairedTest test = found.statistics.test(found.model(), "mean_shift", overall, metric);
        EXPECT_EQ(test.wins, 12U) << metric;
        EXPECT_EQ(test.losses, 2U) << metric;
        EXPECT_EQ(test.pairs, 14U) << metric;
        EXPECT_EQ(test.clusters, 7U) << metric;
        EXPECT_GT(test.gain, 0) << metric << ": the direction of the metric counts";
        EXPECT_NEAR(test.p_value, 16.0 / 128, 1e-12) << metric;
        EXPECT_FALSE(test.is_significant());
    }
}

TEST(PairedTests, HaveTheGainOfTheMeansOfTheTable) {
    Analysis found(
        {screen_results(1, {.cultures = {"A", "B"}}, gains({0.3, -0.2, 0.5, 0.1, 0, 0.2, 0.4, 0.3}))});
    const PairedTest test = found.statistics.test(found.model(), "mean_shift", overall, "w2");
    EXPECT_NEAR(test.gain, 0.2, 1e-12);
}

TEST(PairedTests, LeaveOutPairsWithoutBothScores) {
    Results results = screen_results(1, {}, gains(std::vector(8, 0.1)));
    std::vector<double> w2 = results.pairs.doubles("w2");
    w2[0] = std::nan("");  // model of P0
    w2[6] = std::nan("");  // mean_shift of P1
    popflow::h5::DataFrame pairs;
    for (const auto& column : results.pairs.columns()) {
        if (column.name == "w2") continue;
        if (const auto* text = std::get_if<popflow::h5::DataFrame::Strings>(&column.values))
            pairs.add(column.name, *text);
        if (const auto* number = std::get_if<popflow::h5::DataFrame::Doubles>(&column.values))
            pairs.add(column.name, *number);
    }
    pairs.add("w2", w2);
    results.pairs = pairs;
    results.summary = popflow::eval::summarise(pairs);
    Analysis found({results});
    const PairedTest test = found.statistics.test(found.model(), "mean_shift", overall, "w2");
    EXPECT_EQ(test.pairs, 6U);
    EXPECT_EQ(test.clusters, 6U);
    EXPECT_NEAR(test.p_value, 2.0 / 64, 1e-12);
    EXPECT_EQ(found.statistics.test(found.model(), "moment_map", overall, "w2").pairs, 0U);
}

TEST(TestText, SaysWhatTheTestShows) {
    EXPECT_EQ(report::test_text("mean_shift", {14, 4, 18, 18, 0.3, 0.0052}, "patient"),
              "beats mean_shift in 14 of 18 pairs (p = 0.0052)");
    EXPECT_EQ(report::test_text("moment_map", {3, 15, 18, 18, -0.3, 0.00002}, "patient"),
              "loses to moment_map in 15 of 18 pairs (p < 0.001)");
    EXPECT_EQ(report::test_text("mean_shift", {10, 8, 18, 18, 0.01, 0.62}, "patient"),
              "shows no difference from mean_shift: better in 10 of 18 pairs (p = 0.62)");
    EXPECT_EQ(report::test_text("mean_shift", {1, 0, 1, 1, 0.01, std::nan("")}, "cell line"),
              "is better than mean_shift in 1 of 1 pair (no test with one cell line)");
}

TEST(BaselineNotes, CompareWithTheBaselinesOfTheFile) {
    const auto score = [](const PairLabels& row) {
        const double base = 4 + 0.1 * static_cast<double>(row.patient);
        if (row.predictor == "mean_shift") return base + 0.5;
        if (row.predictor == "moment_map") return base - 0.5 + 0.01 * static_cast<double>(row.patient);
        return base;
    };
    Analysis found({screen_results(
        1, {.predictors = {"model", "identity", "mean_shift", "moment_map", "oracle_shift", "noise_floor"}},
        score)});
    EXPECT_EQ(
        report::baseline_notes(found.comparison(), found.statistics),
        (std::vector<std::string>{
            "MFM k=5 beats mean_shift in 8 of 8 pairs (p = 0.0078), loses to moment_map in 8 of 8 pairs "
            "(p = 0.0078) [test, W2]",
            "MFM k=5 beats mean_shift in W1, MMD, corr. of corr., energy, R2 of means, change corr. and top "
            "recall",
            "MFM k=5 loses to moment_map in W1, MMD, corr. of corr., energy, R2 of means, change corr. and "
            "top recall"}));
}

TEST(BaselineNotes, HaveOneLineForEachOfManyModels) {
    std::vector<Results> results;
    for (const char* method : {"fm", "cgfm", "mfm", "icnn"}) {
        results.push_back(screen_results(1, {}, gains(std::vector(8, method[0] == 'm' ? 0.2 : 0.1))));
        results.back().provenance.method = method;
    }
    Analysis found(results);
    const auto notes = report::baseline_notes(found.comparison(), found.statistics);
    ASSERT_EQ(notes.size(), 5U);
    EXPECT_EQ(notes[4].rfind("MFM k=5 beats mean_shift in W1", 0), 0U)
        << "other metrics of the best model: " << notes[4];
}

TEST(BaselineNotes, SayThatOnePatientAllowsNoTest) {
    Analysis found({screen_results(1, {.patients = 1, .treatments = {"T", "U", "V"}}, gains({0.1}))});
    EXPECT_EQ(
        report::baseline_notes(found.comparison(), found.statistics),
        (std::vector<std::string>{
            "MFM k=5 is better than mean_shift in 3 of 3 pairs (no test with one patient) [test, W2]"}));
}
