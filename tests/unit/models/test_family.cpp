// SPDX-License-Identifier: MIT
#include "models/family.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "core/error.hpp"
#include "models/families.hpp"
#include "support/problem_constants.hpp"

namespace models = popflow::models;

namespace {

// Returns a model with the default settings, for small data.
std::unique_ptr<models::Model> small_model(const models::Family& family, const models::Settings& settings) {
    const models::DataShape data{
        .markers = 3, .cell_types = 2, .conditions = 2, .condition_rows = 2, .training_pairs = 4};
    if (family.items(settings) == models::ItemKind::problems)
        return family.make(settings, data, popflow::support::problem_constants(4),
                           popflow::linalg::Precision::fp32);
    return family.make(settings, data, family.draw_constants(settings, data, 1),
                       popflow::linalg::Precision::fp32);
}

}  // namespace

TEST(Families, HaveDistinctNamesThatAreFound) {
    const std::vector<std::string> names = models::family_names();
    EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());
    for (const models::Family* family : models::families()) {
        EXPECT_EQ(models::find_family(family->name()), family);
        EXPECT_FALSE(family->summary().empty());
    }
    EXPECT_EQ(models::find_family("none"), nullptr);
}

TEST(Families, MakeAModelThatCanBeTrained) {
    for (const models::Family* family : models::families()) {
        const auto model = small_model(*family, *family->make_settings());
        EXPECT_NE(model->gradient_training() != nullptr, model->one_pass_training() != nullptr)
            << family->name();
        EXPECT_EQ(model->layout().count() == 0, family->name() == "identity") << family->name();
    }
}

TEST(Families, DescribeEachOptionOnce) {
    std::set<std::string> names;
    for (const models::Family* owner : models::SettingsSet::owners()) {
        for (const auto& description : models::describe(*owner->make_settings())) {
            EXPECT_TRUE(names.insert(description.field.name).second) << description.field.name;
            for (const std::string& method : models::methods_of(description.field, *owner))
                EXPECT_NE(models::find_family(method), nullptr) << description.field.name;
        }
    }
}

TEST(Families, UseTheSettingsThatTheyDescribe) {
    EXPECT_TRUE(models::uses_setting("mfm", "knn"));
    EXPECT_FALSE(models::uses_setting("fm", "knn"));
    EXPECT_TRUE(models::uses_setting("fm", "base"));
    EXPECT_FALSE(models::uses_setting("icnn", "base"));
    EXPECT_FALSE(models::uses_setting("a method of another version", "base"));
}

TEST(SettingsSet, SharesTheSettingsOfRelatedMethods) {
    models::SettingsSet set;
    models::assign_text(set.of(*models::find_family("fm")), "hidden", "9");
    const models::SettingsSet copy = set;
    models::assign_text(set.of(*models::find_family("fm")), "hidden", "8");
    EXPECT_EQ(models::field_text(set.of(*models::find_family("mfm")), "hidden"), "8");
    EXPECT_EQ(models::field_text(copy.of(*models::find_family("mfm")), "hidden"), "9");
}

TEST(Families, AdaptSettingsToSmallData) {
    const auto given = [](const std::string&) { return true; };
    const auto not_given = [](const std::string&) { return false; };
    const models::Family& mfm = *models::find_family("mfm");
    const auto settings = mfm.make_settings();
    models::assign_text(*settings, "knn", "5");
    EXPECT_TRUE(mfm.adapt(*settings, {}, 6, given).empty());
    EXPECT_EQ(models::field_text(*settings, "knn"), "5");
    EXPECT_EQ(mfm.adapt(*settings, {}, 5, given),
              std::vector<std::string>{
                  "--knn 5 is more than the smallest slot of 5 cells has neighbours: 4 is used"});
    EXPECT_EQ(models::field_text(*settings, "knn"), "4");
    EXPECT_NO_THROW(mfm.check(*settings, {}, 5));

    const models::Family& icnn = *models::find_family("icnn");
    const auto potentials = icnn.make_settings();
    EXPECT_TRUE(icnn.adapt(*potentials, {.markers = 300}, 5, given).empty());
    EXPECT_THROW(icnn.check(*potentials, {.markers = 300}, 5), popflow::core::ConfigError);
    EXPECT_TRUE(icnn.adapt(*potentials, {.markers = 10}, 5, not_given).empty());
    EXPECT_EQ(icnn.adapt(*potentials, {.markers = 300}, 5, not_given).size(), 1U);
    EXPECT_EQ(models::field_text(*potentials, "icnn-hidden"), "300");
    EXPECT_NO_THROW(icnn.check(*potentials, {.markers = 300}, 5));
}

TEST(Families, CheckTheNumberOfNeighbours) {
    const models::Family& mfm = *models::find_family("mfm");
    const auto settings = mfm.make_settings();
    models::assign_text(*settings, "knn", "5");
    EXPECT_NO_THROW(mfm.check(*settings, {}, 6));
    EXPECT_THROW(mfm.check(*settings, {}, 5), popflow::core::ConfigError);
    EXPECT_NO_THROW(models::find_family("fm")->check(*settings, {}, 5));
}
