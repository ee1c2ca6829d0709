// SPDX-License-Identifier: MIT
// Chunks that are shorter than their shape, in a process without a FileGuard.
#include "h5/hardening/chunk_sizes.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "core/error.hpp"
#include "h5/file.hpp"
#include "support/file_bytes.hpp"
#include "support/temporary_folder.hpp"

namespace h5 = popflow::h5;
using popflow::support::offset_of_words;
using popflow::support::replace_words;
using popflow::support::TemporaryFolder;

namespace {

class ShortChunk : public testing::Test {
  protected:
    template <class Fill>
    void write(Fill fill) const {
        h5::AtomicFile file(path);
        h5::Group root = file.root();
        fill(root);
        file.commit();
    }

    // Makes the chunk that begins with `row` look as if it had not passed through its filters. Returns
    // its number of bytes.
    std::string skip_filters(std::uint32_t row) const {
        // An entry of the chunk index: stored bytes, mask of skipped filters, first row, end of the entry.
        const auto entry = [row](std::uint32_t bytes, std::uint32_t mask) {
            return std::vector<std::uint32_t>{bytes, mask, row, 0, 0, 0};
        };
        std::uint32_t bytes = 1;
        while (offset_of_words(path, entry(bytes, 0)) == std::string::npos && bytes < 80) ++bytes;
        replace_words(path, entry(bytes, 0), entry(bytes, 3));
        return std::to_string(bytes);
    }

    // Returns the error message of `read`, without the path of the file.
    template <class Read>
    std::string error_message(Read read) const {
        try {
            read(h5::open_file(path));
        } catch (const popflow::core::DataError& error) {
            return std::string(error.what()).substr(path.size() + 2);
        }
        return "";
    }

    const TemporaryFolder folder;
    const std::string path = folder.file("a.h5");
};

}  // namespace

TEST_F(ShortChunk, OfNumbersIsRefusedWhereItsRowsAreRead) {
    write([](h5::Group& root) {
        root.write("x", std::vector<double>(30, 7.0), {.chunk_rows = 10, .deflate = 4});
    });
    const std::string bytes = skip_filters(10);
    const auto rows = [](std::size_t first, std::size_t count) {
        return [=](const h5::Group& root) {
            std::vector<double> values(count);
            root.open_dataset("x").read_rows(first, count, std::span<double>(values));
            EXPECT_EQ(values, std::vector<double>(count, 7.0));
        };
    };
    EXPECT_EQ(error_message(rows(0, 10)), "");
    EXPECT_EQ(error_message(rows(20, 10)), "");
    const std::string message = "x: is damaged: a chunk has " + bytes + " bytes, but must have 80";
    EXPECT_EQ(error_message(rows(10, 10)), message);
    EXPECT_EQ(error_message(rows(9, 2)), message);
    EXPECT_EQ(error_message(rows(0, 30)), message);
}

TEST_F(ShortChunk, OfStringsIsRefused) {
    write([](h5::Group& root) {
        root.write_strings("names", std::vector<std::string>(20, ""),
                           {.chunk_rows = 10, .deflate = 4, .shuffle = false});
    });
    const auto read = [](const h5::Group& root) {
        EXPECT_EQ(root.open_dataset("names").read_strings(), std::vector<std::string>(20, ""));
    };
    EXPECT_EQ(error_message(read), "");
    const std::string bytes = skip_filters(10);
    EXPECT_EQ(error_message(read), "names: is damaged: a chunk has " + bytes + " bytes, but must have 160");
}

TEST_F(ShortChunk, ThatCannotBeDecodedIsRefused) {
    write([](h5::Group& root) {
        root.write("x", std::vector<double>(30, 7.0), {.chunk_rows = 10, .deflate = 4});
    });
    const std::string bytes = popflow::support::file_bytes(path);
    const std::size_t at = bytes.rfind("\x78\x5e");  // begin of the last zlib stream
    ASSERT_NE(at, std::string::npos);
    popflow::support::put_bytes(path, at, "\xff");
    EXPECT_EQ(error_message([](const h5::Group& root) { (void)root.open_dataset("x").read<double>(); }),
              "x: cannot read values: a chunk is damaged");
}
