// SPDX-License-Identifier: MIT
#include "h5/hardening/stored_size.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <limits>

#include "core/error.hpp"
#include "h5/file.hpp"
#include "support/file_bytes.hpp"
#include "support/temporary_folder.hpp"

namespace h5 = popflow::h5;

TEST(BoundedProduct, SaturatesAtTheLargestNumber) {
    EXPECT_EQ(h5::bounded_product({2, 3}, 4), 24U);
    EXPECT_EQ(h5::bounded_product({}, 8), 8U);
    EXPECT_EQ(h5::bounded_product({0, std::size_t{1} << 63, 4}), 0U);
    EXPECT_EQ(h5::bounded_product({std::size_t{1} << 40, std::size_t{1} << 40}),
              std::numeric_limits<std::size_t>::max());
}

TEST(StoredSize, AcceptsCompressedZerosAndRefusesMissingValues) {
    const popflow::support::TemporaryFolder folder;
    const std::string path = folder.file("a.h5");
    const std::size_t n = std::size_t{4} << 20;
    {
        h5::AtomicFile file(path);
        h5::Group root = file.root();
        root.write("zeros", std::vector<float>(n, 0), {.deflate = 9});
        root.create_dataset("nothing", h5::Element::float32, {n});
        file.commit();
    }
    const h5::Group root = h5::open_file(path);
    EXPECT_EQ(root.open_dataset("zeros").read<float>(), std::vector<float>(n, 0));
    try {
        root.open_dataset("nothing");
        FAIL() << "no error";
    } catch (const popflow::core::DataError& error) {
        EXPECT_EQ(std::string(error.what()).substr(path.size() + 2),
                  "nothing: found a shape of 4194304, but only 0 bytes of values, too few for this shape");
    }
}

TEST(StoredText, StringsThatShareTheirTextAreReportedAsDamage) {
    const popflow::support::TemporaryFolder folder;
    const std::string path = folder.file("shared.h5");
    constexpr std::uint32_t length = 900000;
    std::vector<std::string> values(12, "b");
    values[0] = std::string(length, 'a');
    {
        h5::AtomicFile file(path);
        file.root().write_strings("names", values);
        file.commit();
    }
    EXPECT_EQ(h5::open_file(path).open_dataset("names").read_strings(), values);
    // The file stores a string as its length (4 bytes) and its location (12 bytes). All strings get those of
    // the first.
    std::string bytes = popflow::support::file_bytes(path);
    const std::string wanted(reinterpret_cast<const char*>(&length), sizeof length);
    const std::size_t first = bytes.find(wanted);
    ASSERT_NE(first, std::string::npos);
    for (std::size_t i = 1; i < values.size(); ++i) bytes.replace(first + 16 * i, 16, bytes, first, 16);
    std::ofstream(path, std::ios::binary) << bytes;
    EXPECT_THROW(h5::open_file(path).open_dataset("names").read_strings(), popflow::core::DataError);
}
