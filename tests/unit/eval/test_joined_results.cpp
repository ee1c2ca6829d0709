// SPDX-License-Identifier: MIT
#include "eval/joined_results.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "core/error.hpp"
#include "support/temporary_folder.hpp"

using popflow::core::DataError;
using popflow::eval::FoldResults;
using popflow::eval::Results;
using popflow::train::FoldState;
namespace eval = popflow::eval;
namespace h5 = popflow::h5;

namespace {

using Texts = std::vector<std::string>;
using Doubles = std::vector<double>;

const std::string asked_config =
    "data = s.h5ad\ncolumn = patient=donor\ncolumn = plate=batch\nsplit = each:patient\nknn = 50\n"
    "batch-pairs = 16\n";

// Returns the fold of patient P`i`: one test pair with the W2 `i`, and one training pair.
FoldResults fold(int i) {
    const std::string value = "P" + std::to_string(i);
    FoldResults made{.fold = {.value = value, .folder = value, .state = FoldState::scored}};
    Results& results = made.results;
    results.file = value + "/results.h5";
    results.provenance = {.method = "mfm", .base = "source", .knn = 50, .seed = 1, .steps = 30};
    results.provenance.split = "patient:" + value;
    results.provenance.config =
        "data = s.h5ad\ncolumn = patient=donor\ncolumn = plate=batch\nsplit = patient:" + value +
        "\nknn = 50\nbatch-pairs = 8\n";
    results.provenance.data_fingerprint = "f";
    results.provenance.ranks = i;
    h5::DataFrame& pairs = results.pairs;
    pairs.add_categorical("pair", Texts{value + " / A / T", value + " / A / T", "P9 / A / T", "P9 / A / T"});
    pairs.add_categorical("part", Texts{"test", "test", "train", "train"});
    pairs.add_categorical("patient", Texts{value, value, "P9", "P9"});
    pairs.add_categorical("culture", Texts(4, "A"));
    pairs.add_categorical("predictor", Texts{"model", "identity", "model", "identity"});
    pairs.add("w2", Doubles{1.0 * i, 10.0 * i, 100, 100});
    pairs.add("n_target", h5::DataFrame::Ints{i, i, 0, 0});
    pairs.add_categorical("status", Texts(4, "ok"));
    pairs.add("message", Texts(4, ""));
    results.summary = eval::summarise(pairs);
    results.training.add("step", h5::DataFrame::Ints{1, 30});
    results.training.add("loss", Doubles{2, 1.0 * i});
    results.embedding_names = {value + " / A / T"};
    results.embeddings = popflow::linalg::Matrix<float>(1, 2);
    results.markers = {"a", "b", "c"};
    for (const std::string name : {"first", "second"}) {
        eval::CellSample sample{.name = value + " " + name};
        sample.control = sample.predicted = sample.treated = popflow::linalg::Matrix<float>(1, 3);
        results.samples.push_back(std::move(sample));
    }
    return made;
}

FoldResults skipped(int i) {
    const std::string value = "P" + std::to_string(i);
    return {.fold = {.value = value, .folder = value, .state = FoldState::skipped, .note = "no pairs"}};
}

Results join(std::vector<FoldResults> folds, std::size_t samples = 8) {
    return eval::join_folds(std::move(folds),
                            {.split = "each:patient", .config = asked_config, .sample_pairs = samples});
}

std::string error_of(const std::function<void(Results&)>& change) {
    std::vector<FoldResults> folds{fold(1), fold(2)};
    change(folds[1].results);
    try {
        join(std::move(folds));
    } catch (const popflow::core::UserError& error) {
        return error.what();
    }
    return "";
}

}  // namespace

TEST(JoinedResults, HaveTheTestPairsOfAllFolds) {
    const Results joined = join({fold(1), skipped(2), fold(3)});
    EXPECT_EQ(joined.pairs.strings("pair"), (Texts{"P1 / A / T", "P1 / A / T", "P3 / A / T", "P3 / A / T"}));
    EXPECT_EQ(joined.pairs.strings("fold"), (Texts{"P1", "P1", "P3", "P3"}));
    EXPECT_EQ(joined.pairs.doubles("w2"), (Doubles{1, 10, 3, 30}));
    EXPECT_EQ(joined.pairs.ints("n_target"), (h5::DataFrame::Ints{1, 1, 3, 3}));
    Texts names;
    for (const h5::DataFrame::Column& column : joined.pairs.columns()) names.push_back(column.name);
    EXPECT_EQ(names, (Texts{"pair", "part", "patient", "culture", "fold", "predictor", "w2", "n_target",
                            "status", "message"}));
    // The summary is the mean over the pairs of all folds.
    const Texts& predictors = joined.summary.strings("predictor");
    for (std::size_t i = 0; i < joined.summary.rows(); ++i)
        EXPECT_EQ(joined.summary.doubles("w2")[i], predictors[i] == "model" ? 2 : 20);
    EXPECT_EQ(joined.training.strings("fold"), (Texts{"P1", "P1", "P3", "P3"}));
    EXPECT_EQ(joined.training.doubles("loss"), (Doubles{2, 1, 2, 3}));
    EXPECT_EQ(joined.embeddings.rows(), 0U);
    EXPECT_TRUE(joined.embedding_names.empty());
    EXPECT_EQ(joined.folds.strings("fold"), (Texts{"P1", "P2", "P3"}));
    EXPECT_EQ(joined.folds.strings("status"), (Texts{"scored", "skipped", "scored"}));
    EXPECT_EQ(joined.folds.strings("split"), (Texts{"patient:P1", "patient:P2", "patient:P3"}));
    EXPECT_EQ(joined.folds.strings("note"), (Texts{"", "no pairs", ""}));
    EXPECT_EQ(joined.folds.ints("n_pairs"), (h5::DataFrame::Ints{1, 0, 1}));
}

TEST(JoinedResults, HaveTheConfigurationThatTheFoldsShare) {
    const Results same = join({fold(1), fold(3)});
    EXPECT_EQ(same.provenance.split, "each:patient");
    EXPECT_EQ(same.provenance.config,
              "data = s.h5ad\ncolumn = patient=donor\ncolumn = plate=batch\nsplit = each:patient\nknn = 50\n"
              "batch-pairs = 8\n");
    EXPECT_EQ(same.provenance.ranks, 3);
    FoldResults other = fold(3);
    other.results.provenance.knn = 7;
    std::string& config = other.results.provenance.config;
    config = config.substr(0, config.find("knn")) + "knn = 7\nbatch-pairs = 5\n";
    const Results different = join({fold(1), std::move(other)});
    EXPECT_EQ(different.provenance.config, asked_config);
    EXPECT_EQ(different.provenance.knn, 50U);
    const Results single = join({fold(1), skipped(2)});
    EXPECT_NE(single.provenance.config.find("split = each:patient\n"), std::string::npos);
}

TEST(JoinedResults, SampleDifferentPairsOfTheFolds) {
    const auto names = [](const Results& joined) {
        Texts found;
        for (const eval::CellSample& sample : joined.samples) found.push_back(sample.name);
        return found;
    };
    EXPECT_EQ(names(join({fold(1), fold(2), fold(3)}, 4)),
              (Texts{"P1 first", "P2 second", "P3 first", "P1 second"}));
    EXPECT_EQ(names(join({fold(1), fold(2)}, 100)).size(), 4U);
    EXPECT_TRUE(names(join({fold(1), fold(2)}, 0)).empty());
}

TEST(JoinedResults, ReadBackFromAFile) {
    const popflow::support::TemporaryFolder folder;
    const Results written = join({fold(1), skipped(2), fold(3)});
    eval::write_results(folder.file("r.h5"), written);
    const Results read = eval::read_results(folder.file("r.h5"));
    EXPECT_EQ(read.pairs.strings("fold"), written.pairs.strings("fold"));
    EXPECT_EQ(read.folds.strings("note"), written.folds.strings("note"));
    EXPECT_EQ(read.training.strings("fold"), written.training.strings("fold"));
    EXPECT_EQ(read.embeddings.rows(), 0U);
    EXPECT_EQ(read.samples.size(), 4U);
    // Results of a single run have no folds.
    eval::write_results(folder.file("one.h5"), fold(1).results);
    EXPECT_EQ(eval::read_results(folder.file("one.h5")).folds.rows(), 0U);
}

TEST(JoinedResults, KeepASplitColumnThatIsCalledFold) {
    std::vector<FoldResults> folds{fold(1), fold(2)};
    for (FoldResults& one : folds) one.results.pairs.add("fold", Texts(4, one.fold.value));
    EXPECT_EQ(join(std::move(folds)).pairs.strings("fold"), (Texts{"P1", "P1", "P2", "P2"}));
}

TEST(JoinedResults, FillMetricsThatAFoldDoesNotHave) {
    std::vector<FoldResults> folds{fold(1), fold(2)};
    folds[1].results.pairs.add("sinkhorn", Doubles{5, 6, 7, 8});
    const Results joined = join(std::move(folds));
    EXPECT_TRUE(std::isnan(joined.pairs.doubles("sinkhorn")[0]));
    EXPECT_EQ(joined.pairs.doubles("sinkhorn")[3], 6);
}

TEST(JoinedResults, RefuseFoldsThatDoNotBelongTogether) {
    EXPECT_EQ(error_of([](Results&) {}), "");
    EXPECT_EQ(
        error_of([](Results& r) { r.provenance.steps = 31; }),
        "P2/results.h5: steps: found 31, but P1/results.h5 has 30. The folds do not belong together: run "
        "popflow run with --resume and one configuration for all of them");
    EXPECT_NE(error_of([](Results& r) { r.provenance.data_fingerprint = "g"; }), "");
    EXPECT_NE(error_of([](Results& r) { r.provenance.method = "fm"; }), "");
    EXPECT_NE(error_of([](Results& r) { r.markers = {"a"}; }), "");
    EXPECT_NE(error_of([](Results& r) { r = fold(1).results; }).find("has the test pair `P1 / A / T`"),
              std::string::npos);
    EXPECT_THROW(join({skipped(1)}), popflow::core::ConfigError);
    EXPECT_THROW(join({}), popflow::core::ConfigError);
}
