// SPDX-License-Identifier: MIT
#include "screen/trainable.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "core/error.hpp"

using namespace popflow::screen;
using Strings = std::vector<std::string>;

namespace {

/// Returns a screen with one pair for each treatment.
Screen screen_of(const Strings& treatments) {
    Screen screen;
    for (const std::string& treatment : treatments) {
        Population control;
        control.treatment = "DMSO";
        control.control = true;
        Population treated;
        treated.treatment = treatment;
        screen.pairs.push_back({screen.populations.size(), screen.populations.size() + 1});
        screen.populations.push_back(control);
        screen.populations.push_back(treated);
    }
    return screen;
}

TreatmentVectors vectors_of(const Strings& names) {
    popflow::linalg::Matrix<float> values(names.size(), 1);
    for (float& value : values.values()) value = 1;
    return {names, std::move(values)};
}

std::string error_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const popflow::core::ConfigError& error) {
        return error.what();
    }
    return "no error";
}

const Split first_trains{"patient:P2", {Part::train, Part::test, Part::test}};

}  // namespace

TEST(CheckCanTrain, AcceptsHeldOutPairsOfTrainedTreatments) {
    EXPECT_EQ(check_can_train(screen_of({"S", "S", "S"}), first_trains, {}), Strings{});
}

TEST(CheckCanTrain, NotesTestPairsThatCannotBeScored) {
    EXPECT_EQ(check_can_train(screen_of({"S", "S", "V"}), first_trains, {}),
              Strings{"1 of 2 test pairs cannot be scored: no training pair has treatment V (see "
                      "--treatment-vectors)"});
}

TEST(CheckCanTrain, RefusesASplitOfWhichNothingCanBeScored) {
    const Screen screen = screen_of({"S", "V", "A"});
    EXPECT_EQ(
        error_of([&] { check_can_train(screen, first_trains, {}); }),
        "split: found patient:P2, which needs --treatment-vectors: no training pair has treatments A, V, and "
        "a treatment that was not trained on has no one-hot code. Without vectors, hold out pairs whose "
        "treatments are also in the training part, or train on all pairs with --split none");
    EXPECT_EQ(check_can_train(screen, first_trains, vectors_of({"S", "V", "A"})), Strings{});
    EXPECT_EQ(error_of([&] {
                  check_can_train(screen, first_trains, vectors_of({"S", "V"}));
              }),
              "treatment-vectors: the table has no row for treatment 'A'. Add one: every treatment with "
              "pairs needs a vector");
}

TEST(CheckCanTrain, RefusesASplitWithoutTrainingPairs) {
    const std::string text = error_of([] { check_can_train(screen_of({"S"}), {"all", {Part::test}}, {}); });
    EXPECT_TRUE(text.starts_with("split: found all, which leaves no pair to train on")) << text;
}

TEST(CheckCanScore, NotesOrRefusesTreatmentsThatTheRunDoesNotKnow) {
    const Screen screen = screen_of({"S", "V"});
    const Conditions trained({{"S", {}}}, Doses::highest);
    const std::vector<std::size_t> both{0, 1};
    const std::vector<std::size_t> unknown{1};
    EXPECT_EQ(check_can_score(screen, both, trained),
              Strings{"1 of 2 pairs cannot be scored: the run was not trained on treatment V (see "
                      "--treatment-vectors of popflow train)"});
    EXPECT_EQ(
        error_of([&] { check_can_score(screen, unknown, trained); }),
        "run: found no pair that this run can be scored on: the run was not trained on treatment V (see "
        "--treatment-vectors of popflow train)");
    EXPECT_EQ(check_can_score(screen, both, Conditions({{"S", {}}}, Doses::highest, vectors_of({"S", "V"}))),
              Strings{});
}
