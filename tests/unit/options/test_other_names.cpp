// SPDX-License-Identifier: MIT
#include "options/other_names.hpp"

#include <gtest/gtest.h>

#include <set>

#include "options/import_options.hpp"
#include "options/run_config.hpp"

namespace options = popflow::options;
using Strings = std::vector<std::string>;

namespace {

/// Returns the names of all options of the program.
std::set<std::string> all_options() {
    std::set<std::string> names;
    options::RunConfig run;
    const options::OptionTable run_table = run_options(run);
    for (const options::Option& option : run_table.options()) names.insert(option.name);
    options::ImportConfig import;
    const options::OptionTable import_table = import_options(import);
    for (const options::Option& option : import_table.options()) names.insert(option.name);
    return names;
}

}  // namespace

TEST(OtherNames, LeadToOptionsThatExist) {
    const std::set<std::string> known = all_options();
    std::set<std::string> seen;
    for (const options::OtherName& other : options::other_names()) {
        EXPECT_FALSE(known.contains(other.name)) << other.name << " is an option of popflow";
        EXPECT_TRUE(seen.insert(other.name).second) << other.name << " is listed twice";
        EXPECT_EQ(std::string(other.name).find_first_of("_ABCDEFGHIJKLMNOPQRSTUVWXYZ"), std::string::npos);
        if (other.option == nullptr) {
            EXPECT_STRNE(other.advice, "") << other.name;
        } else {
            EXPECT_TRUE(known.contains(other.option)) << other.option << ", the advice for " << other.name;
        }
    }
}

TEST(OptionAdvice, NamesWhatPopflowHasInstead) {
    const Strings known{"rate", "steps", "batch-pairs", "data", "pair-by"};
    EXPECT_EQ(options::option_advice("lr", known), ". popflow has --rate instead");
    EXPECT_EQ(options::option_advice("h5ad", known), ". popflow has --data instead");
    EXPECT_EQ(options::option_advice("learning_rate", known), ". popflow has --rate instead");
    EXPECT_EQ(options::option_advice("trainer.max_epochs", known).substr(0, 29),
              ". popflow has --steps instead");
    EXPECT_EQ(options::option_advice("gpu", known).substr(0, 26), ": popflow computes on CPUs");
    EXPECT_EQ(options::option_advice("pair_by", known), " (did you mean 'pair-by'?)");
    EXPECT_EQ(options::option_advice("stepz", known), " (did you mean 'steps'?)");
    EXPECT_EQ(options::option_advice("lr", {"data"}), "") << "the verb has no such option";
    EXPECT_EQ(options::option_advice("xylophone", known), "");
}
