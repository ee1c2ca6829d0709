// SPDX-License-Identifier: MIT
#include "train/checkpoint_folder.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "support/settings.hpp"
#include "support/temporary_folder.hpp"

namespace fs = std::filesystem;
namespace train = popflow::train;
using popflow::support::TemporaryFolder;

namespace {

train::Checkpoint checkpoint_at(std::uint64_t step) {
    train::Checkpoint c;
    c.data = {.markers = 4, .conditions = 2, .condition_rows = 2};
    c.markers = {"a", "b", "c", "d"};
    c.normalisation = popflow::screen::no_normalisation(4);
    c.conditions = popflow::screen::Conditions({{"O", {1}}, {"S", {1}}}, popflow::screen::Doses::highest);
    c.mean_shifts = popflow::linalg::Matrix<float>(2, 4);
    popflow::support::set_method(c, "icnn",
                                 {{"icnn-hidden", "5"}, {"icnn-layers", "2"}, {"icnn-inner-steps", "3"}});
    c.adam.step = step;
    return c;
}

void store_step(train::CheckpointFolder& folder, std::uint64_t step) {
    folder.store({}, step, train::checkpoint_bytes(checkpoint_at(step)));
}

std::vector<std::string> file_names(const TemporaryFolder& folder) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder.path()))
        names.push_back(entry.path().filename().string());
    std::ranges::sort(names);
    return names;
}

void flip_a_bit(const std::string& path) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    const auto middle = static_cast<std::streamoff>(fs::file_size(path) / 2);
    file.seekg(middle);
    const int byte = file.get();
    file.seekp(middle);
    file.put(static_cast<char>(byte ^ 4));
}

using Names = std::vector<std::string>;

}  // namespace

TEST(CheckpointFolder, KeepsTheNewestCheckpoints) {
    const TemporaryFolder run;
    train::CheckpointFolder folder(run.path().string(), 3);
    for (const std::uint64_t step : {5, 10, 15, 20, 25}) store_step(folder, step);
    folder.wait();
    EXPECT_EQ(file_names(run), (Names{"checkpoint-15.h5", "checkpoint-20.h5", "checkpoint.h5"}));
    const auto found = train::newest_checkpoint(run.path().string());
    ASSERT_TRUE(found);
    EXPECT_EQ(found->checkpoint.adam.step, 25U);
    EXPECT_TRUE(found->skipped.empty());
}

TEST(CheckpointFolder, ResumesFromTheNewestIntactCheckpoint) {
    const TemporaryFolder run;
    const std::string path = run.path().string();
    {
        train::CheckpointFolder folder(path, 4);
        for (const std::uint64_t step : {5, 10, 15}) store_step(folder, step);
    }
    flip_a_bit(run.file("checkpoint.h5"));
    fs::resize_file(run.file("checkpoint-10.h5"), 1000);

    const auto found = train::newest_checkpoint(path);

    ASSERT_TRUE(found);
    EXPECT_EQ(found->checkpoint.adam.step, 5U);
    EXPECT_EQ(found->path, path + "/checkpoint-5.h5");
    ASSERT_EQ(found->skipped.size(), 2U);
    EXPECT_NE(found->skipped[0].find("checkpoint.h5: the file is damaged"), std::string::npos)
        << found->skipped[0];

    // The next store removes the damaged checkpoints and keeps the one that training resumed from.
    train::CheckpointFolder folder(path, 4);
    folder.resume_from(*found);
    store_step(folder, 10);
    folder.wait();
    EXPECT_EQ(file_names(run), (Names{"checkpoint-5.h5", "checkpoint.h5"}));
}

TEST(CheckpointFolder, ReturnsNothingWithoutCheckpointsAndThrowsIfAllAreDamaged) {
    const TemporaryFolder run;
    EXPECT_FALSE(train::newest_checkpoint(run.path().string()));
    std::ofstream(run.file("checkpoint.h5")) << "damaged";
    EXPECT_THROW(train::newest_checkpoint(run.path().string()), popflow::core::DataError);
}

TEST(CheckpointFolder, NewTrainingRemovesOlderCheckpoints) {
    const TemporaryFolder run;
    {
        train::CheckpointFolder folder(run.path().string(), 3);
        for (const std::uint64_t step : {5, 10, 15}) store_step(folder, step);
    }
    train::CheckpointFolder folder(run.path().string(), 3);
    store_step(folder, 5);
    store_step(folder, 10);
    folder.wait();
    EXPECT_EQ(file_names(run), (Names{"checkpoint-5.h5", "checkpoint.h5"}));
}

TEST(CheckpointFolder, RethrowsAWriterErrorInTheNextCall) {
    const TemporaryFolder run;
    train::CheckpointFolder folder(run.path().string(), 2);
    store_step(folder, 5);
    folder.wait();
    fs::create_directory(run.file("checkpoint.h5.tmp"));
    store_step(folder, 10);
    EXPECT_THROW(store_step(folder, 15), popflow::core::DataError);
    EXPECT_EQ(train::newest_checkpoint(run.path().string())->checkpoint.adam.step, 5U);
}

TEST(CheckpointFolder, DetectsEveryChangedByte) {
    const TemporaryFolder run;
    const std::string path = run.file("c.h5");
    train::write_checkpoint(path, checkpoint_at(3));
    const auto size = fs::file_size(path);
    const auto toggle_bits = [&](std::uintmax_t at, int bits) {
        std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
        file.seekg(static_cast<std::streamoff>(at));
        const int byte = file.get();
        file.seekp(static_cast<std::streamoff>(at));
        file.put(static_cast<char>(byte ^ bits));
    };
    // The prefix of the checksum trailer is exempt. Without it the reader still verifies the checksum of the
    // content.
    for (std::uintmax_t at = 0; at < size - 34; at += 37) {
        toggle_bits(at, 16);
        EXPECT_THROW(train::read_checkpoint(path), popflow::core::DataError) << at;
        toggle_bits(at, 16);
    }
    EXPECT_EQ(train::read_checkpoint(path).adam.step, 3U);
    toggle_bits(size - 30, 16);
    EXPECT_EQ(train::read_checkpoint(path).adam.step, 3U);
}
