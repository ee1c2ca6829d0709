// SPDX-License-Identifier: MIT
#include "train/fold_list.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "core/error.hpp"
#include "core/text.hpp"
#include "support/temporary_folder.hpp"

using popflow::support::TemporaryFolder;
using popflow::train::FoldEntry;
using popflow::train::FoldState;
namespace train = popflow::train;

namespace {

using Texts = std::vector<std::string>;

std::string read_text(const std::string& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
}

void add_file(const std::string& path) {
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path) << "x";
}

}  // namespace

TEST(FoldFolders, KeepNamesThatAreSafe) {
    const Texts values{"21", "PDO-1", "a_b", "1.5", "T+", "EGF_15min"};
    EXPECT_EQ(train::fold_folders(values), values);
}

TEST(FoldFolders, AreSafeDistinctAndStable) {
    const Texts values{"a/b",
                       "a b",
                       "a_b",
                       "..",
                       ".",
                       ".hidden",
                       "",
                       "-x",
                       "x.",
                       "A",
                       "a",
                       "lock",
                       "results.h5",
                       "log.txt",
                       "none",
                       "config.cfg",
                       "na\xc3\xafve",
                       std::string(300, 'x'),
                       std::string(301, 'x'),
                       "folds.csv.tmp",
                       "a\nb"};
    const Texts names = train::fold_folders(values);
    std::set<std::string> distinct;
    for (std::size_t i = 0; i < names.size(); ++i) {
        const std::string& name = names[i];
        EXPECT_TRUE(distinct.insert(popflow::core::lower_case(name)).second) << name;
        EXPECT_EQ(
            name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+."),
            std::string::npos)
            << name;
        EXPECT_FALSE(name.empty() || name.front() == '.' || name.front() == '-' || name.back() == '.')
            << name;
        EXPECT_LE(name.size(), 80U) << name;
        for (const char* own : {"lock", "results.h5", "log.txt", "config.cfg", "folds.csv", "folds.csv.tmp"})
            EXPECT_NE(name, own);
    }
    // The other values do not change the name of a value, unless they differ in nothing but case.
    EXPECT_EQ(train::fold_folders({"a/b"}).front(), names[0]);
    EXPECT_EQ(train::fold_folders({"x", std::string(300, 'x')})[1], names[17]);
    EXPECT_EQ(names[2], "a_b");
    EXPECT_EQ(names[14], "none");
    EXPECT_EQ(names[0].substr(0, 4), "a_b-");
}

TEST(FoldList, ReadsBackWithTheStateOfTheFolders) {
    const TemporaryFolder folder;
    const std::string out = folder.file("out");
    EXPECT_FALSE(train::is_leave_one_out_folder(out));
    std::filesystem::create_directories(out);
    train::write_fold_list(
        out, {{.value = "21", .folder = "21"},
              {.value = "a, \"b\"", .folder = "a-1"},
              {.value = "", .folder = "none-2", .state = FoldState::skipped, .note = "no, pair"},
              {.value = "x;y", .folder = "x-3", .state = FoldState::scored}});
    EXPECT_TRUE(train::is_leave_one_out_folder(out));
    EXPECT_EQ(read_text(train::fold_list_path(out)),
              "fold,value,folder,status,note\n1,21,21,open,\n2,\"a, \"\"b\"\"\",a-1,open,\n"
              "3,,none-2,skipped,\"no, pair\"\n4,\"x;y\",x-3,scored,\n");
    add_file(out + "/21/checkpoint.h5");
    add_file(out + "/21/results.h5");
    add_file(out + "/a-1/checkpoint.h5");
    std::vector<FoldEntry> folds = train::read_fold_list(out);
    ASSERT_EQ(folds.size(), 4U);
    EXPECT_EQ(folds[1].value, "a, \"b\"");
    EXPECT_EQ(folds[2].value, "");
    EXPECT_EQ(folds[2].note, "no, pair");
    EXPECT_EQ(folds[3].value, "x;y");
    EXPECT_EQ(folds[0].state, FoldState::scored);
    EXPECT_EQ(folds[1].state, FoldState::started);
    EXPECT_EQ(folds[2].state, FoldState::skipped);
    EXPECT_EQ(folds[3].state, FoldState::open) << "its folder does not exist";
    EXPECT_EQ(train::fold_list_text(out),
              "1 of 3 folds scored: " + out + "/21, " + out + "/a-1, " + out + "/x-3");
    add_file(out + "/a-1/weights.h5");
    EXPECT_EQ(train::fold_state(out + "/a-1"), FoldState::trained);
}

TEST(FoldList, RefusesAnotherTable) {
    const TemporaryFolder folder;
    std::ofstream(folder.file("folds.csv")) << "a,b\n1,2\n";
    EXPECT_THROW(train::read_fold_list(folder.path()), popflow::core::DataError);
}
