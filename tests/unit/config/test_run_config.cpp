// SPDX-License-Identifier: MIT
#include "config/run_config.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "support/temporary_folder.hpp"

using popflow::config::OptionTable;
using popflow::config::RunConfig;
using popflow::config::Section;
using popflow::core::ConfigError;
namespace config = popflow::config;

namespace {

const std::vector<Section> sections{Section::general, Section::data,  Section::split,
                                    Section::model,   Section::train, Section::evaluate};

std::string message_of(const OptionTable& table, const std::vector<std::string>& arguments) {
    try {
        table.parse(arguments, sections, nullptr);
    } catch (const ConfigError& error) {
        return error.what();
    }
    return "";
}

}  // namespace

TEST(RunConfig, FlagsOverrideTheFile) {
    const popflow::support::TemporaryFolder folder;
    const std::string path = folder.file("a.cfg");
    std::ofstream(path) << "steps = 7\nmethod = cgfm\n# a comment\ncontrol = none, vehicle\nknn = 3\n";
    RunConfig c;
    const OptionTable table = run_options(c);

    table.parse({"--knn", "9", "--config", path, "--resume"}, sections, nullptr);

    EXPECT_EQ(c.train.steps, 7U);
    EXPECT_EQ(c.model.context, popflow::models::Context::pair_index);
    EXPECT_EQ(c.model.encoder.knn, 9U);
    EXPECT_EQ(c.screen.control_labels, (std::vector<std::string>{"none", "vehicle"}));
    EXPECT_TRUE(c.resume);
}

TEST(RunConfig, TheResolvedTextReadsBackAsItself) {
    RunConfig c;
    const OptionTable table = run_options(c);
    table.parse({"--column", "patient=donor,plate=batch", "--markers", "a, b", "--exclude", "well=F5,plate=2",
                 "--exclude", "well=A1", "--rate", "3e-4", "--split", "patient:21,27", "--doses", "all",
                 "--transform", "log1p"},
                sections, nullptr);
    const std::string text = table.text(config::training_sections());
    RunConfig again;
    const OptionTable second = run_options(again);

    second.parse_text(text, "text");

    EXPECT_EQ(second.text(config::training_sections()), text);
    EXPECT_EQ(again.screen.exclude.size(), 2U);
    EXPECT_EQ(again.screen.columns.at("plate"), "batch");
    EXPECT_EQ(again.train.rate, 3e-4);
}

TEST(RunConfig, BadInputIsNamed) {
    RunConfig c;
    const OptionTable table = run_options(c);
    EXPECT_EQ(message_of(table, {"--stepz", "3"}), "stepz: unknown option (did you mean 'steps'?)");
    EXPECT_EQ(message_of(table, {"--steps", "x"}).substr(0, 35), "steps: found 'x', allowed a whole n");
    EXPECT_EQ(message_of(table, {"--steps", "0"}).substr(0, 35), "steps: found '0', allowed a whole n");
    EXPECT_EQ(message_of(table, {"--method", "icnnn"}), "method: found 'icnnn', allowed fm, cgfm, mfm, icnn");
    EXPECT_EQ(message_of(table, {"--rate", "nan"}).substr(0, 35), "rate: found 'nan', allowed a number");
    EXPECT_EQ(message_of(table, {"--column", "donor"}), "column: found 'donor', allowed ROLE=NAME");
    EXPECT_EQ(message_of(table, {"stray"}), "usage: unexpected argument 'stray'");
    EXPECT_NE(message_of(table, {"--steps"}), "");
    const popflow::support::TemporaryFolder folder;
    std::ofstream(folder.file("b.cfg")) << "steps = 1\nstep = 2\n";
    EXPECT_EQ(message_of(table, {"--config", folder.file("b.cfg")}),
              folder.file("b.cfg") + ": step: unknown option (did you mean 'steps'?)");
}

TEST(RunConfig, DifferencesNameTheKeyAndBothValues) {
    const std::string before = "a = 1\nb = 2\nexclude = x\nexclude = y\n";
    EXPECT_TRUE(config::differences(before, before, {}).empty());
    EXPECT_EQ(config::differences("a = 1\nb = 3\nexclude = x\nexclude = y\n", before, {}),
              (std::vector<std::string>{"b: found '3', was '2'"}));
    EXPECT_EQ(config::differences("a = 1\nb = 2\nexclude = x\n", before, {"a"}),
              (std::vector<std::string>{"exclude: found 'x', was 'x y'"}));
}
