// SPDX-License-Identifier: MIT
#include "h5/stored_size.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "core/error.hpp"
#include "h5/file.hpp"
#include "support/temporary_folder.hpp"

namespace h5 = popflow::h5;

TEST(BoundedProduct, StopsAtTheLargestNumber) {
    EXPECT_EQ(h5::bounded_product({2, 3}, 4), 24U);
    EXPECT_EQ(h5::bounded_product({}, 8), 8U);
    EXPECT_EQ(h5::bounded_product({0, std::size_t{1} << 63, 4}), 0U);
    EXPECT_EQ(h5::bounded_product({std::size_t{1} << 40, std::size_t{1} << 40}),
              std::numeric_limits<std::size_t>::max());
}

TEST(StoredSize, ManyZerosInAFewBytesArePossibleButNotWithoutThem) {
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
                  "nothing: found a shape of 4194304, but 0 bytes of values, too few for it");
    }
}
