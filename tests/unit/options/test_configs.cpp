// SPDX-License-Identifier: MIT
// Checks that all files of configs/ can be read, and that each published table has one file per row.
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "core/text.hpp"
#include "options/run_config.hpp"
#include "report/published.hpp"

using popflow::options::RunConfig;
using popflow::options::Section;
namespace options = popflow::options;
namespace report = popflow::report;
namespace fs = std::filesystem;

namespace {

const fs::path folder = POPFLOW_CONFIGS;

std::map<std::string, std::string> resolved(const fs::path& file) {
    RunConfig c;
    const options::OptionTable table = run_options(c);
    table.parse({"--config", file}, {Section::general}, nullptr);
    return popflow::core::key_values(table.text(options::training_sections()) +
                                     table.text({Section::evaluate}));
}

}  // namespace

TEST(Configs, AreReadWithoutErrors) {
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
        if (entry.path().extension() != ".cfg") continue;
        EXPECT_NO_THROW(resolved(entry.path())) << entry.path();
    }
}

TEST(Configs, HaveOneFilePerRowOfEachPublishedTable) {
    for (const std::string& name : report::PublishedTable::builtin_names()) {
        const report::PublishedTable table = report::PublishedTable::load(name);
        std::set<std::string> rows;
        for (const fs::directory_entry& entry : fs::directory_iterator(folder / name)) {
            const auto keys = resolved(entry.path());
            const report::ComparisonRow row{.predictor = "model",
                                            .method = keys.at("method"),
                                            .base = keys.at("base"),
                                            .knn = std::stoul(keys.at("knn"))};
            const std::string aggregation = name == "letters" ? "culture:X" : "culture_mean";
            EXPECT_TRUE(table.find(row, {"test", aggregation}, "w2").has_value()) << entry.path();
            EXPECT_TRUE(rows.insert(row.label()).second)
                << entry.path() << " is the same row as another file";
            EXPECT_EQ(keys.at("rate"), "0.0001") << entry.path();
            EXPECT_EQ(keys.at("split").substr(0, 7), name == "letters"            ? "letters"
                                                     : name == "organoid_replica" ? "replica"
                                                                                  : "patient");
        }
        EXPECT_TRUE(name == "letters" || rows.size() >= 12) << name;
    }
}
