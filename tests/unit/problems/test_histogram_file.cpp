// SPDX-License-Identifier: MIT
#include "problems/histogram_file.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.hpp"
#include "h5/dataframe.hpp"
#include "h5/file.hpp"
#include "problems/weight_rows.hpp"
#include "support/temporary_folder.hpp"

using popflow::core::DataError;
using popflow::problems::HistogramFile;
using popflow::problems::HistogramOptions;
using popflow::problems::Mass;
using popflow::support::TemporaryFolder;
namespace h5 = popflow::h5;

namespace {

// Three histograms over four atoms. Tests change the members that they examine.
struct HistogramFileWriter {
    std::vector<double> weights{1, 0, 2, 1, 0, 4, 0, 0, 1, 1, 1, 1};
    std::vector<double> positions{0, 0, 0, 1, 1, 0, 1, 1};
    std::vector<std::string> names{"r0", "r1", "r2"};
    std::string encoding = "array";

    void write_sparse(h5::Group& root, bool by_rows) const {
        const std::size_t rows = names.size();
        const std::size_t cols = weights.size() / rows;
        h5::Group group = root.create_group("X");
        h5::write_encoding(group, by_rows ? "csr_matrix" : "csc_matrix", "0.1.0");
        group.write_attribute("shape", std::vector<std::int64_t>{static_cast<std::int64_t>(rows),
                                                                 static_cast<std::int64_t>(cols)});
        std::vector<double> data;
        std::vector<std::int64_t> indices;
        std::vector<std::int64_t> offsets{0};
        for (std::size_t i = 0; i < (by_rows ? rows : cols); ++i) {
            for (std::size_t j = 0; j < (by_rows ? cols : rows); ++j) {
                const double value = by_rows ? weights[i * cols + j] : weights[j * cols + i];
                if (value == 0) continue;
                data.push_back(value);
                indices.push_back(static_cast<std::int64_t>(j));
            }
            offsets.push_back(static_cast<std::int64_t>(data.size()));
        }
        group.write("data", data);
        group.write("indices", indices);
        group.write("indptr", offsets);
    }

    std::string write(const TemporaryFolder& folder) const {
        std::string path = folder.file("histograms.h5ad");
        h5::AtomicFile file(path);
        {
            h5::Group root = file.root();
            h5::write_encoding(root, "anndata", "0.1.0");
            const std::size_t cols = weights.size() / names.size();
            if (encoding == "array") {
                h5::Dataset x = root.write("X", std::span<const double>(weights), {names.size(), cols});
                h5::write_encoding(x, "array", "0.2.0");
            } else {
                write_sparse(root, encoding == "csr");
            }
            h5::DataFrame obs;
            obs.set_row_names(names);
            obs.add_categorical("part", {"a", "b", "b"});
            h5::write_dataframe(root, "obs", obs);
            h5::DataFrame var;
            std::vector<std::string> atoms;
            for (std::size_t j = 0; j < cols; ++j) atoms.push_back("atom" + std::to_string(j));
            var.set_row_names(atoms);
            h5::write_dataframe(root, "var", var);
            h5::Group varm = root.create_group("varm");
            if (!positions.empty())
                varm.write("position", std::span<const double>(positions), {cols, positions.size() / cols});
        }
        file.commit();
        return path;
    }
};

HistogramFile open(const std::string& path, const std::vector<std::string>& rows,
                   const std::vector<std::string>& exclude = {}) {
    HistogramOptions options;
    options.rows = rows;
    options.exclude = exclude;
    return {path, options};
}

std::vector<std::size_t> all(const HistogramFile& file) {
    std::vector<std::size_t> indices;
    for (std::size_t k = 0; k < file.names().size(); ++k) indices.push_back(k);
    return indices;
}

}  // namespace

TEST(HistogramFile, ReadsRowsOfEachEncoding) {
    for (const char* encoding : {"array", "csr", "csc"}) {
        const TemporaryFolder folder;
        HistogramFileWriter writer;
        writer.encoding = encoding;
        const HistogramFile file(writer.write(folder), {});
        EXPECT_EQ(file.atoms(), 4U);
        EXPECT_EQ(file.positions()(2, 0), 1);
        std::vector<std::string> notes;
        const auto histograms = file.read(all(file), notes);
        ASSERT_EQ(histograms.size(), 3U) << encoding;
        EXPECT_EQ(histograms[0].atoms, (std::vector<std::uint32_t>{0, 2, 3})) << encoding;
        EXPECT_EQ(histograms[0].weights, (std::vector<double>{0.25, 0.5, 0.25}));
        EXPECT_EQ(histograms[1].atoms, (std::vector<std::uint32_t>{1}));
        EXPECT_TRUE(notes.empty());
    }
}

TEST(HistogramFile, ChoosesRows) {
    const TemporaryFolder folder;
    const std::string path = HistogramFileWriter{}.write(folder);
    EXPECT_EQ(open(path, {"part=b"}).names(), (std::vector<std::string>{"r1", "r2"}));
    EXPECT_EQ(open(path, {}, {"part=b"}).names(), (std::vector<std::string>{"r0"}));
    std::vector<std::string> notes;
    const HistogramFile file = open(path, {"part=b"});
    EXPECT_EQ(file.read(std::vector<std::size_t>{1}, notes).at(0).atoms.size(), 4U);
    EXPECT_THROW(open(path, {"part=c"}), DataError);
    EXPECT_THROW(open(path, {"colour=b"}), DataError);
    EXPECT_THROW(open(path, {"part=a"}, {"part=a"}), DataError);
}

TEST(HistogramFile, DividesRowsByTheirSumsOrRefusesThem) {
    const TemporaryFolder folder;
    HistogramFileWriter writer;
    writer.weights[1] = 4;
    const std::string path = writer.write(folder);
    const HistogramFile file(path, {});
    std::vector<std::string> notes;
    const auto histograms = file.read(all(file), notes);
    EXPECT_EQ(histograms[0].weights, (std::vector<double>{0.125, 0.5, 0.25, 0.125}));
    ASSERT_EQ(notes.size(), 1U);
    EXPECT_NE(notes[0].find("row 0 ('r0') is 8, that of row 1 ('r1') is 4"), std::string::npos) << notes[0];
    HistogramOptions equal;
    equal.mass = Mass::equal;
    const HistogramFile strict(path, equal);
    EXPECT_THROW(strict.read(all(strict), notes), DataError);
}

TEST(HistogramFile, NamesTheRowOfABadWeight) {
    for (const double bad : {-1.0, std::nan(""), HUGE_VAL}) {
        const TemporaryFolder folder;
        HistogramFileWriter writer;
        writer.weights[5] = bad;
        const HistogramFile file(writer.write(folder), {});
        std::vector<std::string> notes;
        try {
            file.read(all(file), notes);
            FAIL() << bad;
        } catch (const DataError& error) {
            EXPECT_NE(std::string(error.what()).find("row 1 ('r1'): the weight of atom 1"), std::string::npos)
                << error.what();
        }
    }
}

TEST(HistogramFile, NeedsAPositionOfEachAtom) {
    const TemporaryFolder folder;
    HistogramFileWriter writer;
    writer.positions[5] = std::nan("");
    EXPECT_THROW(HistogramFile(writer.write(folder), {}), DataError);
    writer.positions.clear();
    const std::string path = writer.write(folder);
    EXPECT_THROW(HistogramFile(path, {}).require_positions("a test"), DataError);
    HistogramOptions grid;
    grid.position = "grid";
    EXPECT_THROW(HistogramFile(path, grid), DataError);
}

TEST(HistogramFile, NeedsDifferentNames) {
    const TemporaryFolder folder;
    HistogramFileWriter writer;
    writer.names[2] = "r0";
    EXPECT_THROW(HistogramFile(writer.write(folder), {}), DataError);
}
