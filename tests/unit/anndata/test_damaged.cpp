// SPDX-License-Identifier: MIT
// Files that are valid HDF5 but invalid AnnData give an error message of one line, never a crash.
#include <gtest/gtest.h>

#include <functional>

#include "anndata/expression.hpp"
#include "core/error.hpp"
#include "h5/dataframe.hpp"
#include "h5/file.hpp"
#include "screen/read_populations.hpp"
#include "screen/screen.hpp"
#include "support/screen_file.hpp"
#include "support/temporary_folder.hpp"

namespace h5 = popflow::h5;
using namespace popflow::anndata;
using namespace popflow::core;
using namespace popflow::screen;
using popflow::support::TemporaryFolder;

namespace {

/// Members of a CSR matrix of 4 cells x 2 markers. Tests damage one or more of them.
struct SparseMatrix {
    std::string encoding = "csr_matrix";
    std::vector<std::int64_t> indptr{0, 1, 2, 3, 4};
    std::vector<std::int64_t> indices{0, 1, 0, 1};
    std::vector<float> values{1, 2, 3, 4};
};

/// Members of a screen file that tests damage. By default the file is valid.
struct DamagedScreen {
    SparseMatrix x;
    std::vector<std::int8_t> codes{0, 0, 1, 1};
    std::string column_encoding = "categorical";
};

/// Writes the file, reads it as a screen and returns the error message without the path.
std::string error_message(const DamagedScreen& damaged) {
    const TemporaryFolder folder;
    const std::string path = folder.file("a.h5ad");
    {
        h5::AtomicFile file(path);
        h5::Group root = file.root();
        h5::DataFrame obs;
        obs.set_row_names({"a", "b", "c", "d"});
        h5::Group table = h5::write_dataframe(root, "obs", obs);
        h5::Group treatment = table.create_group("treatment");
        h5::write_encoding(treatment, damaged.column_encoding, "0.2.0");
        if (damaged.column_encoding == "categorical") {
            treatment.write("codes", damaged.codes);
            treatment.write_strings("categories", std::vector<std::string>{"DMSO", "S"});
        }
        h5::DataFrame var;
        var.set_row_names({"m", "n"});
        h5::write_dataframe(root, "var", var);
        h5::Group x = root.create_group("X");
        h5::write_encoding(x, damaged.x.encoding, "0.1.0");
        x.write("indptr", damaged.x.indptr);
        x.write("indices", damaged.x.indices);
        x.write("data", damaged.x.values);
        x.write_attribute("shape", std::vector<std::int64_t>{4, 2});
        file.commit();
    }
    try {
        ScreenOptions options;
        options.min_cells = 1;
        const Screen screen = open_screen(path, options);
        const std::vector<std::size_t> both{0, 1};
        read_populations(screen, both);
    } catch (const popflow::core::DataError& error) {
        return std::string(error.what()).substr(path.size() + 2);
    }
    return "no error";
}

}  // namespace

TEST(DamagedFile, AnUndamagedFileIsRead) {
    EXPECT_EQ(error_message({}), "no error");
}

TEST(DamagedFile, TheFingerprintReadsNothingBeyondTheEndOfAChunk) {
    const Expression x(h5::open_file(POPFLOW_TEST_DATA "/anndata/chunks.h5").open_group("screen"));
    popflow::core::Digest digest;
    EXPECT_THROW(x.add_sample(digest), popflow::core::DataError);
}

TEST(DamagedFile, ReportsSparseIndicesOutOfRange) {
    for (const char* encoding : {"csr_matrix", "csc_matrix"}) {
        DamagedScreen file;
        file.x.encoding = encoding;
        if (file.x.encoding == "csc_matrix") file.x.indptr = {0, 2, 4};
        file.x.indices[3] = 7;
        const bool rows = file.x.encoding == "csc_matrix";
        EXPECT_EQ(error_message(file), std::string("X/indices: found 7, but it must be 0 to ") +
                                           (rows ? "3" : "1") + ": the file is damaged");
        file.x.indices[3] = -1;
        EXPECT_EQ(error_message(file), std::string("X/indices: found -1, but it must be 0 to ") +
                                           (rows ? "3" : "1") + ": the file is damaged");
    }
}

TEST(DamagedFile, ReportsSparseOffsetsOutOfOrder) {
    DamagedScreen file;
    file.x.indptr = {0, 3, 2, 3, 4};
    EXPECT_EQ(error_message(file), "X/indptr: found 2, but it must be 3 to 4: the file is damaged");
    file.x.indptr = {0, 1, 2, 3, 5};
    EXPECT_EQ(error_message(file), "X/indptr: found 5, but it must be 3 to 4: the file is damaged");
    file.x.indptr = {0, 1, 2, 4};
    EXPECT_EQ(
        error_message(file),
        "X: found 4 offsets, 4 indices and 4 values, but there must be 5 offsets and as many indices as "
        "values: the file is damaged");
}

TEST(DamagedFile, ReportsUnknownEncodings) {
    DamagedScreen file;
    file.x.encoding = "coo_matrix";
    EXPECT_EQ(error_message(file),
              "X: found encoding coo_matrix. Write the matrix as array, csr_matrix or csc_matrix");
    DamagedScreen column;
    column.column_encoding = "awkward-array";
    EXPECT_EQ(error_message(column),
              "obs/treatment: found encoding awkward-array, which popflow cannot read. It reads array, "
              "string-array, "
              "categorical, nullable-integer and nullable-boolean");
}

TEST(DamagedFile, ReportsCodesWithoutACategory) {
    DamagedScreen file;
    file.codes = {0, 0, 1, 2};
    EXPECT_EQ(error_message(file),
              "obs/treatment/codes: found code 2, but there are 2 categories: the file is damaged");
}

TEST(DamagedFile, ReportsFilesThatAreNotAnnData) {
    const TemporaryFolder folder;
    const std::string path = folder.file("a.h5ad");
    const auto error = [&](const std::function<void(h5::Group&)>& fill) {
        h5::AtomicFile file(path);
        h5::Group root = file.root();
        fill(root);
        file.commit();
        try {
            open_screen(path, ScreenOptions());
        } catch (const popflow::core::DataError& thrown) {
            return std::string(thrown.what()).substr(path.size() + 2);
        }
        return std::string("no error");
    };
    const std::vector<float> x{1, 2};

    EXPECT_EQ(error([](h5::Group&) {}), "X: is missing: the file is not an AnnData file (.h5ad) with cells");
    EXPECT_EQ(error([&](h5::Group& root) { root.write("X", x); }),
              "X: found 1 dimensions, but it must have 2");
    EXPECT_EQ(error([&](h5::Group& root) {
                  root.write("X", std::span<const float>(x), {1, 2});
              }),
              "obs: is missing: the file is not an AnnData file (.h5ad)");
    EXPECT_EQ(error([&](h5::Group& root) { root.write_strings("X", std::vector<std::string>{"a"}); }),
              "X: found 1 dimensions, but it must have 2");
}
