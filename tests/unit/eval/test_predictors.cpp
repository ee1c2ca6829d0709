// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "eval/predictor.hpp"

namespace eval = popflow::eval;
using eval::PredictionKind;
using eval::Predictor;

TEST(Predictors, HaveUniqueNames) {
    std::set<std::string> distinct;
    for (const Predictor& predictor : eval::predictors()) {
        EXPECT_STRNE(predictor.name, "");
        EXPECT_TRUE(distinct.insert(predictor.name).second) << predictor.name;
    }
}

TEST(Predictors, StartWithTheModel) {
    ASSERT_FALSE(eval::predictors().empty());
    EXPECT_STREQ(eval::predictors().front().name, "model");
    for (const Predictor& predictor : eval::predictors())
        EXPECT_EQ(predictor.is_model(), &predictor == &eval::predictors().front()) << predictor.name;
}

TEST(Predictors, AreFoundByName) {
    for (std::size_t i = 0; i < eval::predictors().size(); ++i) {
        const Predictor& predictor = eval::predictors()[i];
        EXPECT_EQ(eval::find_predictor(predictor.name), &predictor);
        EXPECT_EQ(eval::predictor_index(predictor.name), i);
    }
}

TEST(Predictors, AreNotFoundByAnUnknownName) {
    for (const char* name : {"", "Model", "nosuch", "noise"}) {
        EXPECT_EQ(eval::find_predictor(name), nullptr) << name;
        EXPECT_EQ(eval::predictor_index(name), eval::predictors().size()) << name;
    }
}

TEST(Predictors, HaveADescriptionUnlessTheyAreTheModel) {
    for (const Predictor& predictor : eval::predictors())
        EXPECT_EQ(std::string(predictor.description).empty(), predictor.is_model()) << predictor.name;
}

TEST(Predictors, DeclareWhetherTheyUseTheTarget) {
    for (const char* name : {"model", "identity", "mean_shift", "moment_map"})
        EXPECT_FALSE(eval::find_predictor(name)->uses_target) << name;
    for (const char* name : {"oracle_shift", "noise_floor", "noise_floor_matched"})
        EXPECT_TRUE(eval::find_predictor(name)->uses_target) << name;
}

TEST(Predictors, HaveTheKindOfTheirComputation) {
    for (const char* name : {"identity", "mean_shift", "oracle_shift"})
        EXPECT_EQ(eval::find_predictor(name)->kind, PredictionKind::translate) << name;
    EXPECT_EQ(eval::find_predictor("moment_map")->kind, PredictionKind::moments);
    EXPECT_EQ(eval::find_predictor("noise_floor")->kind, PredictionKind::target_half);
    EXPECT_EQ(eval::find_predictor("noise_floor_matched")->kind, PredictionKind::target_sample);
}
