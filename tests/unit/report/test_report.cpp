// SPDX-License-Identifier: MIT
#include "report/report.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "core/error.hpp"
#include "report/report_formats.hpp"
#include "support/reports.hpp"
#include "support/summaries.hpp"
#include "support/temporary_folder.hpp"

using popflow::eval::Results;
using popflow::report::PublishedTable;
using popflow::report::ReportFormat;
using popflow::support::add_scope;
using popflow::support::result_of_seed;
namespace report = popflow::report;

namespace {

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

// Returns the lines that begin with `start`, without their leading spaces.
std::vector<std::string> lines_starting_with(const std::string& text, const std::string& start) {
    std::istringstream in(text);
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) {
        line.erase(0, line.find_first_not_of(' '));
        if (line.starts_with(start)) lines.push_back(line);
    }
    return lines;
}

}  // namespace

TEST(Report, ShowsValuesForASingleSeed) {
    const std::string text = popflow::support::report_text({result_of_seed(1, 4)});
    EXPECT_TRUE(contains(text, "test, mean over pairs (8 pairs)")) << text;
    EXPECT_TRUE(contains(text, "MFM k=100")) << text;
    EXPECT_TRUE(contains(text, "12.50")) << "MMD is shown times 1000\n" << text;
    EXPECT_LT(text.find("MFM"), text.find("noise_floor"));
}

TEST(Report, ShowsMeanAndStandardDeviationOverSeeds) {
    const std::string text =
        popflow::support::report_text({result_of_seed(1, 3), result_of_seed(2, 4), result_of_seed(3, 5)});
    EXPECT_TRUE(contains(text, "4.000 ± 1.000")) << text;
    EXPECT_TRUE(contains(text, "3 seeds")) << text;
}

TEST(Report, CountsASeedOnceForAllMethods) {
    Results fm = result_of_seed(1, 6);
    fm.provenance.method = "fm";
    const std::string text = popflow::support::report_text({result_of_seed(1, 3), result_of_seed(2, 4), fm});
    EXPECT_TRUE(contains(text, "2 seeds")) << text;
    EXPECT_TRUE(contains(text, "fewer seeds: FM 1")) << text;
}

TEST(Report, MarksTheBestPredictorThatDoesNotUseTheTarget) {
    Results fm = result_of_seed(1, 6);
    fm.provenance.method = "fm";
    const std::vector<Results> results{result_of_seed(1, 4), fm};

    const std::string text = popflow::support::report_text(results);
    EXPECT_EQ(lines_starting_with(text, "MFM"),
              (std::vector<std::string>{"MFM k=100    *0.500  *4.000   *12.50  *0.500  *0.500"}));
    EXPECT_EQ(lines_starting_with(text, "FM"),
              (std::vector<std::string>{"FM           *0.500   6.000   *12.50  *0.500  *0.500"}))
        << "values that are printed the same are both marked";
    EXPECT_EQ(lines_starting_with(text, "noise_floor "),
              (std::vector<std::string>{"noise_floor   0.250   0.250    250.0   0.250   0.250"}));
    EXPECT_TRUE(contains(popflow::support::report(results, ReportFormat::markdown),
                         "| MFM k=100 | **0.500** | **4.000** |"));
    EXPECT_TRUE(contains(popflow::support::report(results, ReportFormat::latex),
                         "MFM k=100 & $\\mathbf{0.500}$ & $\\mathbf{4.000}$"));
}

TEST(Report, OrdersRowsAsPublished) {
    std::vector<Results> results;
    const auto add = [&](const char* method, const char* base, std::size_t knn) {
        results.push_back(result_of_seed(1, 4));
        results.back().provenance.method = method;
        results.back().provenance.base = base;
        results.back().provenance.knn = knn;
    };
    add("mfm", "source", 10);
    add("mfm", "source", 0);
    add("mfm", "gaussian", 50);
    add("icnn", "source", 0);
    results.back().provenance.condition = "none";
    add("cgfm", "gaussian", 0);
    add("cgfm", "source", 0);
    add("fm", "gaussian", 50);
    add("fm", "source", 50);
    std::vector<std::string> labels;
    const std::vector<report::Comparison> comparisons = popflow::support::compare(results);
    for (const report::ComparisonRow& row : comparisons.at(0).rows) labels.push_back(row.label());
    EXPECT_EQ(labels, (std::vector<std::string>{"FM", "FM w/ N", "CGFM", "CGFM w/ N", "ICNN", "MFM k=50 w/ N",
                                                "MFM k=0", "MFM k=10", "noise_floor"}));
}

TEST(Report, ShowsPublishedIcnnScoresOnlyForTheUnconditionalIcnn) {
    Results icnn = result_of_seed(1, 4);
    icnn.provenance.method = "icnn";
    icnn.provenance.condition = "none";
    Results conditional = icnn;
    conditional.provenance.condition = "treatment";
    const PublishedTable published = PublishedTable::load("organoid_patient");
    EXPECT_TRUE(contains(popflow::support::report({icnn}, ReportFormat::text, &published), "published"));
    const std::string other = popflow::support::report({conditional}, ReportFormat::text, &published);
    EXPECT_TRUE(contains(other, "ICNN + treatment")) << other;
    EXPECT_FALSE(contains(other, "published ")) << other;
}

TEST(Report, ShowsLettersInOneTableWithSeparateTestLetters) {
    Results results = result_of_seed(1, 4);
    results.provenance.split = "letters";
    results.provenance.knn = 0;
    add_scope(results, "test", "culture:X", 0.2);
    add_scope(results, "test", "culture:Y", 0.3);
    add_scope(results, "train", "culture_mean", 0.1);
    add_scope(results, "train", "culture:A", 0.7);
    const PublishedTable published = PublishedTable::load("letters");
    const std::string text = popflow::support::report({results}, ReportFormat::markdown, &published);
    EXPECT_TRUE(
        contains(text,
                 "| letters | train W1 | train W2 | train MMD e-3 | test X W1 | test X W2 | test X MMD e-3 | "
                 "test Y W1 | test Y W2 | test Y MMD e-3 |"))
        << text;
    EXPECT_TRUE(contains(text, "| MFM k=0 | **0.100** |")) << text;
    EXPECT_TRUE(contains(text, "| published | 0.081 ± 0.003 | 0.100 ± 0.004 | 0.16 ± 0.06 | 0.202 ± 0.002 |"))
        << text;
    EXPECT_FALSE(contains(text, "0.700"));
    const std::string latex = popflow::support::report({results}, ReportFormat::latex);
    EXPECT_TRUE(contains(latex, "\\multicolumn{3}{c}{test X}")) << latex;
    EXPECT_TRUE(contains(latex, "\\cmidrule(lr){2-4}\\cmidrule(lr){5-7}")) << latex;
}

TEST(Report, EscapesLabelsInEveryFormat) {
    Results results = result_of_seed(1, 4);
    results.provenance.split = "column:a,\"b\"|c";
    add_scope(results, "test", "culture:<A_1>|\\x{}", 0.2);
    EXPECT_TRUE(contains(popflow::support::report({results}, ReportFormat::csv), "\"column:a,\"\"b\"\"|c\""));
    EXPECT_EQ(report::latex_escaped("50% A_1 \\x{} ~^"), "50\\% A\\_1 \\textbackslash{}x\\{\\} \\~{}\\^{}");
    Results other = result_of_seed(1, 5);
    other.provenance.split = results.provenance.split;
    other.provenance.config += "markers = a|b\n";
    EXPECT_TRUE(contains(popflow::support::report({results, other}, ReportFormat::markdown),
                         "| MFM k=100 (markers=a\\|b) |"));
}

TEST(PublishedTables, StoreValuesInTheUnitsOfTheSummary) {
    EXPECT_EQ(PublishedTable::builtin_names(),
              (std::vector<std::string>{"letters", "organoid_patient", "organoid_replica"}));
    const PublishedTable table = PublishedTable::load("organoid_patient");
    report::ComparisonRow row{.predictor = "model", .method = "mfm", .base = "gaussian", .knn = 10};
    const auto mmd = table.find(row, {"test", "culture_mean"}, "mmd");
    ASSERT_TRUE(mmd.has_value());
    EXPECT_DOUBLE_EQ(mmd->mean, 9.58e-3);
    EXPECT_DOUBLE_EQ(mmd->deviation.value(), 1.63e-3);
    EXPECT_FALSE(table.find(row, {"test", "pair_mean"}, "mmd").has_value());
    EXPECT_FALSE(table.find(row, {"test", "culture_mean"}, "energy").has_value());
    row.knn = 11;
    EXPECT_FALSE(table.find(row, {"test", "culture_mean"}, "mmd").has_value());
}

TEST(PublishedTables, ReportTheLineOfAnError) {
    const auto message = [](const std::string& csv) {
        try {
            PublishedTable::parse(csv, "a.csv");
        } catch (const popflow::core::DataError& error) {
            return std::string(error.what());
        }
        return std::string();
    };
    const std::string head = "method,base,knn,test_w1\n";
    EXPECT_EQ(message(""), "a.csv: found no row of published values. Add one line for each published model");
    EXPECT_EQ(message("a,b\n"),
              "a.csv: line 1: found 'a,b'. The first line must name the columns method,base,knn and then "
              "PART_METRIC, as in test_w2");
    EXPECT_EQ(
        message(head + "fm,source,\n"),
        "a.csv: line 2: found 3 cells, but the first line names 4 columns. Give one cell for each column");
    EXPECT_EQ(message(head + "fm,source,,x\n"),
              "a.csv: line 2, column test_w1: found 'x'. Give a number or leave the cell empty");
    EXPECT_EQ(message(head + "fm,source,,1.5\r\n"), "");
    EXPECT_THROW(PublishedTable::load("nowhere.csv"), popflow::core::ConfigError);
    const popflow::support::TemporaryFolder folder;
    std::ofstream(folder.file("p.csv")) << head << "fm,source,,1.5\n";
    const PublishedTable table = PublishedTable::load(folder.file("p.csv"));
    const report::ComparisonRow row{.predictor = "model", .method = "fm", .base = "source"};
    EXPECT_EQ(table.find(row, {"test", "culture_mean"}, "w1").value().mean, 1.5);
}
