// SPDX-License-Identifier: MIT
// Types in a damaged file that would make HDF5 read outside a value.
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <vector>

#include "core/error.hpp"
#include "h5/dataset.hpp"
#include "h5/file.hpp"
#include "support/file_bytes.hpp"
#include "support/temporary_folder.hpp"

namespace h5 = popflow::h5;
using popflow::support::replace_words;
using popflow::support::TemporaryFolder;

namespace {

// Words of the file: the type message of an int32, and that of a float32 from its bit offset on.
const std::vector<std::uint32_t> int32_message{0x00000810, 4, 0x00200000};
const std::vector<std::uint32_t> float32_bits{0x00200000, 0x17000817};

std::string error_message(const std::string& path, const std::function<void(const h5::Group&)>& read) {
    try {
        read(h5::open_file(path));
    } catch (const popflow::core::DataError& error) {
        return std::string(error.what()).substr(path.size() + 2);
    }
    return "";
}

class DamagedTypes : public testing::Test {
  protected:
    template <class T>
    void write(const std::vector<T>& values) const {
        h5::AtomicFile file(path);
        h5::Group root = file.root();
        root.write("x", values);
        file.commit();
    }

    const TemporaryFolder folder;
    const std::string path = folder.file("a.h5");
};

}  // namespace

TEST_F(DamagedTypes, AMemberOutsideItsRecordIsRefused) {
    std::filesystem::copy_file(POPFLOW_TEST_DATA "/anndata/layout_0_6.h5ad", path);
    const auto read = [](const h5::Group& root) {
        (void)root.open_dataset("obs").member("replicate").read_strings();
    };
    EXPECT_EQ(error_message(path, read), "");
    // Name and offset of the member.
    replace_words(path, {0x6c706572, 0x74616369, 0x65, 0, 17}, {0x6c706572, 0x74616369, 0x65, 0, 5963793});
    EXPECT_EQ(error_message(path, read),
              "obs: member `replicate` begins at byte 5963793 of a record of 22: the file is damaged");
}

TEST_F(DamagedTypes, AnIntegerWithBitsOutsideItsSizeIsRefused) {
    write(std::vector<std::int32_t>{1, 2, 3});
    const auto read = [](const h5::Group& root) { (void)root.open_dataset("x").read<double>(); };
    EXPECT_EQ(error_message(path, read), "");
    replace_words(path, int32_message, {0x00000810, 4, 0x0020ea60});
    EXPECT_EQ(error_message(path, read), "x: found an unsupported type, but the values must be numbers");
}

TEST_F(DamagedTypes, AFloatWithBitsOutsideItsSizeIsRefused) {
    write(std::vector<float>{1, 2, 3});
    const auto read = [](const h5::Group& root) { (void)root.open_dataset("x").read<double>(); };
    EXPECT_EQ(error_message(path, read), "");
    replace_words(path, float32_bits, {0x00200000, 0x1700f017});
    EXPECT_EQ(error_message(path, read), "x: found an unsupported type, but the values must be numbers");
}

TEST_F(DamagedTypes, AnAttributeWithBitsOutsideItsSizeIsRefused) {
    {
        h5::AtomicFile file(path);
        h5::Group root = file.root();
        root.write_attribute("n", std::int64_t{5});
        file.commit();
    }
    const auto read = [](const h5::Group& root) { (void)root.int_attribute("n"); };
    EXPECT_EQ(error_message(path, read), "");
    replace_words(path, {0x00000810, 8, 0x00400000}, {0x00000810, 8, 0x0040ea60});
    EXPECT_EQ(error_message(path, read), "/: attribute `n`: found an unsupported type");
}
