// SPDX-License-Identifier: MIT
#include "anndata/anndata.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/error.hpp"
#include "h5/dataframe.hpp"
#include "h5/file.hpp"
#include "screen/read_populations.hpp"
#include "screen/screen.hpp"
#include "support/screen_file.hpp"
#include "support/temporary_folder.hpp"

using namespace popflow::anndata;
using namespace popflow::core;
using namespace popflow::screen;
using popflow::core::DataError;
using Strings = std::vector<std::string>;

namespace {

// Number of cells in the files of tests/golden/anndata/generate.py. The cells are in random order. X[:, 0] is
// the number of the cell.
constexpr std::size_t n_cells = 48;

std::string golden(const std::string& name) {
    return std::string(POPFLOW_TEST_DATA) + "/anndata/" + name;
}

float expected(std::size_t cell, std::size_t j) {
    if (j == 0) return static_cast<float>(cell);
    const std::size_t value = (7 * cell + 3 * j) % 11;
    return value > 4 ? static_cast<float>(value) : 0.0F;
}

ScreenOptions small_options() {
    ScreenOptions options;
    options.min_cells = 2;
    options.transform = Transform::parse("none");
    return options;
}

/// Reads the columns of all rows in runs of `run_length` rows. Shape [rows, columns].
std::vector<float> read_in_runs(const Expression& x, const std::vector<std::size_t>& columns,
                                std::size_t run_length) {
    std::vector<float> out(x.rows() * columns.size(), -1);
    std::vector<RowRun> runs;
    for (std::size_t first = 0; first < x.rows(); first += run_length) {
        runs.push_back({first, std::min(run_length, x.rows() - first), out.data() + first * columns.size()});
    }
    x.read(runs, columns);
    return out;
}

class XEncoding : public testing::TestWithParam<const char*> {};
class ScreenEncoding : public testing::TestWithParam<const char*> {};

}  // namespace

TEST_P(XEncoding, HoldsTheSameMatrix) {
    const AnnData data(golden(GetParam()));
    ASSERT_EQ(data.n_obs(), n_cells);
    EXPECT_EQ(data.var_names(), (Strings{"cell", "pERK", "CD90", "IdU", "pHH3"}));
    const std::vector<std::size_t> columns{3, 0, 4};

    for (const std::size_t run_length : {n_cells, std::size_t{5}, std::size_t{1}}) {
        const std::vector<float> x = read_in_runs(data.x(), columns, run_length);
        std::vector<bool> seen(n_cells, false);
        for (std::size_t i = 0; i < n_cells; ++i) {
            const auto cell = static_cast<std::size_t>(x[3 * i + 1]);
            ASSERT_LT(cell, n_cells);
            seen[cell] = true;
            EXPECT_EQ(x[3 * i], expected(cell, 3));
            EXPECT_EQ(x[3 * i + 2], expected(cell, 4));
        }
        EXPECT_EQ(std::count(seen.begin(), seen.end(), true), n_cells);
    }
}

TEST_P(XEncoding, ReadsOnlyTheRequestedRows) {
    const AnnData data(golden(GetParam()));
    const std::vector<std::size_t> all{0, 1, 2, 3, 4};
    const std::vector<float> whole = read_in_runs(data.x(), all, n_cells);
    std::vector<float> out(4 * 5, -1);
    // Rows 40 and 41 are written first, followed by rows 6 and 20.
    const std::vector<RowRun> runs{{6, 1, out.data() + 10}, {20, 1, out.data() + 15}, {40, 2, out.data()}};

    data.x().read(runs, all);

    const std::vector<std::size_t> rows{40, 41, 6, 20};
    for (std::size_t k = 0; k < 4; ++k) {
        for (std::size_t j = 0; j < 5; ++j) EXPECT_EQ(out[5 * k + j], whole[5 * rows[k] + j]);
    }
}

INSTANTIATE_TEST_SUITE_P(AnnData, XEncoding,
                         testing::Values("dense.h5ad", "dense_float64_gzip.h5ad", "dense_uint16.h5ad",
                                         "dense_int32_chunks.h5ad", "dense_lzf.h5ad", "all_lzf.h5ad",
                                         "csr_float32.h5ad", "csr_int64_gzip.h5ad", "csc_int32.h5ad",
                                         "csc_unsorted.h5ad", "layout_0_7.h5ad", "layout_0_6.h5ad"));

TEST_P(ScreenEncoding, GivesTheSameScreenAndCells) {
    const Screen screen = open_screen(golden(GetParam()), small_options());

    EXPECT_EQ(screen.n_obs, n_cells);
    EXPECT_EQ(screen.cell_types, (Strings{"Fibs", "PDOs"}));
    EXPECT_EQ(screen.treatments, (Strings{"O", "S"}));
    ASSERT_EQ(screen.experiments.size(), 4U);
    EXPECT_EQ(screen.experiments[2].values, (Strings{"P2", "PDO", "", "A"}));
    EXPECT_EQ(screen.experiments[2].label, "P2 / PDO / A");
    ASSERT_EQ(screen.populations.size(), 20U);
    ASSERT_EQ(screen.pairs.size(), 8U);
    EXPECT_TRUE(screen.dropped.empty());
    // The populations of an experiment are AH, DMSO, O 1, S 0.5 and S 10, in this order. DMSO is the control,
    // because it has more cells than AH. The pair of S is its highest dose, 10.
    EXPECT_EQ(screen.populations[13].concentration, "0.5");
    EXPECT_EQ(screen.populations[14].concentration, "10");
    EXPECT_EQ(screen.pairs[5].control, 11U);
    EXPECT_EQ(screen.pairs[5].treated, 14U);

    const std::vector<std::size_t> wanted{14, 1};
    const std::vector<Cells> cells = read_populations(screen, wanted);
    const std::vector<std::size_t> first_cell{33, 2};  // 12 cells per experiment, in the order above
    for (std::size_t k = 0; k < 2; ++k) {
        ASSERT_EQ(cells[k].x.rows(), 3U);
        float sum = 0;
        for (std::size_t i = 0; i < 3; ++i) {
            const auto cell = static_cast<std::size_t>(cells[k].x(i, 0));
            sum += cells[k].x(i, 0);
            EXPECT_EQ(cells[k].cell_type[i], cell % 3 == 0 ? 0 : 1);
            for (std::size_t j = 0; j < 5; ++j) EXPECT_EQ(cells[k].x(i, j), expected(cell, j));
        }
        EXPECT_EQ(sum, static_cast<float>(3 * first_cell[k] + 3));
    }
}

INSTANTIATE_TEST_SUITE_P(AnnData, ScreenEncoding,
                         testing::Values("dense.h5ad", "csr_float32.h5ad", "csc_int32.h5ad",
                                         "obs_strings.h5ad", "layout_0_7.h5ad", "layout_0_6.h5ad"));

TEST(AnnData, ReadsTypedColumnsAsCanonicalText) {
    const AnnData data(golden("obs_typed.h5ad"));
    const auto distinct = [&](const char* column) {
        Strings labels = data.obs(column).read_labels();
        std::sort(labels.begin(), labels.end());
        labels.erase(std::unique(labels.begin(), labels.end()), labels.end());
        return labels;
    };

    EXPECT_EQ(distinct("patient"), (Strings{"1", "2"}));
    EXPECT_EQ(distinct("replicate"), (Strings{"False", "True"}));
    EXPECT_EQ(distinct("concentration"), (Strings{"0", "0.5", "1", "10"}));
    EXPECT_EQ(distinct("plate"), (Strings{"", "7"}));
    EXPECT_EQ(data.obs_columns(), (Strings{"cell_type", "concentration", "culture", "patient", "plate",
                                           "replicate", "treatment"}));
}

TEST(AnnData, DropsRowsWithoutALabelThatDefinesThePopulation) {
    ScreenOptions options = small_options();
    options.min_cells = 1;
    const Screen screen = open_screen(golden("obs_typed.h5ad"), options);

    ASSERT_EQ(screen.dropped.size(), 2U);
    EXPECT_EQ(screen.dropped[0].why, "no value of plate");
    EXPECT_EQ(screen.dropped[0].n_cells, 1U);
    EXPECT_EQ(screen.dropped[1].why, "no value of treatment");
    EXPECT_EQ(screen.dropped[1].n_cells, 1U);
    std::size_t kept = 0;
    for (const Population& population : screen.populations) kept += population.n_cells;
    EXPECT_EQ(kept, n_cells - 2);
}

TEST(AnnData, ReadsCategoriesStoredAsANullableColumn) {
    const popflow::support::TemporaryFolder folder;
    popflow::h5::AtomicFile file(folder.file("a.h5"));
    popflow::h5::Group root = file.root();
    popflow::h5::DataFrame names;
    names.set_row_names({"a", "b"});
    popflow::h5::Group obs = popflow::h5::write_dataframe(root, "obs", names);
    popflow::h5::write_dataframe(root, "var", names);
    root.write("X", std::span<const float>(std::vector<float>{1, 2, 3, 4}), {2, 2});
    popflow::h5::Group column = obs.create_group("treatment");
    column.write("codes", std::vector<std::int8_t>{1, 0});
    popflow::h5::Group categories = column.create_group("categories");
    categories.write_strings("values", Strings{"DMSO", "S"});
    categories.write_bools("mask", std::vector<std::uint8_t>{0, 0});
    file.commit();

    EXPECT_EQ(AnnData(folder.file("a.h5")).obs("treatment").read_labels(), (Strings{"S", "DMSO"}));
}

TEST(AnnData, FingerprintsDifferBetweenFiles) {
    const auto fingerprint = [](const char* name) {
        return open_screen(golden(name), small_options()).fingerprint;
    };

    EXPECT_EQ(fingerprint("dense.h5ad"), fingerprint("dense.h5ad"));
    EXPECT_EQ(fingerprint("dense.h5ad").size(), 16U);
    EXPECT_NE(fingerprint("dense.h5ad"), fingerprint("csr_float32.h5ad"));
    EXPECT_NE(fingerprint("dense.h5ad"), fingerprint("obs_typed.h5ad"));
}

TEST(AnnData, FingerprintsDependOnTheCells) {
    const popflow::support::TemporaryFolder folder;
    popflow::support::ScreenFile file;
    file.add(50, {.patient = "P1", .treatment = "DMSO", .concentration = "0"});
    file.add(50, {.patient = "P1", .treatment = "O", .concentration = "1"});
    const auto fingerprint = [&](float scale) {
        file.x.clear();
        for (int i = 0; i < 200; ++i) file.x.push_back(scale * static_cast<float>(i));
        file.write(folder.file("a.h5ad"));
        return open_screen(folder.file("a.h5ad"), small_options()).fingerprint;
    };
    EXPECT_EQ(fingerprint(1), fingerprint(1));
    EXPECT_NE(fingerprint(1), fingerprint(1.5F));
}
