// SPDX-License-Identifier: MIT
#include "eval/problem_results.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "core/error.hpp"
#include "eval/result_kind.hpp"
#include "h5/file.hpp"
#include "support/file_bytes.hpp"
#include "support/problem_results.hpp"
#include "support/temporary_folder.hpp"

namespace eval = popflow::eval;
namespace h5 = popflow::h5;
using popflow::support::ConvergenceRow;
using popflow::support::ProblemRow;
using popflow::support::TemporaryFolder;

namespace {

eval::ProblemResults example() {
    eval::ProblemResults results;
    results.origin = {.config = "ot-epsilon = 0.01\n",
                      .data_fingerprint = "abc",
                      .cost = "sqeuclidean",
                      .unit = "squared distance",
                      .seed = 7,
                      .ranks = 3,
                      .threads = 2};
    results.problems = popflow::support::problem_table(
        {{.tolerance = 1e-2, .iterations = 20, .seconds = 0.25, .fallback = true},
         {.solver = "exact",
          .tolerance = std::nan(""),
          .converged = false,
          .status = "failed",
          .message = "no mass"}});
    results.convergence = popflow::support::convergence_table(
        {{.iteration = 1, .marginal_error = 0.3, .seconds = 0.1}, {.iteration = 2, .marginal_error = 0.2}});
    results.distances = popflow::support::line_distances({{"a", 0}, {"b", 2}});
    results.distances->values(0, 1) = results.distances->values(1, 0) = std::nan("");
    return results;
}

// Writes a table without one column.
h5::DataFrame without(const h5::DataFrame& table, const std::string& name) {
    h5::DataFrame out;
    for (const h5::DataFrame::Column& column : table.columns()) {
        if (column.name == name) continue;
        if (const auto* bools = std::get_if<h5::DataFrame::Bools>(&column.values)) {
            out.add_bools(column.name, *bools);
        } else {
            std::visit(
                [&]<class Values>(const Values& values) {
                    if constexpr (!std::is_same_v<Values, h5::DataFrame::Bools>) out.add(column.name, values);
                },
                column.values);
        }
    }
    return out;
}

// Returns the error of reading results whose file is changed by `damage` before it is complete.
std::string error_after(const std::function<void(h5::Group& root)>& damage) {
    const TemporaryFolder folder;
    const std::string path = folder.file("r.h5");
    eval::write_problem_results(path, example(), damage);
    try {
        eval::read_problem_results(path);
    } catch (const popflow::core::DataError& error) {
        EXPECT_EQ(error.file, path);
        return std::string(error.what()).substr(path.size());
    }
    return "no error";
}

}  // namespace

TEST(ProblemResults, RoundTripThroughAFile) {
    const TemporaryFolder folder;
    const std::string path = folder.file("r.h5");
    eval::write_problem_results(path, example());
    const eval::ProblemResults back = eval::read_problem_results(path);

    EXPECT_EQ(back.file, path);
    EXPECT_EQ(back.origin.config, "ot-epsilon = 0.01\n");
    EXPECT_EQ(back.origin.data_fingerprint, "abc");
    EXPECT_EQ(back.origin.cost, "sqeuclidean");
    EXPECT_EQ(back.origin.unit, "squared distance");
    EXPECT_EQ(back.origin.seed, 7U);
    EXPECT_EQ(back.origin.ranks, 3);
    EXPECT_EQ(back.origin.threads, 2);
    EXPECT_FALSE(back.origin.version.empty());
    EXPECT_EQ(back.problems.rows(), 2U);
    EXPECT_EQ(back.problems.strings("solver"), (h5::DataFrame::Strings{"sinkhorn", "exact"}));
    EXPECT_EQ(back.problems.bools("fallback"), (h5::DataFrame::Bools{1, 0}));
    EXPECT_EQ(back.problems.doubles("seconds")[0], 0.25);
    EXPECT_TRUE(std::isnan(back.problems.doubles("tolerance")[1]));
    EXPECT_EQ(back.problems.strings("message")[1], "no mass");
    EXPECT_EQ(back.convergence.ints("iteration"), (h5::DataFrame::Ints{1, 2}));
    ASSERT_TRUE(back.distances.has_value());
    EXPECT_EQ(back.distances->what, "W2");
    EXPECT_EQ(back.distances->names, (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(back.distances->values(1, 1), 0);
    EXPECT_TRUE(std::isnan(back.distances->values(0, 1)));
}

TEST(ProblemResults, ListTheirTablesAndKeepFurtherGroups) {
    const TemporaryFolder folder;
    const std::string path = folder.file("r.h5");
    eval::ProblemResults results = example();
    results.convergence = {};
    results.distances.reset();
    eval::write_problem_results(path, results, [](h5::Group& root) { root.create_group("potentials"); });

    const h5::Group root = h5::open_file(path);
    EXPECT_EQ(root.strings_attribute("tables"), (std::vector<std::string>{"problems", "convergence"}));
    EXPECT_TRUE(root.contains_group("potentials"));
    EXPECT_EQ(root.string_attribute("encoding-type"), "dict");
    const eval::ProblemResults back = eval::read_problem_results(path);
    EXPECT_EQ(back.convergence.rows(), 0U);
    EXPECT_EQ(back.convergence.ints("iteration").size(), 0U);
    EXPECT_FALSE(back.distances.has_value());
}

TEST(ProblemResults, HaveTheSameBytesEachTime) {
    const TemporaryFolder folder;
    eval::write_problem_results(folder.file("1.h5"), example());
    eval::write_problem_results(folder.file("2.h5"), example());
    EXPECT_TRUE(popflow::support::file_bytes(folder.file("1.h5")) ==
                popflow::support::file_bytes(folder.file("2.h5")));
}

TEST(ProblemResults, DifferFromTheResultsOfAnEvaluation) {
    const TemporaryFolder folder;
    const std::string path = folder.file("r.h5");
    eval::write_problem_results(path, example());
    EXPECT_EQ(eval::result_kind(path), eval::ResultKind::problems);
    EXPECT_EQ(eval::result_kind(folder.file("nothing.h5")), eval::ResultKind::unknown);
    { h5::AtomicFile(folder.file("other.h5")).commit(); }
    EXPECT_EQ(eval::result_kind(folder.file("other.h5")), eval::ResultKind::unknown);
    try {
        eval::read_problem_results(folder.file("other.h5"));
        FAIL() << "no error";
    } catch (const popflow::core::DataError& error) {
        EXPECT_EQ(std::string(error.what()),
                  folder.file("other.h5") +
                      ": not a result file of transport problems. Give a file that popflow ot wrote");
    }
}

TEST(ProblemResults, ReportWhatIsDamaged) {
    const std::string advice = ". The file is damaged: run popflow ot again";
    EXPECT_EQ(error_after([](h5::Group& root) { root.write_attribute("popflow_problems", 2); }),
              ": popflow_problems: found format 2, but this popflow reads format 1. Use the version of "
              "popflow that "
              "wrote the file");
    const auto replaced_column = [](const char* table, const char* column, auto write) {
        return error_after([=](h5::Group& root) {
            h5::Group group = root.open_group(table);
            const std::vector<std::string> order = group.strings_attribute("column-order");
            std::vector<std::string> changed;
            for (const std::string& name : order) changed.push_back(name == column ? "replaced" : name);
            write(group);
            group.write_attribute("column-order", changed);
        });
    };
    const auto two_numbers = [](h5::Group& group) { group.write("replaced", std::vector<double>{1, 2}); };
    EXPECT_EQ(replaced_column("problems", "gap", two_numbers), ": problems/gap: is missing" + advice);
    EXPECT_EQ(replaced_column("convergence", "iteration", two_numbers),
              ": convergence/iteration: is missing" + advice);
    EXPECT_EQ(replaced_column("problems", "gap",
                              [](h5::Group& group) {
                                  group.write("replaced", std::vector<double>{1, 2, 3});
                              }),
              ": problems/replaced: found 3 rows, but the table has 2");
}

TEST(ProblemResults, ReportDistancesThatAreNotSymmetric) {
    const auto change = [](h5::Group& root) {
        h5::Dataset values = root.open_dataset("distances/values");
        values.write_rows<double>(0, std::vector<double>{0, 1});
    };
    EXPECT_EQ(error_after(change),
              ": distances/values: found nan in row 1, column 0, but 1 in row 0, column 1. The file is "
              "damaged: run popflow ot again");
}

TEST(ProblemResults, RefuseToWriteTablesThatCannotBeRead) {
    const TemporaryFolder folder;
    const std::string path = folder.file("r.h5");
    const auto error = [&](const eval::ProblemResults& results) -> std::string {
        try {
            eval::write_problem_results(path, results);
        } catch (const popflow::core::Error& caught) {
            return caught.what();
        }
        return "no error";
    };
    eval::ProblemResults results = example();
    results.problems = without(example().problems, "value");
    EXPECT_EQ(error(results), "problems/value: is missing");
    results = example();
    results.problems = without(example().problems, "n");
    results.problems.add("n", h5::DataFrame::Doubles{1, 2});
    EXPECT_EQ(error(results), "problems/n: found floating-point numbers, allowed integers");
    results = example();
    results.problems = popflow::support::problem_table({{.status = "good"}});
    EXPECT_EQ(error(results), "problems/status: found 'good' in row 0, allowed ok or failed");
    results = example();
    results.problems = popflow::support::problem_table({{}, {.seconds = -1}});
    EXPECT_EQ(error(results), "problems/seconds: found -1 in row 1, allowed 0 or more");
    results = example();
    results.problems = popflow::support::problem_table({{}, {.start = std::string(5000, 'a')}});
    EXPECT_EQ(error(results), "problems/start: found 5000 bytes in row 1, allowed 4096");
    results = example();
    results.convergence = popflow::support::convergence_table({{}, {.iteration = -1}});
    EXPECT_EQ(error(results), "convergence/iteration: found -1 in row 1, allowed 0 or more");
    results = example();
    results.distances->names.pop_back();
    EXPECT_EQ(error(results), "distances: expected [1, 1], got [2, 2]");
    EXPECT_EQ(eval::result_kind(path), eval::ResultKind::unknown);  // it was not written
}
