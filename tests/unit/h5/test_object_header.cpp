// SPDX-License-Identifier: MIT
// Attributes in a damaged file that would make HDF5 read past the header of their object.
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>

#include "core/error.hpp"
#include "h5/dataset.hpp"
#include "h5/file.hpp"
#include "support/file_bytes.hpp"
#include "support/temporary_folder.hpp"

namespace h5 = popflow::h5;
using popflow::support::file_bytes;
using popflow::support::TemporaryFolder;

namespace {

constexpr const char* name = "encoding-type";
// Offsets of the sizes of name, type and dataspace in the 8 bytes before the name of an attribute.
constexpr std::size_t name_size = 2;
constexpr std::size_t type_size = 4;
constexpr std::size_t space_size = 6;

class DamagedHeaders : public testing::Test {
  protected:
    void SetUp() override {
        h5::AtomicFile file(path);
        h5::Group group = file.root().create_group("obs");
        group.write_attribute(name, std::string_view("dataframe"));
        group.write_attribute("sizes", std::vector<std::int64_t>{1, 2, 3});
        group.write("x", std::vector<double>{1, 2});
        file.commit();
    }

    std::size_t name_offset() const {
        const std::size_t at = file_bytes(path).find(std::string(name) + '\0');
        EXPECT_NE(at, std::string::npos);
        return at;
    }

    void put(std::size_t at, std::string_view bytes) const { popflow::support::put_bytes(path, at, bytes); }

    std::string error_message() const {
        try {
            const h5::Group obs = h5::open_file(path).open_group("obs");
            EXPECT_EQ(obs.string_attribute(name), "dataframe");
        } catch (const popflow::core::DataError& found) {
            return std::string(found.what()).substr(path.size() + 2);
        }
        return "";
    }

    const TemporaryFolder folder;
    const std::string path = folder.file("a.h5");
};

}  // namespace

TEST_F(DamagedHeaders, ValidHeadersAreRead) {
    EXPECT_EQ(error_message(), "");
}

TEST_F(DamagedHeaders, AnAttributeLongerThanItsPlaceIsRefused) {
    const std::size_t head = name_offset() - 8;
    const std::string valid = file_bytes(path).substr(head, 8);
    for (const std::size_t field : {name_size, type_size, space_size}) {
        put(head, valid);
        put(head + field, "\xf0\x70");
        EXPECT_EQ(error_message(), "obs: is damaged: an attribute is longer than its message") << field;
    }
}

TEST_F(DamagedHeaders, AnAttributeNameWithoutAnEndIsRefused) {
    put(name_offset() + std::strlen(name), "s");
    EXPECT_EQ(error_message(), "obs: is damaged: the name of an attribute has no terminating null");
}

TEST_F(DamagedHeaders, ADataspaceTooShortForItsDimensionsIsRefused) {
    const std::string bytes = file_bytes(path);
    // Dataspace of one dimension of 3 elements, followed by its size and its maximum size.
    const std::string space("\x01\x01\x01\0\0\0\0\0\x03\0\0\0\0\0\0\0", 16);
    const std::size_t at = bytes.find(space, bytes.find("sizes"));
    ASSERT_NE(at, std::string::npos);
    put(at + 1, "\x20");
    EXPECT_EQ(error_message(), "obs: is damaged: the dataspace of an attribute is too short");
}

// The files have too many attributes for the first block of the header. They are in the oldest and in the
// newest format.
TEST_F(DamagedHeaders, ContinuationBlocksAreChecked) {
    for (const std::string format : {"earliest", "latest"}) {
        std::filesystem::copy_file(POPFLOW_TEST_DATA "/anndata/headers_" + format + ".h5", path,
                                   std::filesystem::copy_options::overwrite_existing);
        EXPECT_EQ(h5::open_file(path).open_group("obs").int_attribute("attribute-39"), 39);
        // In the newest format HDF5 itself detects the damage first, by a checksum.
        put(file_bytes(path).find("attribute-39") + std::strlen("attribute-39"), "s");
        EXPECT_EQ(error_message().find("obs: is damaged: the name") == 0, format == "earliest")
            << error_message();
        EXPECT_NE(error_message(), "");
    }
}
