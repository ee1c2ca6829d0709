// SPDX-License-Identifier: MIT
#include "report/report_page.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "core/natural_order.hpp"
#include "report/figure.hpp"
#include "report/pair_statistics.hpp"
#include "report/report.hpp"
#include "report/report_figures.hpp"
#include "report/report_panels.hpp"
#include "report/role_columns.hpp"
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
    const Texts predictors{"model", "identity", "mean_shift", "noise_floor"};
    Texts names;
    Texts predictor_column;
    Texts status;
    std::vector<double> w2;
    for (int p = 0; p < 2; ++p) {
        for (const std::string& predictor : predictors) {
            names.push_back("P" + std::to_string(p) + " / A / " + treatment);
            predictor_column.push_back(predictor);
            status.emplace_back(p == 1 && predictor == "model" ? "failed" : "ok");
            w2.push_back(predictor == "model"        ? 2.0 + static_cast<double>(seed)
                         : predictor == "identity"   ? 6
                         : predictor == "mean_shift" ? 4
                                                     : 1);
        }
    }
    pairs.add_categorical("pair", names);
    pairs.add_categorical("part", Texts(8, "test"));
    pairs.add_categorical("patient", {"P0", "P0", "P0", "P0", "P1", "P1", "P1", "P1"});
    pairs.add_categorical("culture", Texts(8, "A"));
    pairs.add_categorical("treatment", Texts(8, treatment));
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
    EXPECT_EQ(popflow::core::sorted_labels({"EGF_15min", "EGF_5min", "141", "21", "EGF_5min", "O", "CSF"}),
              (Texts{"21", "141", "CSF", "EGF_5min", "EGF_15min", "O"}));
}

TEST(ReportPage, ContainsTablesCurvesPairsAndProvenance) {
    const std::vector<Results> results{with_pairs(1, "T"), with_pairs(2, "T")};
    const report::PublishedTable published = report::PublishedTable::load("organoid_replica");
    const std::string page = popflow::support::report(results, ReportFormat::html, &published);
    EXPECT_EQ(count(page, "<svg class=\"chart\""), 4U)
        << "loss, rate and pairs against two baselines, but no embeddings";
    EXPECT_EQ(count(page, "class=\"line c0 dash0\" d="), 6U)
        << "two seeds and the legend in each of two charts";
    EXPECT_EQ(count(page, "<path class=\"mark c"), 6U) << "one pair and two patients in each legend";
    EXPECT_EQ(count(page, "MFM k=100 is better than mean_shift in 1 of 1 pair"), 2U)
        << "in the notes and below the chart";
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

TEST(FigureScope, PrefersTheTestPartAndTheRankOfTheMetrics) {
    Results results = result_of_seed(1, 4);
    popflow::support::add_scope(results, "train", "culture_mean", 0.1);
    const report::FigureScope scope = report::figure_scope(popflow::support::compare({results})[0]);
    EXPECT_EQ(scope.part, "test");
    EXPECT_EQ(scope.metric, "w2");
    report::Comparison energy{.split = "", .data_fingerprint = ""};
    energy.rows.push_back({.predictor = "model"});
    for (const char* name : {"mmd", "energy", "r2"})
        energy.rows[0].scores[{"train", "culture_mean"}].by_metric[name].add(1);
    EXPECT_EQ(report::figure_scope(energy).metric, "energy");
}

TEST(TrainingFigures, SeparateMethodsWithDifferentLosses) {
    std::vector<Results> results{with_pairs(1, "T"), with_pairs(1, "T"), with_pairs(1, "T")};
    results[1].provenance.method = "fm";
    results[2].provenance.method = "icnn";
    const report::Comparison comparison = popflow::support::compare(results)[0];
    Texts titles;
    for (const report::Figure& figure : report::training_figures(results, comparison))
        titles.push_back(figure.title);
    EXPECT_EQ(titles, (Texts{"Training loss of FM, MFM", "Training loss of ICNN", "Learning rate"}));
    results.pop_back();
    EXPECT_EQ(report::training_figures(results, popflow::support::compare(results)[0])[0].title,
              "Training loss");
}

TEST(TrainingFigures, ShowTheValidationWithTheLevelsOfTheSimpleModels) {
    std::vector<Results> results{with_pairs(1, "T"), with_pairs(2, "T")};
    for (Results& one : results) {
        one.validation.add("step", h5::DataFrame::Ints{5, 10});
        one.validation.add("energy", h5::DataFrame::Doubles{0.5, 0.25});
        one.validation.add("mean_shift", h5::DataFrame::Doubles{0.75, 0.75});
        one.validation.add("moment_map", h5::DataFrame::Doubles{0.5, 0.5});
    }
    const auto figures = report::training_figures(results, popflow::support::compare(results)[0]);
    ASSERT_EQ(figures.size(), 3U);
    const report::Figure& figure = figures[1];
    EXPECT_EQ(figure.title, "Validation energy");
    EXPECT_EQ(figure.legend, (Texts{"MFM k=100", "mean_shift", "moment_map"}));
    EXPECT_EQ(figure.groups, (std::vector<std::size_t>{0, 1, 2}));
    const std::string page = report::figure_html(figure);
    EXPECT_EQ(count(page, "<title>MFM k=100, seed "), 2U);
    EXPECT_EQ(count(page, "<title>mean_shift: 0.75</title>"), 1U) << "equal levels are one line";
    EXPECT_EQ(count(page, "<title>moment_map: 0.5</title>"), 1U);
}

TEST(Headings, NameTheColumnOfAMappedRole) {
    Results results = with_pairs(1, "T");
    results.provenance.split = "patient:P1";
    results.provenance.config += "column = patient=cell line\ncolumn = plate=batch=1\n";
    const report::RoleColumns columns = report::role_columns(results.provenance.config);
    EXPECT_EQ(columns, (report::RoleColumns{{"patient", "cell line"}, {"plate", "batch=1"}}));
    EXPECT_EQ(report::split_title("patient:P1", columns), "cell line:P1 (column of the role patient)");
    EXPECT_EQ(report::split_title("replica", columns), "replica");
    EXPECT_EQ(report::split_title("column:part", columns), "column:part");
    const std::string page = popflow::support::report({results}, ReportFormat::html);
    EXPECT_EQ(count(page, "above the noise floor, cell line by treatment"), 1U);
    EXPECT_EQ(count(page, "<h2>Split cell line:P1 (column of the role patient)"), 1U);
}

TEST(Headings, NameTheColumnOfALeaveOneOut) {
    const report::RoleColumns columns{{"patient", "donor"}};
    EXPECT_EQ(report::split_title("each:patient", columns), "each:donor (column of the role patient)");
    EXPECT_EQ(report::split_title("each:donor", columns), "each:donor");
    EXPECT_EQ(report::split_title("each:culture", columns), "each:culture");
}

TEST(HeatFigures, BeginWithTheColumnOfTheSplit) {
    const auto first_title = [](const std::string& split, const std::string& column) {
        Results results = with_pairs(1, "T");
        results.provenance.split = split;
        if (!column.empty() && !results.pairs.contains(column)) results.pairs.add(column, Texts(8, "x"));
        const report::Comparison comparison = popflow::support::compare({results})[0];
        const auto pairs = report::pair_statistics({results}, comparison.rows[0], "test", "w2");
        return report::heat_figures(pairs, "w2", "MFM", 1, {})[0].title;
    };
    EXPECT_EQ(first_title("patient:P0", ""), "W2 above the noise floor, patient by treatment");
    EXPECT_EQ(first_title("each:patient", ""), "W2 above the noise floor, patient by treatment");
    EXPECT_EQ(first_title("culture:A", "culture"), "W2 above the noise floor, culture by treatment");
    EXPECT_EQ(first_title("each:culture", "culture"), "W2 above the noise floor, culture by treatment");
    EXPECT_EQ(first_title("plate:x", "plate"), "W2 above the noise floor, plate by treatment");
    EXPECT_EQ(first_title("each:batch", "batch"), "W2 above the noise floor, batch by treatment");
    EXPECT_EQ(first_title("replica", ""), "W2 above the noise floor, patient by treatment");
}

TEST(TrainingFigures, HaveALineForEachFold) {
    Results results = with_pairs(1, "T");
    results.training = {};
    results.training.add("step", h5::DataFrame::Ints{1, 2, 1, 2});
    results.training.add("loss", h5::DataFrame::Doubles{3, 2, 5, 4});
    results.training.add("fold", Texts{"P0", "P0", "P1", "P1"});
    const auto figures = report::training_figures({results}, popflow::support::compare({results})[0]);
    ASSERT_EQ(figures.size(), 1U);
    const std::string chart = figures[0].charts[0].svg();
    EXPECT_EQ(count(chart, "seed 1, fold P0"), 1U);
    EXPECT_EQ(count(chart, "seed 1, fold P1"), 1U);
    EXPECT_EQ(figures[0].legend, Texts{"MFM k=100"});
}

TEST(EmbeddingFigures, ShowHeldOutPopulationsAmongTheTrainingPopulations) {
    Results results = with_pairs(1, "T");
    results.embeddings = popflow::linalg::Matrix<float>(2, 2);
    results.embeddings(0, 0) = 1;
    results.embeddings(1, 1) = 2;
    results.embedding_names = {"P0 / A / T", "P1 / A / T"};
    EXPECT_TRUE(report::embedding_figures(results, "MFM", {}).empty()) << "two points show nothing";
    results.training_embeddings = popflow::linalg::Matrix<float>(2, 2);
    results.training_embeddings(0, 0) = -1;
    results.training_embeddings(1, 1) = -3;
    results.training_populations.add_categorical("pair", {"P2 / A / T", "P3 / A / T"});
    results.training_populations.add_categorical("patient", {"P2", "P3"});
    results.training_populations.add_categorical("culture", {"A", "A"});
    const auto figures = report::embedding_figures(results, "MFM", {{"patient", "donor"}});
    ASSERT_EQ(figures.size(), 2U) << "by part and by patient. All have one culture";
    EXPECT_EQ(figures[0].title, "Embeddings of control populations by part");
    EXPECT_EQ(figures[0].legend, (Texts{"test", "train"}));
    EXPECT_EQ(figures[1].title, "Embeddings of control populations by donor");
    EXPECT_EQ(figures[1].legend, (Texts{"P0", "P1", "P2", "P3"}));
    for (const report::Figure& figure : figures) {
        EXPECT_EQ(count(figure.charts[0].svg(), "class=\"mark "), 4U);
        EXPECT_EQ(count(figure.charts[0].svg(), "class=\"mark ringed "), 2U) << "the held-out populations";
    }
}

TEST(FigureFiles, AreCompleteSvgFilesWithoutVariables) {
    Results results = with_pairs(1, "<T>");
    results.markers = {"x", "y", "z"};
    const popflow::linalg::Matrix<float> cells(3, 3);
    results.samples.push_back(
        {.name = "P0 / A / <T>", .control = cells, .predicted = cells, .treated = cells});
    const std::vector<Results> all{results, with_pairs(2, "<T>")};
    const auto figures = report::named_figures(all, popflow::support::compare(all));
    Texts names;
    for (const auto& [name, figure] : figures) {
        names.push_back(name);
        const std::string svg = report::figure_svg(figure);
        EXPECT_TRUE(svg.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=")) << name;
        EXPECT_EQ(count(svg, "var("), 0U) << name << ": librsvg has no variables";
        EXPECT_EQ(count(svg, "<T>"), 0U) << name;
        EXPECT_EQ(count(svg, "<svg"), figure.charts.size() + 1) << name;
        EXPECT_EQ(count(svg, "<svg"), count(svg, "</svg>")) << name;
    }
    EXPECT_EQ(names, (Texts{"training-loss", "learning-rate", "mfm-k-100-w2-per-pair-against-mean_shift",
                            "mfm-k-100-w2-per-pair-against-identity",
                            "mfm-k-100-w2-above-noise-floor-patient-by-treatment", "mfm-k-100-cells-p0-a-t",
                            "mfm-k-100-markers-p0-a-t"}));
}

TEST(FigureFiles, HaveUniqueNames) {
    Results results = with_pairs(1, "T");
    results.markers = {"x", "y", "z"};
    const popflow::linalg::Matrix<float> cells(3, 3);
    for (const char* pair : {"a/b", "a b", "A:B"})
        results.samples.push_back({.name = pair, .control = cells, .predicted = cells, .treated = cells});
    std::set<std::string> names;
    const auto figures = report::named_figures({results}, popflow::support::compare({results}));
    for (const auto& [name, figure] : figures) EXPECT_TRUE(names.insert(name).second) << name;
    EXPECT_TRUE(names.contains("mfm-k-100-cells-a-b-3"));
}
