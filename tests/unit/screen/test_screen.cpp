// SPDX-License-Identifier: MIT
#include "screen/read_populations.hpp"
#include "screen/screen.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "core/error.hpp"
#include "support/screen_file.hpp"
#include "support/temporary_folder.hpp"

using namespace popflow::core;
using namespace popflow::screen;
using popflow::core::ConfigError;
using popflow::core::DataError;
using popflow::support::ScreenFile;
using popflow::support::TemporaryFolder;
using Strings = std::vector<std::string>;

namespace {

/// Returns a screen of two patients. Each has a control with 3 cells, and S at doses 1 and 10 with 2 cells
/// each.
ScreenFile two_patients() {
    ScreenFile file;
    for (const char* patient : {"P1", "P2"}) {
        file.add(3, {patient, "DMSO", "0"});
        file.add(2, {patient, "S", "10"});
        file.add(2, {patient, "S", "1"});
    }
    return file;
}

ScreenOptions small_options() {
    ScreenOptions options;
    options.min_cells = 2;
    return options;
}

class ScreenTest : public testing::Test {
  protected:
    Screen open(const ScreenFile& file, const ScreenOptions& options = small_options()) {
        file.write(path_);
        return open_screen(path_, options);
    }
    /// Returns the error message of opening and reading the file, without the path.
    std::string open_error(const ScreenFile& file, const ScreenOptions& options = small_options()) {
        file.write(path_);
        return error_message([&] {
            const Screen screen = open_screen(path_, options);
            std::vector<std::size_t> all(screen.populations.size());
            for (std::size_t p = 0; p < all.size(); ++p) all[p] = p;
            read_populations(screen, all);
        });
    }
    std::string error_message(const std::function<void()>& action) const {
        try {
            action();
        } catch (const popflow::core::UserError& thrown) {
            const std::string text = thrown.what();
            EXPECT_EQ(text.find('\n'), std::string::npos);
            return text.starts_with(path_ + ": ") ? text.substr(path_.size() + 2) : text;
        }
        return "no error";
    }
    TemporaryFolder folder_;
    std::string path_ = folder_.file("screen.h5ad");
};

std::size_t cells_accounted_for(const Screen& screen) {
    std::size_t n = 0;
    for (const Population& population : screen.populations) n += population.n_cells;
    for (const Dropped& dropped : screen.dropped) n += dropped.n_cells;
    return n;
}

}  // namespace

TEST_F(ScreenTest, PairsTheHighestDoseWithTheControl) {
    const Screen screen = open(two_patients());

    ASSERT_EQ(screen.pairs.size(), 2U);
    EXPECT_EQ(population_label(screen, screen.pairs[1].treated), "P2 / PDO / 1 / A: S at 10");
    EXPECT_EQ(population_label(screen, screen.pairs[1].control), "P2 / PDO / 1 / A: DMSO at 0");
    EXPECT_EQ(screen.experiments_found, 2U);
    EXPECT_EQ(screen.populations_found, 6U);
    EXPECT_EQ(screen.x_text, "dense float32");
    EXPECT_EQ(screen.populations[4].first_row, 12U);
    EXPECT_EQ(screen.populations[4].end_row, 14U);
    EXPECT_EQ(screen.populations[4].concentration_value, 1);
}

TEST_F(ScreenTest, PairsAllDosesInNumericOrderOnRequest) {
    ScreenOptions options = small_options();
    options.doses = Doses::all;
    ScreenFile file = two_patients();
    file.add(2, {"P1", "S", "9.5"});

    const Screen screen = open(file, options);

    ASSERT_EQ(screen.pairs.size(), 5U);
    const Strings doses{"1", "9.5", "10", "1", "10"};
    for (std::size_t p = 0; p < 5; ++p)
        EXPECT_EQ(screen.populations[screen.pairs[p].treated].concentration, doses[p]);
}

TEST_F(ScreenTest, DosesAreComparedAsNumbers) {
    ScreenFile file = two_patients();
    const std::size_t pairs = open(file).pairs.size();
    file.add(2, {"P1", "S", "10.0"});
    file.add(3, {"P1", "S", "1e1"});

    const Screen screen = open(file);

    ASSERT_EQ(screen.pairs.size(), pairs);
    const popflow::screen::Population& treated = screen.populations[screen.pairs[0].treated];
    EXPECT_EQ(treated.concentration, "10");
    EXPECT_EQ(treated.n_cells, open(two_patients()).populations[screen.pairs[0].treated].n_cells + 5);
}

TEST_F(ScreenTest, DropsSmallPopulationsAndThenIncompleteExperiments) {
    ScreenFile file = two_patients();
    file.add(1, {"P1", "O", "1"});     // too small
    file.add(5, {"P3", "S", "1"});     // no control
    file.add(6, {"P4", "DMSO", "0"});  // no treated population that is large enough
    file.add(1, {"P4", "S", "1"});
    file.add(1, {"P5", "DMSO", "0"});  // no population that is large enough

    const Screen screen = open(file);

    EXPECT_EQ(screen.experiments.size(), 2U);
    EXPECT_EQ(screen.experiments_found, 5U);
    EXPECT_EQ(screen.populations_found, 11U);
    EXPECT_EQ(cells_accounted_for(screen), screen.n_obs);
    std::vector<std::string> why;
    for (const Dropped& dropped : screen.dropped) {
        why.push_back(dropped.what + " (" + std::to_string(dropped.n_cells) + "): " + dropped.why);
    }
    EXPECT_EQ(why, (Strings{"P1 / PDO / 1 / A: O at 1 (1): fewer than 2 cells",
                            "P3 / PDO / 1 / A (5): no control of 2 cells or more",
                            "P4 / PDO / 1 / A: S at 1 (1): fewer than 2 cells",
                            "P4 / PDO / 1 / A (6): no treatment of 2 cells or more",
                            "P5 / PDO / 1 / A: DMSO at 0 (1): fewer than 2 cells",
                            "P5 / PDO / 1 / A (0): no population of 2 cells or more"}));
}

TEST_F(ScreenTest, UsesTheLargestControlAndBreaksTiesByName) {
    ScreenFile file = two_patients();
    file.add(4, {"P1", "H2O", "0"});
    file.add(3, {"P2", "AH", "0"});

    const Screen screen = open(file);

    EXPECT_EQ(screen.populations[screen.pairs[0].control].treatment, "H2O");
    EXPECT_EQ(screen.populations[screen.pairs[1].control].treatment, "AH");
    EXPECT_EQ(screen.treatments, Strings{"S"});
}

TEST_F(ScreenTest, ExcludesRowsAndMarkersAndReportsFiltersWithoutAMatch) {
    ScreenOptions options = small_options();
    options.exclude = {"patient=P2,concentration=10", "plate=9"};
    options.exclude_markers = {"pERK"};

    const Screen screen = open(two_patients(), options);

    EXPECT_EQ(screen.populations[screen.pairs[1].treated].concentration, "1");
    EXPECT_EQ(screen.markers, Strings{"CD90"});
    EXPECT_EQ(screen.marker_cols, std::vector<std::size_t>{1});
    ASSERT_EQ(screen.dropped.size(), 1U);
    EXPECT_EQ(screen.dropped[0].why, "excluded by patient=P2,concentration=10");
    EXPECT_EQ(screen.dropped[0].n_cells, 2U);
    EXPECT_EQ(screen.notes, Strings{"--exclude plate=9 matches no row"});
    EXPECT_EQ(cells_accounted_for(screen), screen.n_obs);
}

TEST_F(ScreenTest, NotesLabelsAndUnitsApartFromWhatIsDropped) {
    ScreenFile file = two_patients();
    for (ScreenFile::Row& row : file.rows) {
        if (row.treatment == "S") row.concentration = row.concentration == "10" ? "10 uM" : "1000 nM";
    }
    file.add(3, {"P1", "s", "1 uM"});
    file.add(2, {"P1", "", "1 uM"});

    const Screen screen = open(file);

    EXPECT_EQ(screen.notes.size(), 2U);
    EXPECT_EQ(screen.notes[0], "obs/treatment: 'S' and 's' count as different labels");
    EXPECT_TRUE(screen.notes[1].starts_with("doses with a unit are read in uM, such as '"))
        << screen.notes[1];
    EXPECT_EQ(screen.dose_quantity, popflow::core::Quantity::molar);
    ASSERT_EQ(screen.dropped.size(), 1U);
    EXPECT_EQ(reading_notes(screen),
              (Strings{"2 rows left out: no value of treatment", screen.notes[0], screen.notes[1]}));
}

TEST_F(ScreenTest, AMissingOptionalColumnCountsAsOneValue) {
    ScreenFile file = two_patients();
    file.columns = {"patient", "treatment", "concentration"};

    const Screen screen = open(file);

    EXPECT_EQ(screen.experiments[0].label, "P1");
    EXPECT_EQ(screen.experiments[0].values, (Strings{"P1", "", "", ""}));
    EXPECT_EQ(screen.cell_types, Strings{""});
    EXPECT_EQ(screen.pairs.size(), 2U);
}

TEST_F(ScreenTest, JoinsLabelsThatDifferWithinAPopulation) {
    ScreenFile file;
    file.add(1, {"P1", "DMSO", "0", "A"});
    file.add(1, {"P1", "DMSO", "0", "B"});
    file.add(2, {"P1", "S", "1", "B"});
    ScreenOptions options = small_options();
    options.pair_by = {"patient"};

    const Screen screen = open(file, options);

    EXPECT_EQ(screen.populations[0].replicate, "A+B");
    EXPECT_EQ(screen.populations[1].replicate, "B");
}

TEST_F(ScreenTest, KeepsAnEmptyLabelBesideTheOthers) {
    ScreenFile file = two_patients();
    file.rows[0].part = "";
    ScreenOptions options = small_options();
    options.split_column = "part";

    const Screen screen = open(file, options);

    EXPECT_EQ(screen.populations[0].split_values, (Strings{"", "train"}));
    EXPECT_EQ(screen.populations[1].split_values, Strings{"train"});
}

TEST_F(ScreenTest, AcceptsControlsAloneIfNoPairsAreNeeded) {
    ScreenFile file;
    file.add(3, {"P1", "DMSO", "0"});
    ScreenOptions options = small_options();
    EXPECT_EQ(
        open_error(file, options),
        "obs: the one experiment (patient, culture, plate, replicate) does not keep a control and a "
        "treatment of at least 2 cells. The largest population has 3 cells. 1 experiment has no treatment");
    options.need_pairs = false;

    const Screen screen = open(file, options);

    EXPECT_EQ(screen.populations.size(), 1U);
    EXPECT_TRUE(screen.pairs.empty());
}

TEST_F(ScreenTest, ReadsTransformedCellsInFileOrder) {
    ScreenFile file;
    for (int repeat = 0; repeat < 3; ++repeat) {  // interleaves the populations
        file.add(1, {"P1", "DMSO", "0", "A", "PDO", "1", repeat == 1 ? "Fibs" : "PDOs"});
        file.add(1, {"P1", "S", "1"});
    }
    ScreenOptions options = small_options();
    options.markers = {"CD90", "pERK"};

    const Screen screen = open(file, options);
    const std::vector<std::size_t> control{screen.pairs[0].control};
    const Cells cells = read_populations(screen, control).front();

    ASSERT_EQ(cells.x.rows(), 3U);
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_FLOAT_EQ(cells.x(i, 0), std::asinh((2.0F * static_cast<float>(i) + 100) / 5));
        EXPECT_FLOAT_EQ(cells.x(i, 1), std::asinh(2.0F * static_cast<float>(i) / 5));
    }
    EXPECT_EQ(cells.cell_type, (std::vector<std::uint8_t>{1, 0, 1}));
    EXPECT_EQ(screen.cell_types, (Strings{"Fibs", "PDOs"}));
    EXPECT_TRUE(read_populations(screen, {}).empty());
}

TEST_F(ScreenTest, ReadsPopulationsAcrossBlockBoundaries) {
    // The rows exceed one block of obs (65536 rows) and one of X (16 MB). The populations are interleaved and
    // cross the block boundaries.
    ScreenFile file;
    file.markers = {"a", "b", "c", "d"};
    for (int repeat = 0; repeat < 6; ++repeat) {
        file.add(30011, {"P1", "DMSO", "0"});
        file.add(20011, {"P1", "S", "1"});
    }
    ScreenOptions options = small_options();
    options.transform = Transform::parse("none");
    file.x.resize(file.rows.size() * 4);
    for (std::size_t k = 0; k < file.x.size(); ++k) file.x[k] = static_cast<float>(k);

    const Screen screen = open(file, options);
    const std::vector<std::size_t> both{1, 0};
    const std::vector<Cells> cells = read_populations(screen, both);

    ASSERT_EQ(cells[0].x.rows(), 6 * 20011U);
    ASSERT_EQ(cells[1].x.rows(), 6 * 30011U);
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < cells[1].x.rows(); ++i) {
        const std::size_t row = i / 30011 * 50022 + i % 30011;
        for (std::size_t j = 0; j < 4; ++j)
            wrong += cells[1].x(i, j) != static_cast<float>(4 * row + j) ? 1 : 0;
    }
    EXPECT_EQ(wrong, 0U);
    EXPECT_EQ(cells[0].x(20011, 0), 4.0F * (50022 + 30011));
}

TEST_F(ScreenTest, ReportsWhatIsWrongWithTheFile) {
    EXPECT_EQ(error_message([&] { open_screen(path_, small_options()); }),
              "cannot open: No such file or directory");

    ScreenFile no_treatment = two_patients();
    no_treatment.columns = {"patient", "concentration", "plate"};
    EXPECT_EQ(
        open_error(no_treatment),
        "obs/treatment: is missing, found concentration, patient, plate. Name the column that holds the "
        "treatments with --column treatment=COLUMN");

    ScreenFile no_control = two_patients();
    for (ScreenFile::Row& row : no_control.rows) {
        if (row.treatment == "DMSO") row.treatment = "untreated";
    }
    EXPECT_EQ(open_error(no_control),
              "obs/treatment: found no control among S, untreated. Control labels are "
              "DMSO, AH, H2O, control, vehicle. Name the controls of this file with --control");

    ScreenFile doses = two_patients();
    doses.rows[3].concentration = doses.rows[4].concentration = "high";
    EXPECT_EQ(open_error(doses),
              "obs/concentration: found `high` for treatment S, which has 3 concentrations: they must be "
              "numbers, so that doses have an order. They may have a unit: M, mM, uM, nM, pM, mol/l, g/l, "
              "mg/ml, ug/ml, "
              "ng/ml, U/ml, mg/kg, %, Gy, s, min, h, d, weeks");

    ScreenFile shape = two_patients();
    shape.x.assign(26, 1);
    EXPECT_EQ(open_error(shape),
              "obs/_index: found 14 rows, but X has 13 rows: write a file in which they agree");

    ScreenFile empty;
    EXPECT_EQ(open_error(empty), "X: found 0 cells. Give a file with cells");

    ScreenFile twice = two_patients();
    twice.markers = {"pERK", "pERK"};
    EXPECT_EQ(open_error(twice), "var: found marker `pERK` twice. Make the names of the markers unique");

    ScreenFile types;
    for (int k = 0; k < 256; ++k)
        types.add(1, {"P1", "DMSO", "0", "A", "PDO", "1", "type" + std::to_string(k)});
    types.add(2, {"P1", "S", "1"});
    EXPECT_EQ(open_error(types),
              "obs/cell_type: found 257 cell types, more than 255. Merge some of them, or ignore them with "
              "--column cell_type=");
}

TEST_F(ScreenTest, ReportsTheInvalidValueOfX) {
    ScreenFile file = two_patients();
    file.x.assign(28, 1);
    const auto error_with = [&](float value, const char* transform) {
        ScreenFile bad = file;
        bad.x[11] = value;
        ScreenOptions options = small_options();
        options.transform = Transform::parse(transform);
        return open_error(bad, options);
    };
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const float inf = std::numeric_limits<float>::infinity();

    EXPECT_EQ(error_with(nan, "arcsinh:5"),
              "X: row 5, marker CD90: found NaN, but values must be finite. Remove the cell, or leave the "
              "marker out with --exclude-markers");
    EXPECT_EQ(error_with(-0.5, "log1p"),
              "X: row 5, marker CD90: found -0.5, but values must be finite and >= 0 for the transform "
              "log1p. Remove the cell, or leave the marker out with --exclude-markers");
    EXPECT_EQ(error_with(inf, "none"),
              "X: row 5, marker CD90: found inf, but values must be finite. Remove the cell, or leave the "
              "marker out with --exclude-markers");
    EXPECT_EQ(error_with(-0.5, "none"), "no error");
    EXPECT_EQ(error_with(-12.5, "arcsinh:5"), "no error");  // compensation leaves negative values
}

TEST_F(ScreenTest, ReportsInvalidOptions) {
    const ScreenFile file = two_patients();
    ScreenOptions options = small_options();

    options.columns = {{"patient", "donor"}};
    EXPECT_EQ(open_error(file, options).substr(0, 50), "obs/donor: is missing, found cell_type, concentrat");
    options.columns = {{"doner", "patient"}};
    EXPECT_EQ(open_error(file, options),
              "column: found role `doner`. Give one of patient, culture, treatment, concentration, "
              "replicate, plate, cell_type, vehicle");
    options = small_options();
    options.pair_by = {"patient", "batch"};
    EXPECT_EQ(open_error(file, options).substr(0, 22), "obs/batch: is missing,");
    options.pair_by = {"treatment"};
    EXPECT_EQ(open_error(file, options).substr(0, 25), "pair-by: found treatment,");
    options = small_options();
    options.markers = {"perk"};
    EXPECT_EQ(open_error(file, options),
              "var: found no marker `perk` (did you mean 'pERK'?). --markers takes pERK, CD90");
    options = small_options();
    options.exclude = {"patient"};
    EXPECT_EQ(open_error(file, options), "exclude: found `patient`. Give COLUMN=VALUE[,COLUMN=VALUE...]");
    options = small_options();
    options.min_cells = 4;
    EXPECT_EQ(open_error(file, options),
              "obs: none of 2 experiments (patient, culture, plate, replicate) keeps a control "
              "and a treatment of at least 4 cells. The largest population has 3 cells. Use --min-cells 2, "
              "which keeps 2 pairs");
}

TEST_F(ScreenTest, ThrowsIfTheFileChangedAfterItWasOpened) {
    const Screen screen = open(two_patients());
    ScreenFile other = two_patients();
    other.rows[0].treatment = "S";
    other.write(path_);
    const std::vector<std::size_t> first{0};

    EXPECT_EQ(
        error_message([&] { read_populations(screen, first); }),
        "obs: the cells differ from those found when the file was opened: the file must not change during "
        "a run");
}
