// SPDX-License-Identifier: MIT
#include "report/result_files.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/error.hpp"
#include "eval/results.hpp"
#include "report/figure_file.hpp"
#include "support/summaries.hpp"
#include "support/temporary_folder.hpp"

namespace report = popflow::report;
namespace fs = std::filesystem;

namespace {

using Texts = std::vector<std::string>;

class FindResultFiles : public ::testing::Test {
  protected:
    // Writes a result file and its folders. `path` is relative to the temporary folder.
    void add_results(const std::string& path) {
        fs::create_directories(fs::path(folder_.file(path)).parent_path());
        popflow::eval::Results results = popflow::support::result_of_seed(1, 3);
        results.pairs.add("status", Texts{});
        popflow::eval::write_results(folder_.file(path), results);
    }
    // Makes a folder that looks like a run without results.
    void add_run(const std::string& path) {
        fs::create_directories(folder_.file(path));
        std::ofstream(folder_.file(path + "/config.cfg")) << "steps = 3\n";
        std::ofstream(folder_.file(path + "/checkpoint.h5")) << "no HDF5\n";
    }
    report::ResultFiles find(const std::string& path) {
        return report::find_result_files({folder_.file(path)});
    }
    std::string error(const std::string& path) {
        try {
            find(path);
        } catch (const popflow::core::ConfigError& found) {
            return found.what();
        }
        return "";
    }

    popflow::support::TemporaryFolder folder_;
};

}  // namespace

TEST_F(FindResultFiles, RecursesInNaturalOrder) {
    for (const char* run : {"sw/runs/b/seed2", "sw/runs/b/seed10", "sw/runs/a"}) {
        add_run(run);
        add_results(std::string(run) + "/results.h5");
    }
    add_results("sw/scores/other.h5");
    add_run("sw/runs/unfinished");
    std::ofstream(folder_.file("sw/scores/no_results.h5")) << "text";
    const report::ResultFiles found = find("sw");
    EXPECT_EQ(found.files,
              (Texts{folder_.file("sw/runs/a/results.h5"), folder_.file("sw/runs/b/seed2/results.h5"),
                     folder_.file("sw/runs/b/seed10/results.h5"), folder_.file("sw/scores/other.h5")}));
    EXPECT_EQ(found.notes,
              (Texts{folder_.file("sw") + ": 4 result files",
                     "left out 1 run without results.h5: " + folder_.file("sw/runs/unfinished")}));
}

TEST_F(FindResultFiles, TakeOneFileOfARunFolderAndNoneTwice) {
    add_run("run");
    add_results("run/results.h5");
    add_results("run/more.h5");
    EXPECT_EQ(find("run").files, Texts{folder_.file("run/results.h5")});
    EXPECT_TRUE(find("run").notes.empty());
    fs::create_directory_symlink(folder_.file("run"), folder_.file("link"));
    fs::create_directory_symlink(folder_.file(""), folder_.file("run/loop"));
    const std::string more = folder_.file("run/more.h5");
    EXPECT_EQ(report::find_result_files({more, folder_.file("run"), folder_.file("link"), more}).files,
              (Texts{more, folder_.file("run/results.h5")}));
}

TEST_F(FindResultFiles, RefuseFoldersWithoutResults) {
    fs::create_directories(folder_.file("empty/below"));
    EXPECT_EQ(error("empty"),
              "report: no result file in the folder '" + folder_.file("empty") +
                  "' or in the folders below it. Give a run folder, a folder of runs or a file "
                  "written by popflow evaluate or ot");
    add_run("empty/below/run");
    EXPECT_NE(error("empty").find("only 1 run without results.h5. Create it with popflow evaluate --run " +
                                  folder_.file("empty/below/run")),
              std::string::npos)
        << error("empty");
    EXPECT_NE(error("empty/below/run").find("has no results.h5 yet"), std::string::npos);
}

TEST(FigureFormat, LeavesSvgUnchangedAndConvertsTheOthers) {
    const std::string svg =
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"96\" height=\"48\"><path d=\"M0 0h9v9z\"/></svg>";
    EXPECT_EQ(report::convert_figure(svg, report::FigureFormat::svg), svg);
    try {
        report::check_figure_format(report::FigureFormat::pdf);
    } catch (const popflow::core::ConfigError& error) {
        EXPECT_NE(std::string(error.what()).find("Use --figure-format svg"), std::string::npos);
        GTEST_SKIP() << "no librsvg: " << error.what();
    }
    const std::string pdf = report::convert_figure(svg, report::FigureFormat::pdf);
    EXPECT_TRUE(pdf.starts_with("%PDF-"));
    const std::string png = report::convert_figure(svg, report::FigureFormat::png);
    ASSERT_GT(png.size(), 24U);
    EXPECT_EQ(png.substr(1, 3), "PNG");
    // Width and height are big-endian numbers at byte 16: one by half an inch at 300 pixels per inch.
    EXPECT_EQ(static_cast<unsigned char>(png[18]) * 256 + static_cast<unsigned char>(png[19]), 300);
    EXPECT_EQ(static_cast<unsigned char>(png[22]) * 256 + static_cast<unsigned char>(png[23]), 150);
    EXPECT_THROW(report::convert_figure("no svg", report::FigureFormat::pdf), popflow::core::Error);
}

TEST_F(FindResultFiles, TakeTheJoinedResultsOfALeaveOneOut) {
    for (const char* run : {"runs/each/A", "runs/each/B"}) add_run(run);
    std::ofstream(folder_.file("runs/each/config.cfg")) << "steps = 3\n";
    std::ofstream(folder_.file("runs/each/folds.csv"))
        << "fold,value,folder,status,note\n1,A,A,scored,\n2,B,B,open,\n3,C,C,skipped,why\n";
    add_results("runs/each/A/results.h5");
    EXPECT_EQ(error("runs/each"), "report: the leave-one-out '" + folder_.file("runs/each") +
                                      "' has no results.h5 yet (1 of 2 folds scored: " +
                                      folder_.file("runs/each/A") + ", " + folder_.file("runs/each/B") +
                                      "). Finish it with popflow run, the same options and --resume, or give "
                                      "the folders of folds");
    EXPECT_EQ(find("runs/each/A").files, Texts{folder_.file("runs/each/A/results.h5")});
    add_results("runs/other/results.h5");
    EXPECT_EQ(find("runs").files, Texts{folder_.file("runs/other/results.h5")});
    EXPECT_EQ(find("runs").notes.back().substr(0, 29), "left out: the leave-one-out '");
    add_results("runs/each/results.h5");
    EXPECT_EQ(find("runs/each").files, Texts{folder_.file("runs/each/results.h5")});
    EXPECT_EQ(find("runs").files.size(), 2U);
}
