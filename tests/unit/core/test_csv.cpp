// SPDX-License-Identifier: MIT
#include "core/csv.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/error.hpp"
#include "support/temporary_folder.hpp"

namespace core = popflow::core;
using popflow::support::TemporaryFolder;
using Strings = std::vector<std::string>;

namespace {

Strings split(const std::string& line, char separator = ',') {
    Strings fields{"left over from the line before"};
    core::split_fields(line, separator, "cells.csv", "row 7", fields);
    return fields;
}

/// Returns the message of the DataError that `call` throws.
template <class Call>
std::string error_of(const Call& call) {
    try {
        call();
    } catch (const core::DataError& error) {
        return error.what();
    }
    return "no error";
}

/// Tests of a file table.csv in a temporary folder.
class CsvFile : public testing::Test {
  protected:
    core::CsvFile table(const std::string& bytes) const {
        std::ofstream(path_, std::ios::binary) << bytes;
        return core::CsvFile(path_);
    }
    std::string error(const std::string& bytes) const {
        return error_of([&] { table(bytes); });
    }
    const std::string& path() const { return path_; }
    const TemporaryFolder& folder() const { return folder_; }

  private:
    TemporaryFolder folder_;
    std::string path_ = folder_.file("table.csv");
};

/// Returns the rows that begin in bytes [begin, end) of the file.
Strings rows(const core::CsvFile& file, std::uint64_t begin, std::uint64_t end) {
    core::CsvFile::Rows reader(file, begin, end);
    Strings out;
    for (std::string line; reader.next(line);) out.push_back(line);
    return out;
}

Strings rows(const core::CsvFile& file) {
    return rows(file, file.data_begin(), file.bytes());
}

}  // namespace

TEST(SplitFields, SplitsAtTheSeparatorOnly) {
    EXPECT_EQ(split("1,b;c,d e"), (Strings{"1", "b;c", "d e"}));
    EXPECT_EQ(split("1,b;c,d e", ';'), (Strings{"1,b", "c,d e"}));
    EXPECT_EQ(split("a\tb\t\tc", '\t'), (Strings{"a", "b", "", "c"}));
    EXPECT_EQ(split("one"), (Strings{"one"}));
}

TEST(SplitFields, KeepsEmptyFieldsAtEveryPosition) {
    EXPECT_EQ(split(""), (Strings{""}));
    EXPECT_EQ(split(","), (Strings{"", ""}));
    EXPECT_EQ(split(",a,,b,"), (Strings{"", "a", "", "b", ""}));
    EXPECT_EQ(split("a, "), (Strings{"a", ""}));
    EXPECT_EQ(split("\t\t", '\t'), (Strings{"", "", ""}));
}

TEST(SplitFields, StripsWhiteSpaceAroundFields) {
    EXPECT_EQ(split("  a b \t,\tc\r"), (Strings{"a b", "c"}));
    EXPECT_EQ(split(" \"a\" , b"), (Strings{"a", "b"}));
}

TEST(SplitFields, KeepsSeparatorsSpacesAndDoubledQuotesInQuotedFields) {
    EXPECT_EQ(split(R"("a,b"," c ","")"), (Strings{"a,b", " c ", ""}));
    EXPECT_EQ(split(R"("5"" dish","""")"), (Strings{"5\" dish", "\""}));
    EXPECT_EQ(split(R"("a",)"), (Strings{"a", ""}));
    EXPECT_EQ(split(R"(5" dish,b)"), (Strings{"5\" dish", "b"}));
}

TEST(SplitFields, RefusesAQuoteThatIsNotClosed) {
    const std::string message = "cells.csv: row 7: a quoted field is not closed";
    EXPECT_EQ(error_of([] { split(R"(a,"b,c)"); }), message);
    EXPECT_EQ(error_of([] { split(R"(a,"b"")"); }), message);
    EXPECT_EQ(error_of([] { split("a,\"b\nc"); }), message);
    EXPECT_EQ(error_of([] { split(R"(a,")"); }), message);
}

TEST(SplitFields, RefusesTextAfterAClosingQuote) {
    const std::string message =
        "cells.csv: row 7: found text after a closing quote. Write a quote in a field twice";
    EXPECT_EQ(error_of([] { split(R"("a"b,c)"); }), message);
    EXPECT_EQ(error_of([] { split(R"("a";"b")"); }), message);
}

TEST_F(CsvFile, ReadsTheColumnNamesAndTheSizeOfTheFile) {
    const core::CsvFile file = table("file, dose \n1,2\n");
    EXPECT_EQ(file.path(), path());
    EXPECT_EQ(file.columns(), (Strings{"file", "dose"}));
    EXPECT_EQ(file.separator(), ',');
    EXPECT_EQ(file.data_begin(), 12U);
    EXPECT_EQ(file.bytes(), 16U);
    EXPECT_EQ(rows(file), (Strings{"1,2"}));
}

TEST_F(CsvFile, ChoosesTheMostFrequentSeparatorOfTheFirstLine) {
    EXPECT_EQ(table("a;b;c,d\n").columns(), (Strings{"a", "b", "c,d"}));
    EXPECT_EQ(table("a\tb\tc,d\n").separator(), '\t');
    EXPECT_EQ(table("a,b\n1;2;3;4\n").separator(), ',');
    EXPECT_EQ(table("a;b,c\n").separator(), ',') << "the comma wins a tie";
    EXPECT_EQ(table("one\n1\n").separator(), ',');
}

TEST_F(CsvFile, ReadsTheSameRowsWithEitherLineEnding) {
    const core::CsvFile crlf = table("a,b\r\n1,2\r\n\r\n3,4\r\n");
    EXPECT_EQ(crlf.columns(), (Strings{"a", "b"}));
    EXPECT_EQ(rows(crlf), (Strings{"1,2", "3,4"}));
    EXPECT_EQ(rows(table("a,b\n1,2\n\n3,4\n")), (Strings{"1,2", "3,4"}));
}

TEST_F(CsvFile, SkipsAByteOrderMark) {
    const core::CsvFile file = table("\xEF\xBB\xBF\"a\",b\n1,2\n");
    EXPECT_EQ(file.columns(), (Strings{"a", "b"}));
    EXPECT_EQ(file.data_begin(), 9U);
    EXPECT_EQ(rows(file), (Strings{"1,2"}));
}

TEST_F(CsvFile, ConvertsLatin1ColumnNamesToUtf8) {
    EXPECT_EQ(table("dose [\xB5M],b\n").columns(), (Strings{"dose [\xC2\xB5M]", "b"}));
    EXPECT_EQ(table("dose [\xC2\xB5M],b\n").columns(), (Strings{"dose [\xC2\xB5M]", "b"}));
}

TEST_F(CsvFile, ReadsALastLineWithoutALineEnd) {
    EXPECT_EQ(rows(table("a\n1\n2")), (Strings{"1", "2"}));
}

TEST_F(CsvFile, HasNoRowsIfItHoldsOnlyColumnNames) {
    for (const char* text : {"a,b", "a,b\n", "a,b\r\n", "a,b\n\n  \n"}) {
        const core::CsvFile file = table(text);
        EXPECT_LE(file.data_begin(), file.bytes());
        EXPECT_EQ(rows(file), Strings{}) << text;
    }
}

TEST_F(CsvFile, SkipsEmptyLinesButNotRowsOfEmptyFields) {
    EXPECT_EQ(rows(table("a\tb\n\n\t\n   \nx\ty\n\n")), (Strings{"\t", "x\ty"}));
}

TEST_F(CsvFile, ReadsEachRowOnceForEveryDivisionIntoRanges) {
    for (const char* text : {"a,b\n1,2\n\n33,44\n5,6", "a,b\r\n1,2\r\n\r\n33,44\r\n5,6\r\n"}) {
        const core::CsvFile file = table(text);
        for (std::uint64_t i = file.data_begin(); i <= file.bytes(); ++i) {
            for (std::uint64_t j = i; j <= file.bytes(); ++j) {
                Strings all = rows(file, file.data_begin(), i);
                for (const std::string& row : rows(file, i, j)) all.push_back(row);
                for (const std::string& row : rows(file, j, file.bytes())) all.push_back(row);
                ASSERT_EQ(all, (Strings{"1,2", "33,44", "5,6"})) << "ranges divided at " << i << " and " << j;
            }
        }
    }
}

TEST_F(CsvFile, AssignsARowToTheRangeOfItsFirstByte) {
    const core::CsvFile file = table("a\n123\n45\n");
    EXPECT_EQ(rows(file, 2, 3), (Strings{"123"}));
    EXPECT_EQ(rows(file, 3, 6), Strings{});
    EXPECT_EQ(rows(file, 5, 7), (Strings{"45"}));
    EXPECT_EQ(rows(file, 6, 9), (Strings{"45"}));
    EXPECT_EQ(rows(file, 7, 9), Strings{});
}

TEST_F(CsvFile, SplitsARowIntoOneFieldForEachColumn) {
    const core::CsvFile file = table("a;b\n");
    Strings fields;
    file.split("1,5;\"x;y\"", "row 1", fields);
    EXPECT_EQ(fields, (Strings{"1,5", "x;y"}));
    EXPECT_EQ(error_of([&] { file.split("1", "row 2", fields); }),
              path() + ": row 2: found 1 field, but the table has 2 columns");
    EXPECT_EQ(error_of([&] { file.split("1;2;3", "row 3", fields); }),
              path() + ": row 3: found 3 fields, but the table has 2 columns");
    EXPECT_EQ(error_of([&] { file.split("\"1;2", "row 4", fields); }),
              path() + ": row 4: a quoted field is not closed");
}

TEST_F(CsvFile, RefusesAFileWithoutColumnNames) {
    const std::string message =
        path() + ": line 1: the line is empty: the first line must hold the column names";
    for (const char* text : {"", "\n", "\r\n\r\n", " \t \n", "\xEF\xBB\xBF"})
        EXPECT_EQ(error(text), message) << text;
    EXPECT_EQ(error(",,\n1,2,3\n"), path() + ": line 1: found no column names");
}

TEST_F(CsvFile, SkipsEmptyLinesBeforeTheColumnNames) {
    const core::CsvFile file = table("\n \r\n\na,b\n1,2\n");
    EXPECT_EQ(file.columns(), (Strings{"a", "b"}));
    EXPECT_EQ(rows(file), (Strings{"1,2"}));
}

TEST_F(CsvFile, RefusesDuplicateColumnNames) {
    const std::string end = "` twice: column names must be unique";
    EXPECT_EQ(error("a,b, a\n"), path() + ": line 1: found column `a" + end);
    EXPECT_EQ(table("a,A,,\n").columns(), (Strings{"a", "A"}))
        << "columns without a name at the end are left out";
}

TEST_F(CsvFile, ReportsAQuotingErrorInTheFirstLine) {
    EXPECT_EQ(error("a,\"b\n1,2\n"), path() + ": line 1: a quoted field is not closed");
}

TEST(SplitFields, ReadsQuotesThatAreEscapedByABackslash) {
    EXPECT_EQ(split(R"("5\" dish",b)"), (Strings{"5\" dish", "b"}));
    EXPECT_EQ(split(R"("say \"hi\"","\"x\" y")"), (Strings{"say \"hi\"", "\"x\" y"}));
    EXPECT_EQ(split(R"("C:\","C:\""x",b)"), (Strings{"C:\\", "C:\\\"x", "b"}))
        << "a backslash before a closing quote";
}

TEST(SplitFields, TakesAnyNumberOfBlanksForOneSeparator) {
    EXPECT_EQ(split("  a  \"b c\"\td ", ' '), (Strings{"a", "b c", "d"}));
    EXPECT_EQ(split("\"\" 1.5", ' '), (Strings{"", "1.5"}));
}

TEST(CommaNumber, TellsDecimalCommasFromSeparatorsOfThousands) {
    using enum core::CommaNumber;
    for (const char* text : {"1,5", "-0,125", "+12,25", ",5", "1,", "1234,567", "1,2345", "1,000e3", "0,000"})
        EXPECT_EQ(core::comma_number(text), decimal) << text;
    for (const char* text : {"1,234", "-12,500", "999,000"})
        EXPECT_EQ(core::comma_number(text), ambiguous) << text;
    for (const char* text : {"", ",", "1", "1.5", "1,2,3", "1,234.5", "1.234,5", "a,b", "1,5x", "1,5e"})
        EXPECT_EQ(core::comma_number(text), none) << text;
}

TEST(HasDecimalComma, NeedsANumberThatShowsIt) {
    EXPECT_FALSE(core::has_decimal_comma({"1.5", "2", ""}, "f.csv"));
    EXPECT_TRUE(core::has_decimal_comma({"1,234", "1,5"}, "f.csv"));
    EXPECT_EQ(
        error_of([] {
            core::has_decimal_comma({"1,234", "7"}, "f.csv");
        }),
        "f.csv: found '1,234', which may be 1.234 or 1234: write numbers with a decimal point and without "
        "separators of thousands");
}

TEST(DecimalNumber, ReadsOneKindOfDecimalMark) {
    EXPECT_EQ(core::decimal_number("1,234", true), 1.234);
    EXPECT_EQ(core::decimal_number("+1,5", true), 1.5);
    EXPECT_EQ(core::decimal_number("15", true), 15);
    EXPECT_EQ(core::decimal_number("1.5", true), std::nullopt);
    EXPECT_EQ(core::decimal_number("1.234,5", true), std::nullopt);
    EXPECT_EQ(core::decimal_number("1.5", false), 1.5);
    EXPECT_EQ(core::decimal_number("1,5", false), std::nullopt);
}

TEST_F(CsvFile, ReadsRowsThatSpanLines) {
    for (const std::string end : {"\n", "\r\n", "\r"}) {
        const core::CsvFile file =
            table("a,\"b" + end + "c\"" + end + "1,\"x" + end + end + "y\"" + end + "2,z" + end);
        EXPECT_EQ(file.columns(), (Strings{"a", "b" + end + "c"}));
        core::CsvFile::Rows reader(file);
        std::string row;
        ASSERT_TRUE(reader.next(row));
        EXPECT_EQ(row, "1,\"x" + end + end + "y\"");
        EXPECT_TRUE(reader.spans_lines());
        ASSERT_TRUE(reader.next(row));
        EXPECT_EQ(row, "2,z");
        EXPECT_FALSE(reader.next(row));
    }
}

TEST_F(CsvFile, RecognisesARowThatSpansLinesInTheRangeInWhichItBegins) {
    const core::CsvFile file = table("a,b\n1,2\n3,\"4\n5,6\"\n7,8\n");
    std::string row;
    core::CsvFile::Rows before(file, 4, 8);
    while (before.next(row)) {
    }
    EXPECT_FALSE(before.spans_lines());
    core::CsvFile::Rows within(file, 8, 11);
    while (within.next(row)) {
    }
    EXPECT_TRUE(within.spans_lines());
}

TEST_F(CsvFile, FindsRowNames) {
    const core::CsvFile unnamed = table(",a,b\nx,1,2\n");
    EXPECT_TRUE(unnamed.has_row_names());
    EXPECT_FALSE(unnamed.has_unnamed_columns());
    EXPECT_EQ(unnamed.columns(), (Strings{"", "a", "b"}));
    const core::CsvFile one_more = table("a,b\nx,1,2\ny,3,\n");
    EXPECT_TRUE(one_more.has_row_names());
    EXPECT_EQ(one_more.columns(), (Strings{"", "a", "b"}));
    EXPECT_FALSE(table("a,b\n1,2\n").has_row_names());
    Strings fields;
    one_more.split("y,3,", "row 2", fields);
    EXPECT_EQ(fields, (Strings{"y", "3", ""}));
}

TEST_F(CsvFile, LeavesOutEmptyFieldsAtTheEndOfRows) {
    const core::CsvFile file = table("a,b\n1,2,\n3,4,,\n");
    EXPECT_FALSE(file.has_row_names());
    Strings fields;
    file.split("3,4,,", "row 2", fields);
    EXPECT_EQ(fields, (Strings{"3", "4"}));
    EXPECT_EQ(error_of([&] { file.split("5,6,7", "row 3", fields); }),
              path() + ": row 3: found 3 fields, but the table has 2 columns");
    const core::CsvFile wide = table("a,b,,\n1,2,,\n3,4\n");
    wide.split("3,4", "row 2", fields);
    EXPECT_EQ(fields, (Strings{"3", "4"}));
    EXPECT_FALSE(wide.has_unnamed_columns());
    EXPECT_EQ(table("a,b,\n1,2,3\n").columns(), (Strings{"a", "b", ""})) << "it holds values";
}

TEST_F(CsvFile, SplitsAtBlanksOrBarsIfTheFirstRowAgrees) {
    EXPECT_EQ(table("\"a\" \"b\"\n\"x\" 1 2\n").columns(), (Strings{"", "a", "b"}));
    EXPECT_EQ(table("\"a\"\n\"x\" 1\n").columns(), (Strings{"", "a"}));
    EXPECT_EQ(table("dose [uM]\n1\n").columns(), (Strings{"dose [uM]"}));
    EXPECT_EQ(table("a|b\n1|2\n").columns(), (Strings{"a", "b"}));
    EXPECT_EQ(table("CD3|APC\n1\n").columns(), (Strings{"CD3|APC"}));
    EXPECT_EQ(table("sep=;\na,b;c\n1,5;2\n").columns(), (Strings{"a,b", "c"}));
}

TEST_F(CsvFile, ReadsUtf16) {
    const std::string bytes = std::string(
        "\xFF\xFE"
        "a\0;\0\xB5\0\n\0"
        "1\0;\0\x3D\xD8\x00\xDE\n\0",
        20);
    const core::CsvFile file = table(bytes);
    EXPECT_EQ(file.columns(), (Strings{"a", "\xC2\xB5"}));
    EXPECT_FALSE(file.is_divisible());
    EXPECT_EQ(rows(file), (Strings{"1;\xF0\x9F\x98\x80"}));
    EXPECT_EQ(error(bytes.substr(0, 19)), path() + ": the UTF-16 text ends within a character");
    EXPECT_EQ(error(std::string("\xFF\xFE\x00\xDE"
                                "a\0",
                                6)),
              path() + ": found invalid UTF-16: save the file as UTF-8");
}

TEST_F(CsvFile, ReportsFilesThatCannotBeRead) {
    const std::string missing = folder().file("missing.csv");
    EXPECT_EQ(error_of([&] { core::CsvFile{missing}; }),
              missing + ": cannot read: No such file or directory");
    const std::string here = folder().path().string();
    EXPECT_EQ(error_of([&] { core::CsvFile{here}; }), here + ": cannot read: this is a folder, not a file");
    const core::CsvFile file = table("a\n1\n");
    std::filesystem::remove(path());
    EXPECT_EQ(error_of([&] { rows(file); }), path() + ": cannot read: No such file or directory");
}
