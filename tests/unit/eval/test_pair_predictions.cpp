// SPDX-License-Identifier: MIT
#include "eval/pair_predictions.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "core/error.hpp"
#include "support/one_weight.hpp"
#include "support/populations.hpp"
#include "support/screen_file.hpp"
#include "support/temporary_folder.hpp"

using popflow::linalg::Matrix;
using popflow::support::rows;
namespace eval = popflow::eval;
namespace linalg = popflow::linalg;
namespace ode = popflow::ode;
namespace predict = popflow::predict;
namespace screen = popflow::screen;
using Rows = std::vector<std::uint64_t>;

namespace {

// Model whose context is the sum of the first marker over the control. It adds the context to the first
// marker and the first element of the condition to the second marker.
class ShiftModel : public popflow::support::OneWeight {
  public:
    popflow::models::Base base() const override { return start; }
    std::size_t context_size() const override { return 1; }
    std::vector<float> context(std::span<const float>, linalg::ConstMatrixView<float> control,
                               std::span<const std::uint8_t>) const override {
        float sum = 0;
        for (std::size_t i = 0; i < control.rows; ++i) sum += control(i, 0);
        return {sum};
    }
    void condition_on_training_pair(std::size_t pair, std::span<float> context) const override {
        context[0] = 100 + static_cast<float>(pair);
    }
    ode::Statistics transport(std::span<const float>, std::span<const float> context,
                              std::span<const float> condition, const ode::Options&,
                              linalg::MatrixView<float> x) const override {
        for (std::size_t i = 0; i < x.rows; ++i) {
            x(i, 0) += context[0];
            x(i, 1) += condition[0];
        }
        return {};
    }

    popflow::models::Base start = popflow::models::Base::source;
};

// Screen with one pair. The rows of the control DMSO and of the treatment O alternate in the file.
struct OnePair {
    OnePair() {
        popflow::support::ScreenFile file;
        const std::string order[] = {"O", "DMSO", "DMSO", "O", "DMSO"};
        for (const std::string& treatment : order) file.add(1, {"P1", treatment, "1"});
        file.x = {9, 6, 1, 2, 5, 2, 13, 10, 3, 8};
        open(file);
    }
    void open(const popflow::support::ScreenFile& file) {
        file.write(folder.file("s.h5ad"));
        screen::ScreenOptions options;
        options.min_cells = 1;
        options.transform = screen::Transform::parse("none");
        screen = screen::open_screen(folder.file("s.h5ad"), options);
    }
    predict::TrainedModel trained() const {
        return {.model = model,
                .values = {},
                .normalisation = normalisation,
                .conditions = conditions,
                .mean_shifts = mean_shifts,
                .cell_types = cell_types,
                .moment_map = &moment_map,
                .moment_map_values = moment_map_values};
    }
    // Sets the mean changes of a condition. Their penalties are infinite.
    void set_change(std::size_t condition, std::vector<float> shift, std::vector<float> log_ratio) {
        const std::span<float> values(moment_map_values);
        const popflow::nn::ParameterLayout& layout = moment_map.layout();
        std::ranges::copy(shift, matrix_of(values, layout.find("shifts")).row(condition));
        std::ranges::copy(log_ratio, matrix_of(values, layout.find("log_ratios")).row(condition));
    }

    popflow::support::TemporaryFolder folder;
    screen::Screen screen;
    ShiftModel model;
    // The normalised control is (0, 0), (2, 0), (1, 3). The normalised target is (4, 2), (6, 4).
    screen::Normalisation normalisation{{1, 2}, 2};
    screen::Conditions conditions{{{"A", {}}, {"O", {}}}, screen::Doses::highest};
    Matrix<float> mean_shifts = rows({{100, 200}, {10, -1}});
    std::vector<std::string> cell_types{"PDOs"};
    popflow::models::MomentMap moment_map = popflow::models::make_moment_map_baseline(
        {.markers = 2, .cell_types = 2, .conditions = 2, .condition_rows = 2, .training_pairs = 1});
    linalg::AlignedVector<float> moment_map_values =
        linalg::AlignedVector<float>(moment_map.layout().size(), 0.0F);
};

// Returns the prediction of a predictor for the pair.
eval::CellComparison compare(const OnePair& input, const std::string& predictor,
                             const eval::EvaluateOptions& options = {},
                             std::vector<float>* embedding = nullptr,
                             const ode::Snapshots<float>& snapshots = {}) {
    const predict::TrainedModel trained = input.trained();
    const predict::ScreenReader reader(input.screen, trained);
    const eval::PairPredictions predictions(input.screen, 0, trained, reader, options);
    std::vector<float> unused;
    return predictions.compare(*eval::find_predictor(predictor), embedding == nullptr ? unused : *embedding,
                               snapshots);
}

void expect_equal(const Matrix<float>& found, const Matrix<float>& expected) {
    ASSERT_EQ(found.rows(), expected.rows());
    ASSERT_EQ(found.cols(), expected.cols());
    for (std::size_t i = 0; i < found.rows(); ++i) {
        for (std::size_t j = 0; j < found.cols(); ++j)
            EXPECT_FLOAT_EQ(found(i, j), expected(i, j)) << "row " << i << ", column " << j;
    }
}

std::vector<float> first_marker(const Matrix<float>& x) {
    std::vector<float> values;
    for (std::size_t i = 0; i < x.rows(); ++i) values.push_back(x(i, 0));
    return values;
}

// Returns a screen whose control has the first markers 0, ..., n_control - 1 and whose target has the first
// markers 100, ..., 100 + n_treated - 1. The values are already normalised.
void open_counting_screen(OnePair& input, std::size_t n_control, std::size_t n_treated) {
    popflow::support::ScreenFile file;
    file.add(n_control, {"P1", "DMSO", "1"});
    file.add(n_treated, {"P1", "O", "1"});
    for (std::size_t i = 0; i < n_control + n_treated; ++i) {
        file.x.push_back(static_cast<float>(i < n_control ? i : 100 + i - n_control));
        file.x.push_back(0);
    }
    input.open(file);
    input.normalisation = screen::no_normalisation(2);
}

}  // namespace

TEST(PairPredictions, IdentityIsTheNormalisedControl) {
    const eval::CellComparison c = compare(OnePair(), "identity");
    expect_equal(c.predicted, rows({{0, 0}, {2, 0}, {1, 3}}));
    expect_equal(c.truth, rows({{4, 2}, {6, 4}}));
}

TEST(PairPredictions, OracleShiftMovesTheControlToTheMeanOfTheTarget) {
    // The means are (1, 1) and (5, 3), so the shift is (4, 2).
    const eval::CellComparison c = compare(OnePair(), "oracle_shift");
    expect_equal(c.predicted, rows({{4, 2}, {6, 2}, {5, 5}}));
    expect_equal(c.truth, rows({{4, 2}, {6, 4}}));
}

TEST(PairPredictions, MeanShiftAddsTheShiftOfTheCondition) {
    expect_equal(compare(OnePair(), "mean_shift").predicted, rows({{10, -1}, {12, -1}, {11, 2}}));
}

TEST(PairPredictions, MeanShiftOfAnUntrainedTreatmentIsTheMeanOverAllConditions) {
    OnePair input;
    input.conditions = screen::Conditions({{"A", {}}, {"B", {}}}, screen::Doses::highest,
                                          screen::TreatmentVectors({"A", "B", "O"}, rows({{1}, {2}, {3}})));
    input.mean_shifts = rows({{1, 2}, {3, 6}});
    expect_equal(compare(input, "mean_shift").predicted, rows({{2, 4}, {4, 4}, {3, 7}}));
}

TEST(PairPredictions, MeanShiftThrowsForATreatmentThatTheModelCannotEncode) {
    OnePair input;
    input.conditions = screen::Conditions({{"A", {}}, {"B", {}}}, screen::Doses::highest);
    try {
        compare(input, "mean_shift");
        FAIL() << "no exception";
    } catch (const popflow::core::Error& error) {
        EXPECT_STREQ(error.what(), "treatment 'O' was not among those trained on");
    }
}

TEST(PairPredictions, MomentMapMovesAndScalesTheControlAroundItsMean) {
    // The mean of the control is (1, 1). The first marker becomes twice as wide.
    OnePair input;
    input.set_change(1, {10, -1}, {std::log(2.0F), 0});
    const eval::CellComparison c = compare(input, "moment_map");
    expect_equal(c.predicted, rows({{9, -1}, {13, -1}, {11, 2}}));
    expect_equal(c.truth, rows({{4, 2}, {6, 4}}));
}

TEST(PairPredictions, MomentMapWithoutAChangeOfTheSpreadIsTheMeanShift) {
    OnePair input;
    input.set_change(1, {10, -1}, {0, 0});
    const auto found = compare(input, "moment_map").predicted;
    EXPECT_TRUE(std::ranges::equal(found.values(), compare(input, "mean_shift").predicted.values()));
}

TEST(PairPredictions, MomentMapOfAnUntrainedTreatmentIsTheMeanOverAllConditions) {
    OnePair input;
    input.conditions = screen::Conditions({{"A", {}}, {"B", {}}}, screen::Doses::highest,
                                          screen::TreatmentVectors({"A", "B", "O"}, rows({{1}, {2}, {3}})));
    input.set_change(0, {1, 2}, {std::log(2.0F), 0});
    input.set_change(1, {3, 6}, {std::log(8.0F), 0});
    expect_equal(compare(input, "moment_map").predicted, rows({{-1, 4}, {7, 4}, {3, 7}}));
    input.conditions = screen::Conditions({{"A", {}}, {"B", {}}}, screen::Doses::highest);
    EXPECT_THROW(compare(input, "moment_map"), popflow::core::Error);
}

TEST(PairPredictions, ModelTransportsTheControlWithContextAndCondition) {
    // The context is 0 + 2 + 1 = 3. O is the second treatment, so the first element of its code is 0.
    std::vector<float> embedding;
    const eval::CellComparison c = compare(OnePair(), "model", {}, &embedding);
    EXPECT_EQ(embedding, std::vector<float>{3});
    expect_equal(c.predicted, rows({{3, 0}, {5, 0}, {4, 3}}));
    expect_equal(c.truth, rows({{4, 2}, {6, 4}}));
    OnePair first;
    first.conditions = screen::Conditions({{"O", {}}, {"S", {}}}, screen::Doses::highest);
    expect_equal(compare(first, "model").predicted, rows({{3, 1}, {5, 1}, {4, 4}}));
}

TEST(PairPredictions, ModelUsesTheContextOfATrainingPair) {
    std::vector<float> embedding;
    eval::EvaluateOptions options;
    options.trained = {{0, 7}};
    const eval::CellComparison c = compare(OnePair(), "model", options, &embedding);
    EXPECT_EQ(embedding, std::vector<float>{107});
    expect_equal(c.predicted, rows({{107, 0}, {109, 0}, {108, 3}}));
    options.trained = {{1, 7}};
    compare(OnePair(), "model", options, &embedding);
    EXPECT_EQ(embedding, std::vector<float>{3}) << "index of another pair";
}

TEST(PairPredictions, ModelRecordsSnapshotsOfTheFlow) {
    Matrix<float> start(3, 2);
    Matrix<float> middle(3, 2);
    compare(OnePair(), "model", {}, nullptr, {{0, 0.5}, {start.view(), middle.view()}});
    expect_equal(start, rows({{0, 0}, {2, 0}, {1, 3}}));
    expect_equal(middle, rows({{1.5F, 0}, {3.5F, 0}, {2.5F, 3}}));
}

TEST(PairPredictions, ModelTransportsNoiseWithAGaussianBase) {
    OnePair input;
    input.model.start = popflow::models::Base::gaussian;
    std::vector<float> embedding;
    Matrix<float> noise(3, 2);
    const eval::CellComparison c = compare(input, "model", {}, &embedding, {{1}, {noise.view()}});
    EXPECT_EQ(embedding, std::vector<float>{3}) << "the context comes from the control cells";
    auto stream = predict::control_stream(0, input.screen, 0, predict::DrawRole::base);
    Matrix<float> expected(3, 2);
    for (std::size_t i = 0; i < 3; ++i) stream.fill_normal(expected.view().row_span(i));
    for (std::size_t i = 0; i < 3; ++i) expected(i, 0) += 3;
    expect_equal(c.predicted, expected);
    eval::EvaluateOptions other;
    other.seed = 1;
    EXPECT_NE(first_marker(compare(input, "model", other).predicted), first_marker(c.predicted));
}

TEST(PairPredictions, NoiseFloorComparesDisjointHalvesOfTheTarget) {
    OnePair input;
    open_counting_screen(input, 1, 5);
    const eval::CellComparison c = compare(input, "noise_floor");
    ASSERT_EQ(c.predicted.rows(), 2U);
    ASSERT_EQ(c.truth.rows(), 2U);
    std::set<float> distinct;
    for (const auto* half : {&c.predicted, &c.truth}) {
        for (const float v : first_marker(*half)) {
            EXPECT_TRUE(v >= 100 && v <= 104) << v;
            distinct.insert(v);
        }
    }
    EXPECT_EQ(distinct.size(), 4U);
    eval::EvaluateOptions options;
    options.max_cells = 1;
    EXPECT_EQ(compare(input, "noise_floor", options).predicted.rows(), 1U);
    EXPECT_EQ(compare(input, "noise_floor", options).truth.rows(), 1U);
}

TEST(PairPredictions, NoiseFloorDrawsFromAllTargetCells) {
    OnePair input;
    open_counting_screen(input, 1, 40);
    eval::EvaluateOptions options;
    options.max_cells = 10;
    options.draw = predict::Draw::first;
    const eval::CellComparison c = compare(input, "noise_floor", options);
    std::vector<float> values = first_marker(c.predicted);
    for (const float v : first_marker(c.truth)) values.push_back(v);
    EXPECT_EQ(values.size(), 20U);
    EXPECT_GE(std::ranges::max(values), 110) << "not only the first 10 cells";
}

TEST(PairPredictions, NoiseFloorThrowsForATargetOfOneCell) {
    OnePair input;
    open_counting_screen(input, 3, 1);
    try {
        compare(input, "noise_floor");
        FAIL() << "no exception";
    } catch (const popflow::core::NumericalError& error) {
        EXPECT_STREQ(error.what(),
                     "noise floor: the treated population has one cell, but two halves need at least two. "
                     "Raise --min-cells");
    }
}

TEST(PairPredictions, MatchedNoiseFloorHasTheSizesOfTheOtherComparisons) {
    OnePair input;
    open_counting_screen(input, 3, 12);
    eval::EvaluateOptions options;
    options.max_cells = 5;
    const eval::CellComparison c = compare(input, "noise_floor_matched", options);
    ASSERT_EQ(c.predicted.rows(), 3U) << "as many as the control has";
    ASSERT_EQ(c.truth.rows(), 5U) << "as many as the target has";
    std::set<float> distinct;
    for (const auto* sample : {&c.predicted, &c.truth}) {
        for (const float v : first_marker(*sample)) {
            EXPECT_TRUE(v >= 100 && v <= 111) << v;
            distinct.insert(v);
        }
    }
    EXPECT_EQ(distinct.size(), 8U) << "the samples are disjoint";
    EXPECT_EQ(c.unavailable, "");
}

TEST(PairPredictions, MatchedNoiseFloorHasTheCellsOfTheHalvesOfTheSameSize) {
    OnePair input;
    open_counting_screen(input, 20, 40);
    eval::EvaluateOptions options;
    options.max_cells = 10;
    const eval::CellComparison matched = compare(input, "noise_floor_matched", options);
    const eval::CellComparison halves = compare(input, "noise_floor", options);
    expect_equal(matched.predicted, halves.predicted);
    expect_equal(matched.truth, halves.truth);
}

TEST(PairPredictions, MatchedNoiseFloorIsUnavailableWithTooFewCells) {
    OnePair input;
    open_counting_screen(input, 4, 7);
    const eval::CellComparison c = compare(input, "noise_floor_matched");
    EXPECT_EQ(c.predicted.rows(), 0U);
    EXPECT_EQ(c.unavailable, "samples of 4 and 7 cells need 11 treated cells, but there are 7");
    eval::EvaluateOptions options;
    options.max_cells = 3;
    EXPECT_EQ(compare(input, "noise_floor_matched", options).truth.rows(), 3U) << "7 cells allow 3 and 3";
}

TEST(PairPredictions, ControlMeansAreThoseOfTheTransportedCells) {
    const OnePair input;
    const predict::TrainedModel trained = input.trained();
    const predict::ScreenReader reader(input.screen, trained);
    const eval::EvaluateOptions options;
    EXPECT_EQ(eval::PairPredictions(input.screen, 0, trained, reader, options).control_means(),
              (std::vector<double>{1, 1}));
}

TEST(PairPredictions, TakeTheFirstCellsOfBothPopulations) {
    const OnePair input;
    const predict::TrainedModel trained = input.trained();
    const predict::ScreenReader reader(input.screen, trained);
    eval::EvaluateOptions options;
    options.draw = predict::Draw::first;
    const eval::PairPredictions all(input.screen, 0, trained, reader, options);
    EXPECT_EQ(all.cells(), 3U);
    EXPECT_TRUE(std::ranges::equal(all.control_rows(), Rows{1, 2, 4})) << "rows of the file";
    options.max_cells = 1;
    const eval::PairPredictions one(input.screen, 0, trained, reader, options);
    EXPECT_EQ(one.cells(), 1U);
    EXPECT_TRUE(std::ranges::equal(one.control_rows(), Rows{1}));
    std::vector<float> embedding;
    const eval::CellComparison c = one.compare(*eval::find_predictor("oracle_shift"), embedding);
    expect_equal(c.predicted, rows({{4, 2}}));
    expect_equal(c.truth, rows({{4, 2}}));
}

TEST(PairPredictions, DrawRandomCellsInTheOrderOfTheFile) {
    OnePair input;
    open_counting_screen(input, 50, 50);
    const predict::TrainedModel trained = input.trained();
    const predict::ScreenReader reader(input.screen, trained);
    eval::EvaluateOptions options;
    options.max_cells = 20;
    const eval::PairPredictions predictions(input.screen, 0, trained, reader, options);
    ASSERT_EQ(predictions.cells(), 20U);
    const std::span<const std::uint64_t> drawn = predictions.control_rows();
    EXPECT_TRUE(std::ranges::is_sorted(drawn, std::ranges::less_equal()));
    EXPECT_NE(drawn.back(), 19U) << "not the first 20 rows";
    std::vector<float> embedding;
    const eval::CellComparison c = predictions.compare(*eval::find_predictor("identity"), embedding);
    // The first marker of a control cell is its row.
    for (std::size_t i = 0; i < 20; ++i) EXPECT_EQ(c.predicted(i, 0), static_cast<float>(drawn[i]));
    // The target has its own draw.
    std::vector<float> target = first_marker(c.truth);
    EXPECT_EQ(target.size(), 20U);
    for (float& v : target) v -= 100;
    EXPECT_NE(target, first_marker(c.predicted));
}

TEST(PairPredictions, SampleKeepsTheRowsOfControlPredictionAndFlowTogether) {
    OnePair input;
    open_counting_screen(input, 30, 30);
    input.normalisation = {{1, 2}, 2};
    const predict::TrainedModel trained = input.trained();
    const predict::ScreenReader reader(input.screen, trained);
    eval::EvaluateOptions options;
    options.sample_cells = 4;
    const eval::PairPredictions predictions(input.screen, 0, trained, reader, options);
    std::vector<float> embedding;
    // Normalised shifts of 5, 0.5 and 1 are raw shifts of 10, 1 and 2.
    Matrix<float> predicted = predictions.compare(*eval::find_predictor("identity"), embedding).predicted;
    Matrix<float> middle = predicted;
    Matrix<float> shifted = predicted;
    for (std::size_t i = 0; i < predicted.rows(); ++i) {
        predicted(i, 0) += 5;
        middle(i, 0) += 0.5F;
        shifted(i, 0) += 1;
    }
    const eval::CellSample sample = predictions.sample(predicted, shifted, {0.25}, {middle});
    EXPECT_EQ(sample.pair, 0U);
    EXPECT_EQ(sample.times, std::vector<double>{0.25});
    ASSERT_EQ(sample.control.rows(), 4U);
    ASSERT_EQ(sample.predicted.rows(), 4U);
    ASSERT_EQ(sample.treated.rows(), 4U);
    ASSERT_EQ(sample.flow.size(), 1U);
    for (std::size_t i = 0; i < 4; ++i) {
        EXPECT_TRUE(sample.control(i, 0) >= 0 && sample.control(i, 0) < 30) << sample.control(i, 0);
        EXPECT_FLOAT_EQ(sample.predicted(i, 0), sample.control(i, 0) + 10);
        EXPECT_FLOAT_EQ(sample.flow[0](i, 0), sample.control(i, 0) + 1);
        EXPECT_FLOAT_EQ(sample.mean_shift(i, 0), sample.control(i, 0) + 2);
        EXPECT_TRUE(sample.treated(i, 0) >= 100 && sample.treated(i, 0) < 130) << sample.treated(i, 0);
        EXPECT_FLOAT_EQ(sample.treated(i, 1), 0);
    }
}
