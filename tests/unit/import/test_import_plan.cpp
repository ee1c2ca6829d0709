// SPDX-License-Identifier: MIT
#include "import/import_plan.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "core/error.hpp"
#include "support/temporary_folder.hpp"

namespace core = popflow::core;
using namespace popflow::data_import;
using popflow::support::TemporaryFolder;
using Strings = std::vector<std::string>;

namespace {

/// Returns the message of the UserError that planning throws.
std::string error_of(const ImportOptions& options) {
    try {
        plan_import(options);
    } catch (const core::UserError& error) {
        return error.what();
    }
    return "no error";
}

/// Tests of files in a temporary folder.
class ImportPlanning : public testing::Test {
  protected:
    /// Writes a file and returns its path.
    std::string store(const std::string& name, const std::string& bytes) const {
        const std::string path = folder_.file(name);
        std::ofstream(path, std::ios::binary) << bytes;
        return path;
    }
    /// Writes an FCS file of two channels, each stored in one byte, and returns its path.
    std::string store_fcs(const std::string& name, const std::string& stains, const std::string& data,
                          const std::string& more = "") const {
        const std::string text =
            "/$DATATYPE/I/$BYTEORD/1/$PAR/2/$P1B/8/$P1R/256/$P1N/Ir191/$P2B/8/$P2R/256/"
            "$P2N/Eu153/" +
            stains + more;
        const auto field = [](std::size_t number) {
            const std::string digits = std::to_string(number);
            return std::string(8 - digits.size(), ' ') + digits;
        };
        const std::size_t begin = 58 + text.size();
        return store(name, "FCS3.1    " + field(58) + field(begin - 1) + field(begin) +
                               field(begin + data.size() - 1) + std::string(16, ' ') + text + data);
    }
    ImportOptions table(const std::string& bytes) const {
        ImportOptions options;
        options.cells = store("cells.csv", bytes);
        return options;
    }
    ImportOptions sheet(const std::string& bytes) const {
        ImportOptions options;
        options.sheet = store("sheet.csv", bytes);
        return options;
    }
    std::string file(const std::string& name) const { return folder_.file(name); }

  private:
    TemporaryFolder folder_;
};

/// Returns whether a plan reads its first file as FCS.
bool reads_fcs(const ImportOptions& options) {
    return plan_import(options).sources.front().kind == SourceKind::fcs;
}

/// Returns the number of rows of each piece.
std::vector<std::uint64_t> piece_rows(const ImportPlan& plan) {
    std::vector<std::uint64_t> rows;
    for (std::size_t p = 0; p < plan.pieces.size(); ++p) rows.push_back(scan_piece(plan, p).rows);
    return rows;
}

std::uint64_t total_rows(const ImportPlan& plan) {
    std::uint64_t total = 0;
    for (const std::uint64_t rows : piece_rows(plan)) total += rows;
    return total;
}

}  // namespace

TEST_F(ImportPlanning, NeedsEitherASheetOrOneFileOfCells) {
    ImportOptions options;
    EXPECT_EQ(error_of(options), "sheet: give one of --sheet S.csv, --cells F.csv and --images FOLDER");
    options = table("a\n1\n");
    options.sheet = "sheet.csv";
    EXPECT_EQ(error_of(options), "sheet: give one of --sheet S.csv, --cells F.csv and --images FOLDER");
}

TEST_F(ImportPlanning, ImportsAllColumnsOfATableAsMarkers) {
    const ImportPlan plan = plan_import(table("pERK,CD90\n1,2\n3,4\n"));
    EXPECT_EQ(plan.markers, (Strings{"pERK", "CD90"}));
    EXPECT_EQ(plan.obs, Strings{});
    EXPECT_EQ(plan.channels, Strings{});
    EXPECT_FALSE(plan.has_unnamed_columns);
    ASSERT_EQ(plan.sources.size(), 1U);
    EXPECT_EQ(plan.sources[0].path, file("cells.csv"));
    EXPECT_EQ(plan.sources[0].kind, SourceKind::table);
    EXPECT_EQ(plan.sources[0].columns, (std::vector<std::size_t>{0, 1}));
    ASSERT_EQ(plan.pieces.size(), 1U);
    EXPECT_EQ(plan.pieces[0].source, 0U);
    EXPECT_EQ(plan.pieces[0].first, 10U);
    EXPECT_EQ(plan.pieces[0].count, 8U);
    EXPECT_EQ(plan.pieces[0].bytes, 8U);
    EXPECT_EQ(total_rows(plan), 2U);
}

TEST_F(ImportPlanning, SeparatesLabelColumnsFromMarkers) {
    ImportOptions options = table("pERK,drug,CD90,well\n1,DMSO,2,A1\n");
    options.obs = {"well", "drug"};
    const ImportPlan plan = plan_import(options);
    EXPECT_EQ(plan.markers, (Strings{"pERK", "CD90"}));
    EXPECT_EQ(plan.obs, (Strings{"well", "drug"}));
    EXPECT_EQ(plan.sources[0].columns, (std::vector<std::size_t>{0, 2}));
    EXPECT_EQ(plan.sources[0].obs_columns, (std::vector<std::size_t>{3, 1}));
}

TEST_F(ImportPlanning, LeavesOutAColumnWithoutAName) {
    const ImportPlan plan = plan_import(table("pERK,,CD90\n0,1,2\n"));
    EXPECT_TRUE(plan.has_unnamed_columns);
    EXPECT_EQ(plan.markers, (Strings{"pERK", "CD90"}));
    EXPECT_EQ(plan.sources[0].columns, (std::vector<std::size_t>{0, 2}));
}

TEST_F(ImportPlanning, TakesRowNamesForTheNamesOfTheCells) {
    for (const char* text : {",pERK,CD90\nc1,1,2\ncell2,3,4\n", "pERK,CD90\nc1,1,2\ncell2,3,4\n"}) {
        const ImportPlan plan = plan_import(table(text));
        EXPECT_FALSE(plan.has_unnamed_columns);
        EXPECT_TRUE(plan.sources[0].has_row_names);
        EXPECT_EQ(plan.markers, (Strings{"pERK", "CD90"}));
        EXPECT_EQ(plan.sources[0].columns, (std::vector<std::size_t>{1, 2}));
        ASSERT_EQ(plan.notes.size(), 1U);
        EXPECT_EQ(plan.notes[0].line(),
                  file("cells.csv") + ": the first column, which has no name, holds the names of the cells");
        const PieceContents contents = scan_piece(plan, 0);
        EXPECT_EQ(contents.name_length, 5U);
        EXPECT_EQ(contents.name_hashes.size(), 2U);
    }
}

TEST_F(ImportPlanning, StoresColumnsOfTheSheetUnderNamesThatAnnDataAllows) {
    store("a.csv", "pERK\n1\n");
    const std::string path = file("sheet.csv");
    const ImportPlan plan = plan_import(sheet("file,file/x,_index,,__categories\na.csv,1,2,3,NA\n"));
    EXPECT_EQ(plan.obs, (Strings{"file", "file_x", "index", "column_4", "categories"}));
    EXPECT_EQ(plan.sources[0].labels, (Strings{"a.csv", "1", "2", "3", ""}));
    EXPECT_EQ(plan.notes[0].line(), path + ": column 'file/x' is stored as 'file_x'");
    EXPECT_EQ(plan.notes[2].line(), path + ": column 4, which has no name, is stored as 'column_4'");
    EXPECT_EQ(plan.notes[4].line(), path + ": column categories: 1 label such as NA read as missing");
    EXPECT_EQ(
        error_of(sheet("file,a/b,a_b\na.csv,1,2\n")),
        path +
            ": column 'a_b': it would be stored as 'a_b', which is the name of another column: rename one of "
            "them");
    EXPECT_EQ(
        error_of(sheet("file,.\na.csv,1\n")),
        path + ": column 2: found the name '.', which AnnData cannot store: give the column another name");
}

TEST_F(ImportPlanning, FindsNumbersWithACommaInTheMarkers) {
    ImportOptions options = table("pERK;CD90;note\n1,5;2;a,b\n1,234;3;c\n");
    options.obs = {"note"};
    const PieceContents contents = scan_piece(plan_import(options), 0);
    EXPECT_EQ(contents.comma_number, "1,5");
    EXPECT_EQ(contents.ambiguous_number, "1,234");
    options.decimal = Decimal::comma;
    EXPECT_TRUE(plan_import(options).sources[0].has_decimal_comma);
    EXPECT_EQ(scan_piece(plan_import(options), 0).comma_number, "");
}

TEST_F(ImportPlanning, ReadsAFileWhoseRowsSpanLinesAsAWhole) {
    ImportOptions options = table("drug,a\nA,1\n\"B\n,C\",2\nD,3\n");
    options.obs = {"drug"};
    options.piece_bytes = 4;
    ImportPlan plan = plan_import(options);
    ASSERT_GT(plan.pieces.size(), 2U);
    bool is_found = false;
    for (std::size_t p = 0; p < plan.pieces.size(); ++p)
        is_found = is_found || scan_piece(plan, p).needs_whole_file;
    EXPECT_TRUE(is_found);
    read_as_a_whole(plan, std::vector<std::int64_t>{1});
    ASSERT_EQ(plan.pieces.size(), 1U);
    const PieceContents contents = scan_piece(plan, 0);
    EXPECT_FALSE(contents.needs_whole_file);
    EXPECT_EQ(contents.rows, 3U);
    EXPECT_EQ(contents.labels[0], (Strings{"A", "B\n,C", "D"}));
}

TEST_F(ImportPlanning, KeepsTheOrderOfTheRequestedMarkers) {
    ImportOptions options = table("a,b,c,d\n1,2,3,4\n");
    options.markers = {"d", "b", "a"};
    options.exclude_markers = {"b"};
    const ImportPlan plan = plan_import(options);
    EXPECT_EQ(plan.markers, (Strings{"d", "a"}));
    EXPECT_EQ(plan.sources[0].columns, (std::vector<std::size_t>{3, 0}));
    options.markers.clear();
    EXPECT_EQ(plan_import(options).markers, (Strings{"a", "c", "d"}));
}

TEST_F(ImportPlanning, NamesColumnsThatATableLacks) {
    const std::string path = file("cells.csv");
    ImportOptions options = table("pERK,drug\n1,DMSO\n");
    options.markers = {"pErk"};
    EXPECT_EQ(error_of(options), path + ": pErk: missing column (did you mean 'pERK'?), found pERK, drug");
    options.markers = {};
    options.obs = {"batch"};
    EXPECT_EQ(error_of(options), path + ": batch: missing column, found pERK, drug");
    options.obs = {};
    options.exclude_markers = {"dru"};
    EXPECT_EQ(error_of(options), path + ": dru: missing column (did you mean 'drug'?), found pERK, drug");
}

TEST_F(ImportPlanning, RefusesATableWithoutMarkers) {
    const std::string message = file("cells.csv") +
                                ": no column is left as a marker: check --markers, --exclude-markers and "
                                "--obs";
    ImportOptions options = table("pERK,drug\n1,DMSO\n");
    options.obs = {"drug"};
    options.exclude_markers = {"pERK"};
    EXPECT_EQ(error_of(options), message);
    options.exclude_markers = {};
    options.obs = {"drug", "pERK"};
    EXPECT_EQ(error_of(options), message);
}

TEST_F(ImportPlanning, ReadsTheFilesAndLabelsOfASheet) {
    std::filesystem::create_directory(file("run1"));
    store("run1/a.csv", "pERK,CD90\n1,2\n");
    store("b.csv", "CD90;pERK\n2;1\n3;4\n5;6\n");
    const ImportPlan plan =
        plan_import(sheet("drug,file,dose\nDMSO,run1/a.csv,0\n\"SN-38, free\"," + file("b.csv") + ",5\n"));
    EXPECT_EQ(plan.obs, (Strings{"drug", "file", "dose"}));
    EXPECT_EQ(plan.markers, (Strings{"pERK", "CD90"}));
    ASSERT_EQ(plan.sources.size(), 2U);
    EXPECT_EQ(plan.sources[0].path, file("run1/a.csv")) << "relative paths start at the folder of the sheet";
    EXPECT_EQ(plan.sources[0].labels, (Strings{"DMSO", "run1/a.csv", "0"}));
    EXPECT_EQ(plan.sources[0].columns, (std::vector<std::size_t>{0, 1}));
    EXPECT_EQ(plan.sources[1].path, file("b.csv"));
    EXPECT_EQ(plan.sources[1].labels, (Strings{"SN-38, free", file("b.csv"), "5"}));
    EXPECT_EQ(plan.sources[1].columns, (std::vector<std::size_t>{1, 0}))
        << "the second file has another order of columns";
    ASSERT_EQ(plan.pieces.size(), 2U);
    EXPECT_EQ(plan.pieces[1].source, 1U);
    EXPECT_EQ(piece_rows(plan), (std::vector<std::uint64_t>{1, 3}));
}

TEST_F(ImportPlanning, ReadsTheFileNamesFromTheChosenColumn) {
    store("a.csv", "pERK\n1\n");
    ImportOptions options = sheet("path,file\na.csv,old.csv\n");
    options.file_column = "path";
    EXPECT_EQ(plan_import(options).sources[0].path, file("a.csv"));
    options.file_column = "paths";
    EXPECT_EQ(error_of(options),
              file("sheet.csv") + ": paths: missing column (did you mean 'path'?), found path, file");
}

TEST_F(ImportPlanning, ConvertsLatin1LabelsOfASheetToUtf8) {
    store("a.csv", "pERK\n1\n");
    EXPECT_EQ(plan_import(sheet("file,dose\na.csv,5 \xB5M\n")).sources[0].labels[1], "5 \xC2\xB5M");
}

TEST_F(ImportPlanning, NamesTheRowOfAnErrorInTheSheet) {
    store("a.csv", "pERK\n1\n");
    const std::string path = file("sheet.csv");
    EXPECT_EQ(error_of(sheet("file,drug\n")), path + ": found no rows. Give one for each file of cells");
    EXPECT_EQ(error_of(sheet("file,drug\na.csv\n")),
              path + ": row 1: found 1 field, but the table has 2 columns");
    EXPECT_EQ(error_of(sheet("file,drug\na.csv,DMSO\n,DMSO\n")),
              path + ": row 2, column file: found an empty field. Give the name of a file of cells");
    EXPECT_EQ(error_of(sheet("file,drug\na.csv,DMSO\n\na.csv,SN-38\n")),
              path + ": row 2: found file 'a.csv' twice. Give it once");
    EXPECT_EQ(error_of(sheet("file,drug\nb.csv,DMSO\n")),
              path + ": row 1: found file '" + file("b.csv") +
                  "', which does not exist: relative paths start at the folder of the sheet");
}

TEST_F(ImportPlanning, RefusesALabelThatTheSheetAlreadyHas) {
    store("a.csv", "pERK,drug\n1,DMSO\n");
    ImportOptions options = sheet("file,drug\na.csv,DMSO\n");
    options.obs = {"drug"};
    EXPECT_EQ(
        error_of(options),
        "obs: found 'drug', which is stored as 'drug' and was given twice or is a column of the sheet " +
            file("sheet.csv") + ": leave it out of --obs, or rename one of them");
    options = table("pERK,drug\n1,DMSO\n");
    options.obs = {"drug", "drug"};
    EXPECT_EQ(error_of(options),
              "obs: found 'drug', which is stored as 'drug' and was given twice or is a column of the sheet: "
              "leave it "
              "out of --obs, or rename one of them");
}

TEST_F(ImportPlanning, RefusesFilesWithOtherMarkersThanTheFirst) {
    store("a.csv", "pERK,CD90\n1,2\n");
    store("few.csv", "CD90\n1\n");
    store("many.csv", "pERK,CD90,IdU\n1,2,3\n");
    EXPECT_EQ(error_of(sheet("file\na.csv\nfew.csv\n")),
              file("few.csv") + ": pERK: missing column, found CD90");
    ImportOptions options = sheet("file\na.csv\nmany.csv\n");
    EXPECT_EQ(error_of(options),
              file("many.csv") + ": IdU: found a marker that is missing in the first file, " + file("a.csv") +
                  ": choose the markers with --markers or --exclude-markers");
    options.markers = {"CD90", "pERK"};
    EXPECT_EQ(plan_import(options).sources[1].columns, (std::vector<std::size_t>{1, 0}));
}

TEST_F(ImportPlanning, DividesATableIntoPiecesThatCoverEachByteOnce) {
    ImportOptions options = table("a,b\n1,2\n\n33,44\n5,6\n7,8");
    for (std::size_t piece_bytes = 1; piece_bytes <= 30; ++piece_bytes) {
        options.piece_bytes = piece_bytes;
        const ImportPlan plan = plan_import(options);
        std::uint64_t next = 4;
        for (const ImportPiece& piece : plan.pieces) {
            EXPECT_EQ(piece.first, next);
            EXPECT_LE(piece.count, piece_bytes);
            EXPECT_EQ(piece.bytes, piece.count);
            next += piece.count;
        }
        EXPECT_EQ(next, std::filesystem::file_size(options.cells));
        EXPECT_EQ(total_rows(plan), 4U) << "pieces of " << piece_bytes << " bytes";
    }
}

TEST_F(ImportPlanning, HasNoPiecesForATableWithoutRows) {
    EXPECT_TRUE(plan_import(table("a,b")).pieces.empty());
    EXPECT_TRUE(plan_import(table("a,b\n")).pieces.empty());
    EXPECT_EQ(total_rows(plan_import(table("a,b\n\n\n"))), 0U);
}

TEST_F(ImportPlanning, ScansTheSortedLabelsOfEachPiece) {
    ImportOptions options = table("drug,a,well\nB,1,w2\nA,2,w1\nB,3,w2\n\"C,\"\"1\"\"\",4,\xB5\nB,5,\n");
    options.obs = {"well", "drug"};
    const ImportPlan whole = plan_import(options);
    ASSERT_EQ(whole.pieces.size(), 1U);
    const PieceContents contents = scan_piece(whole, 0);
    EXPECT_EQ(contents.rows, 5U);
    ASSERT_EQ(contents.labels.size(), 2U);
    EXPECT_EQ(contents.labels[0], (Strings{"w1", "w2", "\xC2\xB5"}));
    EXPECT_EQ(contents.labels[1], (Strings{"A", "B", "C,\"1\""}));

    options.piece_bytes = 7;  // bytes of one of the first rows
    const ImportPlan parts = plan_import(options);
    EXPECT_EQ(scan_piece(parts, 0).labels[1], (Strings{"B"}));
    EXPECT_EQ(scan_piece(parts, 1).labels[1], (Strings{"A"}));
    EXPECT_EQ(scan_piece(parts, 1).rows, 1U);
    EXPECT_EQ(total_rows(parts), 5U);
}

TEST_F(ImportPlanning, CountsARowThatLacksItsLabel) {
    ImportOptions options = table("a,drug\n1,DMSO\n2\n");
    options.obs = {"drug"};
    const PieceContents contents = scan_piece(plan_import(options), 0);
    EXPECT_EQ(contents.rows, 2U);
    EXPECT_EQ(contents.labels[0], (Strings{"DMSO"}));
}

TEST_F(ImportPlanning, ScanReportsAQuoteThatIsNotClosed) {
    ImportOptions options = table("a,drug\n1,\"DMSO\n");
    options.obs = {"drug"};
    ImportPlan plan = plan_import(options);
    EXPECT_TRUE(scan_piece(plan, 0).needs_whole_file) << "another piece may hold the start of the field";
    read_as_a_whole(plan, std::vector<std::int64_t>{1});
    try {
        scan_piece(plan, 0);
        FAIL() << "no error";
    } catch (const core::DataError& error) {
        EXPECT_EQ(error.what(), file("cells.csv") + ": row 1: a quoted field is not closed");
    }
}

TEST_F(ImportPlanning, NamesTheMarkersOfAnFcsFileByStainOrChannel) {
    ImportOptions options;
    options.cells = store_fcs("cells.fcs", "$P2S/pERK/", "\x01\x02\x03\x04\x05\x06");
    ImportPlan plan = plan_import(options);
    EXPECT_EQ(plan.sources[0].kind, SourceKind::fcs);
    EXPECT_EQ(plan.markers, (Strings{"Ir191", "pERK"}));
    EXPECT_EQ(plan.channels, (Strings{"Ir191", "Eu153"}));
    options.names = MarkerNames::channel;
    options.markers = {"Eu153"};
    plan = plan_import(options);
    EXPECT_EQ(plan.markers, (Strings{"Eu153"}));
    EXPECT_EQ(plan.channels, (Strings{"Eu153"}));
    EXPECT_EQ(plan.sources[0].columns, (std::vector<std::size_t>{1}));
}

TEST_F(ImportPlanning, DividesAnFcsFileIntoWholeEvents) {
    ImportOptions options;
    options.cells = store_fcs("cells.fcs", "", "\x01\x02\x03\x04\x05\x06");
    options.piece_bytes = 5;  // two events of two bytes, and one byte more
    const ImportPlan plan = plan_import(options);
    EXPECT_EQ(piece_rows(plan), (std::vector<std::uint64_t>{2, 1}));
    EXPECT_EQ(plan.pieces[1].first, 2U);
    EXPECT_EQ(plan.pieces[1].bytes, 2U);
    options.piece_bytes = 1;
    EXPECT_EQ(piece_rows(plan_import(options)), (std::vector<std::uint64_t>{1, 1, 1}));
}

TEST_F(ImportPlanning, RefusesLabelColumnsOfAnFcsFile) {
    ImportOptions options;
    options.cells = store_fcs("cells.fcs", "", "\x01\x02");
    options.obs = {"drug"};
    EXPECT_EQ(error_of(options),
              "obs: found 'drug', but FCS files have no columns of labels: give labels in a --sheet");
}

TEST_F(ImportPlanning, AppendsTheChannelToAStainThatSeveralChannelsShare) {
    ImportOptions options;
    options.cells = store_fcs("cells.fcs", "$P1S/pERK/$P2S/pERK/", "\x01\x02");
    const Strings both{"pERK (Ir191)", "pERK (Eu153)"};
    ImportPlan plan = plan_import(options);
    EXPECT_EQ(plan.markers, both);
    ASSERT_EQ(plan.notes.size(), 1U);
    EXPECT_EQ(plan.notes[0].line(),
              options.cells + ": several channels are named pERK: pERK (Ir191), pERK (Eu153)");
    for (const char* name : {"pERK (Eu153)", "Eu153"}) {
        options.markers = {name};
        options.exclude_markers = {};
        plan = plan_import(options);
        EXPECT_EQ(plan.markers, (Strings{"pERK (Eu153)"})) << name;
        EXPECT_EQ(plan.sources[0].columns, (std::vector<std::size_t>{1}));
        options.markers = {};
        options.exclude_markers = {name};
        EXPECT_EQ(plan_import(options).markers, (Strings{"pERK (Ir191)"})) << name;
    }
    options.exclude_markers = {};
    options.markers = {"pERK"};
    EXPECT_EQ(error_of(options),
              options.cells +
                  ": pERK: found 2 channels of that name: give one or more of pERK (Ir191), pERK (Eu153)");
    options.markers = {"Ir191", "pERK (Ir191)"};
    EXPECT_EQ(error_of(options), "markers: found 'pERK (Ir191)' twice. Give it once");
    options.markers = {};
    options.names = MarkerNames::channel;
    plan = plan_import(options);
    EXPECT_EQ(plan.markers, (Strings{"Ir191", "Eu153"}));
    EXPECT_TRUE(plan.notes.empty());
}

TEST_F(ImportPlanning, LeavesOutAllChannelsOfAStain) {
    ImportOptions options;
    options.cells =
        store_fcs("cells.fcs", "$P1S/pERK/$P2S/pERK/$PAR/3/$P3B/8/$P3R/256/$P3N/Time/", "\x01\x02\x03");
    // The first $PAR counts two parameters, and the first value of a repeated keyword is kept.
    options.exclude_markers = {"pERK"};
    EXPECT_EQ(error_of(options), options.cells +
                                     ": no column is left as a marker: check --markers, "
                                     "--exclude-markers and --obs");
}

TEST_F(ImportPlanning, NumbersChannelsThatShareAllNames) {
    ImportOptions options;
    options.cells = store_fcs("cells.fcs", "", "\x01\x02");
    std::string bytes;
    {
        std::ifstream in(options.cells, std::ios::binary);
        bytes.assign(std::istreambuf_iterator<char>(in), {});
    }
    bytes.replace(bytes.find("Eu153"), 5, "Ir191");
    options.cells = store("cells.fcs", bytes);
    EXPECT_EQ(plan_import(options).markers, (Strings{"Ir191 (P1)", "Ir191 (P2)"}));
    options.markers = {"Ir191 (P2)"};
    EXPECT_EQ(plan_import(options).sources[0].columns, (std::vector<std::size_t>{1}));
}

TEST_F(ImportPlanning, FindsTheLongNameOfAStainThatIsUniqueInAnotherFile) {
    store_fcs("a.fcs", "$P1S/pERK/$P2S/pERK/", "\x01\x02");
    store_fcs("b.fcs", "$P1S/pERK/$P2S/CD90/", "\x01\x02");
    ImportOptions options = sheet("file\na.fcs\nb.fcs\n");
    options.markers = {"Ir191"};
    EXPECT_EQ(plan_import(options).sources[1].columns, (std::vector<std::size_t>{0}));
    options.markers = {"pERK (Eu153)"};
    EXPECT_EQ(error_of(options), file("b.fcs") + ": pERK (Eu153): missing column, found pERK, CD90");
}

TEST_F(ImportPlanning, RefusesAMarkerThatIsAlsoALabel) {
    ImportOptions options = table("pERK,drug\n1,DMSO\n");
    options.markers = {"pERK", "drug"};
    options.obs = {"drug"};
    EXPECT_EQ(error_of(options),
              "markers: found 'drug', which --obs makes a column of labels: leave it out of one of the two "
              "options");
}

TEST_F(ImportPlanning, CountsTheFilesOfANote) {
    store_fcs("a.fcs", "$NEXTDATA/60/", "\x01\x02");
    store_fcs("b.fcs", "$NEXTDATA/60/", "\x01\x02");
    const ImportPlan plan = plan_import(sheet("file\na.fcs\nb.fcs\n"));
    ASSERT_EQ(plan.notes.size(), 1U);
    EXPECT_EQ(
        plan.notes[0].line(),
        file("a.fcs") + ": $NEXTDATA is ignored: found '60', where no data set begins (and in 1 other file)");
}

TEST_F(ImportPlanning, HasDataSetsOnlyInFcsFiles) {
    ImportOptions options = table("pERK\n1\n");
    options.data_set = 2;
    EXPECT_EQ(error_of(options), "data-set: found 2, but " + options.cells +
                                     " is a table: only FCS files have several data sets");
    options.cells = store_fcs("cells.fcs", "", "\x01\x02");
    EXPECT_EQ(error_of(options), options.cells + ": found 1 data set, but --data-set asks for number 2");
}

TEST_F(ImportPlanning, ChecksTheSpilloverOnlyIfItIsNeeded) {
    ImportOptions options;
    options.cells = store_fcs("cells.fcs", "", "\x01\x02", "$SPILLOVER/2,Ir191,Eu153,1,1,1,1/");
    EXPECT_EQ(total_rows(plan_import(options)), 1U);
    options.compensate = true;
    EXPECT_EQ(error_of(options),
              options.cells +
                  ": $SPILLOVER: found a singular matrix: import without compensation with --compensate no");
}

TEST_F(ImportPlanning, ReportsAFileOfCellsThatDoesNotExist) {
    ImportOptions options;
    options.cells = file("missing.csv");
    EXPECT_EQ(error_of(options), options.cells + ": cannot read: No such file or directory");
}

TEST_F(ImportPlanning, ATableMayHaveAColumnCalledFcs) {
    for (const char* bytes : {"FCS,pERK\n1.5,2\n", "FCS3.1,pERK\n1.5,2\n", "FCS3.1    ,pERK\n1.5,2\n",
                              "FCS3.1\tpERK\n1.5\t2\n", "FCS-A;FCS3.1 \n1.5;2\n"}) {
        const ImportOptions options = table(bytes);
        EXPECT_FALSE(reads_fcs(options)) << bytes;
        EXPECT_EQ(plan_import(options).markers.size(), 2U) << bytes;
    }
}

TEST_F(ImportPlanning, AnFcsFileNeedsNoExtension) {
    ImportOptions options;
    options.cells = store_fcs("cells.dat", "", "\x01\x02");
    EXPECT_TRUE(reads_fcs(options));
    // A file of this name with a version is reported as a damaged FCS file.
    options.cells = store("short.FCS", "FCS3.0,a\n1,2\n");
    EXPECT_NE(error_of(options).find("but a header has 58"), std::string::npos) << error_of(options);
}
