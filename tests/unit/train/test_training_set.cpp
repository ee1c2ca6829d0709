// SPDX-License-Identifier: MIT
#include "train/training_set.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.hpp"
#include "core/random.hpp"
#include "models/moment_map.hpp"
#include "support/mpi_session.hpp"
#include "support/populations.hpp"
#include "support/screen_file.hpp"
#include "support/temporary_folder.hpp"
#include "train/latent_fit.hpp"
#include "train/one_pass.hpp"

using popflow::core::ConfigError;
using popflow::core::DataError;
using popflow::support::rows;
using popflow::support::ScreenFile;
namespace linalg = popflow::linalg;
namespace screen = popflow::screen;
namespace train = popflow::train;
using Part = screen::Part;

namespace {

// Screen with the training pairs 1, 2, 3 and the test pair 0. Patients P1 and P2 are training data. Treatment
// O of P1 is pair 1, S of P1 is pair 2 and O of P2 is pair 3.
//
// Training cells, each counted once:
//   marker 0: 0 2 | 4 6 | 8 10 | 0 2 | 8 10, with the mean 5 and the variance 13.8
//   marker 1: 1 3 | 1 3 | 3 5 | 1 3 | 1 3, with the mean 2.4 and the variance 1.64
class TrainingSet : public popflow::support::WithMpi {
  protected:
    TrainingSet() {
        add("P0", "DMSO", {{-500, 70}, {900, 30}});
        add("P0", "O", {{4000, 90}, {100, 50}});
        add("P1", "DMSO", {{0, 1}, {2, 3}}, "Fibs");
        add("P1", "O", {{4, 1}, {6, 3}});
        add("P1", "S", {{8, 3}, {10, 5}});
        add("P2", "DMSO", {{0, 1}, {2, 3}});
        add("P2", "O", {{8, 1}, {10, 3}});
    }
    void add(const std::string& patient, const std::string& treatment,
             const std::vector<std::pair<float, float>>& cells, const std::string& type = "PDOs",
             const std::string& concentration = "1") {
        file_.add(cells.size(), {patient, treatment, concentration, "A", "PDO", "1", type});
        for (const auto& [first, second] : cells) file_.x.insert(file_.x.end(), {first, second});
    }
    // Replaces the cells of the file.
    void clear() {
        file_.rows.clear();
        file_.x.clear();
    }
    void open(screen::Doses doses = screen::Doses::highest) {
        file_.write(folder_.file("s.h5ad"));
        screen::ScreenOptions options;
        options.min_cells = 1;
        options.doses = doses;
        options.transform = screen::Transform::parse("none");
        screen_ = screen::open_screen(folder_.file("s.h5ad"), options);
    }
    // Opens the screen with its first pair in the test part.
    train::TrainingSet make(const train::CellStorage& storage = {}, screen::TreatmentVectors vectors = {}) {
        open();
        split_.parts.assign(screen_.pairs.size(), Part::train);
        split_.parts[0] = Part::test;
        return {screen_, split_, options_, popflow::mpi::Communicator::world(), storage, std::move(vectors)};
    }
    // Returns the message of the error that make() throws.
    template <class Error>
    std::string message(screen::TreatmentVectors vectors = {}) {
        try {
            make({}, std::move(vectors));
        } catch (const Error& error) {
            return error.what();
        }
        return "no exception";
    }

    popflow::support::TemporaryFolder folder_;
    popflow::support::ScreenFile file_;
    screen::Screen screen_;
    screen::Split split_;
    train::TrainingSetOptions options_{.lanes = 2};
    const double scale_ = (std::sqrt(13.8) + std::sqrt(1.64)) / 2;
};

}  // namespace

TEST_F(TrainingSet, NormalisesWithAllTrainingCells) {
    const train::TrainingSet set = make();
    EXPECT_EQ(set.pairs(), (std::vector<std::size_t>{1, 2, 3}));
    ASSERT_EQ(set.normalisation().mean.size(), 2U);
    EXPECT_FLOAT_EQ(set.normalisation().mean[0], 5);
    EXPECT_FLOAT_EQ(set.normalisation().mean[1], 2.4F);
    EXPECT_FLOAT_EQ(set.normalisation().scale, static_cast<float>(scale_));
}

// The covariance is [[13.8, 2.6], [2.6, 1.64]], with the eigenvalues 7.72 +- sqrt(43.7264).
TEST_F(TrainingSet, WorksInPrincipalComponentsOfAllTrainingCells) {
    options_.latent = 1;
    const train::TrainingSet set = make();
    const double variance = 7.72 + std::sqrt(43.7264);
    const double length = std::hypot(2.6, variance - 13.8);
    const double v[] = {2.6 / length, (variance - 13.8) / length};
    const screen::LatentSpace& latent = set.latent();
    ASSERT_EQ(latent.size(), 1U);
    EXPECT_NEAR(latent.components(0, 0), v[0], 1e-6);
    EXPECT_NEAR(latent.components(0, 1), v[1], 1e-6);
    EXPECT_NEAR(latent.mean[0], 0, 1e-6);
    EXPECT_NEAR(latent.total_share(), variance / (13.8 + 1.64), 1e-6);
    EXPECT_NEAR(latent.scale, std::sqrt(variance) / scale_, 1e-6);
    EXPECT_FLOAT_EQ(set.normalisation().scale, static_cast<float>(scale_));
    EXPECT_EQ(set.range().max, (std::vector<float>{10, 5}));

    EXPECT_EQ(set.shape().markers, 1U);
    const double shift = 8 * v[0] + 2 * v[1];  // that of S, see the next test
    EXPECT_NEAR(set.mean_shifts()(1, 0), shift / std::sqrt(variance), 1e-6);
    EXPECT_NEAR(set.marker_shifts()(1, 0), 8 / scale_, 1e-6);
    EXPECT_NEAR(set.marker_shifts()(1, 1), 2 / scale_, 1e-6);
    const linalg::ConstMatrixView<float> control = set.lanes().front().pairs.front().control.x;
    ASSERT_EQ(control.rows, 2U);
    ASSERT_EQ(control.cols, 1U);
    EXPECT_NEAR(control(0, 0), (-5 * v[0] - 1.4 * v[1]) / std::sqrt(variance), 1e-6);
    EXPECT_NEAR(control(1, 0), (-3 * v[0] + 0.6 * v[1]) / std::sqrt(variance), 1e-6);
    EXPECT_EQ(latent.encode(latent.decode(control).view()).size(), control.rows);
    EXPECT_NEAR(latent.encode(latent.decode(control).view())(1, 0), control(1, 0), 1e-6);
}

TEST_F(TrainingSet, MapsBackExactlyFromAsManyComponentsAsMarkers) {
    options_.latent = 2;
    options_.normalise = false;
    const train::TrainingSet set = make();
    EXPECT_EQ(set.latent().scale, 1);
    EXPECT_NEAR(set.latent().mean[0], 5, 1e-6);
    EXPECT_NEAR(set.latent().total_share(), 1, 1e-12);
    const linalg::Matrix<float> cells = set.latent().decode(set.lanes().front().pairs.front().control.x);
    EXPECT_NEAR(cells(0, 0), 0, 1e-5);
    EXPECT_NEAR(cells(0, 1), 1, 1e-5);
    EXPECT_NEAR(cells(1, 0), 2, 1e-5);
    EXPECT_NEAR(cells(1, 1), 3, 1e-5);
}

TEST_F(TrainingSet, RefusesMoreComponentsThanDirections) {
    options_.latent = 3;
    EXPECT_EQ(message<ConfigError>(),
              "latent: found pca:3, but there are 2 markers and 10 training cells. Give at most pca:2");
    EXPECT_THROW(train::check_latent_size(5, 9, 5), ConfigError);
    EXPECT_NO_THROW(train::check_latent_size(4, 9, 5));
    clear();  // marker 1 is twice marker 0
    for (const char* treatment : {"DMSO", "O", "S"}) {
        add("P0", treatment, {{0, 0}, {1, 2}});
        add("P1", treatment, {{2, 4}, {5, 10}});
    }
    options_.latent = 2;
    EXPECT_EQ(message<ConfigError>(),
              "latent: found pca:2, but the training cells vary in 1 direction only. Give at most pca:1");
}

TEST_F(TrainingSet, AveragesTheShiftOfEachConditionOverItsPairs) {
    // The means of marker 0 are 1 for both controls. O moves P1 by 4 and P2 by 8. S moves P1 by 8, and marker
    // 1 by 2.
    const train::TrainingSet set = make();
    ASSERT_EQ(set.conditions().count(), 2U);
    EXPECT_EQ(set.conditions().treatments()[0].name, "O");
    ASSERT_EQ(set.mean_shifts().rows(), 2U);
    EXPECT_NEAR(set.mean_shifts()(0, 0), 6 / scale_, 1e-6);
    EXPECT_NEAR(set.mean_shifts()(0, 1), 0, 1e-6);
    EXPECT_NEAR(set.mean_shifts()(1, 0), 8 / scale_, 1e-6);
    EXPECT_NEAR(set.mean_shifts()(1, 1), 2 / scale_, 1e-6);
}

// The moments of the populations give the same weights as all their cells.
TEST_F(TrainingSet, FitsTheMomentMapToItsPairs) {
    clear();
    popflow::core::Stream stream(3, popflow::core::Purpose::test);
    const auto cells = [&](const std::string& patient, const std::string& treatment, float centre) {
        std::vector<float> values(24);
        stream.fill_normal(values);
        std::vector<std::pair<float, float>> both;
        for (std::size_t i = 0; i < 12; ++i) both.emplace_back(centre + values[2 * i], values[2 * i + 1]);
        add(patient, treatment, both);
    };
    for (int p = 0; p < 9; ++p) {
        const auto centre = static_cast<float>(p);
        cells("P" + std::to_string(p), "DMSO", centre);
        cells("P" + std::to_string(p), "O", centre + 3 * std::sin(centre / 2));
        cells("P" + std::to_string(p), "S", centre + 2);
    }
    const train::TrainingSet set = make();
    const popflow::models::MomentMap map = popflow::models::make_moment_map_baseline(set.shape());
    const train::OnePassResult expected =
        train::train_in_one_pass(map, set.lanes(), map.layout().size(), popflow::mpi::Communicator::world());
    ASSERT_EQ(set.moment_map().size(), expected.values.size());
    for (std::size_t k = 0; k < expected.values.size(); ++k)
        EXPECT_NEAR(set.moment_map()[k], expected.values[k], 1e-4 * (1 + std::abs(expected.values[k])));
    const auto kernels =
        popflow::nn::matrix_of(std::span<const float>(set.moment_map()), map.layout().find("shift_kernels"));
    EXPECT_GT(kernels(0, 1), 0) << "treatment O depends on the population";
    options_.reads_cells = false;
    EXPECT_TRUE(make().moment_map().empty());
}

// Pairs 1 and 2 have the same control, whose cells are 0 2 and 1 3.
TEST_F(TrainingSet, HasTheStatisticsOfEachControlOnce) {
    for (const bool in_file : {false, true}) {
        const train::TrainingSet set = make({folder_.path(), in_file ? 0U : ~0U});
        EXPECT_EQ(set.n_controls(), 2U);
        EXPECT_EQ(set.control_of_pair(), (std::vector<std::size_t>{0, 0, 1}));
        ASSERT_EQ(set.controls().size(), 2U);
        for (const auto& control : set.controls()) {
            EXPECT_NEAR(control.mean.at(0), (1 - 5) / scale_, 1e-6);
            EXPECT_NEAR(control.mean.at(1), (2 - 2.4) / scale_, 1e-6);
            EXPECT_NEAR(control.deviation.at(0), 1 / scale_, 1e-6);
            EXPECT_NEAR(control.deviation.at(1), 1 / scale_, 1e-6);
        }
        EXPECT_EQ(set.controls()[0].type_shares, (std::vector<double>{1, 0}));  // Fibs, PDOs
        EXPECT_EQ(set.controls()[1].type_shares, (std::vector<double>{0, 1}));
    }
    options_.reads_cells = false;
    EXPECT_TRUE(make().controls().empty());
    EXPECT_EQ(make().n_controls(), 2U);
}

// Pairs 1 and 2 are of one patient, pair 3 of another.
TEST_F(TrainingSet, NumbersTheUnitsOfItsPairs) {
    const train::TrainingSet set = make();
    std::vector<std::size_t> units(3);
    for (const train::PairLane& lane : set.lanes()) {
        for (const train::TrainingPair& pair : lane.pairs) units[pair.index] = pair.unit;
    }
    EXPECT_EQ(units[0], units[1]);
    EXPECT_NE(units[0], units[2]);
    // Treatment O has two units and S has one.
    EXPECT_EQ(set.conditions_with_few_units(1), 0U);
    EXPECT_EQ(set.conditions_with_few_units(2), 1U);
    EXPECT_EQ(set.conditions_with_few_units(3), 2U);
}

TEST_F(TrainingSet, KeepsTheValuesWithoutNormalisation) {
    options_.normalise = false;
    const train::TrainingSet set = make();
    EXPECT_EQ(set.normalisation().mean, (std::vector<float>{0, 0}));
    EXPECT_EQ(set.normalisation().scale, 1);
    EXPECT_FLOAT_EQ(set.mean_shifts()(0, 0), 6);
    EXPECT_FLOAT_EQ(set.mean_shifts()(1, 1), 2);
    EXPECT_EQ(set.lanes()[0].pairs[0].treated.x(1, 0), 6);
}

TEST_F(TrainingSet, PartitionsThePairsIntoLanes) {
    // All pairs have four cells. The third pair goes to the first of two lanes of equal weight.
    const train::TrainingSet set = make();
    const std::vector<train::PairLane> lanes = set.lanes();
    ASSERT_EQ(lanes.size(), 2U);
    EXPECT_EQ(lanes[0].slot, 0U);
    EXPECT_EQ(lanes[1].slot, 1U);
    ASSERT_EQ(lanes[0].pairs.size(), 2U);
    ASSERT_EQ(lanes[1].pairs.size(), 1U);
    EXPECT_FLOAT_EQ(lanes[0].weight, 2 / 1.5F);
    EXPECT_FLOAT_EQ(lanes[1].weight, 1 / 1.5F);
    EXPECT_EQ(lanes[0].pairs[0].index, 0U) << "index among the training pairs";
    EXPECT_EQ(lanes[0].pairs[1].index, 2U);
    EXPECT_EQ(lanes[1].pairs[0].index, 1U);
    EXPECT_EQ(lanes[0].pairs[0].condition, (std::vector<float>{1, 0}));
    EXPECT_EQ(lanes[0].pairs[1].condition, (std::vector<float>{1, 0}));
    EXPECT_EQ(lanes[1].pairs[0].condition, (std::vector<float>{0, 1}));
}

TEST_F(TrainingSet, PutsTheLargestPairsIntoDifferentLanes) {
    clear();
    const std::vector<std::pair<float, float>> large(20, {1, 2});
    const std::vector<std::pair<float, float>> small{{0, 0}, {5, 5}};
    for (const char* patient : {"P0", "P1", "P2", "P3", "P4"}) {
        add(patient, "DMSO", small);
        const bool is_large = std::string(patient) == "P1" || std::string(patient) == "P4";
        add(patient, "O", is_large ? large : small);
    }
    // Training pairs have 22, 4, 4 and 22 cells.
    const train::TrainingSet set = make();
    const std::vector<train::PairLane> lanes = set.lanes();
    ASSERT_EQ(lanes.size(), 2U);
    for (const train::PairLane& lane : lanes) {
        ASSERT_EQ(lane.pairs.size(), 2U);
        EXPECT_EQ(lane.weight, 1);
        std::size_t cells = 0;
        for (const train::TrainingPair& pair : lane.pairs) cells += pair.control.x.rows + pair.treated.x.rows;
        EXPECT_EQ(cells, 26U);
    }
}

TEST_F(TrainingSet, HoldsTheNormalisedCellsOfItsPairs) {
    const train::TrainingSet set = make();
    EXPECT_FALSE(set.on_disk());
    const std::vector<train::PairLane> lanes = set.lanes();
    const train::TrainingPair& pair = lanes[1].pairs[0];
    ASSERT_EQ(pair.control.x.rows, 2U);
    ASSERT_EQ(pair.treated.x.rows, 2U);
    EXPECT_NEAR(pair.control.x(0, 0), (0 - 5) / scale_, 1e-6);
    EXPECT_NEAR(pair.control.x(1, 1), (3 - 2.4) / scale_, 1e-6);
    EXPECT_NEAR(pair.treated.x(1, 0), (10 - 5) / scale_, 1e-6);
    EXPECT_NEAR(pair.treated.x(1, 1), (5 - 2.4) / scale_, 1e-6);
    EXPECT_EQ(screen_.cell_types, (std::vector<std::string>{"Fibs", "PDOs"}));
    EXPECT_EQ(pair.control.cell_type[1], 0);
    EXPECT_EQ(pair.treated.cell_type[1], 1);
}

TEST_F(TrainingSet, HasTheRangeOfItsCells) {
    for (const bool in_file : {false, true}) {
        const train::TrainingSet set =
            make(in_file ? train::CellStorage{.folder = folder_.path(), .max_in_memory = 0}
                         : train::CellStorage{});
        EXPECT_EQ(set.range().min, (std::vector<float>{0, 1})) << "without the cells of the test pair";
        EXPECT_EQ(set.range().max, (std::vector<float>{10, 5}));
    }
}

// The encoder sees the controls of the training pairs only.
TEST_F(TrainingSet, NumbersTheCellTypesOfTrainingControls) {
    file_.rows[0].cell_type = "igm+";  // a control cell of the test pair
    for (ScreenFile::Row& row : file_.rows)
        if (row.patient == "P2" && row.treatment == "O") row.cell_type = "Macs";
    const train::TrainingSet set = make();
    EXPECT_EQ(screen_.cell_types, (std::vector<std::string>{"Fibs", "Macs", "PDOs", "igm+"}));
    EXPECT_EQ(set.cell_types(), (std::vector<std::string>{"Fibs", "PDOs"}));
    EXPECT_EQ(set.shape().cell_types, 2U);
    for (const train::PairLane& lane : set.lanes()) {
        for (const train::TrainingPair& pair : lane.pairs) {
            const bool is_p1 = pair.index < 2;
            EXPECT_EQ(pair.control.cell_type[0], is_p1 ? 0 : 1);
            EXPECT_EQ(pair.treated.cell_type[0], is_p1 ? 1 : popflow::models::unknown_cell_type);
        }
    }
}

TEST_F(TrainingSet, SharesTheControlOfTwoPairs) {
    const train::TrainingSet set = make();
    const std::vector<train::PairLane> lanes = set.lanes();
    EXPECT_EQ(lanes[0].pairs[0].control.x.data, lanes[1].pairs[0].control.x.data);
    EXPECT_NE(lanes[0].pairs[0].control.x.data, lanes[0].pairs[1].control.x.data);
}

TEST_F(TrainingSet, IsTheSameWithItsCellsInAFile) {
    const train::TrainingSet memory = make();
    const train::TrainingSet disk = make({.folder = folder_.path().string(), .max_in_memory = 0});
    EXPECT_TRUE(disk.on_disk());
    EXPECT_EQ(disk.normalisation().mean, memory.normalisation().mean);
    EXPECT_EQ(disk.normalisation().scale, memory.normalisation().scale);
    EXPECT_TRUE(std::ranges::equal(disk.mean_shifts().values(), memory.mean_shifts().values()));
    const std::vector<train::PairLane> from_disk = disk.lanes();
    const std::vector<train::PairLane> from_memory = memory.lanes();
    ASSERT_EQ(from_disk.size(), from_memory.size());
    for (std::size_t b = 0; b < from_disk.size(); ++b) {
        ASSERT_EQ(from_disk[b].pairs.size(), from_memory[b].pairs.size());
        for (std::size_t k = 0; k < from_disk[b].pairs.size(); ++k) {
            const screen::CellsView found = from_disk[b].pairs[k].treated;
            const screen::CellsView expected = from_memory[b].pairs[k].treated;
            EXPECT_TRUE(found.on_disk);
            EXPECT_TRUE(std::ranges::equal(found.cell_type, expected.cell_type));
            for (std::size_t i = 0; i < expected.x.rows; ++i) {
                for (std::size_t j = 0; j < 2; ++j) EXPECT_EQ(found.x(i, j), expected.x(i, j));
            }
        }
    }
}

TEST_F(TrainingSet, UsesTheFileOnlyAboveTheMemoryLimit) {
    // Five populations of two cells. A cell takes two floats and one byte for its type.
    const std::uint64_t bytes = 5 * 2 * (2 * sizeof(float) + 1);
    EXPECT_FALSE(make({.folder = folder_.path().string(), .max_in_memory = bytes}).on_disk());
    EXPECT_TRUE(make({.folder = folder_.path().string(), .max_in_memory = bytes - 1}).on_disk());
    EXPECT_FALSE(make({.folder = "", .max_in_memory = 0}).on_disk()) << "no folder for a file";
}

TEST_F(TrainingSet, AveragesTheShiftOfEachConcentration) {
    clear();
    add("P1", "DMSO", {{0, 0}, {2, 0}});
    add("P1", "O", {{10, 0}, {12, 0}}, "PDOs", "10");
    add("P1", "O", {{3, 0}, {5, 0}}, "PDOs", "2");
    open(screen::Doses::all);
    split_.parts = {Part::train, Part::train};
    options_ = {.lanes = 1, .normalise = false};
    const train::TrainingSet set(screen_, split_, options_, popflow::mpi::Communicator::world());
    EXPECT_EQ(set.conditions().treatments()[0].concentrations, (std::vector<double>{2, 10}));
    ASSERT_EQ(set.mean_shifts().rows(), 2U);
    EXPECT_FLOAT_EQ(set.mean_shifts()(0, 0), 3);
    EXPECT_FLOAT_EQ(set.mean_shifts()(1, 0), 10);
    const std::vector<train::PairLane> lanes = set.lanes();
    ASSERT_EQ(lanes.size(), 1U);
    EXPECT_EQ(lanes[0].pairs[0].condition, (std::vector<float>{1, 0.5F}));
    EXPECT_EQ(lanes[0].pairs[1].condition, (std::vector<float>{1, 1}));
}

TEST_F(TrainingSet, EncodesTreatmentsByTheirVectors) {
    const train::TrainingSet set = make({}, screen::TreatmentVectors({"S", "O"}, rows({{5}, {7}})));
    EXPECT_EQ(set.lanes()[0].pairs[0].condition, std::vector<float>{7});
    EXPECT_EQ(set.lanes()[1].pairs[0].condition, std::vector<float>{5});
}

TEST_F(TrainingSet, ThrowsForMoreSlotsThanPairs) {
    options_.lanes = 4;
    EXPECT_EQ(message<ConfigError>(),
              "batch-pairs: found 4, but there are 3 training pairs. Give at most one slot for each of them");
    options_.lanes = 3;
    EXPECT_EQ(message<ConfigError>(), "no exception");
}

TEST_F(TrainingSet, ThrowsForRowsOfUnequalPopulations) {
    options_.rows_correspond = true;
    EXPECT_EQ(message<DataError>(), "no exception");
    add("P2", "S", {{1, 1}, {2, 2}, {3, 3}});
    EXPECT_EQ(
        message<DataError>(),
        folder_.file("s.h5ad") +
            ": coupling rows: found 2 cells in P2 / PDO / 1 / A: DMSO at 1 and 3 in P2 / PDO / 1 / A: S "
            "at 1. Rows correspond only in populations of equal size: use --coupling ot");
    options_.rows_correspond = false;
    EXPECT_EQ(message<DataError>(), "no exception");
}

TEST_F(TrainingSet, AllowsUnequalRowsInTheTestPart) {
    options_.rows_correspond = true;
    add("P0", "DMSO", {{1, 1}});
    EXPECT_EQ(message<DataError>(), "no exception");
}

TEST_F(TrainingSet, ThrowsForATreatmentWithoutAVector) {
    const std::string text = message<ConfigError>(screen::TreatmentVectors({"O", "SN38"}, rows({{1}, {2}})));
    EXPECT_TRUE(text.starts_with("treatment-vectors: the table has no row for treatment 'S'")) << text;
    EXPECT_TRUE(text.ends_with("Add one: every treatment with pairs needs a vector")) << text;
}

TEST_F(TrainingSet, ThrowsForATestTreatmentWithoutAVector) {
    add("P0", "Bortezomib", {{1, 1}});
    const std::string text =
        message<ConfigError>(screen::TreatmentVectors({"Bortezomid", "O", "S"}, rows({{1}, {2}, {3}})));
    EXPECT_NE(text.find("'Bortezomib'"), std::string::npos) << text;
    EXPECT_NE(text.find("Bortezomid"), std::string::npos) << "suggests the nearest name: " << text;
}

TEST_F(TrainingSet, ThrowsForConstantTrainingCells) {
    clear();
    add("P0", "DMSO", {{1, 2}});
    add("P0", "O", {{3, 4}});
    add("P1", "DMSO", {{7, 8}, {7, 8}});
    add("P1", "O", {{7, 8}});
    options_.lanes = 1;
    EXPECT_EQ(message<DataError>(),
              folder_.file("s.h5ad") +
                  ": X: normalisation: every marker is constant over the training cells: at least one marker "
                  "must vary");
    options_.normalise = false;
    EXPECT_EQ(message<DataError>(), "no exception");
}
