// SPDX-License-Identifier: MIT
#include "report/problem_report.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "core/error.hpp"
#include "report/problem_figures.hpp"
#include "report/result_files.hpp"
#include "support/problem_results.hpp"
#include "support/summaries.hpp"
#include "support/temporary_folder.hpp"

namespace eval = popflow::eval;
namespace report = popflow::report;
using popflow::support::ConvergenceRow;
using popflow::support::ProblemRow;
using popflow::support::TemporaryFolder;
using report::ReportFormat;
using report::SolverKey;
using report::ToleranceScores;

namespace {

const double undefined = std::numeric_limits<double>::quiet_NaN();

// Two problems, solved from zeros, from a run with acceleration, and exactly. From zeros one problem does not
// converge at 1e-3. One problem uses the fallback.
eval::ProblemResults example() {
    eval::ProblemResults results;
    results.file = "digits.h5";
    results.origin.cost = "sqeuclidean";
    results.origin.unit = "squared distance";
    results.origin.config = "ot-epsilon = 0.01\n";
    results.problems = popflow::support::problem_table({
        {.problem = "p", .tolerance = 1e-2, .iterations = 10, .seconds = 0.001, .value = 2},
        {.problem = "p", .tolerance = 1e-3, .iterations = 30, .seconds = 0.003, .value = 2, .gap = 1e-9},
        {.problem = "q", .tolerance = 1e-2, .iterations = 20, .seconds = 0.003, .value = 3},
        {.problem = "q",
         .tolerance = 1e-3,
         .converged = false,
         .iterations = 100,
         .seconds = 0.01,
         .value = 4,
         .gap = 3e-7},
        {.problem = "p",
         .start = "runs/meta",
         .acceleration = "anderson",
         .tolerance = 1e-2,
         .iterations = 4,
         .seconds = 0.002},
        {.problem = "q",
         .start = "runs/meta",
         .acceleration = "anderson",
         .tolerance = 1e-2,
         .iterations = 5,
         .seconds = 0.001,
         .fallback = true,
         .check_seconds = 0.0004},
        {.problem = "p",
         .solver = "exact",
         .tolerance = undefined,
         .iterations = 77,
         .seconds = 0.05,
         .value = 1.5},
        {.problem = "q",
         .solver = "exact",
         .tolerance = undefined,
         .converged = false,
         .status = "failed",
         .message = "row 3 has no mass"},
    });
    return results;
}

std::vector<eval::ProblemResults> one(eval::ProblemResults results) {
    std::vector<eval::ProblemResults> all;
    all.push_back(std::move(results));
    return all;
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t n = 0;
    for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) ++n;
    return n;
}

}  // namespace

TEST(ProblemStatistics, GroupRowsBySolverStartAndAcceleration) {
    const auto scores = report::solver_scores(example());
    ASSERT_EQ(scores.size(), 3U);
    EXPECT_EQ(scores[0].key.label(), "sinkhorn, zeros");
    EXPECT_EQ(scores[1].key.label(), "sinkhorn, runs/meta, anderson");
    EXPECT_EQ(scores[2].key.label(), "exact");
    EXPECT_EQ((SolverKey{"exact", "gaussian", "none"}.label()), "exact, gaussian");
    ASSERT_EQ(scores[0].tolerances.size(), 2U);
    EXPECT_EQ(scores[0].tolerances[0].tolerance, 1e-2);

    const ToleranceScores& loose = *scores[0].find(1e-2);
    EXPECT_EQ(loose.problems, 2U);
    EXPECT_EQ(loose.converged, 2U);
    EXPECT_DOUBLE_EQ(loose.column("iterations").mean(), 15);
    EXPECT_DOUBLE_EQ(loose.column("seconds").mean(), 0.002);
    EXPECT_DOUBLE_EQ(loose.column("seconds").deviation(), 0.001 * std::sqrt(2.0));
    EXPECT_EQ(scores[0].find(1e-3)->unconverged(), 1U);
    EXPECT_EQ(scores[0].find(1e-4), nullptr);
    EXPECT_EQ(scores[1].find(1e-2)->fallbacks, 1U);
    const ToleranceScores& exact = *scores[2].find(undefined);
    EXPECT_EQ(exact.failed, 1U);
    EXPECT_EQ(exact.unconverged(), 0U);
    EXPECT_EQ(exact.message, "row 3 has no mass");
    EXPECT_DOUBLE_EQ(exact.column("value").mean(), 1.5);
    const std::vector<double> all = report::tolerances_of(scores);
    ASSERT_EQ(all.size(), 3U);
    EXPECT_EQ(all[1], 1e-3);
    EXPECT_TRUE(std::isnan(all[2]));
}

TEST(ProblemStatistics, TolerancesAreShort) {
    EXPECT_EQ(report::tolerance_text(1e-2), "1e-2");
    EXPECT_EQ(report::tolerance_text(2.5e-4), "2.5e-4");
    EXPECT_EQ(report::tolerance_text(1e-10), "1e-10");
    EXPECT_EQ(report::tolerance_text(0.5), "0.5");
    EXPECT_EQ(report::tolerance_text(0), "0");
    EXPECT_EQ(report::tolerance_text(undefined), "exact");
}

TEST(ProblemReport, HasThePublishedLayoutAsText) {
    const std::string text = report::problem_report(one(example()), ReportFormat::text);
    // Means and deviations by hand: from zeros at 1e-2 (1 + 3) / 2 = 2 ms and sqrt(2) ms.
    const std::string expected =
        R"(Time and iterations by tolerance (2 problems, cost sqeuclidean, epsilon 0.01)
                                      1e-2 ms  1e-2 iterations        1e-3 ms  1e-3 iterations  exact ms  exact iterations
  sinkhorn, zeros                 2.00 ± 1.41             15.0  ≥ 6.50 ± 4.95           ≥ 65.0         -                 -
  sinkhorn, runs/meta, anderson  *1.50 ± 0.71              4.5              -                -         -                 -
  exact                                     -                -              -                -      50.0              77.0

Summary at the lowest tolerance (2 problems, cost sqeuclidean, epsilon 0.01)
                                 tolerance  problems  converged  failed  fallbacks  start ms  check ms     value  with entropy  largest gap
)";
    EXPECT_EQ(text.substr(0, expected.size()), expected);
}

TEST(ProblemReport, StatesWhatDidNotConvergeOrFailed) {
    for (const ReportFormat format :
         {ReportFormat::text, ReportFormat::markdown, ReportFormat::latex, ReportFormat::html}) {
        const std::string text = report::problem_report(one(example()), format);
        EXPECT_TRUE(contains(text, "sinkhorn, zeros at 1e-3: 1 of 2 problems did not converge"));
        EXPECT_TRUE(contains(
            text, "exact: 1 of 2 problems failed and is left out. The first message is: row 3 has no mass"));
        EXPECT_FALSE(contains(text, "have converged"));
        EXPECT_TRUE(contains(text, "in units of squared distance"));
    }
    eval::ProblemResults good = example();
    good.problems = popflow::support::problem_table({{}});
    EXPECT_TRUE(contains(report::problem_report(one(good), ReportFormat::text),
                         "all problems that did not fail have converged"));
}

TEST(ProblemReport, SummaryIsAtTheLowestTolerance) {
    const eval::ProblemResults results = example();
    const report::Table table = report::problem_summary(results, report::solver_scores(results));
    const auto cells = [&](std::size_t line) {
        std::string text;
        for (const report::TableCell& cell : table.lines[line].cells) text += cell.measured.mean + " ";
        return text;
    };
    EXPECT_EQ(cells(0), "1e-3 2 1 0 0 0 0 3.000000 3.000000 3.0e-7 ");
    EXPECT_EQ(cells(1), "1e-2 2 2 0 1 0 0.200 2.000000 2.000000 1.0e-6 ");
    EXPECT_EQ(cells(2), "exact 2 1 1 0 0 0 1.500000 1.500000 1.0e-6 ");
}

TEST(ProblemReport, LatexHasPowersOfTenAndColumnGroups) {
    const std::string text = report::problem_report(one(example()), ReportFormat::latex);
    EXPECT_TRUE(contains(text, "\\multicolumn{2}{c}{1e-2}"));
    EXPECT_TRUE(contains(text, "$\\geq 6.50 \\pm 4.95$"));
    EXPECT_TRUE(contains(text, "$3.0 \\cdot 10^{-7}$"));
    EXPECT_TRUE(contains(text, "& exact &"));
    EXPECT_TRUE(contains(text, "$\\mathbf{1.50} \\pm 0.71$"));
    EXPECT_EQ(count(text, "\\begin{table}"), 2U);
}

TEST(ProblemReport, MarkdownMarksTheLowestValues) {
    const std::string text = report::problem_report(one(example()), ReportFormat::markdown);
    EXPECT_TRUE(contains(text, "| sinkhorn, runs/meta, anderson | **1.50 ± 0.71** | 4.5 |"));
    EXPECT_TRUE(contains(text, "| sinkhorn, zeros | 2.00 ± 1.41 | 15.0 | ≥ 6.50 ± 4.95 | ≥ 65.0 |"));
}

TEST(ProblemReport, CsvIsTidyAndComplete) {
    const std::string text = report::problem_report(one(example()), ReportFormat::csv);
    EXPECT_TRUE(
        text.starts_with("file,cost,solver,start,acceleration,tolerance,quantity,mean,std,min,max,n_problems,"
                         "n_converged,n_failed,"
                         "n_fallbacks\n"));
    EXPECT_TRUE(contains(
        text,
        "\ndigits.h5,sqeuclidean,sinkhorn,zeros,none,0.01,iterations,15,7.0710678118654755,10,20,2,2,0,0\n"));
    EXPECT_TRUE(contains(text, "\ndigits.h5,sqeuclidean,exact,zeros,none,,value,1.5,,1.5,1.5,2,1,1,0\n"));
    // Four cells of nine quantities, and the header.
    EXPECT_EQ(count(text, "\n"), 4 * 9 + 1U);
}

TEST(ProblemReport, SeveralFilesFollowEachOther) {
    std::vector<eval::ProblemResults> files = one(example());
    files.push_back(example());
    files[1].file = "sphere.h5";
    const std::string text = report::problem_report(files, ReportFormat::text);
    EXPECT_LT(text.find("digits.h5"), text.find("sphere.h5"));
    EXPECT_EQ(count(text, "Time and iterations by tolerance"), 2U);
}

TEST(ProblemReport, RefusesAMixtureWithEvaluations) {
    const TemporaryFolder folder;
    eval::write_problem_results(folder.file("p.h5"), example());
    eval::write_results(folder.file("e.h5"), popflow::support::result_of_seed(1, 2));
    const auto kind = [](const std::vector<std::string>& files) {
        return report::common_kind(report::find_result_files(files));
    };
    EXPECT_EQ(kind({folder.file("p.h5")}), eval::ResultKind::problems);
    EXPECT_EQ(kind({folder.file("e.h5")}), eval::ResultKind::pairs);
    const auto error = [&](const std::vector<std::string>& files) -> std::string {
        try {
            kind(files);
        } catch (const popflow::core::UserError& caught) {
            return caught.what();
        }
        return "no error";
    };
    EXPECT_EQ(error({folder.file("e.h5"), folder.file("p.h5")}),
              "report: found '" + folder.file("e.h5") + "' with scores of population pairs and '" +
                  folder.file("p.h5") + "' with transport problems. Report them separately");
    EXPECT_TRUE(contains(error({folder.file("p.h5"), folder.file("none.h5")}), "No such file"));
}

TEST(ErrorCurves, AreMeansOverProblemsThatKeepTheirLastError) {
    eval::ProblemResults results = example();
    results.convergence = popflow::support::convergence_table({
        {.problem = "p", .iteration = 1, .marginal_error = 0.4, .seconds = 0.1},
        {.problem = "p", .iteration = 2, .marginal_error = 0.2, .seconds = 0.2},
        {.problem = "q", .iteration = 1, .marginal_error = 0.8, .seconds = 0.3},
        {.problem = "q", .iteration = 3, .marginal_error = 0.2, .seconds = 0.5},
        {.problem = "p", .start = "other", .iteration = 0, .marginal_error = 0.1, .seconds = 0},
    });
    const std::vector<report::ErrorCurve> curves = report::error_curves(results);
    ASSERT_EQ(curves.size(), 2U);
    EXPECT_EQ(curves[0].label, "sinkhorn, zeros");
    EXPECT_EQ(curves[0].group, 0U);
    EXPECT_EQ(curves[0].problems, 2U);
    EXPECT_EQ(curves[0].iterations, (std::vector<double>{1, 2, 3}));
    // After two iterations q is halfway between 0.8 and 0.2 on a logarithmic scale: 0.4.
    EXPECT_NEAR(curves[0].errors[0], 0.6, 1e-15);
    EXPECT_NEAR(curves[0].errors[1], 0.3, 1e-15);
    EXPECT_NEAR(curves[0].errors[2], 0.2, 1e-15);
    EXPECT_NEAR(curves[0].seconds[1], 0.3, 1e-15);
    EXPECT_NEAR(curves[0].seconds[2], 0.35, 1e-15);
    EXPECT_EQ(curves[1].label, "sinkhorn, other");
    EXPECT_EQ(curves[1].group, 3U);
    EXPECT_EQ(report::convergence_figures(results).size(), 2U);
}

TEST(ErrorCurves, LongCoursesHaveAtMost300Points) {
    std::vector<ConvergenceRow> rows;
    for (std::int64_t k = 1; k <= 5000; ++k)
        rows.push_back({.iteration = k,
                        .marginal_error = std::pow(0.999, static_cast<double>(k)),
                        .seconds = 0.01 * static_cast<double>(k)});
    eval::ProblemResults results = example();
    results.convergence = popflow::support::convergence_table(rows);
    const auto curves = report::error_curves(results);
    ASSERT_EQ(curves.at(0).iterations.size(), 300U);
    EXPECT_EQ(curves[0].iterations.front(), 1);
    EXPECT_EQ(curves[0].iterations.back(), 5000);
    EXPECT_NEAR(curves[0].errors.back(), std::pow(0.999, 5000), 1e-9);
}

TEST(ProblemFigures, DistancesAreInTheOrderOfClusters) {
    eval::ProblemResults results = example();
    EXPECT_TRUE(report::distance_figures(results).empty());
    results.distances = popflow::support::line_distances({{"c", 5}, {"a", 0}, {"d", 6.5}, {"b", 1}});
    const auto figures = report::distance_figures(results);
    ASSERT_EQ(figures.size(), 1U);
    EXPECT_EQ(figures[0].title, "W2 between populations");
    EXPECT_EQ(figures[0].name, "distances W2");
    EXPECT_EQ(report::ordered_populations(*results.distances),
              (std::vector<std::string>{"a", "b", "c", "d"}));
    const std::string& table = figures[0].table;
    EXPECT_LT(table.find("scope=\"row\">a<"), table.find("scope=\"row\">b<"));
    EXPECT_LT(table.find("scope=\"row\">b<"), table.find("scope=\"row\">c<"));
    EXPECT_LT(table.find("scope=\"row\">c<"), table.find("scope=\"row\">d<"));
    // Small distances are scaled, so that two decimals suffice.
    for (double& value : results.distances->values.values()) value /= 10000;
    EXPECT_EQ(report::distance_figures(results)[0].title, "W2 x 1e4 between populations");
}

TEST(ProblemFigures, LargeMatricesHaveNoNumbers) {
    eval::ProblemResults results = example();
    for (const std::size_t n : {60U, 200U, 700U}) {
        std::vector<std::pair<std::string, double>> points;
        for (std::size_t i = 0; i < n; ++i) points.emplace_back("p" + std::to_string(i), (i * 7) % n);
        results.distances = popflow::support::line_distances(points);
        results.distances->values(0, 1) = results.distances->values(1, 0) = undefined;
        const auto figures = report::distance_figures(results);
        ASSERT_EQ(figures.size(), 1U);
        EXPECT_TRUE(figures[0].table.empty());
        const std::string svg = report::figure_svg(figures[0]);
        EXPECT_EQ(contains(svg, ">p1<"), n == 60) << n;
        EXPECT_EQ(contains(figures[0].note, "mean of 2 x 2 populations"), n == 700) << n;
        EXPECT_TRUE(contains(figures[0].note, "Empty cells")) << n;
    }
}

TEST(ProblemFigures, PageAndFilesHaveAllFigures) {
    eval::ProblemResults results = example();
    results.convergence =
        popflow::support::convergence_table({{.iteration = 1}, {.iteration = 2, .marginal_error = 0.1}});
    results.distances = popflow::support::line_distances({{"a", 0}, {"b", 1}});
    const std::string page = report::problem_report(one(results), ReportFormat::html);
    EXPECT_EQ(count(page, "<figure"), 3U);
    EXPECT_TRUE(contains(page, "Marginal error by iteration"));
    EXPECT_TRUE(contains(page, "Marginal error by seconds"));
    EXPECT_TRUE(contains(page, "ot-epsilon = 0.01"));
    std::set<std::string> names;
    for (const auto& [name, figure] : report::named_problem_figures(one(results))) names.insert(name);
    EXPECT_EQ(names, (std::set<std::string>{"marginal-error-by-iteration", "marginal-error-by-seconds",
                                            "distances-w2"}));
    std::vector<eval::ProblemResults> two = one(results);
    two.push_back(results);
    two[1].file = "x/sphere.h5";
    names.clear();
    for (const auto& [name, figure] : report::named_problem_figures(two)) names.insert(name);
    EXPECT_EQ(names.size(), 6U);
    EXPECT_TRUE(names.contains("sphere-distances-w2"));
}
