// SPDX-License-Identifier: MIT
// Matrices other than X: layers, raw and members of obsm, and the messages of files without X.
#include <gtest/gtest.h>

#include <functional>

#include "anndata/anndata.hpp"
#include "core/error.hpp"
#include "h5/dataframe.hpp"
#include "h5/file.hpp"
#include "support/temporary_folder.hpp"

namespace h5 = popflow::h5;
using namespace popflow::anndata;
using popflow::support::TemporaryFolder;
using Kind = MatrixSource::Kind;
using Strings = std::vector<std::string>;

namespace {

constexpr std::size_t n_cells = 3;
using Fill = std::function<void(h5::Group&)>;

void write_table(h5::Group& group, const std::string& name, const Strings& rows) {
    h5::DataFrame table;
    table.set_row_names(rows);
    h5::write_dataframe(group, name, table);
}

void write_dense(h5::Group& group, const std::string& name, const std::vector<float>& values) {
    group.write(name, std::span<const float>(values), {n_cells, values.size() / n_cells});
}

void write_sparse(h5::Group& group, const std::string& name, const std::string& encoding,
                  const std::vector<std::int64_t>& indptr, const std::vector<std::int64_t>& indices,
                  const std::vector<float>& values, std::int64_t cols) {
    h5::Group matrix = group.create_group(name);
    h5::write_encoding(matrix, encoding, "0.1.0");
    matrix.write_attribute("shape", std::vector<std::int64_t>{n_cells, cols});
    matrix.write("indptr", indptr);
    matrix.write("indices", indices);
    matrix.write("data", values);
}

// Writes a file with obs of three cells and var of the markers m and n.
std::string write_file(const TemporaryFolder& folder, const Fill& fill) {
    const std::string path = folder.file("a.h5ad");
    h5::AtomicFile file(path);
    h5::Group root = file.root();
    write_table(root, "obs", {"a", "b", "c"});
    write_table(root, "var", {"m", "n"});
    fill(root);
    file.commit();
    return path;
}

// Values and totals of all cells and columns.
struct Values {
    std::vector<float> x;
    std::vector<double> totals;
};

Values read(const AnnData& data) {
    std::vector<std::size_t> columns(data.n_vars());
    for (std::size_t j = 0; j < columns.size(); ++j) columns[j] = j;
    Values values{std::vector<float>(n_cells * columns.size()), std::vector<double>(n_cells, -1)};
    const std::vector<RowRun> runs{{0, n_cells, values.x.data(), values.totals.data()}};
    data.x().read(runs, columns);
    return values;
}

std::string message(const std::string& path, const MatrixSource& source) {
    try {
        const AnnData data(path, source);
    } catch (const popflow::core::DataError& error) {
        return std::string(error.what()).substr(path.size() + 2);
    }
    return "no error";
}

void add_layers(h5::Group& root) {
    write_dense(root, "X", {1, 2, 3, 4, 5, 6});
    h5::Group layers = root.create_group("layers");
    write_dense(layers, "dense", {10, 0, 0, 4, 7, 6});
    write_sparse(layers, "rows", "csr_matrix", {0, 1, 2, 4}, {0, 1, 0, 1}, {10, 4, 7, 6}, 2);
    write_sparse(layers, "columns", "csc_matrix", {0, 2, 4}, {0, 2, 1, 2}, {10, 7, 4, 6}, 2);
    h5::Group obsm = root.create_group("obsm");
    write_dense(obsm, "X_pca", {1, -2, 3, 4, 5, 6, 7, 8, 9});
    h5::DataFrame table;
    table.set_row_names({"a", "b", "c"});
    table.add("CD3", std::vector<double>{1, 2, 3});
    table.add("CD8", std::vector<double>{0.5, 0, 4});
    h5::write_dataframe(obsm, "protein", table);
    h5::Group raw = root.create_group("raw");
    write_dense(raw, "X", {1, 2, 3, 4, 5, 6, 7, 8, 9});
    write_table(raw, "var", {"m", "n", "o"});
}

}  // namespace

TEST(MatrixSource, ReadsLayersOfEachEncoding) {
    const TemporaryFolder folder;
    const std::string path = write_file(folder, add_layers);
    for (const char* name : {"dense", "rows", "columns"}) {
        const AnnData data(path, {Kind::layer, name});
        EXPECT_EQ(data.var_names(), (Strings{"m", "n"})) << name;
        const Values values = read(data);
        EXPECT_EQ(values.x, (std::vector<float>{10, 0, 0, 4, 7, 6})) << name;
        EXPECT_EQ(values.totals, (std::vector<double>{10, 4, 13})) << name;
    }
    EXPECT_EQ(read(AnnData(path)).x, (std::vector<float>{1, 2, 3, 4, 5, 6}));
}

TEST(MatrixSource, ReadsRawWithItsOwnMarkers) {
    const TemporaryFolder folder;
    const AnnData data(write_file(folder, add_layers), {Kind::raw, ""});
    EXPECT_EQ(data.var_names(), (Strings{"m", "n", "o"}));
    EXPECT_EQ(read(data).totals, (std::vector<double>{6, 15, 24}));
    EXPECT_EQ(data.table("var").name(), "raw/var");
}

TEST(MatrixSource, NamesTheColumnsOfAMemberOfObsm) {
    const TemporaryFolder folder;
    const std::string path = write_file(folder, add_layers);
    const AnnData array(path, {Kind::obsm, "X_pca"});
    EXPECT_EQ(array.var_names(), (Strings{"X_pca_1", "X_pca_2", "X_pca_3"}));
    EXPECT_EQ(read(array).x, (std::vector<float>{1, -2, 3, 4, 5, 6, 7, 8, 9}));
    const AnnData table(path, {Kind::obsm, "protein"});
    EXPECT_EQ(table.var_names(), (Strings{"CD3", "CD8"}));
    EXPECT_EQ(read(table).x, (std::vector<float>{1, 0.5, 2, 0, 3, 4}));
    EXPECT_EQ(read(table).totals, (std::vector<double>{1.5, 2, 7}));
}

TEST(MatrixSource, MarksTheTotalOfACellWithANegativeValue) {
    const TemporaryFolder folder;
    const Values values = read(AnnData(write_file(folder, add_layers), {Kind::obsm, "X_pca"}));
    EXPECT_EQ(values.totals, (std::vector<double>{-std::numeric_limits<double>::infinity(), 15, 24}));
}

TEST(MatrixSource, SuggestsTheNameOfALayer) {
    const TemporaryFolder folder;
    const std::string path = write_file(folder, add_layers);
    EXPECT_EQ(message(path, {Kind::layer, "dens"}),
              "layers/dens: is missing (did you mean 'dense'?). Without an option X is read. Read another "
              "matrix with "
              "--layer NAME (columns, dense, rows), --obsm KEY (X_pca, protein) or --use-raw");
    EXPECT_EQ(message(path, {Kind::obsm, "X_pcb"}).substr(0, 45),
              "obsm/X_pcb: is missing (did you mean 'X_pca'?");
}

TEST(MatrixSource, ListsWhatAFileWithoutXHolds) {
    const TemporaryFolder folder;
    EXPECT_EQ(message(write_file(folder,
                                 [](h5::Group& root) {
                                     h5::Group layers = root.create_group("layers");
                                     write_dense(layers, "counts", {1, 2, 3});
                                 }),
                      {}),
              "X: is missing. Read another matrix with --layer NAME (counts)");
    EXPECT_EQ(message(write_file(folder, [](h5::Group& root) { root.write_string("X", "null"); }), {}),
              "X: is empty: the file was written without X");
    EXPECT_EQ(
        message(write_file(folder, [](h5::Group& root) { root.create_group("layers"); }), {Kind::raw, ""}),
        "raw/X: is missing.");
}

TEST(MatrixSource, ChecksTheNumbersOfRows) {
    const TemporaryFolder folder;
    const std::string path = write_file(folder, [](h5::Group& root) {
        h5::Group layers = root.create_group("layers");
        const std::vector<float> two{1, 2, 3, 4};
        layers.write("two", std::span<const float>(two), {2, 2});
    });
    EXPECT_EQ(message(path, {Kind::layer, "two"}),
              "obs/_index: found 3 rows, but layers/two has 2 rows: write a file in which they agree");
}

TEST(MatrixSource, RefusesTextInADataframeOnlyIfItIsUsed) {
    const TemporaryFolder folder;
    const std::string path = write_file(folder, [](h5::Group& root) {
        h5::Group obsm = root.create_group("obsm");
        h5::DataFrame table;
        table.set_row_names({"a", "b", "c"});
        table.add("gate", Strings{"x", "y", "z"});
        table.add("CD3", std::vector<double>{1, 2, 3});
        h5::write_dataframe(obsm, "protein", table);
    });
    const AnnData data(path, {Kind::obsm, "protein"});
    const std::vector<std::size_t> gate{0};
    const std::vector<std::size_t> number{1};
    EXPECT_NO_THROW(data.x().check_columns(number));
    EXPECT_THROW(data.x().check_columns(gate), popflow::core::DataError);
}

TEST(MatrixSource, RecognisesFilesOfOtherPrograms) {
    const TemporaryFolder folder;
    const auto text_of = [&](const Fill& fill) {
        const std::string path = folder.file("b.h5");
        h5::AtomicFile file(path);
        h5::Group root = file.root();
        fill(root);
        file.commit();
        return message(path, {});
    };
    const auto contains = [](const std::string& text, const char* part) {
        EXPECT_NE(text.find(part), std::string::npos) << text;
    };
    const std::vector<float> numbers{1, 2};
    contains(text_of([](h5::Group& root) {
                 root.create_group("obs");
                 h5::Group modalities = root.create_group("mod");
                 modalities.create_group("rna");
                 modalities.create_group("prot");
             }),
             "MuData file (.h5mu) with the modalities prot, rna");
    contains(text_of([&](h5::Group& root) {
                 root.write("matrix", numbers);
                 root.create_group("col_attrs").write("CellID", numbers);
                 root.create_group("row_attrs");
                 root.create_group("layers").write("spliced", numbers);
             }),
             "loom file with the matrix `matrix`, the layers spliced and the cell attributes CellID");
    contains(text_of([&](h5::Group& root) {
                 h5::Group matrix = root.create_group("matrix");
                 matrix.create_group("features");
                 matrix.write("barcodes", numbers);
             }),
             "10x Genomics file (Cell Ranger 3 or later)");
    contains(text_of([&](h5::Group& root) {
                 h5::Group genome = root.create_group("mm10");
                 for (const char* name : {"barcodes", "data", "genes", "indices", "indptr"})
                     genome.write(name, numbers);
             }),
             "Cell Ranger 2, with the genomes mm10");
}
