// SPDX-License-Identifier: MIT
#include "core/stored_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "core/digest.hpp"
#include "core/error.hpp"
#include "support/temporary_folder.hpp"

namespace core = popflow::core;
using popflow::support::TemporaryFolder;

namespace {

void store(const std::string& path, const std::string& text) {
    core::store_file(path, std::as_bytes(std::span(text)));
}

std::string digest_of(const std::string& text) {
    core::Digest digest;
    digest.add(text);
    return digest.text();
}

}  // namespace

TEST(StoredFile, ReplacesTheFileAndLeavesNoTemporaryFile) {
    const TemporaryFolder folder;
    store(folder.file("a"), "old");
    store(folder.file("a"), "the new one");
    EXPECT_EQ(core::file_contents(folder.file("a")), "the new one");
    EXPECT_FALSE(std::filesystem::exists(folder.file("a.tmp")));
}

TEST(StoredFile, ReadsAFileAndNothingElse) {
    const TemporaryFolder folder;
    const std::string bytes = std::string(40000, 'a') + '\0' + "\r\n";
    store(folder.file("a"), bytes);
    store(folder.file("empty"), "");
    std::filesystem::create_directory(folder.file("b"));
    EXPECT_EQ(core::file_contents(folder.file("a")), bytes);
    EXPECT_EQ(core::file_contents(folder.file("empty")), "");
    EXPECT_EQ(core::file_contents(folder.file("b")), std::nullopt);
    EXPECT_EQ(core::file_contents(folder.file("none")), std::nullopt);
}

TEST(StoredFile, RefusesPathsThatCannotBeWritten) {
    const TemporaryFolder folder;
    std::filesystem::create_directory(folder.file("a"));
    std::filesystem::create_directory(folder.file("b.tmp"));
    EXPECT_THROW(store(folder.file("a"), "x"), core::DataError);
    EXPECT_THROW(core::check_can_create(folder.file("a")), core::DataError);
    EXPECT_THROW(core::check_can_create(folder.file("b")), core::DataError);
    EXPECT_THROW(store(folder.file("none/a"), "x"), core::DataError);
}

TEST(StoredFile, ReplacesTheTargetOfASymbolicLink) {
    const TemporaryFolder folder;
    std::filesystem::create_directory(folder.file("other"));
    store(folder.file("other/target"), "old");
    std::filesystem::create_symlink("other/target", folder.file("link"));
    std::filesystem::create_symlink("other/new", folder.file("dangling"));
    store(folder.file("link"), "one");
    store(folder.file("dangling"), "two");
    EXPECT_TRUE(std::filesystem::is_symlink(folder.file("link")));
    EXPECT_TRUE(std::filesystem::is_symlink(folder.file("dangling")));
    EXPECT_EQ(core::file_contents(folder.file("other/target")), "one");
    EXPECT_EQ(core::file_contents(folder.file("other/new")), "two");
}

TEST(StoredFile, RefusesDevicesAndPipes) {
    const TemporaryFolder folder;
    ASSERT_EQ(::mkfifo(folder.file("pipe").c_str(), 0600), 0);
    std::filesystem::create_symlink("/dev/null", folder.file("link"));
    for (const std::string& path : {folder.file("pipe"), folder.file("link"), std::string("/dev/null")}) {
        EXPECT_THROW(store(path, "x"), core::DataError) << path;
        EXPECT_THROW(core::check_can_create(path), core::DataError) << path;
    }
    EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
}

TEST(StoredFile, ThrowsAWriteErrorIfTheDiskIsFull) {
    if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full";
    const TemporaryFolder folder;
    store(folder.file("a"), "old");
    std::filesystem::create_symlink("/dev/full", folder.file("a.tmp"));
    try {
        store(folder.file("a"), "new");
        FAIL() << "no error";
    } catch (const core::WriteError& error) {
        EXPECT_EQ(std::string(error.what()), folder.file("a") + ": cannot write: No space left on device");
    }
    EXPECT_EQ(core::file_contents(folder.file("a")), "old");
}

TEST(Digest, ChangesWithEveryBit) {
    const std::string text = "nineteen characters";
    const std::string before = digest_of(text);
    EXPECT_EQ(before.size(), 16U);
    for (std::size_t i = 0; i < text.size(); ++i) {
        for (unsigned bit = 0; bit < 8; ++bit) {
            std::string changed = text;
            changed[i] = static_cast<char>(changed[i] ^ (1U << bit));
            EXPECT_NE(digest_of(changed), before);
        }
    }
}

TEST(Digest, DependsOnTheLengthsOfItsParts) {
    EXPECT_NE(digest_of(""), digest_of(std::string(1, '\0')));
    core::Digest a;
    a.add("ab");
    a.add("c");
    core::Digest b;
    b.add("a");
    b.add("bc");
    EXPECT_NE(a.text(), b.text());
}
