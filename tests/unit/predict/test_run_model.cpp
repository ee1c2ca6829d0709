// SPDX-License-Identifier: MIT
#include "predict/run_model.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <utility>

#include "core/error.hpp"
#include "core/stored_file.hpp"
#include "support/file_bytes.hpp"
#include "support/random_matrix.hpp"
#include "support/settings.hpp"
#include "support/temporary_folder.hpp"

using popflow::core::ConfigError;
using popflow::core::DataError;
using popflow::support::TemporaryFolder;
using popflow::train::Checkpoint;
namespace fs = std::filesystem;
namespace models = popflow::models;
namespace predict = popflow::predict;
namespace train = popflow::train;

namespace {

// Checkpoint whose average weights differ from the weights of the last step.
Checkpoint checkpoint_at(std::uint64_t step) {
    Checkpoint c;
    c.data = {.markers = 4, .conditions = 2, .condition_rows = 2};
    c.markers = {"a", "b", "c", "d"};
    c.cell_types = {"Fibs", "PDOs"};
    c.normalisation = {{1, 2, 3, 4}, 0.5F};
    c.conditions = popflow::screen::Conditions({{"O", {1}}, {"S", {1}}}, popflow::screen::Doses::highest);
    c.mean_shifts = popflow::support::random_matrix<float>(2, 4, 1);
    popflow::support::set_method(c, "icnn",
                                 {{"icnn-hidden", "5"}, {"icnn-layers", "2"}, {"icnn-inner-steps", "3"}});
    c.adam.average[0] += 1;
    c.adam.step = step;
    return c;
}

void store_checkpoint(const TemporaryFolder& folder, std::uint64_t step) {
    train::write_checkpoint(folder.file("checkpoint.h5"), checkpoint_at(step));
}

void store_weights(const TemporaryFolder& folder, std::uint64_t step) {
    popflow::core::store_file(folder.file("weights.h5"), train::weights_bytes(checkpoint_at(step)));
}

void write_text(const std::string& path) {
    std::ofstream(path) << "seed = 1\n";
}

// Returns key and message of the ConfigError that read_run() throws.
std::pair<std::string, std::string> config_error(const std::string& run) {
    try {
        predict::read_run(run);
    } catch (const ConfigError& error) {
        return {error.key, error.what()};
    }
    return {"", "no exception"};
}

// Returns file and message of the DataError that read_run() throws.
std::pair<std::string, std::string> data_error(const std::string& run) {
    try {
        predict::read_run(run);
    } catch (const DataError& error) {
        return {error.file, error.what()};
    }
    return {"", "no exception"};
}

}  // namespace

TEST(ReadRun, PrefersTheCheckpoint) {
    const TemporaryFolder folder;
    store_checkpoint(folder, 7);
    store_weights(folder, 3);
    const Checkpoint read = predict::read_run(folder.path().string());
    EXPECT_EQ(read.adam.step, 7U);
    EXPECT_EQ(read.values, checkpoint_at(7).values);
}

TEST(ReadRun, ReadsTheWeightsWithoutACheckpoint) {
    const TemporaryFolder folder;
    store_weights(folder, 3);
    const Checkpoint read = predict::read_run(folder.path().string());
    EXPECT_EQ(read.adam.step, 3U);
    EXPECT_EQ(read.adam.average, checkpoint_at(3).adam.average);
    EXPECT_EQ(read.values, read.adam.average) << "the average takes the place of the last weights";
}

TEST(ReadRun, ThrowsForAFolderThatIsNoRun) {
    const TemporaryFolder folder;
    write_text(folder.file("results.h5"));
    for (const std::string& run :
         {folder.path().string(), folder.file("missing"), folder.file("results.h5")}) {
        const auto [key, message] = config_error(run);
        EXPECT_EQ(key, "run");
        EXPECT_EQ(message,
                  "run: found '" + run +
                      "', which is not a run folder: it has neither checkpoint.h5 nor weights.h5. Give "
                      "a folder that popflow train --output has written");
    }
}

TEST(ReadRun, ThrowsForATrainingWithoutACheckpoint) {
    const TemporaryFolder folder;
    write_text(folder.file("config.cfg"));
    const std::string run = folder.path().string();
    const auto [key, message] = config_error(run);
    EXPECT_EQ(key, "run");
    EXPECT_EQ(message,
              "run: found '" + run + "', which has no checkpoint.h5 yet: its training has not stored one");
}

TEST(ReadRun, DoesNotReplaceADamagedCheckpointByTheWeights) {
    const TemporaryFolder folder;
    store_checkpoint(folder, 7);
    store_weights(folder, 7);
    const std::string path = folder.file("checkpoint.h5");
    const std::size_t middle = fs::file_size(path) / 2;
    const char byte = popflow::support::file_bytes(path)[middle];
    popflow::support::put_bytes(path, middle, std::string(1, static_cast<char>(byte ^ 1)));
    EXPECT_EQ(data_error(folder.path().string()).first, path);
    fs::resize_file(path, 100);
    EXPECT_EQ(data_error(folder.path().string()).first, path);
    fs::resize_file(path, 0);
    EXPECT_EQ(data_error(folder.path().string()).first, path);
}

TEST(ReadRun, ThrowsForDamagedWeights) {
    const TemporaryFolder folder;
    store_weights(folder, 7);
    const std::string path = folder.file("weights.h5");
    const std::size_t middle = fs::file_size(path) / 2;
    const char byte = popflow::support::file_bytes(path)[middle];
    popflow::support::put_bytes(path, middle, std::string(1, static_cast<char>(byte ^ 1)));
    EXPECT_EQ(data_error(folder.path().string()).second,
              path + ": the file is damaged: its content does not match its checksum");
    fs::resize_file(path, middle);
    EXPECT_EQ(data_error(folder.path().string()).first, path);
}

TEST(ReadRun, ThrowsForAFolderInPlaceOfTheCheckpoint) {
    const TemporaryFolder folder;
    fs::create_directory(folder.path() / "checkpoint.h5");
    const auto [file, message] = data_error(folder.path().string());
    EXPECT_EQ(file, (folder.path() / "checkpoint.h5").string());
}

TEST(ReadRun, ThrowsForAFileOfTheOtherKind) {
    const TemporaryFolder folder;
    store_weights(folder, 7);
    fs::rename(folder.file("weights.h5"), folder.file("checkpoint.h5"));
    EXPECT_EQ(data_error(folder.path().string()).second,
              folder.file("checkpoint.h5") + ": not a popflow checkpoint");
    store_checkpoint(folder, 7);
    fs::rename(folder.file("checkpoint.h5"), folder.file("weights.h5"));
    EXPECT_EQ(data_error(folder.path().string()).second,
              folder.file("weights.h5") + ": not a popflow weights file");
}

TEST(IsRunFolder, NeedsOneFileOfARun) {
    for (const char* name : {"config.cfg", "checkpoint.h5", "weights.h5"}) {
        const TemporaryFolder folder;
        EXPECT_FALSE(predict::is_run_folder(folder.path().string()));
        write_text(folder.file(name));
        EXPECT_TRUE(predict::is_run_folder(folder.path().string())) << name;
    }
    const TemporaryFolder folder;
    fs::create_directory(folder.file("config.cfg"));
    write_text(folder.file("checkpoint-5.h5"));
    EXPECT_FALSE(predict::is_run_folder(folder.path().string()));
    EXPECT_FALSE(predict::is_run_folder(folder.file("missing")));
}

TEST(RunModel, PredictsWithTheAverageWeights) {
    const TemporaryFolder folder;
    store_checkpoint(folder, 7);
    const predict::RunModel run = predict::RunModel::load(folder.path().string());
    const Checkpoint expected = checkpoint_at(7);
    const predict::TrainedModel& trained = run.trained();
    EXPECT_TRUE(std::ranges::equal(trained.values, expected.adam.average));
    EXPECT_FALSE(std::ranges::equal(trained.values, expected.values));
    EXPECT_EQ(trained.normalisation.mean, expected.normalisation.mean);
    EXPECT_EQ(trained.normalisation.scale, 0.5F);
    EXPECT_EQ(trained.conditions.count(), 2U);
    EXPECT_TRUE(std::ranges::equal(trained.mean_shifts.values(), expected.mean_shifts.values()));
    EXPECT_EQ(trained.cell_types, expected.cell_types);
    EXPECT_EQ(trained.model.base(), models::Base::source);
    EXPECT_EQ(trained.model.neighbours(), 0U);
}

TEST(RunModel, StaysValidWhenItIsMoved) {
    predict::RunModel first(checkpoint_at(7));
    const predict::TrainedModel* const trained = &first.trained();
    const predict::RunModel second = std::move(first);
    EXPECT_EQ(&second.trained(), trained);
    EXPECT_EQ(second.trained().values.data(), second.checkpoint().adam.average.data());
    EXPECT_EQ(second.checkpoint().adam.step, 7U);
}

TEST(RunModel, HasNeighboursOnlyWithAPopulationEncoder) {
    Checkpoint c = checkpoint_at(7);
    c.data.cell_types = 2;
    for (const char* method : {"fm", "mfm"}) {
        popflow::support::set_method(c, method,
                                     {{"base", "gaussian"}, {"hidden", "5"}, {"layers", "2"}, {"knn", "13"}});
        const predict::RunModel run(c);
        EXPECT_EQ(run.trained().model.neighbours(), std::string(method) == "mfm" ? 13U : 0U);
        EXPECT_EQ(run.trained().model.base(), models::Base::gaussian);
    }
}
