// SPDX-License-Identifier: MIT
#include "eval/partial_results.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/error.hpp"
#include "support/file_bytes.hpp"
#include "support/mpi_session.hpp"
#include "support/temporary_folder.hpp"

using popflow::eval::EvaluationIdentity;
using popflow::eval::Leftover;
using popflow::eval::TaskRecord;
namespace eval = popflow::eval;
namespace fs = std::filesystem;
using Items = std::vector<std::size_t>;

namespace {

const EvaluationIdentity identity{{"seed", "1"}, {"tolerance", "1e-4"}};

TaskRecord record_of(std::size_t item, const std::string& text = "scores") {
    return {.item = item, .text = text};
}

class PartialResults : public popflow::support::WithMpi {
  protected:
    // Starts an evaluation. The result file of all starts is the same.
    eval::PartialResults start(const EvaluationIdentity& now = identity, Leftover leftover = Leftover::keep) {
        return {results_, now, leftover, popflow::mpi::Communicator::world()};
    }
    // Stores records as one start of the program.
    void store(const Items& items) {
        eval::PartialResults partial = start();
        for (const std::size_t item : items)
            partial.add(record_of(item, "scores of " + std::to_string(item)));
    }
    // Number of files that all starts have written.
    std::size_t n_files() const {
        std::size_t n = 0;
        for ([[maybe_unused]] const auto& entry : fs::directory_iterator(partial_folder_)) ++n;
        return n;
    }
    std::string file(const std::string& name) const { return partial_folder_ + "/" + name; }

    popflow::support::TemporaryFolder folder_;
    std::string results_ = folder_.file("r.h5");
    std::string partial_folder_ = results_ + ".partial";
};

}  // namespace

TEST_F(PartialResults, StartWithAnEmptyFolder) {
    const eval::PartialResults partial = start();
    EXPECT_EQ(partial.folder(), partial_folder_);
    EXPECT_TRUE(fs::is_directory(partial_folder_));
    EXPECT_TRUE(partial.kept().empty());
    EXPECT_TRUE(partial.kept_items().empty());
    EXPECT_EQ(n_files(), 0U) << "a start without a scored pair writes no file";
}

TEST_F(PartialResults, KeepRecordsInAscendingOrder) {
    store({5, 2});
    const eval::PartialResults partial = start();
    EXPECT_EQ(partial.kept_items(), (Items{2, 5}));
    ASSERT_EQ(partial.kept().size(), 2U);
    EXPECT_EQ(partial.kept()[0].item, 2U);
    EXPECT_EQ(partial.kept()[1].item, 5U);
    EXPECT_EQ(partial.kept()[1].text, "scores of 5");
}

TEST_F(PartialResults, KeepTheRecordsOfAllStarts) {
    store({5});
    store({2, 7});
    store({});
    EXPECT_EQ(n_files(), 2U);
    EXPECT_EQ(start().kept_items(), (Items{2, 5, 7}));
    EXPECT_EQ(start(identity, Leftover::keep_if_same_identity).kept_items(), (Items{2, 5, 7}));
}

TEST_F(PartialResults, SkipIncompleteRecords) {
    eval::PartialResults partial = start();
    TaskRecord failed = record_of(3);
    failed.is_complete = false;
    partial.add(failed);
    EXPECT_EQ(n_files(), 0U);
    partial.add(record_of(4));
    EXPECT_EQ(start().kept_items(), (Items{4}));
}

TEST_F(PartialResults, AreOnDiskBeforeTheEvaluationEnds) {
    eval::PartialResults running = start();
    running.add(record_of(1));
    EXPECT_EQ(start().kept_items(), (Items{1}));
    running.add(record_of(2));
    EXPECT_EQ(start().kept_items(), (Items{1, 2}));
}

TEST_F(PartialResults, RefuseAnotherIdentity) {
    store({5});
    const auto message = [&](const EvaluationIdentity& now) -> std::string {
        try {
            start(now);
        } catch (const popflow::core::ConfigError& error) {
            EXPECT_EQ(error.key, "resume");
            return error.what();
        }
        return "no exception";
    };
    const std::string start_of_message =
        "resume: '" + partial_folder_ + "' belongs to a different evaluation: ";
    const std::string advice = ". Omit --resume to start again";
    EXPECT_EQ(message({{"seed", "1"}, {"tolerance", "1e-3"}}),
              start_of_message + "tolerance: found '1e-3', was '1e-4'" + advice);
    EXPECT_EQ(message({{"seed", "1"}}), start_of_message + "tolerance: found '', was '1e-4'" + advice);
    EXPECT_EQ(message({{"draw", "first"}, {"seed", "1"}, {"tolerance", "1e-4"}}),
              start_of_message + "draw: found 'first', was ''" + advice);
    EXPECT_EQ(start().kept_items(), (Items{5})) << "the refused start left the pairs unchanged";
}

TEST_F(PartialResults, DiscardAnotherIdentityOnRequest) {
    store({5});
    store({6});
    const eval::PartialResults partial =
        start({{"seed", "2"}, {"tolerance", "1e-4"}}, Leftover::keep_if_same_identity);
    EXPECT_TRUE(partial.kept_items().empty());
    EXPECT_TRUE(partial.kept().empty());
    EXPECT_EQ(n_files(), 0U);
    EXPECT_TRUE(fs::is_directory(partial_folder_));
}

TEST_F(PartialResults, DiscardTheSameIdentityOnRequest) {
    store({5});
    EXPECT_TRUE(start(identity, Leftover::discard).kept_items().empty());
    EXPECT_EQ(n_files(), 0U);
}

TEST_F(PartialResults, EndAFileAtATruncatedRecord) {
    store({5});
    const std::uintmax_t one_record = fs::file_size(file("1-0"));
    fs::remove(file("1-0"));
    store({5, 6});
    const std::string name = file("1-0");
    const std::uintmax_t complete = fs::file_size(name);
    ASSERT_GT(complete, one_record);
    // Cuts the second pair within its content, within its header, and completely.
    for (const std::uintmax_t size : {complete - 1, one_record + 25, one_record + 3, one_record}) {
        fs::resize_file(name, size);
        EXPECT_EQ(start().kept_items(), (Items{5})) << size << " of " << complete << " bytes";
    }
    fs::resize_file(name, one_record - 1);
    EXPECT_TRUE(start().kept_items().empty());
}

TEST_F(PartialResults, EndAFileAtADamagedRecord) {
    store({5});
    const std::uintmax_t one_record = fs::file_size(file("1-0"));
    fs::remove(file("1-0"));
    store({5, 6, 7});
    // A changed byte in the content of the record of pair 6 does not match its checksum.
    const std::size_t at = one_record + 24 + 1;
    const char byte = popflow::support::file_bytes(file("1-0"))[at];
    popflow::support::put_bytes(file("1-0"), at, std::string(1, static_cast<char>(byte ^ 1)));
    EXPECT_EQ(start().kept_items(), (Items{5}));
    popflow::support::put_bytes(file("1-0"), at, std::string(1, byte));
    EXPECT_EQ(start().kept_items(), (Items{5, 6, 7}));
}

TEST_F(PartialResults, IgnoreAnImpossibleRecordLength) {
    store({5});
    const std::uintmax_t one_record = fs::file_size(file("1-0"));
    fs::remove(file("1-0"));
    store({5, 6});
    popflow::support::put_bytes(file("1-0"), one_record + 8, std::string(8, '\xff'));
    EXPECT_EQ(start().kept_items(), (Items{5}));
}

TEST_F(PartialResults, NeverAppendToADamagedFile) {
    store({5, 6});
    fs::resize_file(file("1-0"), fs::file_size(file("1-0")) - 1);
    store({6});
    EXPECT_TRUE(fs::exists(file("2-0")));
    EXPECT_EQ(start().kept_items(), (Items{5, 6}));
}

TEST_F(PartialResults, IgnoreFilesOfAnotherFormat) {
    store({5});
    std::ofstream(file("notes.txt")) << "a text that is longer than the header of a record";
    EXPECT_EQ(start().kept_items(), (Items{5}));
}

TEST_F(PartialResults, RemoveTheirFolder) {
    eval::PartialResults partial = start();
    partial.add(record_of(1));
    partial.remove();
    EXPECT_FALSE(fs::exists(partial_folder_));
}

TEST_F(PartialResults, ThrowIfTheFolderCannotBeCreated) {
    std::ofstream(folder_.file("file")) << "no folder";
    results_ = folder_.file("file") + "/r.h5";
    try {
        start();
        FAIL() << "no exception";
    } catch (const popflow::core::DataError& error) {
        EXPECT_EQ(error.file, results_ + ".partial");
    }
}

TEST_F(PartialResults, ThrowInsteadOfOverwritingTheFileOfAnotherProgram) {
    eval::PartialResults one = start();
    eval::PartialResults two = start();
    one.add(record_of(1));
    try {
        two.add(record_of(2));
        FAIL() << "no exception";
    } catch (const popflow::core::DataError& error) {
        EXPECT_EQ(error.file, file("1-0"));
    }
    EXPECT_EQ(start().kept_items(), (Items{1}));
}
