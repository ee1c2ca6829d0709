// SPDX-License-Identifier: MIT
#include "eval/map_results.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "eval/result_kind.hpp"
#include "h5/file.hpp"
#include "report/map_report.hpp"
#include "support/temporary_folder.hpp"

using popflow::support::TemporaryFolder;
namespace core = popflow::core;
namespace eval = popflow::eval;
namespace h5 = popflow::h5;
namespace report = popflow::report;

namespace {

// Two problems: the model scores 0.75 and 0.25 with 1 and 0 certificates, and a failed row has no scores.
eval::MapResults two_problems() {
    h5::DataFrame table;
    table.add("problem", h5::DataFrame::Strings{"p", "p", "q", "q"});
    table.add_categorical("source", {"a", "a", "b", "b"});
    table.add_categorical("target", {"b", "b", "a", "a"});
    table.add_categorical("predictor", {"model", "identity", "model", "identity"});
    table.add("steps", h5::DataFrame::Ints{5, 0, 5, 0});
    table.add("n", h5::DataFrame::Ints{10, 10, 20, 20});
    table.add("m", h5::DataFrame::Ints{20, 20, 10, 10});
    for (const char* name : {"value", "exact", "gap", "energy", "w2", "seconds"})
        table.add(name, h5::DataFrame::Doubles{1, 2, 3, 4});
    table.add("normalised", h5::DataFrame::Doubles{0.75, std::nan(""), 0.25, 0});
    table.add_bools("certified", {1, 1, 0, 1});
    table.add("message", h5::DataFrame::Strings{"", "", "", "no marker varies"});
    return {.problems = std::move(table)};
}

}  // namespace

TEST(MapResults, AreReadBackAsWritten) {
    const TemporaryFolder folder;
    const std::string path = folder.file("r.h5");
    eval::write_map_results(path, two_problems());
    EXPECT_EQ(eval::result_kind(path), eval::ResultKind::maps);
    const eval::MapResults read = eval::read_map_results(path);
    EXPECT_EQ(read.problems.strings("problem"), two_problems().problems.strings("problem"));
    EXPECT_EQ(read.problems.doubles("w2"), two_problems().problems.doubles("w2"));
    EXPECT_EQ(read.problems.bools("certified"), two_problems().problems.bools("certified"));
}

TEST(MapResults, OfAnotherFormatAreRefused) {
    const TemporaryFolder folder;
    const std::string path = folder.file("r.h5");
    {
        h5::AtomicFile file(path);
        file.root().write_attribute("popflow_maps", std::int64_t{99});
        file.commit();
    }
    EXPECT_THROW(eval::read_map_results(path), core::DataError);
    EXPECT_EQ(eval::result_kind(path), eval::ResultKind::maps);
}

TEST(MapReport, HasMeansOverTheProblemsAndCountsCertificates) {
    const report::Table table = report::map_table(two_problems());
    ASSERT_EQ(table.lines.size(), 2U);
    EXPECT_EQ(table.lines[0].label, "model + 5 steps");
    EXPECT_EQ(table.lines[0].cells.front().measured.mean, "0.5");
    EXPECT_EQ(table.lines[0].cells.front().measured.deviation, "0.35");
    EXPECT_EQ(table.lines[0].cells.back().measured.mean, "1 of 2");
    EXPECT_EQ(table.lines[1].cells[0].measured.mean, "-");  // not defined
    EXPECT_EQ(table.lines[1].cells[1].measured.mean, "2");  // without the failed row
}

TEST(MapReport, ShowsMessagesAndHasALinePerRowInCsv) {
    const std::string text = report::map_report({two_problems()}, report::ReportFormat::text);
    EXPECT_NE(text.find("q, identity: no marker varies"), std::string::npos);
    const std::string csv = report::map_report({two_problems()}, report::ReportFormat::csv);
    EXPECT_EQ(std::ranges::count(csv, '\n'), 5);
    EXPECT_NE(csv.find(",p,a,b,model,5,10,20,1,1,0.75,1,yes,1,1,1,"), std::string::npos);
}
