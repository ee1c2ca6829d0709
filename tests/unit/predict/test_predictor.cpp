// SPDX-License-Identifier: MIT
#include "predict/predictor.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "predict/prediction_space.hpp"

using popflow::core::ConfigError;
using popflow::predict::chosen_conditions;
using popflow::predict::Space;
using popflow::screen::Conditions;
using popflow::screen::Doses;
using popflow::screen::Normalisation;
using popflow::screen::Transform;
namespace screen = popflow::screen;
namespace predict = popflow::predict;
using Strings = std::vector<std::string>;

namespace {

const Conditions without_doses({{"A,B", {}}, {"O", {}}, {"S", {}}}, Doses::highest);
const Conditions with_doses({{"O", {1, 10}}, {"S", {2, 8}}}, Doses::all);

Strings names(const std::vector<screen::Population>& conditions) {
    Strings out;
    for (const screen::Population& c : conditions)
        out.push_back(screen::condition_name(c.treatment, c.concentration));
    return out;
}

}  // namespace

TEST(ChosenConditions, DefaultToAllTrainedConditions) {
    EXPECT_EQ(names(chosen_conditions(without_doses, {}, {})), (Strings{"A,B", "O", "S"}));
    EXPECT_EQ(names(chosen_conditions(with_doses, {}, {})), (Strings{"O @ 1", "O @ 10", "S @ 2", "S @ 8"}));
}

TEST(ChosenConditions, ContainEachRequestedConditionOnce) {
    EXPECT_EQ(names(chosen_conditions(without_doses, {"S,O", "S"}, {})), (Strings{"S", "O"}));
    EXPECT_EQ(names(chosen_conditions(without_doses, {"A,B", "O"}, {})), (Strings{"A,B", "O"}));
    const auto between = chosen_conditions(with_doses, {"S"}, {2.5, 8});
    EXPECT_EQ(names(between), (Strings{"S @ 2.5", "S @ 8"}));
    EXPECT_EQ(between.front().concentration_value, 2.5);
}

TEST(ChosenConditions, ThrowForUntrainedConditions) {
    EXPECT_THROW(chosen_conditions(without_doses, {"V"}, {}), ConfigError);
    EXPECT_THROW(chosen_conditions(without_doses, {"O"}, {1}), ConfigError);
    // A concentration of 9 is inside the range of O and outside that of S.
    EXPECT_THROW(chosen_conditions(with_doses, {}, {9}), ConfigError);
    EXPECT_THROW(chosen_conditions(with_doses, {"O"}, {0.5}), ConfigError);
}

TEST(ChosenConditions, ConcentrationsHaveTheUnitOfTheTraining) {
    using popflow::core::Quantity;
    const Conditions molar({{"O", {1, 10}}}, Doses::all, {}, Quantity::molar);
    EXPECT_EQ(names(chosen_conditions(molar, {}, {2}, Quantity::molar)), Strings{"O @ 2"});
    EXPECT_EQ(names(chosen_conditions(molar, {}, {2})), Strings{"O @ 2"}) << "a number without a unit";
    const auto error = [](const Conditions& trained, Quantity quantity) -> std::string {
        try {
            chosen_conditions(trained, {"O"}, {6}, quantity);
        } catch (const ConfigError& thrown) {
            return thrown.what();
        }
        return "no error";
    };
    EXPECT_EQ(error(molar, Quantity::time),
              "concentration: found 6 h, but the run was trained on doses in uM. Give numbers in uM");
    EXPECT_EQ(error(with_doses, Quantity::molar),
              "concentration: found 6 uM, but the run was trained on doses without a unit. Give numbers "
              "without a unit");
}

TEST(Space, InvertsNormalisationAndTransform) {
    const Normalisation normalisation{{1.5F, -0.25F}, 0.75F};
    const float raw[2][2] = {{0, 12}, {300, 0.5F}};
    for (const char* text : {"arcsinh:5", "arcsinh:150", "log1p", "none"}) {
        const Transform transform = Transform::parse(text);
        popflow::linalg::Matrix<float> x(2, 2);
        for (std::size_t i = 0; i < 2; ++i) std::ranges::copy(raw[i], x.view().row(i));
        transform.apply(x.values());
        popflow::linalg::Matrix<float> transformed = x;
        normalisation.apply(x.view());
        popflow::linalg::Matrix<float> normalised = x;

        predict::to_space(Space::normalised, normalisation, transform, normalised.view());
        EXPECT_EQ(normalised(1, 0), x(1, 0));
        normalised = x;
        predict::to_space(Space::transformed, normalisation, transform, normalised.view());
        predict::to_space(Space::raw, normalisation, transform, x.view());
        for (std::size_t i = 0; i < 2; ++i) {
            for (std::size_t j = 0; j < 2; ++j) {
                // A transformed value has a relative float rounding error of about 6e-8. The derivative cosh
                // of sinh amplifies it.
                const double error = 1e-6 * (1 + static_cast<double>(raw[i][j])) * 10;
                EXPECT_NEAR(x(i, j), raw[i][j], error) << text;
                EXPECT_NEAR(normalised(i, j), transformed(i, j), 1e-6 * (1 + std::abs(transformed(i, j))));
            }
        }
    }
}

TEST(Space, IsNamedAfterTheTransform) {
    const Transform arcsinh;
    const Transform log1p = Transform::parse("log1p");
    EXPECT_EQ(predict::parse_space("arcsinh", arcsinh), Space::transformed);
    EXPECT_EQ(predict::parse_space("transformed", log1p), Space::transformed);
    EXPECT_EQ(predict::space_name(Space::transformed, arcsinh), "arcsinh");
    EXPECT_EQ(predict::space_name(Space::transformed, log1p), "transformed");
    EXPECT_THROW(predict::parse_space("arcsinh", log1p), ConfigError);
    EXPECT_THROW(predict::parse_space("counts", arcsinh), ConfigError);
}

TEST(PlanControlPredictions, CombinesEveryControlWithEveryCondition) {
    screen::Screen screen;
    screen.experiments = {{"P1", {"P1"}, {}}};
    for (const char* treatment : {"AH", "DMSO", "O"}) {
        screen::Population p;
        p.treatment = treatment;
        p.control = p.treatment != "O";
        screen.populations.push_back(p);
    }
    const predict::PredictionPlan plan = predict::plan_control_predictions(
        screen, chosen_conditions(without_doses, {"O,S"}, {}), without_doses);
    ASSERT_EQ(plan.predictions.size(), 4U);
    EXPECT_EQ(plan.sources, (Strings{"P1: AH", "P1: DMSO"}));
    EXPECT_EQ(plan.predictions[2].control, 1U);
    EXPECT_EQ(plan.predictions[3].treatment, "S");
    EXPECT_EQ(plan.predictions[3].source, 1U);
    EXPECT_EQ(plan.predictions[3].known_concentration, "");
}

TEST(PlanControlPredictions, KnowsTheConcentrationOfTheTrainingOrOfTheData) {
    screen::Screen screen;
    screen.experiments = {{"P1", {"P1"}, {}}};
    for (const char* treatment : {"DMSO", "O", "S"}) {
        screen::Population p;
        p.treatment = treatment;
        p.concentration = "7.0";
        p.control = p.treatment == "DMSO";
        screen.populations.push_back(p);
    }
    screen.pairs = {{0, 1}, {0, 2}};
    const Conditions trained({{"O", {}, "3"}, {"S", {}, ""}, {"V", {}, ""}}, Doses::highest);

    const auto conditions = chosen_conditions(trained, {}, {});
    const predict::PredictionPlan plan = predict::plan_control_predictions(screen, conditions, trained);

    ASSERT_EQ(plan.predictions.size(), 3U);
    EXPECT_EQ(plan.predictions[0].known_concentration, "3") << "that of the training";
    EXPECT_EQ(plan.predictions[1].known_concentration, "7") << "that of all pairs of the file";
    EXPECT_EQ(plan.predictions[2].known_concentration, "");
    EXPECT_EQ(plan.predictions[0].concentration, "") << "it is no input of the model";
    screen.populations.push_back(screen.populations[2]);
    screen.populations.back().concentration = "8";
    screen.pairs.push_back({0, 3});
    EXPECT_EQ(
        predict::plan_control_predictions(screen, conditions, trained).predictions[1].known_concentration, "")
        << "the file has two";
}

TEST(UnknownTypesNote, NamesTheTypesOfControlsThatAreNew) {
    screen::Screen screen;
    screen.cell_types = {"B", "NK", "T"};
    screen.populations.resize(2);
    screen.populations[0].control = true;
    screen.populations[0].cell_types = {0, 2};
    screen.populations[1].cell_types = {1};
    EXPECT_EQ(predict::unknown_types_note(screen, {"T", "B"}), "");
    EXPECT_EQ(
        predict::unknown_types_note(screen, {"T", "Mac"}),
        "controls have cells of types that the run was not trained on, for which the encoder gets zeros "
        "instead of the type: B. The run knows T, Mac");
    EXPECT_EQ(predict::unknown_types_note(screen, {"Mac"}), "") << "a single type is no input of the model";
}
