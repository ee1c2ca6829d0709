// SPDX-License-Identifier: MIT
#include "screen/vehicles.hpp"

#include <gtest/gtest.h>

#include <cstdint>

#include "core/error.hpp"
#include "screen/conditions.hpp"
#include "screen/read_populations.hpp"
#include "support/screen_file.hpp"
#include "support/temporary_folder.hpp"

using namespace popflow::screen;
using popflow::support::ScreenFile;
using popflow::support::TemporaryFolder;
using Strings = std::vector<std::string>;

namespace {

/// Returns a screen of two patients with the vehicles DMSO and H2O and the treatments A and B. In P1 H2O is
/// the larger one, in P2 DMSO. The column `part` names the vehicle of A and B.
ScreenFile two_vehicles() {
    ScreenFile file;
    for (const bool first : {true, false}) {
        const std::string patient = first ? "P1" : "P2";
        file.add(first ? 2 : 3,
                 {.patient = patient, .treatment = "DMSO", .concentration = "0", .part = "DMSO"});
        file.add(first ? 3 : 2,
                 {.patient = patient, .treatment = "H2O", .concentration = "0", .part = "H2O"});
        file.add(2, {.patient = patient, .treatment = "A", .concentration = "1", .part = "DMSO"});
        file.add(2, {.patient = patient, .treatment = "B", .concentration = "1", .part = "H2O"});
    }
    return file;
}

class VehiclesTest : public testing::Test {
  protected:
    Screen open(const ScreenFile& file, const ScreenOptions& options) {
        file.write(path_);
        return open_screen(path_, options);
    }
    static ScreenOptions options() {
        ScreenOptions options;
        options.min_cells = 2;
        return options;
    }
    /// Returns `TREATMENT from CONTROL` of each pair.
    static Strings pairs(const Screen& screen) {
        Strings names;
        for (const PopulationPair& pair : screen.pairs)
            names.push_back(screen.populations[pair.treated].treatment + " from " +
                            screen.populations[pair.control].treatment);
        return names;
    }
    std::string error(const ScreenOptions& options) {
        try {
            open(two_vehicles(), options);
        } catch (const popflow::core::UserError& thrown) {
            return thrown.what();
        }
        return "no error";
    }

    TemporaryFolder folder_;
    std::string path_ = folder_.file("screen.h5ad");
};

}  // namespace

TEST_F(VehiclesTest, UsesTheLargestControlAndSaysWhich) {
    const Screen screen = open(two_vehicles(), options());

    EXPECT_EQ(pairs(screen), (Strings{"A from H2O", "B from H2O", "A from DMSO", "B from DMSO"}));
    EXPECT_EQ(
        screen.notes,
        Strings{"2 experiments have several controls (DMSO @ 0, H2O @ 0). A treatment is paired with the "
                "largest control: DMSO @ 0 in 1 experiment, H2O @ 0 in 1 experiment. --control "
                "TREATMENT=VEHICLE or --column vehicle=NAME name the vehicle of a treatment, --vehicles "
                "pool pools the controls of an experiment"});
}

TEST_F(VehiclesTest, OneControlNeedsNoNote) {
    ScreenFile file = two_vehicles();
    std::erase_if(file.rows, [](const ScreenFile::Row& row) { return row.treatment == "H2O"; });

    EXPECT_EQ(open(file, options()).notes, Strings{});
}

TEST_F(VehiclesTest, PairsATreatmentWithTheVehicleThatIsNamed) {
    ScreenOptions named = options();
    named.control_labels = {"A=DMSO", "B=H2O"};

    const Screen screen = open(two_vehicles(), named);

    EXPECT_EQ(pairs(screen), (Strings{"A from DMSO", "B from H2O", "A from DMSO", "B from H2O"}));
    EXPECT_EQ(screen.notes, Strings{"2 experiments have several controls (DMSO @ 0, H2O @ 0). A treatment is "
                                    "paired with its own vehicle"});
    named.control_labels = {"C=DMSO"};
    EXPECT_EQ(open(two_vehicles(), named).notes.back(),
              "--control C=DMSO has no effect: there is no treatment C");
}

TEST_F(VehiclesTest, ReadsTheVehicleFromAColumn) {
    ScreenOptions by_column = options();
    by_column.columns = {{"vehicle", "part"}};

    EXPECT_EQ(pairs(open(two_vehicles(), by_column)),
              (Strings{"A from DMSO", "B from H2O", "A from DMSO", "B from H2O"}));

    ScreenFile unknown = two_vehicles();
    for (ScreenFile::Row& row : unknown.rows) row.part = row.treatment == "A" ? "water" : row.part;
    const Screen screen = open(unknown, by_column);
    EXPECT_EQ(pairs(screen), (Strings{"A from H2O", "B from H2O", "A from DMSO", "B from H2O"}));
    EXPECT_EQ(screen.notes.back(),
              "obs/part: water names no control of these treated cells, so they are paired with the largest "
              "control. --control takes the labels of controls");
}

TEST_F(VehiclesTest, ConditionsKnowTheVehicleOfTheColumn) {
    ScreenOptions by_column = options();
    by_column.columns = {{"vehicle", "part"}};
    const std::vector<std::size_t> pairs{0, 1, 2, 3};

    const Screen screen = open(two_vehicles(), by_column);
    const Conditions conditions = Conditions::from_pairs(screen, pairs);

    EXPECT_EQ(conditions.treatments()[0].vehicle, "DMSO");
    EXPECT_EQ(conditions.treatments()[1].vehicle, "H2O");
    EXPECT_EQ(Conditions::from_pairs(open(two_vehicles(), options()), pairs).treatments()[0].vehicle, "");
    by_column.vehicles = Vehicles::pool;
    by_column.columns.clear();
    EXPECT_EQ(Conditions::from_pairs(open(two_vehicles(), by_column), pairs).treatments()[0].vehicle, "");
}

TEST_F(VehiclesTest, FollowsTheLabelOfTheFileForANamedVehicle) {
    ScreenFile file = two_vehicles();
    for (ScreenFile::Row& row : file.rows) row.treatment = row.treatment == "DMSO" ? "dmso " : row.treatment;
    ScreenOptions named = options();
    named.control_labels = {"A=DMSO", "B=H2O"};

    const Screen screen = open(file, named);

    EXPECT_EQ(pairs(screen), (Strings{"A from dmso ", "B from H2O", "A from dmso ", "B from H2O"}));
    EXPECT_EQ(screen.named_vehicles.at("A"), "dmso ");
}

TEST_F(VehiclesTest, DropsATreatmentWhoseVehicleIsTooSmall) {
    ScreenOptions named = options();
    named.control_labels = {"A=DMSO", "B=H2O"};
    named.min_cells = 3;
    ScreenFile file = two_vehicles();
    for (const char* patient : {"P1", "P2"}) {
        file.add(1, {.patient = patient, .treatment = "A", .concentration = "1"});
        file.add(1, {.patient = patient, .treatment = "B", .concentration = "1"});
    }

    const Screen screen = open(file, named);

    EXPECT_EQ(pairs(screen), (Strings{"B from H2O", "A from DMSO"}));
    const auto is_about_a = [](const Dropped& dropped) { return dropped.what == "P1 / PDO / 1 / A: A at 1"; };
    const auto dropped = std::ranges::find_if(screen.dropped, is_about_a);
    ASSERT_NE(dropped, screen.dropped.end());
    EXPECT_EQ(dropped->why, "no control DMSO of 3 cells or more, the vehicle of this treatment");
    EXPECT_EQ(dropped->n_cells, 3U);
}

TEST_F(VehiclesTest, PoolsTheControlsOfAnExperiment) {
    ScreenOptions pooled = options();
    pooled.vehicles = Vehicles::pool;
    pooled.min_cells = 2;
    ScreenFile file = two_vehicles();
    const Screen screen = open(file, pooled);

    EXPECT_EQ(pairs(screen),
              (Strings{"A from DMSO+H2O", "B from DMSO+H2O", "A from DMSO+H2O", "B from DMSO+H2O"}));
    EXPECT_EQ(screen.notes, Strings{"the controls DMSO @ 0, H2O @ 0 are pooled in 2 experiments"});
    const std::size_t control = screen.pairs[2].control;
    EXPECT_EQ(screen.populations[control].n_cells, 5U);
    std::vector<std::vector<std::uint64_t>> rows;
    read_populations(screen, std::span(&control, 1), &rows);
    EXPECT_EQ(rows.front(), (std::vector<std::uint64_t>{9, 10, 11, 12, 13})) << "in the order of the file";

    pooled.min_cells = 5;  // neither vehicle alone has this number of cells
    file.add(3, {.patient = "P1", .treatment = "A", .concentration = "1"});
    EXPECT_EQ(pairs(open(file, pooled)), Strings{"A from DMSO+H2O"});
}

TEST_F(VehiclesTest, RefusesToPoolNamedVehicles) {
    ScreenOptions both = options();
    both.vehicles = Vehicles::pool;
    both.control_labels = {"A=DMSO"};
    EXPECT_EQ(
        error(both),
        "vehicles: found pool together with --control TREATMENT=VEHICLE: either pool the controls of an "
        "experiment, or name the vehicles");
}
