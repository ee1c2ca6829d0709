// SPDX-License-Identifier: MIT
#include "h5/group.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "core/error.hpp"
#include "h5/file.hpp"
#include "support/temporary_folder.hpp"

namespace h5 = popflow::h5;
using popflow::core::DataError;
using popflow::support::TemporaryFolder;
using Strings = std::vector<std::string>;

namespace {

/// Writes a file with `fill` and opens it.
h5::Group write_and_open(const TemporaryFolder& folder, const std::function<void(h5::Group&)>& fill) {
    h5::AtomicFile file(folder.file("a.h5"));
    h5::Group root = file.root();
    fill(root);
    file.commit();
    return h5::open_file(folder.file("a.h5"));
}

h5::Group open_golden(const std::string& name) {
    return h5::open_file(std::string(POPFLOW_TEST_DATA) + "/anndata/" + name);
}

}  // namespace

TEST(Attributes, AreReadBackUnchanged) {
    const TemporaryFolder folder;
    const h5::Group root = write_and_open(folder, [](h5::Group& group) {
        group.write_attribute("text", "Zürich");
        group.write_attribute("empty", std::string());
        group.write_attribute("int", std::numeric_limits<std::int64_t>::min());
        group.write_attribute("size", std::size_t{42});
        group.write_attribute("double", 0.1);
        group.write_attribute("yes", true);
        group.write_attribute("strings", Strings{"a", "", "c"});
        group.write_attribute("none", Strings{});
        group.write_attribute("replaced", 1);
        group.write_attribute("replaced", "two");
    });

    EXPECT_EQ(root.string_attribute("text"), "Zürich");
    EXPECT_EQ(root.string_attribute("empty"), "");
    EXPECT_EQ(root.int_attribute("int"), std::numeric_limits<std::int64_t>::min());
    EXPECT_EQ(root.int_attribute("size"), 42);
    EXPECT_EQ(root.double_attribute("double"), 0.1);
    EXPECT_TRUE(root.bool_attribute("yes"));
    EXPECT_EQ(root.strings_attribute("strings"), (Strings{"a", "", "c"}));
    EXPECT_EQ(root.strings_attribute("none"), Strings{});
    EXPECT_EQ(root.string_attribute("replaced"), "two");
    EXPECT_FALSE(root.has_attribute("absent"));
    EXPECT_THROW(root.int_attribute("text"), DataError);
    EXPECT_THROW(root.string_attribute("int"), DataError);
    EXPECT_THROW(root.string_attribute("absent"), DataError);
}

TEST(Group, FindsItsMembers) {
    const TemporaryFolder folder;
    const h5::Group root = write_and_open(folder, [](h5::Group& group) {
        h5::Group obs = group.create_group("obs");
        obs.write_string("b", "x");
        obs.create_group("a");
    });

    EXPECT_TRUE(root.contains("obs/a"));
    EXPECT_TRUE(root.contains_group("obs/a"));
    EXPECT_FALSE(root.contains_group("obs/b"));
    EXPECT_TRUE(root.contains_dataset("obs/b"));
    EXPECT_FALSE(root.contains("obs/c"));
    EXPECT_FALSE(root.contains("none/c"));
    EXPECT_FALSE(root.contains("obs/b/c"));
    EXPECT_EQ(root.open_group("obs").names(), (Strings{"a", "b"}));
    EXPECT_EQ(root.open_group("obs").open_dataset("b").path(), "obs/b");
    EXPECT_THROW(root.open_group("obs/b"), DataError);
    EXPECT_THROW(root.open_dataset("obs/a"), DataError);
    EXPECT_THROW(root.open_dataset("absent"), DataError);
}

TEST(Dataset, ReadsRowRangesAsAnyNumberType) {
    const TemporaryFolder folder;
    std::vector<std::uint16_t> values(12);
    for (std::size_t i = 0; i < 12; ++i) values[i] = static_cast<std::uint16_t>(5000 * i);
    const h5::Group root = write_and_open(folder, [&](h5::Group& group) {
        const std::span<const std::uint16_t> all(values);
        group.write("x", all, {4, 3}, {.chunk_rows = 3, .deflate = 9});
        group.write("y", all, {4, 3});
    });

    for (const char* name : {"x", "y"}) {
        const h5::Dataset x = root.open_dataset(name);
        std::vector<float> rows(6);
        x.read_rows(2, 2, std::span<float>(rows));
        EXPECT_EQ(rows, (std::vector<float>{30000, 35000, 40000, 45000, 50000, 55000}));
        EXPECT_EQ(x.read<double>()[11], 55000);
        EXPECT_EQ(x.type().text(), "uint16");
        EXPECT_THROW(x.read_rows(3, 2, std::span<float>(rows)), DataError);
        EXPECT_THROW(x.read_rows(0, 1, std::span<float>(rows)), popflow::core::ShapeMismatch);
        EXPECT_THROW(x.read_strings(), DataError);
    }
    EXPECT_EQ(root.open_dataset("x").chunk_rows(), 3U);
    EXPECT_EQ(root.open_dataset("x").layout_text(), "chunked shuffle deflate");
    EXPECT_EQ(root.open_dataset("y").layout_text(), "contiguous");
}

TEST(Dataset, ReadsStringsAndBools) {
    const TemporaryFolder folder;
    const h5::Group root = write_and_open(folder, [](h5::Group& group) {
        group.write_strings("strings", Strings{"a", "", "ü"}, {.deflate = 1});
        group.write_strings("none", Strings{});
        group.write_bools("bools", std::vector<std::uint8_t>{1, 0, 1});
        group.write_string("one", "text");
    });

    EXPECT_EQ(root.open_dataset("strings").read_strings(1, 2), (Strings{"", "ü"}));
    EXPECT_EQ(root.open_dataset("none").read_strings(), Strings{});
    EXPECT_EQ(root.open_dataset("bools").read<std::uint8_t>(), (std::vector<std::uint8_t>{1, 0, 1}));
    EXPECT_EQ(root.open_dataset("bools").read<double>(), (std::vector<double>{1, 0, 1}));
    EXPECT_EQ(root.open_dataset("bools").type().kind, h5::Kind::boolean);
    EXPECT_EQ(root.open_dataset("one").read_strings(), Strings{"text"});
    EXPECT_THROW(root.open_dataset("strings").read<float>(), DataError);
}

TEST(Dataset, ReadsTypesThatH5pyWrites) {
    const h5::Group root = open_golden("h5py_types.h5");

    EXPECT_EQ(root.open_dataset("fixed").read_strings(), (Strings{"ab", "", "abcd"}));
    EXPECT_EQ(root.open_dataset("space_padded").read_strings(1, 1), Strings{"b"});
    EXPECT_EQ(root.open_dataset("ascii_vlen").read_strings(), (Strings{"x", "yz"}));
    EXPECT_EQ(root.open_dataset("bools").read<int>(), (std::vector<int>{1, 0}));
    EXPECT_EQ(root.open_dataset("big_endian").read<std::int64_t>(), (std::vector<std::int64_t>{1, 258}));
    EXPECT_EQ(root.open_dataset("half").read<float>(), (std::vector<float>{0.5, -2}));
    EXPECT_EQ(root.open_dataset("compound").member("n").read<std::int32_t>(),
              (std::vector<std::int32_t>{7, 8}));
    EXPECT_EQ(root.open_dataset("compound").member("name").read_strings(), (Strings{"a", "bc"}));
    EXPECT_EQ(root.string_attribute("fixed"), "ab");
    EXPECT_TRUE(root.bool_attribute("flag"));
    EXPECT_EQ(root.referenced_dataset("target").read_strings(), (Strings{"ab", "", "abcd"}));
}

TEST(Group, RefusesReferencesToOtherFiles) {
    const h5::Group root = open_golden("h5py_types.h5");

    for (const char* name : {"external_link", "soft_to_external", "external_link/deeper"}) {
        try {
            root.open_dataset(name);
            ADD_FAILURE() << name;
        } catch (const DataError& error) {
            EXPECT_NE(std::string(error.what()).find("found a link to the file dense.h5ad"),
                      std::string::npos)
                << error.what();
        }
    }
    EXPECT_THROW(root.open_dataset("external_storage"), DataError);
    EXPECT_THROW(root.open_dataset("virtual"), DataError);
    EXPECT_FALSE(root.contains("dangling"));
}
