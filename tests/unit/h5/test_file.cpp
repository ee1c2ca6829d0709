// SPDX-License-Identifier: MIT
#include "h5/file.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>

#include "core/error.hpp"
#include "h5/dataframe.hpp"
#include "support/temporary_folder.hpp"

namespace h5 = popflow::h5;
using popflow::core::DataError;
using popflow::support::TemporaryFolder;

namespace {

std::string read_bytes(const std::string& path) {
    std::ifstream stream(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

std::string error_message(const std::function<void()>& action) {
    try {
        action();
    } catch (const DataError& error) {
        return error.what();
    }
    return "no error";
}

void write_every_kind_of_object(const std::string& path) {
    h5::AtomicFile file(path);
    h5::Group root = file.root();
    h5::Group group = root.create_group("group");
    group.write_attribute("text", "Zürich");
    group.write("numbers", std::vector<double>{1, 2, 3}, {.deflate = 9});
    group.write_strings("strings", std::vector<std::string>{"a", "", "ccc"});
    h5::DataFrame table;
    table.add_categorical("culture", {"PDO", "F"});
    table.add_bools("ok", {1, 0});
    h5::write_dataframe(root, "table", table);
    file.commit();
}

}  // namespace

TEST(AtomicFile, AppearsOnlyAfterCommit) {
    const TemporaryFolder folder;
    const std::string path = folder.file("a.h5");
    {
        h5::AtomicFile file(path);
        EXPECT_TRUE(std::filesystem::exists(path + ".tmp"));
        EXPECT_FALSE(std::filesystem::exists(path));
        file.commit();
        EXPECT_TRUE(std::filesystem::exists(path));
    }
    EXPECT_TRUE(std::filesystem::exists(path));
    EXPECT_FALSE(std::filesystem::exists(path + ".tmp"));
}

TEST(AtomicFile, KeepsTheOldFileWithoutCommit) {
    const TemporaryFolder folder;
    const std::string path = folder.file("a.h5");
    write_every_kind_of_object(path);
    const std::string before = read_bytes(path);

    {
        h5::AtomicFile file(path);
        h5::Group root = file.root();
        root.write_string("x", "y");
    }

    EXPECT_EQ(read_bytes(path), before);
    EXPECT_FALSE(std::filesystem::exists(path + ".tmp"));
}

TEST(AtomicFile, CommitClosesOpenObjects) {
    const TemporaryFolder folder;
    const std::string path = folder.file("a.h5");
    h5::AtomicFile file(path);
    h5::Group root = file.root();
    const h5::Dataset dataset = root.write("x", std::vector<float>{1, 2});

    file.commit();

    EXPECT_EQ(h5::open_file(path).open_dataset("x").read<float>(), (std::vector<float>{1, 2}));
}

TEST(AtomicFile, EqualContentGivesEqualBytes) {
    const TemporaryFolder folder;
    write_every_kind_of_object(folder.file("a.h5"));
    ::sleep(1);  // HDF5 time stamps would count seconds
    write_every_kind_of_object(folder.file("b.h5"));

    EXPECT_EQ(read_bytes(folder.file("a.h5")), read_bytes(folder.file("b.h5")));
}

TEST(AtomicFile, ReportsAnUnwritablePathInOneLine) {
    const TemporaryFolder folder;
    const std::string path = folder.file("no/such/folder/a.h5");

    EXPECT_EQ(error_message([&] { h5::AtomicFile file(path); }),
              path + ": cannot create: No such file or directory");
}

TEST(AtomicFile, ProcessesMayWriteIntoAContiguousArrayAfterClose) {
    const TemporaryFolder folder;
    const std::string path = folder.file("a.h5");
    h5::AtomicFile file(path);
    std::uint64_t offset = 0;
    {
        h5::Group root = file.root();
        offset = root.create_contiguous("x", h5::Element::float32, {3, 2}).file_offset();
    }
    file.close();
    const std::vector<float> values{1, 2, 3, 4, 5, 6};

    const int fd = ::open(file.temporary_path().c_str(), O_WRONLY);
    // Writes the later rows first, because the order must not matter.
    const auto done = ::pwrite(fd, values.data() + 2, 16, static_cast<off_t>(offset + 8)) +
                      ::pwrite(fd, values.data(), 8, static_cast<off_t>(offset));
    ::close(fd);
    file.commit();

    EXPECT_EQ(done, 24);
    const h5::Dataset x = h5::open_file(path).open_dataset("x");
    EXPECT_EQ(x.shape(), (std::vector<std::size_t>{3, 2}));
    EXPECT_EQ(x.read<float>(), values);
}

TEST(AtomicFile, ProcessesMayWriteIntoAllocatedChunks) {
    const TemporaryFolder folder;
    const std::string path = folder.file("a.h5");
    h5::AtomicFile file(path);
    {
        h5::Group root = file.root();
        root.create_allocated_chunks("x", h5::Element::float32, {3, 2}, 2);
    }
    file.close();
    std::array<std::uint64_t, 2> offsets{};
    {
        const h5::Dataset x = h5::open_file(file.temporary_path()).open_dataset("x");
        offsets = {x.chunk_offset(0), x.chunk_offset(2)};
    }

    const std::vector<float> values{1, 2, 3, 4, 5, 6};
    const int fd = ::open(file.temporary_path().c_str(), O_WRONLY);
    const auto done = ::pwrite(fd, values.data() + 4, 8, static_cast<off_t>(offsets[1])) +
                      ::pwrite(fd, values.data(), 16, static_cast<off_t>(offsets[0]));
    ::close(fd);
    file.commit();

    EXPECT_EQ(done, 24);
    const h5::Dataset x = h5::open_file(path).open_dataset("x");
    EXPECT_EQ(x.chunk_rows(), 2U);
    EXPECT_EQ(x.read<float>(), values);
}

TEST(AtomicFile, ProcessesMayWriteIntoAContiguousArrayOfStrings) {
    const TemporaryFolder folder;
    const std::string path = folder.file("a.h5");
    h5::AtomicFile file(path);
    std::uint64_t offset = 0;
    {
        h5::Group root = file.root();
        offset = root.create_contiguous_strings("names", 3, 3).file_offset();
    }
    file.close();

    const int fd = ::open(file.temporary_path().c_str(), O_WRONLY);
    const auto done = ::pwrite(fd, "ab\0abcx\0\0", 9, static_cast<off_t>(offset));
    ::close(fd);
    file.commit();

    EXPECT_EQ(done, 9);
    EXPECT_EQ(h5::open_file(path).open_dataset("names").read_strings(),
              (std::vector<std::string>{"ab", "abc", "x"}));
}

TEST(OpenFile, ReportsTheReason) {
    const TemporaryFolder folder;
    const std::string text = folder.file("text.h5");
    std::ofstream(text) << "cells";

    EXPECT_EQ(error_message([&] { h5::open_file(folder.file("none.h5")); }),
              folder.file("none.h5") + ": cannot open: No such file or directory");
    EXPECT_EQ(error_message([&] { h5::open_file(text); }), text + ": is not an HDF5 file");
    EXPECT_EQ(error_message([&] { h5::open_file(folder.path().string()); }),
              folder.path().string() + ": found a folder. Give an HDF5 file");
}

TEST(OpenFile, NamesAFileThatThisProcessHasOpenWithOtherProperties) {
    const TemporaryFolder folder;
    const std::string path = folder.file("a.h5");
    write_every_kind_of_object(path);
    {
        h5::WritableFile other(path, path);  // closes its objects with the file, which open_file() does not
        EXPECT_EQ(error_message([&] { h5::open_file(path); }),
                  path +
                      ": is open in this process with other properties, for example in h5py or as a backed "
                      "AnnData. Close it first");
    }
    EXPECT_TRUE(h5::open_file(path).contains_group("group"));
}

TEST(OpenFile, ThrowsForATruncatedFile) {
    const TemporaryFolder folder;
    const std::string path = folder.file("a.h5");
    write_every_kind_of_object(path);
    std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);

    EXPECT_THROW(h5::open_file(path), DataError);
}
