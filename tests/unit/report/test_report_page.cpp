// SPDX-License-Identifier: MIT
#include "report/report_page.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "report/pair_statistics.hpp"
#include "report/report.hpp"
#include "support/reports.hpp"
#include "support/summaries.hpp"

using popflow::eval::Results;
using popflow::report::ReportFormat;
using popflow::support::result_of_seed;
namespace report = popflow::report;
namespace h5 = popflow::h5;

namespace {

using Texts = std::vector<std::string>;

// Returns results with training rows and two pairs of the treatment. The model failed on the second pair.
Results with_pairs(std::uint64_t seed, const std::string& treatment) {
    Results results = result_of_seed(seed, 4);
    h5::DataFrame pairs;
    const Texts predictors{"model", "identity", "noise_floor"};
    Texts names;
    Texts predictor_column;
    Texts status;
    std::vector<double> w2;
    for (int p = 0; p < 2; ++p) {
        for (const std::string& predictor : predictors) {
            names.push_back("P" + std::to_string(p) + " / A / " + treatment);
            predictor_column.push_back(predictor);
            status.emplace_back(p == 1 && predictor == "model" ? "failed" : "ok");
            w2.push_back(predictor == "model"      ? 2.0 + static_cast<double>(seed)
                         : predictor == "identity" ? 6
                                                   : 1);
        }
    }
    pairs.add_categorical("pair", names);
    pairs.add_categorical("part", Texts(6, "test"));
    pairs.add_categorical("patient", {"P0", "P0", "P0", "P1", "P1", "P1"});
    pairs.add_categorical("culture", Texts(6, "A"));
    pairs.add_categorical("treatment", Texts(6, treatment));
    pairs.add_categorical("predictor", predictor_column);
    pairs.add_categorical("status", status);
    pairs.add("w2", w2);
    results.pairs = pairs;
    h5::DataFrame training;
    training.add("step", h5::DataFrame::Ints{1, 2, 3});
    training.add("loss", h5::DataFrame::Doubles{3, 2, 1});
    training.add("lr", h5::DataFrame::Doubles{1, 1, 0});
    results.training = training;
    return results;
}

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t n = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
    return n;
}

}  // namespace

TEST(PairStatistics, AverageOverSeedsWithoutFailedScores) {
    const std::vector<Results> results{with_pairs(1, "T"), with_pairs(2, "T")};
    const auto statistics =
        report::pair_statistics(results, popflow::support::compare(results)[0].rows[0], "test", "w2");
    ASSERT_EQ(statistics.size(), 2U);
    EXPECT_EQ(statistics[0].mean("model"), 3.5);
    EXPECT_EQ(statistics[0].mean("identity"), 6);
    EXPECT_TRUE(std::isnan(statistics[1].mean("model")));
    EXPECT_TRUE(std::isnan(statistics[0].mean("oracle_shift")));
}

TEST(SortedLabels, UseNaturalOrder) {
    EXPECT_EQ(report::sorted_labels({"EGF_15min", "EGF_5min", "141", "21", "EGF_5min", "O", "CSF"}),
              (Texts{"21", "141", "CSF", "EGF_5min", "EGF_15min", "O"}));
}

TEST(ReportPage, ContainsTablesCurvesPairsAndProvenance) {
    const std::vector<Results> results{with_pairs(1, "T"), with_pairs(2, "T")};
    const report::PublishedTable published = report::PublishedTable::load("organoid_replica");
    const std::string page = popflow::support::report(results, ReportFormat::html, &published);
    EXPECT_EQ(count(page, "<svg class=\"chart\""), 3U) << "loss, rate and pairs, but no embeddings";
    EXPECT_EQ(count(page, "class=\"line c0 dash0\" d="), 6U)
        << "two seeds and the legend in each of two charts";
    EXPECT_EQ(count(page, "<path class=\"mark c"), 3U) << "one pair and two patients in the legend";
    EXPECT_EQ(count(page, "model - noise floor: 2.5"), 1U);
    EXPECT_EQ(count(page, "class=\"published\" title=\"published\">4.009"), 1U);
    EXPECT_EQ(count(page, "seed2.h5"), 2U) << "in the list of files and next to its configuration";
    EXPECT_EQ(count(page, "<details open"), 1U);
    EXPECT_EQ(count(page, "http"), 0U) << "no external resources";
}

TEST(ReportPage, EscapesTextFromTheData) {
    const std::string hostile = "<script>alert(1)</script>\"'&";
    Results results = with_pairs(1, hostile);
    results.file = hostile;
    results.provenance.split = hostile;
    results.provenance.config += hostile + " = " + hostile + "\n";
    results.provenance.precision = hostile;
    const std::string page = popflow::support::report({results}, ReportFormat::html);
    EXPECT_EQ(count(page, "<script"), 1U) << "the page's own";
    EXPECT_EQ(count(page, "alert(1)</script>"), 0U);
    EXPECT_GT(count(page, "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;"), 5U);
}

TEST(ReportPage, RendersWithoutPairsAndTraining) {
    const std::string page = report::report_page({}, {}, nullptr);
    EXPECT_EQ(count(page, "<svg"), 0U);
    EXPECT_EQ(count(page, "</html>"), 1U);
}
