// SPDX-License-Identifier: MIT
#include "h5/hardening/file_guard.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "core/error.hpp"
#include "h5/file.hpp"
#include "support/file_bytes.hpp"
#include "support/temporary_folder.hpp"

namespace h5 = popflow::h5;
using popflow::support::replace_words;
using popflow::support::TemporaryFolder;

namespace {

std::string error_message(const std::string& path) {
    try {
        h5::open_file(path);
    } catch (const popflow::core::DataError& error) {
        return std::string(error.what()).substr(path.size() + 2);
    }
    return "";
}

// Returns the error message of a valid file with a compressed X after `old_words` became `new_words`.
std::string gzip_error_after_replacing(const std::vector<std::uint32_t>& old_words,
                                       const std::vector<std::uint32_t>& new_words) {
    const TemporaryFolder folder;
    const std::string path = folder.file("a.h5ad");
    std::filesystem::copy_file(POPFLOW_TEST_DATA "/anndata/dense_float64_gzip.h5ad", path);
    const h5::FileGuard guard;
    EXPECT_EQ(error_message(path), "");
    replace_words(path, old_words, new_words);
    return error_message(path);
}

void write_small(const std::string& path) {
    h5::AtomicFile file(path);
    h5::Group root = file.root();
    root.write("x", std::vector<double>{1, 2, 3});
    root.write_strings("names", std::vector<std::string>{"a", "b"});
    file.commit();
}

// A valid file. After claim_gigabytes(), HDF5 allocates memory for an object before it checks the object's
// size.
class FileGuardOfMemory : public testing::Test {
  protected:
    void SetUp() override {
#ifdef __SANITIZE_ADDRESS__
        GTEST_SKIP() << "AddressSanitizer reserves terabytes, so memory cannot be limited";
#endif
        std::filesystem::copy_file(POPFLOW_TEST_DATA "/anndata/dense_int32_chunks.h5ad", path);
    }

    // Overwrites the header size of a member of the root group.
    void claim_gigabytes() const {
        std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
        file.seekg(24072);
        ASSERT_EQ(file.get(), 176);
        file.seekp(24072);
        file.write("\xff\xff\xff\x7f", 4);
    }

    const TemporaryFolder folder;
    const std::string path = folder.file("a.h5ad");
};

}  // namespace

TEST(FileGuard, AcceptsValidFiles) {
    const TemporaryFolder folder;
    const h5::FileGuard guard;
    write_small(folder.file("a.h5"));
    EXPECT_EQ(error_message(folder.file("a.h5")), "");
    EXPECT_EQ(error_message(folder.file("a.h5")), "");
    EXPECT_EQ(h5::open_file(folder.file("a.h5")).open_dataset("x").read<double>(),
              (std::vector<double>{1, 2, 3}));
}

TEST(FileGuard, ReportsMissingAndForeignFilesLikeAnUnguardedReader) {
    const TemporaryFolder folder;
    const h5::FileGuard guard;
    std::ofstream(folder.file("text.h5")) << "no HDF5 here";
    EXPECT_EQ(error_message(folder.file("none.h5")), "cannot open: No such file or directory");
    EXPECT_EQ(error_message(folder.file("text.h5")), "is not an HDF5 file");
}

TEST(FileGuard, RefusesAGroupWithoutAListOfItsMembers) {
    const TemporaryFolder folder;
    const std::string path = folder.file("a.h5");
    write_small(path);
    const h5::FileGuard guard;
    EXPECT_EQ(error_message(path), "");
    replace_words(path, {0x50414548}, {0});  // "HEAP": signature of the names of the root's members
    EXPECT_EQ(error_message(path), "is damaged: the members or attributes of an object cannot be listed");
}

TEST(FileGuard, RefusesChunksThatAreShorterThanTheirShape) {
    // Chunk shape, in the layout message of X.
    EXPECT_EQ(gzip_error_after_replacing({48, 5, 8}, {48, 255, 8}),
              "is damaged: a chunk of X has 1920 bytes, but must have 97920");
    // Chunk size and mask of skipped filters, in the chunk index.
    EXPECT_EQ(gzip_error_after_replacing({290, 0}, {290, 1}),
              "is damaged: a chunk of X has 290 bytes, but must have 1920");
}

TEST_F(FileGuardOfMemory, RefusesAnObjectThatClaimsGigabytes) {
    const h5::FileGuard guard;
    EXPECT_EQ(error_message(path), "");
    claim_gigabytes();
    EXPECT_EQ(error_message(path), "is damaged: reading it needs far more memory than its size allows for");
}

TEST_F(FileGuardOfMemory, WithoutAGuardTheErrorNamesTheFile) {
    claim_gigabytes();
    const auto read = [&] {
        const rlimit limit{std::size_t{1} << 30U, std::size_t{1} << 30U};
        ::setrlimit(RLIMIT_DATA, &limit);
        std::string found;
        const h5::Group root = h5::open_file(path);
        for (const char* name : {"X", "obs", "uns", "var"}) {
            try {
                (void)root.contains_group(name);
            } catch (const popflow::core::DataError& error) {
                found = error.what();
            }
        }
        std::exit(found.ends_with("cannot open: not enough memory, or the file is damaged") ? 0 : 1);
    };
    EXPECT_EXIT(read(), testing::ExitedWithCode(0), "");
}

TEST(FileGuard, ChecksAChangedFileAgain) {
    const TemporaryFolder folder;
    const std::string path = folder.file("a.h5");
    const h5::FileGuard guard;
    write_small(path);
    EXPECT_EQ(error_message(path), "");
    std::filesystem::resize_file(path, 100);
    EXPECT_NE(error_message(path), "");
}

TEST(OpenFile, RefusesAPipe) {
    const TemporaryFolder folder;
    ASSERT_EQ(::mkfifo(folder.file("pipe").c_str(), 0600), 0);
    EXPECT_EQ(error_message(folder.file("pipe")), "found a device or pipe. Give an HDF5 file");
}

// The last test, because it takes a moment until a thread that was joined has disappeared.
TEST(StartOfAFileGuard, NeedsASingleThread) {
#ifdef __SANITIZE_THREAD__
    GTEST_SKIP() << "ThreadSanitizer has a thread of its own";
#endif
    EXPECT_TRUE(h5::FileGuard::can_start());
    std::atomic<bool> stop{false};
    std::thread thread([&] { stop.wait(false); });
    EXPECT_FALSE(h5::FileGuard::can_start());
    EXPECT_THROW(const h5::FileGuard guard, popflow::core::Error);
    EXPECT_EQ(h5::FileGuard::current(), nullptr);
    EXPECT_FALSE(h5::FileGuard::contains_crashes());
    stop = true;
    stop.notify_all();
    thread.join();
}
