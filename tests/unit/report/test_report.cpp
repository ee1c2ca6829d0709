// SPDX-License-Identifier: MIT
#include "report/report.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "core/error.hpp"
#include "report/grouping.hpp"
#include "report/report_formats.hpp"
#include "support/reports.hpp"
#include "support/screen_results.hpp"
#include "support/summaries.hpp"
#include "support/temporary_folder.hpp"

using popflow::eval::Results;
using popflow::report::PublishedTable;
using popflow::report::ReportFormat;
using popflow::support::add_scope;
using popflow::support::PairLabels;
using popflow::support::result_of_seed;
using popflow::support::screen_results;
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

namespace {

// Returns the results of a method whose distances are `gain` below those of the mean shift, for each patient.
Results with_gain(const char* method, const std::vector<double>& gain) {
    Results results = screen_results(1, {.patients = gain.size()}, [&](const PairLabels& row) {
        const double base = 4 + 0.5 * static_cast<double>(row.patient % 3);
        return row.predictor == "model"        ? base - gain[row.patient]
               : row.predictor == "identity"   ? base + 1
               : row.predictor == "mean_shift" ? base
                                               : 0.25;
    });
    results.provenance.method = method;
    return results;
}

}  // namespace

TEST(Report, MarksAClearBestAmongPredictorsThatDoNotUseTheTarget) {
    const std::vector<Results> results{with_gain("mfm", std::vector(9, 0.5)),
                                       with_gain("fm", std::vector(9, 0.2))};
    const std::string text = popflow::support::report_text(results);
    EXPECT_TRUE(lines_starting_with(text, "MFM k=5  ")
                    .at(0)
                    .starts_with("MFM k=5              *4.000          *4.000"))
        << text;
    EXPECT_EQ(lines_starting_with(text, "FM ").at(0).find('*'), std::string::npos) << text;
    EXPECT_EQ(lines_starting_with(text, "noise_floor ").at(0).find('*'), std::string::npos) << text;
    EXPECT_TRUE(
        contains(popflow::support::report(results, ReportFormat::markdown), "| MFM k=5 | **4.000** |"));
    EXPECT_TRUE(contains(popflow::support::report(results, ReportFormat::latex),
                         "MFM k=5 & $\\mathbf{4.000}$ & $\\mathbf{4.000}$"));
}

TEST(Report, MarksNothingWithoutAClearDifference) {
    // The model has the lowest mean, but because of one patient only.
    const std::string text =
        popflow::support::report_text({with_gain("mfm", {2, 0, 0, 0, 0, 0, 0, -0.1, 0})});
    EXPECT_EQ(lines_starting_with(text, "MFM k=5  ").at(0).find('*'), std::string::npos) << text;
    EXPECT_TRUE(contains(text, "MFM k=5 shows no difference from mean_shift: better in 1 of 9 pairs (p = 1)"))
        << text;
}

TEST(Report, MarksNothingWithTooFewPatients) {
    const std::string text = popflow::support::report_text({with_gain("mfm", std::vector(5, 0.5))});
    EXPECT_EQ(lines_starting_with(text, "MFM k=5  ").at(0).find('*'), std::string::npos) << text;
    EXPECT_TRUE(contains(text, "fewer than 6 patients allow no 95 % interval")) << text;
}

TEST(Report, MarksValuesThatArePrintedTheSame) {
    const std::string text = popflow::support::report_text(
        {with_gain("mfm", std::vector(9, 0.5)), with_gain("fm", std::vector(9, 0.50001))});
    EXPECT_TRUE(contains(lines_starting_with(text, "MFM k=5  ").at(0), "*4.000")) << text;
    EXPECT_TRUE(contains(lines_starting_with(text, "FM ").at(0), "*4.000")) << text;
}

TEST(Report, ShowsIntervalsBelowTheMeans) {
    const Results results = with_gain("mfm", std::vector(9, 0.5));
    const std::string text = popflow::support::report_text({results});
    EXPECT_TRUE(contains(text, "test, mean over pairs (9 pairs, 9 patients)")) << text;
    EXPECT_EQ(lines_starting_with(text, "95 % ").size(), 8U)
        << "two blocks of columns with four rows each: " << text;
    EXPECT_TRUE(
        contains(text, "95 %: bootstrap interval of the mean. Each of 10000 resamples draws patients"))
        << text;
    // The interval of the model is that of the mean shift minus 0.5.
    EXPECT_TRUE(contains(lines_starting_with(text, "95 % ").at(0), "[3.667, 4.333]")) << text;
    EXPECT_TRUE(contains(lines_starting_with(text, "95 % ").at(2), "[4.167, 4.833]")) << text;
    EXPECT_TRUE(
        contains(popflow::support::report({results}, ReportFormat::markdown), "| 95 % | [3.667, 4.333] |"));
    EXPECT_TRUE(contains(popflow::support::report({results}, ReportFormat::latex),
                         "\\quad 95\\,\\% & {\\scriptsize $[3.667, 4.333]$}"));
    EXPECT_TRUE(contains(popflow::support::report({results}, ReportFormat::html),
                         "<span class=\"interval\" title=\"95 % interval\">[3.667, 4.333]</span>"));
    const std::string csv = popflow::support::report({results}, ReportFormat::csv);
    EXPECT_TRUE(contains(
        csv, ",low,high,n_clusters,mean_shift_wins,mean_shift_losses,mean_shift_pairs,mean_shift_p,"))
        << csv;
    EXPECT_TRUE(contains(csv, ",9,9,0,9,0.00390625,,,,\n")) << "9 clusters, 9 wins, p = 2 / 512: " << csv;
}

TEST(Report, SaysThatOnePatientHasNoInterval) {
    const std::string text = popflow::support::report_text({with_gain("mfm", {0.5})});
    EXPECT_TRUE(lines_starting_with(text, "95 %").empty()) << text;
    EXPECT_TRUE(contains(text, "no interval where all pairs are of one patient: it needs several")) << text;
}

TEST(Report, BreaksWideTablesBetweenColumns) {
    for (const std::vector<Results>& results :
         {std::vector{with_gain("mfm", std::vector(9, 0.5))}, std::vector{result_of_seed(1, 4)}}) {
        std::istringstream in(popflow::support::report_text(results));
        bool is_table = true;
        for (std::string line; std::getline(in, line) && is_table; is_table = !line.empty())
            EXPECT_LE(line.size(), 110U) << line;
    }
}

TEST(Report, ShowsTablesByAnyColumn) {
    Results results =
        screen_results(1, {.cultures = {"A", "B"}, .treatments = {"T_5", "T_10"}},
                       [](const PairLabels& row) { return row.treatment == "T_5" ? 3.0 : 7.0; });
    EXPECT_TRUE(contains(popflow::support::report_text({results}), "test, culture A (16 pairs, 8 patients)"));
    report::group_by(results, "treatment");
    const std::string text = popflow::support::report_text({results});
    EXPECT_TRUE(contains(text, "test, treatment T_5 (16 pairs, 8 patients)")) << text;
    EXPECT_TRUE(contains(text, "test, mean over cultures (32 pairs, 8 patients)")) << text;
    EXPECT_FALSE(contains(text, "culture A")) << text;
    EXPECT_LT(text.find("treatment T_5 "), text.find("treatment T_10 ")) << "natural order";
    EXPECT_TRUE(contains(text.substr(text.find("treatment T_5")), "3.000"));
    for (const ReportFormat format : {ReportFormat::markdown, ReportFormat::html})
        EXPECT_TRUE(contains(popflow::support::report({results}, format), "test, treatment T_10 (16 pairs"));
    EXPECT_TRUE(
        contains(popflow::support::report({results}, ReportFormat::csv), ",test,treatment:T_10,w2,7,"));
}

TEST(Report, NamesAColumnAsTheDataDo) {
    Results results = with_gain("mfm", {0.1, 0.2});
    results.provenance.config += "column = patient=cell line\n";
    for (const char* name : {"cell line", "patient"}) {
        report::group_by(results, name);
        EXPECT_TRUE(
            contains(popflow::support::report_text({results}), "test, cell line P1 (1 pair, 1 cell line)"))
            << name;
    }
}

TEST(Report, RefusesToGroupByAnUnknownColumn) {
    Results results = with_gain("mfm", {0.1, 0.2});
    try {
        report::group_by(results, "treatmnt");
        FAIL() << "no exception";
    } catch (const popflow::core::ConfigError& error) {
        EXPECT_STREQ(error.what(),
                     "by: found 'treatmnt' (did you mean 'treatment'?), which is no column of the pairs of "
                     "seed1.h5. Give one of pair, patient, culture, treatment, concentration");
    }
    EXPECT_THROW(report::group_by(results, "w2"), popflow::core::ConfigError) << "numbers are no groups";
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
    EXPECT_TRUE(contains(text, "| MFM k=0 | 0.100 |")) << text;
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
    row.encoder = "moments";
    EXPECT_FALSE(table.find(row, {"test", "culture_mean"}, "mmd").has_value());
    row.encoder = "";
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
