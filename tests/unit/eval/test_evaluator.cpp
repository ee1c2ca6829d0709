// SPDX-License-Identifier: MIT
#include "eval/evaluator.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>

#include "core/error.hpp"
#include "eval/partial_results.hpp"
#include "eval/score_text.hpp"
#include "eval/training_embeddings.hpp"
#include "h5/file.hpp"
#include "predict/prediction_file.hpp"
#include "predict/predictor.hpp"
#include "support/mpi_session.hpp"
#include "support/one_weight.hpp"
#include "support/populations.hpp"
#include "support/screen_file.hpp"
#include "support/temporary_folder.hpp"

using popflow::eval::Evaluation;
using popflow::eval::PairScore;
using popflow::eval::TaskControl;
using popflow::linalg::Matrix;
namespace eval = popflow::eval;
namespace h5 = popflow::h5;
namespace linalg = popflow::linalg;
namespace ode = popflow::ode;
namespace predict = popflow::predict;
namespace screen = popflow::screen;
using Pairs = std::vector<std::size_t>;

namespace {

// A run without a moment map, as most tests here have it, has a row less for each pair.
const std::size_t predictors_without_map = popflow::eval::predictors().size() - 1;

// Model that adds 1 to the first marker. The context is the number of control cells. It fails for a control
// that has a first marker of `fails_at`.
class AddOne : public popflow::support::OneWeight {
  public:
    std::size_t context_size() const override { return 1; }
    std::vector<float> context(std::span<const float>, linalg::ConstMatrixView<float> control,
                               std::span<const std::uint8_t>) const override {
        return {static_cast<float>(control.rows)};
    }
    ode::Statistics transport(std::span<const float>, std::span<const float>, std::span<const float>,
                              const ode::Options&, linalg::MatrixView<float> x) const override {
        ++transports;
        for (std::size_t i = 0; i < x.rows; ++i) {
            if (x(i, 0) == fails_at) throw popflow::core::NumericalError("solver", "found a bad cell");
            x(i, 0) += 1;
        }
        return {};
    }

    float fails_at = -1;
    mutable std::atomic<int> transports = 0;
};

// Two pairs. The second marker of all cells is 0. First markers:
//   pair 0: control 0, 2, treated 3, 9
//   pair 1: control 100, 102, 104, treated 103, 105, 107
class Evaluate : public popflow::support::WithMpi {
  protected:
    Evaluate() {
        popflow::support::ScreenFile file;
        const auto add = [&](const char* patient, const char* treatment, const std::vector<float>& x) {
            file.add(x.size(), {patient, treatment, "1"});
            for (const float v : x) file.x.insert(file.x.end(), {v, 0});
        };
        add("P1", "DMSO", {0, 2});
        add("P1", "O", {3, 9});
        add("P2", "DMSO", {100, 102, 104});
        add("P2", "O", {103, 105, 107});
        file.write(folder_.file("s.h5ad"));
        screen::ScreenOptions options;
        options.min_cells = 1;
        options.transform = screen::Transform::parse("none");
        screen_ = screen::open_screen(folder_.file("s.h5ad"), options);
    }
    Evaluation evaluate(const TaskControl& control = {}, const Pairs& pairs = {0, 1}) {
        const predict::TrainedModel trained{.model = model_,
                                            .values = {},
                                            .normalisation = normalisation_,
                                            .conditions = conditions_,
                                            .mean_shifts = mean_shifts_,
                                            .cell_types = cell_types_,
                                            .moment_map = moment_map_,
                                            .moment_map_values = moment_map_values_};
        return eval::evaluate(screen_, pairs, trained, options_, control, predictions_,
                              popflow::mpi::Communicator::world());
    }
    eval::PartialResults partial_results() {
        return {folder_.file("r.h5"), {}, eval::Leftover::keep, popflow::mpi::Communicator::world()};
    }
    // Stores pair 0 with a W2 of 42 as an earlier evaluation would.
    void store_pair_0() {
        eval::ScoredPair scored{.pair = 0, .embedding = {-7}};
        scored.scores.push_back({.pair = 0, .predictor = "model"});
        scored.scores[0].scores.w2 = 42;
        eval::TaskRecord record{.item = 0};
        serialise_pair(scored, record.text);
        partial_results().add(record);
    }
    predict::PredictionFile prediction_file() {
        const screen::Split split{"all", {screen::Part::test, screen::Part::test}};
        predict::PredictionPlan plan = predict::plan_pair_predictions(screen_, split, Pairs{0, 1});
        plan.path = folder_.file("p.h5ad");
        return {screen_, normalisation_, plan};
    }
    // Writes a prediction file and returns the first marker of all its cells.
    std::vector<float> written_cells(predict::PredictionFile& file) {
        file.write(popflow::mpi::Communicator::world(), {},
                   {.embeddings = Matrix<float>(2, 1), .distances = {0, 0}});
        const std::vector<float> x = h5::open_file(folder_.file("p.h5ad")).open_dataset("X").read<float>();
        std::vector<float> first;
        for (std::size_t i = 0; i < x.size(); i += 2) first.push_back(x[i]);
        return first;
    }

    popflow::support::TemporaryFolder folder_;
    screen::Screen screen_;
    AddOne model_;
    screen::Normalisation normalisation_ = screen::no_normalisation(2);
    screen::Conditions conditions_{{{"O", {}}}, screen::Doses::highest};
    Matrix<float> mean_shifts_ = popflow::support::rows({{2, 0}});
    std::vector<std::string> cell_types_{"PDOs"};
    const popflow::models::MomentMap* moment_map_ = nullptr;
    popflow::linalg::AlignedVector<float> moment_map_values_;
    predict::PredictionFile* predictions_ = nullptr;
    eval::EvaluateOptions options_{.metrics = {"w1", "w2", "w1_markers"}};
};

std::string names(const std::vector<PairScore>& scores) {
    std::string text;
    for (const PairScore& row : scores) text += std::to_string(row.pair) + " " + row.predictor + "\n";
    return text;
}

}  // namespace

TEST_F(Evaluate, ScoresEveryPredictorOfAPair) {
    const Evaluation evaluation = evaluate();
    EXPECT_FALSE(evaluation.stopped);
    EXPECT_EQ(evaluation.pairs, (Pairs{0, 1}));
    ASSERT_EQ(names(evaluation.scores),
              "0 model\n0 identity\n0 mean_shift\n0 oracle_shift\n0 noise_floor\n0 noise_floor_matched\n"
              "1 model\n1 identity\n1 mean_shift\n1 oracle_shift\n1 noise_floor\n1 noise_floor_matched\n");
    const auto scores_of = [&](std::size_t pair, const std::string& predictor) {
        const auto at = std::ranges::find_if(evaluation.scores, [&](const PairScore& row) {
            return row.pair == pair && row.predictor == predictor;
        });
        return at->scores;
    };
    // 1, 3 against 3, 9: the distances are 2 and 6.
    EXPECT_NEAR(scores_of(0, "model").w1, 4, 1e-6);
    EXPECT_NEAR(scores_of(0, "model").w2, std::sqrt((4 + 36) / 2.0), 1e-6);
    // 0, 2 against 3, 9: the distances are 3 and 7.
    EXPECT_NEAR(scores_of(0, "identity").w1, 5, 1e-6);
    EXPECT_NEAR(scores_of(0, "identity").w2, std::sqrt((9 + 49) / 2.0), 1e-6);
    EXPECT_NEAR(scores_of(0, "identity").w1_markers, 2.5, 1e-6) << "mean of 5 and of 0 for the second marker";
    // 2, 4 against 3, 9: the distances are 1 and 5.
    EXPECT_NEAR(scores_of(0, "mean_shift").w1, 3, 1e-6);
    EXPECT_NEAR(scores_of(0, "mean_shift").w2, std::sqrt((1 + 25) / 2.0), 1e-6);
    // The means are 1 and 6. The shift of 5 gives 5, 7 against 3, 9.
    EXPECT_NEAR(scores_of(0, "oracle_shift").w1, 2, 1e-6);
    EXPECT_NEAR(scores_of(0, "oracle_shift").w2, 2, 1e-6);
    EXPECT_NEAR(scores_of(0, "oracle_shift").w1_markers, 1, 1e-6);
    // One of 3 and 9 against the other.
    EXPECT_NEAR(scores_of(0, "noise_floor").w1, 6, 1e-6);
    EXPECT_NEAR(scores_of(0, "noise_floor").w2, 6, 1e-6);
    // The target of pair 1 is its control plus 3.
    EXPECT_NEAR(scores_of(1, "model").w1, 2, 1e-6);
    EXPECT_NEAR(scores_of(1, "identity").w2, 3, 1e-6);
    EXPECT_NEAR(scores_of(1, "oracle_shift").w2, 0, 1e-5);
    for (const PairScore& row : evaluation.scores) {
        EXPECT_EQ(row.status, "ok") << row.message;
        EXPECT_EQ(row.rank, 0);
        EXPECT_TRUE(std::isnan(row.scores.mmd)) << "a metric that was not selected";
        if (row.predictor == "noise_floor_matched") {
            const std::string cells = row.pair == 0 ? "2" : "3";
            EXPECT_TRUE(std::isnan(row.scores.w1));
            EXPECT_EQ(row.n_predicted, 0U);
            EXPECT_EQ(row.message, "samples of " + cells + " and " + cells + " cells need " +
                                       (row.pair == 0 ? "4" : "6") + " treated cells, but there are " +
                                       cells);
            continue;
        }
        const std::size_t cells = row.predictor == "noise_floor" ? 1 : row.pair == 0 ? 2 : 3;
        EXPECT_EQ(row.n_predicted, cells);
        EXPECT_EQ(row.n_target, cells);
    }
}

// A run of an earlier version has no moment map. The scores of the other predictors do not depend on it.
TEST_F(Evaluate, ScoresTheMomentMapIfTheRunHasOne) {
    const Evaluation without = evaluate();
    const auto map = popflow::models::make_moment_map_baseline(
        {.markers = 2, .conditions = 1, .condition_rows = 1, .training_pairs = 1});
    moment_map_ = &map;
    moment_map_values_.assign(map.layout().size(), 0.0F);
    const std::span<float> values(moment_map_values_);
    popflow::nn::matrix_of(values, map.layout().find("shifts"))(0, 0) = 5;
    popflow::nn::matrix_of(values, map.layout().find("log_ratios"))(0, 0) = std::log(3.0F);
    const Evaluation with = evaluate();
    ASSERT_EQ(names(with.scores),
              "0 model\n0 identity\n0 mean_shift\n0 moment_map\n0 oracle_shift\n0 noise_floor\n"
              "0 noise_floor_matched\n"
              "1 model\n1 identity\n1 mean_shift\n1 moment_map\n1 oracle_shift\n1 noise_floor\n"
              "1 noise_floor_matched\n");
    // 0, 2 becomes 3, 9: the treated cells.
    EXPECT_NEAR(with.scores[3].scores.w2, 0, 1e-6);
    std::size_t other = 0;
    for (const PairScore& row : with.scores) {
        if (row.predictor == "moment_map") continue;
        EXPECT_EQ(row.predictor, without.scores[other].predictor);
        if (row.predictor != "noise_floor_matched") {  // these populations are too small for it
            EXPECT_EQ(row.scores.w1, without.scores[other].scores.w1);
            EXPECT_EQ(row.scores.w2, without.scores[other].scores.w2);
        }
        ++other;
    }
}

TEST_F(Evaluate, ReturnsTheEmbeddingsInTheOrderOfThePairs) {
    const Evaluation evaluation = evaluate();
    ASSERT_EQ(evaluation.embeddings.rows(), 2U);
    EXPECT_EQ(evaluation.embeddings(0, 0), 2) << "number of control cells";
    EXPECT_EQ(evaluation.embeddings(1, 0), 3);
}

TEST_F(Evaluate, ScoresOnlyTheRequestedPairs) {
    const Evaluation evaluation = evaluate({}, {1});
    EXPECT_EQ(evaluation.pairs, Pairs{1});
    EXPECT_EQ(evaluation.scores.size(), predictors_without_map);
    EXPECT_EQ(evaluation.scores[0].pair, 1U);
    EXPECT_TRUE(evaluate({}, {}).scores.empty());
}

TEST_F(Evaluate, LimitsTheNumberOfCells) {
    options_.max_cells = 1;
    options_.draw = predict::Draw::first;
    const Evaluation evaluation = evaluate();
    EXPECT_EQ(evaluation.scores[0].n_predicted, 1U);
    EXPECT_NEAR(evaluation.scores[1].scores.w2, 3, 1e-6) << "0 against 3";
    EXPECT_EQ(evaluation.embeddings(1, 0), 1);
    // Halves of one cell are samples of the same size, so they are the same cells.
    for (std::size_t i = 0; i + 1 < evaluation.scores.size(); ++i) {
        const PairScore& half = evaluation.scores[i];
        const PairScore& matched = evaluation.scores[i + 1];
        if (half.predictor != "noise_floor") continue;
        EXPECT_EQ(matched.predictor, "noise_floor_matched");
        EXPECT_EQ(matched.scores.w1, half.scores.w1);
        EXPECT_EQ(matched.n_target, 1U);
        EXPECT_EQ(matched.message, "");
    }
}

TEST_F(Evaluate, StoresTheCellsOfSampledPairs) {
    options_.sampled = {1};
    const Evaluation evaluation = evaluate();
    ASSERT_EQ(evaluation.samples.size(), 1U);
    const eval::CellSample& sample = evaluation.samples[0];
    EXPECT_EQ(sample.name, screen::pair_name(screen_, 1));
    ASSERT_EQ(sample.predicted.rows(), 3U);
    for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(sample.predicted(i, 0), sample.control(i, 0) + 1);
    ASSERT_EQ(sample.mean_shift.rows(), 3U);
    for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(sample.mean_shift(i, 0), sample.control(i, 0) + 2);
    ASSERT_FALSE(sample.times.empty()) << "two markers have trajectories";
    ASSERT_EQ(sample.flow.size(), sample.times.size());
    EXPECT_NEAR(sample.flow[0](0, 0), sample.control(0, 0) + static_cast<float>(sample.times[0]), 1e-5);
}

TEST_F(Evaluate, EmbedsTrainingPopulationsLikeScoredPairs) {
    options_.trained = {{1, 0}};
    options_.max_cells = 2;
    const Pairs pairs = eval::training_populations(screen_, options_);
    EXPECT_EQ(pairs, Pairs{1});
    const predict::TrainedModel trained{.model = model_,
                                        .values = {},
                                        .normalisation = normalisation_,
                                        .conditions = conditions_,
                                        .mean_shifts = mean_shifts_,
                                        .cell_types = cell_types_};
    const auto embed = [&](const TaskControl& control) {
        return eval::embed_training_populations(screen_, pairs, trained, options_, control,
                                                popflow::mpi::Communicator::world());
    };
    const eval::TrainingEmbeddings embeddings = embed({});
    EXPECT_FALSE(embeddings.stopped);
    EXPECT_EQ(embeddings.pairs, Pairs{1});
    ASSERT_EQ(embeddings.values.rows(), 1U);
    EXPECT_EQ(embeddings.values(0, 0), 2) << "the context of this model is the number of drawn cells";
    EXPECT_EQ(embeddings.values(0, 0), evaluate().embeddings(1, 0));
    EXPECT_TRUE(embed({.stop = [] { return true; }}).stopped);
}

TEST_F(Evaluate, EmbedsAControlOfSeveralTrainingPairsOnce) {
    screen_.pairs.push_back(screen_.pairs[1]);
    options_.trained = {{0, 1}, {1, 0}, {2, 2}};
    EXPECT_EQ(eval::training_populations(screen_, options_), (Pairs{0, 1}));
}

TEST_F(Evaluate, ReportsItsProgress) {
    std::vector<std::size_t> done;
    TaskControl control;
    control.progress = [&](std::size_t finished, std::size_t of) {
        done.push_back(finished);
        EXPECT_EQ(of, 2U);
    };
    evaluate(control);
    ASSERT_FALSE(done.empty());
    EXPECT_EQ(done.back(), 2U);
    EXPECT_TRUE(std::ranges::is_sorted(done));
}

TEST_F(Evaluate, StopsBeforeTheFirstPairOnRequest) {
    TaskControl control;
    control.stop = [] { return true; };
    const Evaluation evaluation = evaluate(control);
    EXPECT_TRUE(evaluation.stopped);
    EXPECT_TRUE(evaluation.scores.empty());
    EXPECT_TRUE(evaluation.pairs.empty());
    EXPECT_EQ(model_.transports, 0);
}

TEST_F(Evaluate, KeepsTheFinishedPairsWhenItStops) {
    TaskControl control;
    int calls = 0;
    control.stop = [&] { return ++calls > 1; };
    eval::PartialResults partial = partial_results();
    control.partial = &partial;
    const Evaluation evaluation = evaluate(control);
    EXPECT_TRUE(evaluation.stopped);
    EXPECT_EQ(evaluation.pairs, Pairs{1}) << "the pair with more cells comes first";
    EXPECT_EQ(evaluation.scores.size(), predictors_without_map);
    EXPECT_EQ(partial_results().kept_items(), Pairs{1});
}

TEST_F(Evaluate, IsNotStoppedByARequestAfterTheLastPair) {
    TaskControl control;
    int calls = 0;
    control.stop = [&] { return ++calls > 2; };
    EXPECT_FALSE(evaluate(control).stopped);
}

TEST_F(Evaluate, DoesNotScoreKeptPairsAgain) {
    store_pair_0();
    eval::PartialResults partial = partial_results();
    TaskControl control;
    control.partial = &partial;
    std::size_t first_report = 0;
    control.progress = [&](std::size_t done, std::size_t) {
        if (first_report == 0) first_report = done;
    };
    const Evaluation evaluation = evaluate(control);
    EXPECT_EQ(model_.transports, 1);
    EXPECT_EQ(evaluation.pairs, (Pairs{0, 1}));
    ASSERT_EQ(evaluation.scores.size(), 1 + predictors_without_map);
    EXPECT_EQ(evaluation.scores[0].scores.w2, 42) << "stored score";
    EXPECT_EQ(evaluation.embeddings(0, 0), -7);
    EXPECT_NEAR(evaluation.scores[1].scores.w1, 2, 1e-6) << "computed score";
    EXPECT_EQ(first_report, 2U) << "the kept pair counts as finished";
    EXPECT_EQ(partial_results().kept_items(), (Pairs{0, 1}));
}

TEST_F(Evaluate, PredictsTheCellsOfKeptPairsAgain) {
    store_pair_0();
    eval::PartialResults partial = partial_results();
    predict::PredictionFile file = prediction_file();
    TaskControl control;
    control.partial = &partial;
    predictions_ = &file;
    const Evaluation evaluation = evaluate(control);
    EXPECT_EQ(evaluation.scores[0].scores.w2, 42);
    EXPECT_EQ(model_.transports, 2);
    EXPECT_EQ(written_cells(file), (std::vector<float>{1, 3, 101, 103, 105}));
}

TEST_F(Evaluate, RecordsAFailedModelAndContinues) {
    model_.fails_at = 2;
    options_.sampled = {0, 1};
    eval::PartialResults partial = partial_results();
    predict::PredictionFile file = prediction_file();
    TaskControl control;
    control.partial = &partial;
    predictions_ = &file;
    const Evaluation evaluation = evaluate(control);
    ASSERT_EQ(evaluation.scores.size(), 2 * predictors_without_map);
    for (const PairScore& row : evaluation.scores) {
        if (row.predictor == "noise_floor_matched") continue;  // too few cells
        const bool failed = row.pair == 0 && row.predictor == "model";
        EXPECT_EQ(row.status, failed ? "failed" : "ok");
        EXPECT_EQ(row.message, failed ? "solver: found a bad cell" : "");
        EXPECT_EQ(std::isnan(row.scores.w2), failed);
    }
    EXPECT_EQ(partial_results().kept_items(), Pairs{1}) << "a resumed evaluation tries pair 0 again";
    ASSERT_EQ(evaluation.samples.size(), 1U);
    EXPECT_EQ(evaluation.samples[0].pair, 1U);
    EXPECT_EQ(written_cells(file), (std::vector<float>{101, 103, 105}));
}

TEST_F(Evaluate, RecordsAPredictionThatIsNotFinite) {
    mean_shifts_(0, 0) = std::numeric_limits<float>::quiet_NaN();
    const Evaluation evaluation = evaluate({}, {0});
    EXPECT_EQ(evaluation.scores[2].status, "failed");
    EXPECT_FALSE(evaluation.scores[2].message.empty());
    EXPECT_EQ(evaluation.scores[1].status, "ok");
    EXPECT_EQ(evaluation.scores[3].status, "ok");
    EXPECT_NEAR(evaluation.scores[3].scores.w2, 2, 1e-6);
}

TEST_F(Evaluate, AcceptsACellTypeThatWasNotTrainedOn) {
    cell_types_ = {"Fibs", "Macs"};
    for (const PairScore& row : evaluate().scores) EXPECT_EQ(row.status, "ok") << row.message;
}

TEST(EvaluateOptions, SelectMetricsWithTheirOptions) {
    eval::EvaluateOptions options;
    options.metrics = {"sinkhorn", "w2"};
    options.sinkhorn_epsilon = 0.25;
    popflow::metrics::Selection selection = eval::selection(options);
    EXPECT_TRUE(selection.sinkhorn);
    EXPECT_TRUE(selection.w2);
    EXPECT_FALSE(selection.w1);
    EXPECT_FALSE(selection.energy);
    EXPECT_EQ(selection.sinkhorn_options.epsilon, 0.25);
    EXPECT_TRUE(std::isinf(selection.sinkhorn_options.rho)) << "a rho of 0 means infinite";
    options.sinkhorn_rho = 3;
    EXPECT_EQ(eval::selection(options).sinkhorn_options.rho, 3);
}
