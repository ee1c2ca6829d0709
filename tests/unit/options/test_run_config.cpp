// SPDX-License-Identifier: MIT
#include "options/run_config.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "options/defaults.hpp"
#include "support/temporary_folder.hpp"

using popflow::core::ConfigError;
using popflow::options::OptionTable;
using popflow::options::RunConfig;
using popflow::options::Section;
namespace options = popflow::options;

namespace {

const std::vector<Section> sections{Section::general, Section::data,  Section::split,
                                    Section::model,   Section::train, Section::evaluate};

std::string error_message(const OptionTable& table, const std::vector<std::string>& arguments) {
    try {
        table.parse(arguments, sections, nullptr);
    } catch (const ConfigError& error) {
        return error.what();
    }
    return "";
}

// Returns a setting of the chosen method.
std::string setting(const RunConfig& config, const char* name) {
    return popflow::models::field_text(config.method_settings(), name);
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
    EXPECT_EQ(c.method->name(), "cgfm");
    EXPECT_EQ(setting(c, "knn"), "9");
    EXPECT_EQ(c.screen.control_labels, (std::vector<std::string>{"none", "vehicle"}));
    EXPECT_TRUE(c.resume);
}

TEST(RunConfig, TheResolvedTextIsReadBackUnchanged) {
    RunConfig c;
    const OptionTable table = run_options(c);
    table.parse({"--column",    "patient=donor,plate=batch",
                 "--markers",   "a, b",
                 "--exclude",   "well=F5,plate=2",
                 "--exclude",   "well=A1",
                 "--rate",      "3e-4",
                 "--split",     "patient:21,27",
                 "--doses",     "all",
                 "--transform", "log1p",
                 "--augment",   "reflect,rotate",
                 "--normalise", "no",
                 "--coupling",  "rows"},
                sections, nullptr);
    const std::string text = table.text(options::training_sections());
    RunConfig again;
    const OptionTable second = run_options(again);

    second.parse_text(text, "text");

    EXPECT_EQ(second.text(options::training_sections()), text);
    EXPECT_EQ(again.screen.exclude.size(), 2U);
    EXPECT_EQ(again.screen.columns.at("plate"), "batch");
    EXPECT_EQ(again.train.rate, 3e-4);
    EXPECT_EQ(again.sampling.augmentation.text(), "rotate, reflect");
    EXPECT_EQ(again.sampling.coupling, popflow::train::Coupling::rows);
    EXPECT_FALSE(again.normalise);
}

TEST(RunConfig, DefaultsFollowTheMethodUnlessGiven) {
    RunConfig c;
    const OptionTable table = run_options(c);
    table.parse({"--method", "icnn", "--clip-norm", "2"}, sections, nullptr);
    EXPECT_EQ(c.train.rate, 1e-4);
    EXPECT_EQ(c.train.schedule, popflow::train::Schedule::constant);
    EXPECT_EQ(c.train.warmup_steps, 0U);
    EXPECT_EQ(c.train.adam.beta1, 0.5);
    EXPECT_EQ(c.train.adam.beta2, 0.9);
    EXPECT_EQ(c.train.adam.ema_decay, 0);
    EXPECT_EQ(c.train.clip_norm, 2);
    EXPECT_EQ(setting(c, "condition"), "none");

    // Resolved values are read back as if they had been given, whatever the method.
    RunConfig again;
    const OptionTable second = run_options(again);
    second.parse_text(table.text(options::training_sections()), "text");
    second.parse({"--rate", "0.5"}, sections, nullptr);
    EXPECT_EQ(again.method->name(), "icnn");
    EXPECT_EQ(again.train.rate, 0.5);
    EXPECT_EQ(again.train.clip_norm, 2);
    EXPECT_EQ(again.train.adam.beta1, 0.5);
}

TEST(RunConfig, WithoutMethodAndRecipeTheDefaultsAreThoseOfTheStructs) {
    RunConfig c;
    const OptionTable table = run_options(c);
    const std::string before = table.text(sections);
    table.parse({}, sections, nullptr);
    EXPECT_EQ(table.text(sections), before);
}

TEST(RunConfig, RecipePaperSetsThePublishedOptions) {
    RunConfig mfm;
    const OptionTable table = run_options(mfm);
    table.parse({"--recipe", "paper", "--schedule", "cosine"}, sections, nullptr);
    EXPECT_EQ(setting(mfm, "updates"), "alternate");
    EXPECT_EQ(setting(mfm, "loss"), "reduced");
    EXPECT_EQ(setting(mfm, "encoder-activation"), "none");
    EXPECT_EQ(mfm.evaluate.draw, popflow::predict::Draw::first);
    EXPECT_EQ(mfm.sampling.coupling, popflow::train::Coupling::random);
    EXPECT_EQ(mfm.train.batch_pairs, 1U);
    EXPECT_EQ(mfm.train.rate, 1e-4);
    EXPECT_EQ(mfm.train.warmup_steps, 0U);
    EXPECT_EQ(mfm.train.clip_norm, 0);
    EXPECT_EQ(mfm.train.adam.ema_decay, 0);
    EXPECT_EQ(mfm.train.adam.beta1, 0.9);
    EXPECT_EQ(mfm.train.schedule, popflow::train::Schedule::cosine);
    EXPECT_EQ(mfm.precision, options::PrecisionChoice::fp32);
    const std::string text = table.text(sections);
    EXPECT_NE(text.find("recipe = paper\n"), std::string::npos);
    EXPECT_NE(text.find("updates = alternate\n"), std::string::npos);

    RunConfig fm;
    const OptionTable second = run_options(fm);
    second.parse({"--recipe", "paper", "--method", "fm", "--base", "gaussian"}, sections, nullptr);
    EXPECT_EQ(fm.sampling.coupling, popflow::train::Coupling::random);
    EXPECT_EQ(setting(fm, "updates"), "joint");
    EXPECT_EQ(setting(fm, "loss"), "full");
}

TEST(RunConfig, ALaterParseRevertsTheDefaultsOfAnotherMethod) {
    RunConfig c;
    const OptionTable table = run_options(c);
    const std::string before = table.text(sections);
    RunConfig other;
    const OptionTable second = run_options(other);
    second.parse({"--method", "icnn"}, sections, nullptr);
    second.parse({"--method", "mfm"}, sections, nullptr);
    EXPECT_EQ(second.text(sections), before);
}

TEST(RunConfig, ASmallScreenHasDefaultsOfItsOwn) {
    RunConfig c;
    const OptionTable table = run_options(c);
    table.parse({"--hidden", "64"}, sections, nullptr);
    const std::string before = table.text(sections);
    EXPECT_TRUE(options::apply_screen_defaults(c, table, 100).empty());
    EXPECT_EQ(table.text(sections), before);

    const popflow::models::OptionValues values = options::apply_screen_defaults(c, table, 99);
    EXPECT_EQ(values, (popflow::models::OptionValues{{"layers", "5"},
                                                     {"steps", "600"},
                                                     {"cells", "256"},
                                                     {"coupling", "ot"},
                                                     {"embedding", "32"},
                                                     {"knn", "20"}}));
    EXPECT_EQ(setting(c, "hidden"), "64");
    EXPECT_EQ(setting(c, "layers"), "5");
    EXPECT_EQ(c.train.steps, 600U);
    EXPECT_EQ(c.sampling.coupling, popflow::train::Coupling::ot);
}

TEST(RunConfig, TheSmallScreensOfOtherMethodsAndRecipesKeepTheirDefaults) {
    const auto defaults = [](const std::vector<std::string>& arguments) {
        RunConfig c;
        const OptionTable table = run_options(c);
        table.parse(arguments, sections, nullptr);
        return options::apply_screen_defaults(c, table, 10);
    };
    EXPECT_TRUE(defaults({"--recipe", "paper"}).empty());
    EXPECT_TRUE(defaults({"--method", "auto"}).empty());
    EXPECT_TRUE(defaults({"--method", "icnn"}).empty());
    EXPECT_TRUE(defaults({"--method", "moment-map"}).empty());
    // Noise has no cells to couple by their distance.
    for (const auto& [option, value] : defaults({"--method", "fm", "--base", "gaussian"}))
        EXPECT_NE(option, "coupling");
}

TEST(RunConfig, HelpStatesTheDefaultsOfOtherMethodsAndRecipes) {
    RunConfig c;
    const std::string help = run_options(c).markdown(sections);
    EXPECT_NE(help.find("icnn and recipe paper: 1e-4"), std::string::npos);
    EXPECT_NE(help.find("beta1 of Adam (icnn: 0.5)"), std::string::npos);
    EXPECT_NE(help.find("fm and cgfm with recipe paper"), std::string::npos);
    EXPECT_NE(help.find("(fm, cgfm and mfm with fewer than 100 pairs: 128)"), std::string::npos);
}

TEST(RunConfig, RefusesValuesThatTheMethodDoesNotSupport) {
    const auto refused = [](const std::vector<std::string>& arguments) {
        RunConfig c;
        return error_message(run_options(c), arguments);
    };
    EXPECT_EQ(refused({"--method", "icnn", "--base", "gaussian"}),
              "base: found 'gaussian', but method icnn takes only source. Omit --base");
    EXPECT_EQ(refused({"--method", "icnn", "--coupling", "ot"}),
              "coupling: found 'ot', but method icnn takes only random. Omit --coupling");
    EXPECT_EQ(refused({"--condition", "none"}),
              "condition: found 'none', but method mfm takes only treatment. Omit --condition");
    EXPECT_EQ(refused({"--method", "cgfm", "--updates", "alternate"}),
              "updates: found 'alternate', but method cgfm takes only joint. Omit --updates");
}

TEST(RunConfig, StoresAFixedEncoderOnlyIfThereIsOne) {
    RunConfig c;
    const OptionTable table = run_options(c);
    table.parse({"--encoder", "learned"}, sections, nullptr);
    EXPECT_EQ(table.text(sections).find("encoder = "), std::string::npos);
    table.parse({"--encoder", "kernel-pca"}, sections, nullptr);
    const std::string text = table.text(options::training_sections());
    EXPECT_NE(text.find("encoder = kernel-pca:8\n"), std::string::npos);
    RunConfig again;
    run_options(again).parse_text(text, "text");
    EXPECT_EQ(setting(again, "encoder"), "kernel-pca:8");
}

TEST(RunConfig, RefusesOptionsThatHaveNoEffectWithAFixedEncoder) {
    using Words = std::vector<std::string>;
    const auto refused = [](Words words) {
        RunConfig c;
        words.insert(words.end(), {"--encoder", "moments"});
        return error_message(run_options(c), words);
    };
    for (const auto& [option, value] :
         std::vector<std::pair<std::string, std::string>>{{"knn", "5"},
                                                          {"embedding", "4"},
                                                          {"embedding-norm", "2"},
                                                          {"encoder-hidden", "8"},
                                                          {"encoder-layers", "3"},
                                                          {"encoder-activation", "none"},
                                                          {"encoder-frequencies", "2"},
                                                          {"encoder-scale", "0.5"},
                                                          {"updates", "alternate"}}) {
        EXPECT_EQ(
            refused({"--" + option, value}),
            option + ": found '" + value + "', which has no effect with --encoder moments. Omit --" + option);
    }
    EXPECT_EQ(refused({"--knn", "100"}), "") << "the default, as a stored configuration has it";
    EXPECT_EQ(refused({"--recipe", "paper"}), "");
    EXPECT_NE(refused({"--method", "cgfm"}).find("method cgfm takes only learned"), std::string::npos);
    EXPECT_NE(
        refused({"--method", "auto"}).find("encoder: found 'moments', which --method auto does not try"),
        std::string::npos);
    EXPECT_NE(refused({"--augment", "mix"}).find("augment: found 'mix'"), std::string::npos);
}

TEST(RunConfig, ErrorsNameTheOptionAndTheValue) {
    RunConfig c;
    const OptionTable table = run_options(c);
    EXPECT_EQ(error_message(table, {"--stepz", "3"}), "stepz: unknown option (did you mean 'steps'?)");
    EXPECT_EQ(error_message(table, {"--steps", "x"}).substr(0, 35), "steps: found 'x'. Give a whole numb");
    EXPECT_EQ(error_message(table, {"--steps", "0"}).substr(0, 35), "steps: found '0'. Give a whole numb");
    EXPECT_EQ(error_message(table, {"--method", "icnnn"}),
              "method: found 'icnnn' (did you mean 'icnn'?). Give one of fm, cgfm, icnn, mfm, "
              "identity, mean-shift, moment-map, meta-ot, bwfm, wfm, meta-icnn, auto");
    EXPECT_EQ(error_message(table, {"--rate", "nan"}).substr(0, 35), "rate: found 'nan'. Give a number fr");
    EXPECT_EQ(error_message(table, {"--column", "donor"}), "column: found 'donor'. Give ROLE=NAME or ROLE=");
    EXPECT_EQ(error_message(table, {"stray"}), "usage: unexpected argument 'stray'");
    EXPECT_NE(error_message(table, {"--steps"}), "");
    const popflow::support::TemporaryFolder folder;
    std::ofstream(folder.file("b.cfg")) << "steps = 1\nstep = 2\n";
    EXPECT_EQ(error_message(table, {"--config", folder.file("b.cfg")}),
              folder.file("b.cfg") + ": step: unknown option (did you mean 'steps'?)");
}

TEST(RunConfig, ListsKeepLabelsInQuotes) {
    RunConfig c;
    const OptionTable table = run_options(c);
    table.parse(
        {"--control", R"("TNF,IL-1b"," DMSO ","a # b")", "--column", R"(patient="donor, site",plate=p)",
         "--exclude", R"(well="A,1")", "--markers", R"("a,b")", "--markers", "c"},
        sections, nullptr);
    EXPECT_EQ(c.screen.control_labels, (std::vector<std::string>{"TNF,IL-1b", " DMSO ", "a # b"}));
    EXPECT_EQ(c.screen.columns.at("patient"), "donor, site");
    EXPECT_EQ(c.screen.markers, (std::vector<std::string>{"a,b", "c"}));
    const std::string text = table.text(options::training_sections());
    RunConfig again;
    const OptionTable second = run_options(again);
    second.parse_text(text, "text");
    EXPECT_EQ(second.text(options::training_sections()), text);
    EXPECT_EQ(again.screen.control_labels, c.screen.control_labels);
    EXPECT_EQ(again.screen.columns, c.screen.columns);
    EXPECT_EQ(again.screen.exclude, c.screen.exclude);
    EXPECT_EQ(error_message(table, {"--exclude", "well=A#1"}), "");
    EXPECT_THROW((void)table.text(options::training_sections()), ConfigError) << "needs quotes in a file";
}

TEST(RunConfig, RefusesTwoValuesOfAnOptionThatTakesOne) {
    RunConfig c;
    const OptionTable table = run_options(c);
    EXPECT_EQ(error_message(table, {"--steps", "3", "--steps", "5"}),
              "steps: found it twice, with '3' and '5': give it once, because it takes one value");
    EXPECT_EQ(error_message(table, {"--exclude", "a=1", "--exclude", "a=2", "--resume", "--resume"}), "");
    const popflow::support::TemporaryFolder folder;
    const std::string path = folder.file("a.cfg");
    std::ofstream(path) << "steps = 3\nexclude = a=1\nexclude = a=2\n\nsteps = 5\n";
    EXPECT_EQ(error_message(table, {"--config", path}),
              path + ": steps: found '3' on line 1 and '5' on line 5: keep one of them");
}

TEST(RunConfig, ReadsFilesOfOtherEditors) {
    const popflow::support::TemporaryFolder folder;
    const std::string path = folder.file("a.cfg");
    RunConfig c;
    const OptionTable table = run_options(c);
    const std::string lines =
        "\tsteps\t=\t7  # a comment\r\n\r\noutput = \"runs/a # b\"\r\n  # knn = 3\r\ncontrol = \"a,b\", c";
    for (const std::string& text : {lines, "\xEF\xBB\xBF" + lines}) {
        std::ofstream(path, std::ios::binary) << text;
        EXPECT_EQ(error_message(table, {"--config", path}), "");
        EXPECT_EQ(c.train.steps, 7U);
        EXPECT_EQ(c.output, "runs/a # b");
        EXPECT_EQ(c.screen.control_labels, (std::vector<std::string>{"a,b", "c"}));
    }
    std::ofstream(path, std::ios::binary) << "\n[model]\n";
    EXPECT_EQ(
        error_message(table, {"--config", path}),
        path + ": line 2: found '[model]'. Write lines `option = value` and comments that start with #");
}

TEST(RunConfig, ReadsASplitByAColumnWithAColon) {
    const popflow::support::TemporaryFolder folder;
    const std::string path = folder.file("a.cfg");
    RunConfig c;
    const OptionTable table = run_options(c);
    for (const std::string split : {"\"my:col\":v", "\"my:col\":\"a,b\""}) {
        std::ofstream(path, std::ios::binary) << "split = " << split << "  # comment\n";
        EXPECT_EQ(error_message(table, {"--config", path}), "");
        EXPECT_EQ(c.split, split);
        EXPECT_EQ(c.screen.split_column, "my:col");
        // The stored configuration is read back.
        std::ofstream(path, std::ios::binary) << table.text({options::Section::split});
        c.split.clear();
        EXPECT_EQ(error_message(table, {"--config", path}), "");
        EXPECT_EQ(c.split, split);
    }
}

TEST(RunConfig, KeepsTheUnitOfConcentrations) {
    using popflow::core::Quantity;
    RunConfig c;
    const OptionTable table = run_options(c);
    const auto parse = [&](const std::string& value) {
        table.parse({"--concentration", value}, {options::Section::predict}, nullptr);
    };
    parse("100 nM, 2 uM,0");
    EXPECT_EQ(c.concentrations, (std::vector<double>{0.1, 2, 0}));
    EXPECT_EQ(c.concentration_quantity, Quantity::molar);
    EXPECT_EQ(table.values("concentration"), std::vector<std::string>{"0.1 uM, 2 uM, 0 uM"});
    parse("1, 2");
    EXPECT_EQ(c.concentration_quantity, Quantity::number);
    EXPECT_EQ(table.values("concentration"), std::vector<std::string>{"1, 2"});
    try {
        parse("1 uM,6h");
        FAIL() << "two units that cannot be converted";
    } catch (const ConfigError& error) {
        EXPECT_STREQ(error.what(),
                     "concentration: found '1 uM' and '6h', which cannot be converted into each other. Give "
                     "all in units of one kind, or in none");
    }
}

TEST(RunConfig, DifferencesNameTheKeyAndBothValues) {
    const std::string before = "a = 1\nb = 2\nexclude = x\nexclude = y\n";
    EXPECT_TRUE(popflow::core::changed_options(before, before, {}).empty());
    EXPECT_EQ(popflow::core::changed_options("a = 1\nb = 3\nexclude = x\nexclude = y\n", before, {}),
              (std::vector<std::string>{"b: found '3', was '2'"}));
    const popflow::core::OptionEffects of_fm{{"b", {.methods = {"fm"}}}};
    EXPECT_TRUE(popflow::core::changed_options("method = m\nb = 3\n", "method = m\nb = 2\n", of_fm).empty());
    EXPECT_FALSE(
        popflow::core::changed_options("method = fm\nb = 3\n", "method = fm\nb = 2\n", of_fm).empty());
    EXPECT_EQ(popflow::core::changed_options("a = 1\nb = 2\nexclude = x\n", before,
                                             {{"a", {.affects = popflow::core::Affects::nothing}}}),
              (std::vector<std::string>{"exclude: found 'x', was 'x y'"}));
}

TEST(RunConfig, AFileIncludesOthersAndOverridesThem) {
    const popflow::support::TemporaryFolder folder;
    std::filesystem::create_directories(folder.file("rows"));
    std::filesystem::create_directories(folder.file("common"));
    std::ofstream(folder.file("common/base.cfg"))
        << "steps = 7\nknn = 3\nexclude = well=1\nexclude = well=2\n";
    std::ofstream(folder.file("common/wide.cfg")) << "include = base.cfg\nhidden = 99\nknn = 4\n";
    std::ofstream(folder.file("rows/a.cfg")) << "knn = 5\ninclude = ../common/wide.cfg\nexclude = well=3\n";
    RunConfig c;
    const OptionTable table = run_options(c);

    table.parse({"--config", folder.file("rows/a.cfg"), "--hidden", "100"}, sections, nullptr);

    EXPECT_EQ(c.train.steps, 7U);
    EXPECT_EQ(setting(c, "hidden"), "100");
    EXPECT_EQ(setting(c, "knn"), "5") << "the including file wins, wherever the key is";
    EXPECT_EQ(c.screen.exclude, (std::vector<std::string>{"well=3"})) << "a key replaces the included values";
}

TEST(RunConfig, AllowsRepeatedButNotCircularIncludes) {
    const popflow::support::TemporaryFolder folder;
    const auto write = [&](const char* name, const char* text) { std::ofstream(folder.file(name)) << text; };
    write("base.cfg", "steps = 7\n");
    write("twice.cfg", "include = base.cfg\ninclude = ./base.cfg\n");
    write("self.cfg", "include = self.cfg\n");
    write("ping.cfg", "include = pong.cfg\n");
    write("pong.cfg", "include = ./ping.cfg\n");
    write("lost.cfg", "include = nowhere.cfg\n");
    write("bad.cfg", "stepz = 7\n");
    write("outer.cfg", "include = bad.cfg\n");
    write("config.cfg", "config = base.cfg\n");
    RunConfig c;
    const OptionTable table = run_options(c);
    const auto refusal = [&](const char* name) {
        return error_message(table, {"--config", folder.file(name)});
    };
    EXPECT_EQ(refusal("twice.cfg"), "");
    EXPECT_EQ(refusal("self.cfg"),
              folder.file("self.cfg") + ": include: found 'self.cfg', which is a circular include");
    EXPECT_EQ(refusal("ping.cfg"),
              folder.file("pong.cfg") + ": include: found './ping.cfg', which is a circular include");
    EXPECT_EQ(refusal("lost.cfg"),
              folder.file("lost.cfg") + ": include: cannot read '" + folder.file("nowhere.cfg") + "'");
    EXPECT_EQ(refusal("outer.cfg"),
              folder.file("bad.cfg") + ": stepz: unknown option (did you mean 'steps'?)");
    EXPECT_EQ(refusal("config.cfg"),
              folder.file("config.cfg") +
                  ": config: not allowed in a file. Use `include = F.cfg` to read another file");
    EXPECT_EQ(error_message(table, {"--include", "a.cfg"}),
              "include: unknown option (did you mean 'exclude'?)")
        << "only files have this key";
}

TEST(RunConfig, SelectsOneMatrix) {
    using Kind = popflow::anndata::MatrixSource::Kind;
    const popflow::support::TemporaryFolder folder;
    const std::string path = folder.file("a.cfg");
    std::ofstream(path) << "layer = counts\n";
    RunConfig c;
    const OptionTable table = run_options(c);
    const std::string before = table.text(options::training_sections());
    EXPECT_EQ(before.find("\nlayer ="), std::string::npos)
        << "configurations of earlier versions stay the same";

    table.parse({"--config", path}, sections, nullptr);
    EXPECT_EQ(c.screen.source.path(), "layers/counts");
    EXPECT_NE(table.text(options::training_sections()).find("layer = counts\n"), std::string::npos);
    table.parse({"--obsm", "X_pca", "--config", path}, sections, nullptr);
    EXPECT_EQ(c.screen.source.path(), "obsm/X_pca") << "a flag overrides another option of the file";
    table.parse({"--use-raw"}, sections, nullptr);
    EXPECT_EQ(c.screen.source.kind, Kind::raw);
    EXPECT_NE(table.text(options::training_sections()).find("use-raw = true\n"), std::string::npos);
    table.parse({"--layer", ""}, sections, nullptr);
    EXPECT_EQ(c.screen.source.kind, Kind::raw) << "no layer was set";
    table.parse_text("use-raw = false\n", "text");
    EXPECT_EQ(table.text(options::training_sections()), before);

    EXPECT_EQ(error_message(table, {"--layer", "a", "--use-raw"}),
              "layer: found --layer and --use-raw. Give only one of layer, obsm, use-raw");
    std::ofstream(path) << "layer = counts\nobsm = X_pca\n";
    EXPECT_EQ(error_message(table, {"--config", path}),
              path + ": layer: found --layer and --obsm. Give only one of layer, obsm, use-raw");
}

TEST(RunConfig, StoresALatentSpaceOnlyIfThereIsOne) {
    RunConfig c;
    const OptionTable table = run_options(c);
    const std::string before = table.text(options::training_sections());
    EXPECT_EQ(before.find("latent"), std::string::npos);
    table.parse({"--latent", "pca:50"}, sections, nullptr);
    EXPECT_EQ(c.latent, 50U);
    EXPECT_NE(table.text(options::training_sections()).find("latent = pca:50\n"), std::string::npos);
    table.parse({"--latent", "none"}, sections, nullptr);
    EXPECT_EQ(table.text(options::training_sections()), before);
    for (const char* bad : {"50", "pca", "pca:", "pca:0", "pca:-1", "pca:2.5", "umap:3", ""})
        EXPECT_EQ(error_message(table, {"--latent", bad}).substr(0, 8), "latent: ") << bad;
}

TEST(RunConfig, StoresASizeFactorOnlyIfThereIsOne) {
    RunConfig c;
    const OptionTable table = run_options(c);
    const std::string before = table.text(options::training_sections());
    EXPECT_EQ(before.find("size-factor"), std::string::npos);
    table.parse({"--size-factor", "median"}, sections, nullptr);
    c.screen.size_factor.target = 12.5;
    EXPECT_NE(table.text(options::training_sections()).find("size-factor = median:12.5\n"),
              std::string::npos);
    table.parse({"--size-factor", "none"}, sections, nullptr);
    EXPECT_EQ(table.text(options::training_sections()), before);
    EXPECT_EQ(error_message(table, {"--size-factor", "mean"}).substr(0, 25), "size-factor: found `mean`");
}
