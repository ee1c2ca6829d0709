// SPDX-License-Identifier: MIT
#include "eval/set_results.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.hpp"
#include "eval/result_kind.hpp"
#include "h5/file.hpp"
#include "report/set_report.hpp"
#include "support/temporary_folder.hpp"

namespace eval = popflow::eval;
namespace report = popflow::report;
using popflow::support::TemporaryFolder;

namespace {

eval::SetRow set_row(const std::string& label, const std::string& predictor, double nna) {
    eval::SetRow row{.label = label,
                     .predictor = predictor,
                     .comparison = {.distance = popflow::metrics::PopulationDistance::bures},
                     .real = 12,
                     .generated = 11,
                     .training = 30,
                     .cells = 60};
    row.comparison.scores.nna = nna;
    row.comparison.distances_computed = 253;
    return row;
}

eval::SetResults example_sets() {
    eval::SetEvaluation evaluation;
    evaluation.rows = {set_row("A", "model", 0.5625), set_row("A", "noise", 1),
                       set_row("all", "model", 0.75)};
    evaluation.rows.push_back(set_row("A", "floor", std::nan("")));
    evaluation.rows.back().note = "needs four held-out populations";
    eval::SetResults results;
    results.provenance.method = "bwfm";
    results.sets = eval::sets_frame(evaluation);
    results.training.add("step", popflow::h5::DataFrame::Ints{1, 2});
    results.markers = {"x", "y"};
    for (std::size_t k = 0; k < 3; ++k) {
        popflow::linalg::Matrix<float> cells(2 + k, 2);
        cells.fill(static_cast<float>(k));
        results.samples.push_back({"A", k == 0 ? "real" : "model", k, k == 1 ? 0.5 : 1, cells});
    }
    return results;
}

}  // namespace

TEST(SetResults, AreReadAsTheyWereWritten) {
    const TemporaryFolder folder;
    const std::string path = folder.file("sets.h5");
    eval::write_set_results(path, example_sets());
    EXPECT_EQ(eval::result_kind(path), eval::ResultKind::sets);
    const eval::SetResults read = eval::read_set_results(path);
    EXPECT_EQ(read.provenance.method, "bwfm");
    EXPECT_EQ(read.sets.strings("label"), (std::vector<std::string>{"A", "A", "all", "A"}));
    EXPECT_EQ(read.sets.doubles("nna")[0], 0.5625);
    EXPECT_TRUE(std::isnan(read.sets.doubles("nna")[3]));
    EXPECT_EQ(read.sets.ints("distances_computed")[1], 253);
    ASSERT_EQ(read.samples.size(), 3U);
    EXPECT_EQ(read.samples[1].set, "model");
    EXPECT_EQ(read.samples[1].time, 0.5);
    EXPECT_EQ(read.samples[2].cells.rows(), 4U);
    EXPECT_EQ(read.samples[2].cells(3, 1), 2);
}

TEST(SetResults, RefuseOtherFiles) {
    const TemporaryFolder folder;
    const std::string path = folder.file("other.h5");
    {
        popflow::h5::AtomicFile file(path);
        file.commit();
    }
    EXPECT_EQ(eval::result_kind(path), eval::ResultKind::unknown);
    EXPECT_THROW(eval::read_set_results(path), popflow::core::DataError);
}

TEST(SetResults, RefuseATableWithoutAColumn) {
    const TemporaryFolder folder;
    eval::SetResults results = example_sets();
    results.sets = {};
    results.sets.add("label", popflow::h5::DataFrame::Strings{"A"});
    EXPECT_THROW(eval::write_set_results(folder.file("sets.h5"), results), popflow::core::Error);
}

TEST(SetReport, HasATableForAllLabelsAndOneByLabel) {
    eval::SetResults results = example_sets();
    results.file = "sets.h5";
    const report::Table first = report::nearest_neighbour_table(results, "A");
    EXPECT_EQ(first.caption,
              "1-NNA in percent, A (12 held-out, 11 generated and 30 training populations of 60 cells)");
    ASSERT_EQ(first.lines.size(), 2U);  // the floor has no score
    EXPECT_EQ(first.lines[0].cells[0].measured.mean, "56.2");
    const std::string text = report::set_report({results}, report::ReportFormat::text);
    EXPECT_NE(text.find("1-NNA of the model by label"), std::string::npos);
    EXPECT_NE(text.find("A, floor: needs four held-out populations"), std::string::npos);
    const std::string csv = report::set_report({results}, report::ReportFormat::csv);
    EXPECT_NE(csv.find("sets.h5,bwfm,A,model,bures,nna,0.5625,12,11,30,60\n"), std::string::npos);
    const std::string page = report::set_report({results}, report::ReportFormat::html);
    EXPECT_NE(page.find("One generated population over flow time"), std::string::npos);
    EXPECT_EQ(report::named_set_figures({results}).size(), 2U);
}
