// SPDX-License-Identifier: MIT
#include "eval/report.hpp"

#include <gtest/gtest.h>

using popflow::eval::Results;
namespace eval = popflow::eval;
namespace h5 = popflow::h5;

namespace {

Results result_of_seed(std::uint64_t seed, double w2) {
    Results results;
    results.provenance.method = "mfm";
    results.provenance.base = "source";
    results.provenance.knn = 100;
    results.provenance.seed = seed;
    h5::DataFrame table;
    table.add("part", h5::DataFrame::Strings{"test", "test"});
    table.add("predictor", h5::DataFrame::Strings{"model", "noise_floor"});
    table.add("aggregation", h5::DataFrame::Strings{"culture_mean", "culture_mean"});
    table.add("n_pairs", h5::DataFrame::Ints{8, 8});
    table.add("n_failed", h5::DataFrame::Ints{0, 0});
    for (const std::string& name : eval::metric_names()) {
        table.add(name, h5::DataFrame::Doubles{name == "w2" ? w2 : name == "mmd" ? 0.0125 : 0.5, 0.25});
    }
    results.summary = table;
    return results;
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST(Report, OneSeedShowsTheValues) {
    const std::string text = eval::report_text({result_of_seed(1, 4)});
    EXPECT_TRUE(contains(text, "test, mean over pairs (8 pairs)")) << text;
    EXPECT_TRUE(contains(text, "MFM k=100")) << text;
    EXPECT_TRUE(contains(text, "12.50")) << "MMD is shown times 1000\n" << text;
    EXPECT_LT(text.find("MFM"), text.find("noise_floor"));
}

TEST(Report, SeedsBecomeMeanAndStandardDeviation) {
    const std::string text =
        eval::report_text({result_of_seed(1, 3), result_of_seed(2, 4), result_of_seed(3, 5)});
    EXPECT_TRUE(contains(text, "4.000 +- 1.000")) << text;
    EXPECT_TRUE(contains(text, "3 seeds")) << text;
}

TEST(Report, SeedsAreCountedOnceWhateverTheMethods) {
    Results fm = result_of_seed(1, 6);
    fm.provenance.method = "fm";
    const std::string text = eval::report_text({result_of_seed(1, 3), result_of_seed(2, 4), fm});
    EXPECT_TRUE(contains(text, "2 seeds")) << text;
}

TEST(Report, MethodsAreRowsOfTheirOwn) {
    Results fm = result_of_seed(1, 6);
    fm.provenance.method = "fm";
    fm.provenance.base = "gaussian";
    const std::string text = eval::report_markdown({result_of_seed(1, 4), fm});
    EXPECT_TRUE(contains(text, "| MFM k=100 |")) << text;
    EXPECT_TRUE(contains(text, "| FM w/ N |")) << text;
}
