// SPDX-License-Identifier: MIT
#include "train/training_run.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "core/error.hpp"
#include "support/file_bytes.hpp"
#include "support/mpi_session.hpp"
#include "support/screen_file.hpp"
#include "support/settings.hpp"
#include "support/temporary_folder.hpp"

namespace fs = std::filesystem;
namespace models = popflow::models;
namespace screen = popflow::screen;
namespace train = popflow::train;
using popflow::support::file_bytes;
using Strings = std::vector<std::string>;

namespace {

// Keeps the events of a training, and requests to stop after a step.
class Recorder : public train::TrainingObserver {
  public:
    void started(const train::TrainingRun& run) override {
        events.push_back("started at " + std::to_string(run.steps_done()) + " of " +
                         std::to_string(run.total_steps()));
    }
    void stepped(const train::StepReport&, std::uint64_t steps_done, double loss) override {
        last_step = steps_done;
        last_loss = loss;
    }
    void note(const std::string& text) override { events.push_back(text); }
    bool should_stop() override { return last_step + 1 == stop_at; }

    std::uint64_t stop_at = 0;
    std::uint64_t last_step = 0;
    double last_loss = -1;
    Strings events;
};

// Validation with given energies. Keeps the average weights of each check.
class GivenEnergies : public train::Validation {
  public:
    std::string prepare(const models::Model& /*model*/, std::span<const train::ValidationRow> rows) override {
        prepared_after.push_back(rows.size());
        return problem;
    }
    train::ValidationRow check(const models::Model& /*model*/, std::span<const float> average,
                               std::uint64_t step) override {
        averages[step] = {average.begin(), average.end()};
        return {
            .step = step, .energy = energies.at(step), .w2 = 2, .pairs = 1, .cells = 9, .evaluations = 10};
    }

    std::string problem;
    std::map<std::uint64_t, double> energies;
    std::vector<std::size_t> prepared_after;
    std::map<std::uint64_t, popflow::linalg::AlignedVector<float>> averages;
};

// Trainings of FM on two pairs, in folders of a temporary folder.
class TrainingRun : public popflow::support::WithMpi {
  protected:
    TrainingRun() {
        popflow::support::ScreenFile file;
        for (const char* treatment : {"DMSO", "O", "S"}) {
            file.add(6, {"P1", treatment, "1"});
            for (int i = 0; i < 6; ++i)
                file.x.insert(file.x.end(), {static_cast<float>(i), static_cast<float>(i * i)});
        }
        file.write(folder_.file("s.h5ad"));
        screen::ScreenOptions options;
        options.min_cells = 1;
        options.transform = screen::Transform::parse("none");
        screen_ = screen::open_screen(folder_.file("s.h5ad"), options);
        split_.parts.assign(screen_.pairs.size(), screen::Part::train);
        set_ = std::make_unique<train::TrainingSet>(screen_, split_, train::TrainingSetOptions{.lanes = 2},
                                                    popflow::mpi::Communicator::world());
        items_ = std::make_unique<train::PairItems>(*set_, train::PairSampling{.cells = 4});
    }

    train::Checkpoint constants() const {
        train::Checkpoint c;
        c.config = config_;
        c.data_fingerprint = screen_.fingerprint;
        c.data = set_->shape();
        popflow::support::set_method(
            c, "fm",
            {{"hidden", "4"}, {"layers", "1"}, {"time-frequencies", "1"}, {"space-frequencies", "1"}});
        c.markers = screen_.markers;
        c.cell_types = screen_.cell_types;
        c.normalisation = set_->normalisation();
        c.conditions = set_->conditions();
        c.mean_shifts = set_->mean_shifts();
        if (has_moment_map_) c.moment_map = set_->moment_map();
        return c;
    }

    // Makes a training in a new or existing folder.
    train::TrainingRun make(const std::string& name, train::TrainingObserver& observer, bool resume = false) {
        options_.folder = folder_.file(name);
        options_.resume = resume;
        fs::create_directories(options_.folder);
        return {options_,
                train_,
                constants(),
                popflow::linalg::Precision::fp32,
                {},
                *items_,
                popflow::mpi::Communicator::world(),
                observer,
                plan_};
    }
    train::TrainingEnd run(const std::string& name, train::TrainingObserver& observer, bool resume = false) {
        return make(name, observer, resume).run();
    }
    std::string bytes(const std::string& name) const { return file_bytes(folder_.file(name)); }

    popflow::support::TemporaryFolder folder_;
    screen::Screen screen_;
    screen::Split split_;
    std::unique_ptr<train::TrainingSet> set_;
    std::unique_ptr<train::PairItems> items_;
    std::string config_ = "steps = 12\n";
    bool has_moment_map_ = true;
    train::TrainingRunOptions options_{
        .folder = "", .data_file = "s.h5ad", .checkpoint_every = 5, .log_every = 4};
    train::ValidationPlan plan_;
    train::TrainOptions train_{.steps = 12, .batch_pairs = 2, .warmup_steps = 0};
};

}  // namespace

TEST_F(TrainingRun, WritesCheckpointsWeightsAndTables) {
    Recorder recorder;
    EXPECT_EQ(run("whole", recorder), train::TrainingEnd::done);
    EXPECT_EQ(recorder.events, (Strings{"started at 0 of 12"}));
    EXPECT_EQ(recorder.last_step, 12U);
    const train::Checkpoint last = train::read_checkpoint(folder_.file("whole/checkpoint.h5"));
    EXPECT_EQ(last.adam.step, 12U);
    EXPECT_TRUE(fs::exists(folder_.file("whole/checkpoint-10.h5")));
    EXPECT_FALSE(fs::exists(folder_.file("whole/checkpoint-5.h5"))) << "two checkpoints are kept";
    EXPECT_EQ(train::read_weights(folder_.file("whole/weights.h5")).adam.average, last.adam.average);
    const auto rows = train::read_training_table(folder_.file("whole/training.h5"), 12);
    ASSERT_EQ(rows.size(), 3U);
    EXPECT_EQ(rows[1].step, 8U);
    EXPECT_EQ(rows[1].epoch, 8.0);
    EXPECT_EQ(rows[2].loss, recorder.last_loss);
    std::ifstream csv(folder_.file("whole/training.csv"));
    EXPECT_EQ(std::count(std::istreambuf_iterator<char>(csv), {}, '\n'), 4);
}

TEST_F(TrainingRun, ContinuesAStoppedTrainingWithTheSameBits) {
    Recorder whole;
    run("whole", whole);
    Recorder first;
    first.stop_at = 7;
    EXPECT_EQ(run("parts", first), train::TrainingEnd::stopped);
    EXPECT_EQ(first.events.back(), "stopped on request after step 7. Continue with --resume");
    EXPECT_FALSE(fs::exists(folder_.file("parts/weights.h5")));
    Recorder second;
    EXPECT_EQ(run("parts", second, true), train::TrainingEnd::done);
    EXPECT_EQ(second.events, (Strings{"started at 7 of 12"}));
    EXPECT_EQ(bytes("parts/checkpoint.h5"), bytes("whole/checkpoint.h5"));
    EXPECT_EQ(bytes("parts/weights.h5"), bytes("whole/weights.h5"));
}

// An earlier version stored no moment map. A complete training stores its last checkpoint again with one.
TEST_F(TrainingRun, AddsTheMomentMapToACompleteTraining) {
    train::TrainingObserver observer;
    has_moment_map_ = false;
    run("old", observer);
    const std::string path = train::checkpoint_path(folder_.file("old"));
    const train::Checkpoint before = train::read_checkpoint(path);
    EXPECT_TRUE(before.moment_map.empty());
    has_moment_map_ = true;
    EXPECT_EQ(run("old", observer, true), train::TrainingEnd::done);
    const train::Checkpoint after = train::read_checkpoint(path);
    EXPECT_EQ(after.moment_map, set_->moment_map());
    EXPECT_EQ(after.values, before.values);
    EXPECT_EQ(after.adam.average, before.adam.average);
    EXPECT_EQ(after.adam.step, before.adam.step);
    run("new", observer);
    EXPECT_EQ(bytes("old/checkpoint.h5"), bytes("new/checkpoint.h5"));
    EXPECT_EQ(bytes("old/weights.h5"), bytes("new/weights.h5"));
}

TEST_F(TrainingRun, StopsAfterAGivenStep) {
    options_.stop_after = 3;
    Recorder recorder;
    EXPECT_EQ(run("short", recorder), train::TrainingEnd::stopped);
    EXPECT_EQ(train::read_checkpoint(folder_.file("short/checkpoint.h5")).adam.step, 3U);
}

TEST_F(TrainingRun, StartsFromTheBeginningWithoutACheckpoint) {
    Recorder recorder;
    EXPECT_EQ(run("new", recorder, true), train::TrainingEnd::done);
    EXPECT_EQ(recorder.events, (Strings{"started at 0 of 12"}));
}

TEST_F(TrainingRun, RefusesToResumeAnotherConfiguration) {
    Recorder recorder;
    recorder.stop_at = 7;
    run("parts", recorder);
    const std::string before = bytes("parts/training.csv");
    config_ = "steps = 13\n";
    train_.steps = 13;
    try {
        run("parts", recorder, true);
        FAIL() << "no exception";
    } catch (const popflow::core::ConfigError& error) {
        EXPECT_STREQ(error.what(),
                     "resume: the configuration changed: steps: found '13', was '12'. Use the earlier "
                     "values, or another --output for a new training");
    }
    EXPECT_EQ(bytes("parts/training.csv"), before);
}

TEST_F(TrainingRun, ContinuesALongerTrainingWithAConstantRate) {
    train_.schedule = train::Schedule::constant;
    Recorder recorder;
    run("longer", recorder);
    config_ = "steps = 13\n";
    train_.steps = 13;
    EXPECT_EQ(run("longer", recorder, true), train::TrainingEnd::done);
    EXPECT_EQ(recorder.events.back(), "started at 12 of 13");
    EXPECT_EQ(recorder.last_step, 13U);
}

TEST_F(TrainingRun, NamesTheLastCheckpointIfTheTrainingDiverges) {
    train_.rate = 1e30;
    train_.clip_norm = 0;
    options_.checkpoint_every = 1;
    Recorder recorder;
    try {
        run("diverges", recorder);
        FAIL() << "no exception";
    } catch (const popflow::core::NumericalError& error) {
        EXPECT_NE(std::string(error.what()).find("(see --on-nan, --rate and --clip-norm)"), std::string::npos)
            << error.what();
    }
    EXPECT_FALSE(fs::exists(folder_.file("diverges/weights.h5")));
}

TEST_F(TrainingRun, ADryRunWritesNothing) {
    train::TrainingObserver silent;
    const train::DryRun dry = make("dry", silent).dry_run();
    EXPECT_EQ(dry.steps, 5U);
    EXPECT_EQ(dry.fault, "");
    EXPECT_GT(dry.parameters, 0U);
    EXPECT_GT(dry.checkpoint_bytes, 1000U);
    EXPECT_TRUE(fs::is_empty(folder_.file("dry")));
}

// 12 steps have checks after 2, 3, 4, 5, 6, 8, 9, 10, 11 and 12 steps.
TEST_F(TrainingRun, AValidationChangesNoBitOfTheTraining) {
    train::TrainingObserver observer;
    run("without", observer);
    GivenEnergies validation;
    for (std::uint64_t step = 1; step <= 12; ++step) validation.energies[step] = static_cast<double>(step);
    plan_ = {.validation = &validation, .budget = 1000};
    run("with", observer);
    EXPECT_EQ(bytes("with/checkpoint.h5"), bytes("without/checkpoint.h5"));
    EXPECT_EQ(bytes("with/weights.h5"), bytes("without/weights.h5"));
    const auto rows = train::read_validation_table(folder_.file("with/training.h5"), 12);
    ASSERT_EQ(rows.size(), 10U);
    EXPECT_EQ(rows[2].step, 4U);
    EXPECT_EQ(rows[2].energy, 4);
    EXPECT_EQ(rows[2].cells, 9U);
    EXPECT_FALSE(fs::exists(folder_.file("without/validation.csv")));
    EXPECT_TRUE(train::read_validation_table(folder_.file("without/training.h5"), 12).empty());
    EXPECT_EQ(validation.averages.at(12),
              train::read_checkpoint(folder_.file("with/checkpoint.h5")).adam.average);
}

TEST_F(TrainingRun, SkipsChecksBeyondTheBudgetButNotTheLast) {
    train::TrainingObserver observer;
    GivenEnergies validation;
    for (std::uint64_t step = 1; step <= 12; ++step) validation.energies[step] = 1;
    plan_ = {.validation = &validation, .budget = 45};
    run("bounded", observer);
    std::vector<std::uint64_t> steps;
    for (const auto& row : train::read_validation_table(folder_.file("bounded/training.h5"), 12))
        steps.push_back(row.step);
    EXPECT_EQ(steps, (std::vector<std::uint64_t>{2, 3, 4, 12}));
}

TEST_F(TrainingRun, KeepsTheBestWeightsOverAStop) {
    GivenEnergies validation;
    validation.energies = {{2, 5}, {3, 4}, {4, 2}, {5, 3}, {6, 3}, {8, 3}, {9, 3}, {10, 3}, {11, 3}, {12, 3}};
    plan_ = {.validation = &validation, .budget = 1000, .keeps_best = true};
    Recorder whole;
    run("whole", whole);
    EXPECT_EQ(whole.events.back(),
              "the weights of step 4 are the result: energy 2, the lowest of 10 checks (--keep best)");
    const train::Checkpoint last = train::read_checkpoint(folder_.file("whole/checkpoint.h5"));
    EXPECT_EQ(last.adam.step, 12U);
    EXPECT_EQ(last.result_step(), 4U);
    EXPECT_EQ(last.best.energy, 2);
    EXPECT_EQ(last.result(), validation.averages.at(4));
    EXPECT_EQ(last.adam.average, validation.averages.at(12));
    const train::Checkpoint weights = train::read_weights(folder_.file("whole/weights.h5"));
    EXPECT_EQ(weights.adam.average, last.result());
    EXPECT_EQ(weights.result(), last.result());
    EXPECT_EQ(weights.result_step(), 4U);
    EXPECT_EQ(weights.adam.step, 12U);
    Recorder first;
    first.stop_at = 7;
    EXPECT_EQ(run("parts", first), train::TrainingEnd::stopped);
    Recorder second;
    EXPECT_EQ(run("parts", second, true), train::TrainingEnd::done);
    EXPECT_EQ(validation.prepared_after, (std::vector<std::size_t>{0, 0, 5}));
    for (const char* file : {"checkpoint.h5", "weights.h5", "validation.csv"})
        EXPECT_EQ(bytes(std::string("parts/") + file), bytes(std::string("whole/") + file)) << file;
}

TEST_F(TrainingRun, EndsWhenTheEnergyNoLongerFalls) {
    GivenEnergies validation;
    validation.energies = {{2, 5}, {3, 6}, {4, 4}, {5, 4}, {6, 4}};
    plan_ = {.validation = &validation, .budget = 1000, .patience = 2};
    Recorder recorder;
    EXPECT_EQ(run("early", recorder), train::TrainingEnd::done);
    EXPECT_EQ(recorder.last_step, 6U);
    EXPECT_TRUE(fs::exists(folder_.file("early/weights.h5")));
    const std::string before = bytes("early/checkpoint.h5");
    EXPECT_EQ(run("early", recorder, true), train::TrainingEnd::done);
    EXPECT_EQ(bytes("early/checkpoint.h5"), before);
    EXPECT_EQ(recorder.last_step, 6U) << "continued";
}

TEST_F(TrainingRun, TrainsWithoutAValidationThatCannotBeScored) {
    GivenEnergies validation;
    validation.problem = "no pair fits";
    plan_ = {.validation = &validation};
    Recorder recorder;
    EXPECT_EQ(run("plain", recorder), train::TrainingEnd::done);
    EXPECT_EQ(recorder.events.back(), "note: no validation: no pair fits");
    plan_ = {.validation = &validation, .keeps_best = true};
    EXPECT_THROW(run("best", recorder), popflow::core::ConfigError);
}
