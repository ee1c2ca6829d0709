// SPDX-License-Identifier: MIT
#include "predict/control_choice.hpp"

#include <gtest/gtest.h>

#include "predict/predictor.hpp"

using popflow::predict::FromControls;
using popflow::screen::Conditions;
using popflow::screen::Doses;
namespace screen = popflow::screen;
namespace predict = popflow::predict;
using Strings = std::vector<std::string>;

namespace {

const Conditions trained({{"A", {}}, {"B", {}}, {"C", {}}}, Doses::highest);

/// Screen of two patients with the controls DMSO and H2O and the treatments A and B. In P1 H2O has more
/// cells, in P2 DMSO.
screen::Screen two_vehicles() {
    screen::Screen made;
    for (const char* patient : {"P1", "P2"}) {
        const std::size_t experiment = made.experiments.size();
        made.experiments.push_back({patient, {patient}, {}});
        for (const char* treatment : {"A", "B", "DMSO", "H2O"}) {
            screen::Population p;
            p.experiment = experiment;
            p.treatment = treatment;
            p.control = p.treatment == "DMSO" || p.treatment == "H2O";
            p.n_cells = (experiment == 0) == (p.treatment == "H2O") ? 30 : 20;
            made.populations.push_back(p);
        }
    }
    made.options.control_labels = {"DMSO", "H2O"};
    return made;
}

/// Sets the value of the role vehicle of a treatment in all its populations.
void set_vehicle(screen::Screen& of, const std::string& treatment, const std::string& vehicle) {
    for (screen::Population& p : of.populations) {
        if (p.treatment == treatment) p.vehicles = {vehicle};
    }
}

predict::PredictionPlan plan(const screen::Screen& from, const Conditions& known = trained,
                             FromControls controls = FromControls::own, std::size_t neighbours = 0) {
    return predict::plan_control_predictions(from, predict::chosen_conditions(known, {}, {}), known,
                                             neighbours, controls);
}

/// Returns `SOURCE to TREATMENT` of each prediction.
Strings predictions(const predict::PredictionPlan& plan) {
    Strings lines;
    for (const predict::Prediction& p : plan.predictions)
        lines.push_back(plan.sources[p.source] + " to " + p.treatment);
    return lines;
}

const Strings own_vehicles{"P1: DMSO to A", "P1: H2O to B",  "P1: H2O to C",
                           "P2: DMSO to A", "P2: DMSO to C", "P2: H2O to B"};

}  // namespace

TEST(ControlChoice, WithoutVehiclesTransportsEveryControlToEveryCondition) {
    const predict::PredictionPlan all = plan(two_vehicles());

    EXPECT_EQ(all.predictions.size(), 12U);
    EXPECT_EQ(all.notes,
              Strings{"2 experiments have several controls (DMSO, H2O). Each treatment is predicted "
                      "from each of them. --control TREATMENT=VEHICLE names the vehicle of a "
                      "treatment"});
}

TEST(ControlChoice, PredictsATreatmentFromTheVehicleThatIsNamed) {
    screen::Screen named = two_vehicles();
    named.named_vehicles = {{"A", "DMSO"}, {"B", "H2O"}};

    EXPECT_EQ(predictions(plan(named)), own_vehicles);
    EXPECT_EQ(plan(named).predictions[1].condition, 1U);
    EXPECT_EQ(
        plan(named).notes,
        Strings{"2 experiments have several controls (DMSO, H2O). A treatment is predicted from its own "
                "vehicle, one without a known vehicle (C) from the largest control. --from-controls all "
                "predicts each treatment from each control"});
    EXPECT_EQ(plan(named, trained, FromControls::all).predictions.size(), 12U);
    EXPECT_EQ(plan(named, trained, FromControls::all).notes, Strings{});
}

TEST(ControlChoice, ReadsTheVehicleFromTheFileOrFromTheTraining) {
    screen::Screen by_column = two_vehicles();
    set_vehicle(by_column, "A", "DMSO");
    set_vehicle(by_column, "B", "H2O");
    EXPECT_EQ(predictions(plan(by_column)), own_vehicles);

    // A file of controls only.
    screen::Screen controls = two_vehicles();
    std::erase_if(controls.populations, [](const screen::Population& p) { return !p.control; });
    const Conditions known({{"A", {}, "", "DMSO"}, {"B", {}, "", "H2O"}, {"C", {}}}, Doses::highest);
    EXPECT_EQ(predictions(plan(controls, known)), own_vehicles);

    // The file overrides the training, and the options override the file.
    set_vehicle(by_column, "A", "H2O");
    EXPECT_EQ(predictions(plan(by_column, known))[0], "P1: H2O to A");
    by_column.named_vehicles = {{"A", "DMSO"}};
    EXPECT_EQ(predictions(plan(by_column, known)), own_vehicles);
}

TEST(ControlChoice, SaysWhichExperimentsLackAVehicle) {
    screen::Screen lacking = two_vehicles();
    lacking.named_vehicles = {{"A", "ethanol"}, {"B", "H2O"}};

    const predict::PredictionPlan chosen = plan(lacking);

    EXPECT_EQ(predictions(chosen), (Strings{"P1: H2O to A", "P1: H2O to B", "P1: H2O to C", "P2: DMSO to A",
                                            "P2: DMSO to C", "P2: H2O to B"}));
    EXPECT_EQ(chosen.notes.back(),
              "A is predicted from another control in 2 experiments without its vehicle ethanol: P1, P2");
}

TEST(ControlChoice, DoesNotReplaceAVehicleThatIsTooSmall) {
    screen::Screen named = two_vehicles();
    named.named_vehicles = {{"A", "DMSO"}, {"B", "H2O"}};

    const predict::PredictionPlan large = plan(named, trained, FromControls::own, 25);

    EXPECT_EQ(predictions(large),
              (Strings{"P1: H2O to B", "P1: H2O to C", "P2: DMSO to A", "P2: DMSO to C"}));
    EXPECT_EQ(large.too_small, (Strings{"P1: DMSO", "P2: H2O"}));
}

TEST(ControlChoice, PooledControlsAndFilesWithoutTreatmentsHaveNoVehicle) {
    screen::Screen pooled = two_vehicles();
    pooled.options.vehicles = screen::Vehicles::pool;
    set_vehicle(pooled, "A", "DMSO");
    EXPECT_EQ(plan(pooled).predictions.size(), 12U);

    screen::Screen only_controls = two_vehicles();
    only_controls.has_treatments = false;
    only_controls.named_vehicles = {{"A", "DMSO"}};
    EXPECT_EQ(plan(only_controls).predictions.size(), 12U);
}
