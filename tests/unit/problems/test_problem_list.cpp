// SPDX-License-Identifier: MIT
#include "problems/problem_list.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "core/error.hpp"
#include "support/temporary_folder.hpp"

using popflow::core::ConfigError;
using popflow::core::DataError;
using popflow::problems::list_problems;
using popflow::problems::ProblemList;
using popflow::support::TemporaryFolder;

namespace {

const std::vector<std::string> four{"a", "b", "c", "d"};
const std::vector<std::string> two{"x", "y"};

std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs(const ProblemList& list) {
    std::vector<std::pair<std::uint32_t, std::uint32_t>> result;
    for (const auto& problem : list.problems) result.emplace_back(problem.source, problem.target);
    return result;
}

std::string table(const TemporaryFolder& folder, const std::string& text) {
    const std::string path = folder.file("list.csv");
    std::ofstream(path) << text;
    return path;
}

using Pairs = std::vector<std::pair<std::uint32_t, std::uint32_t>>;

}  // namespace

TEST(ProblemList, HasAllPairsOnce) {
    EXPECT_EQ(pairs(list_problems("all", four, nullptr, 0)),
              (Pairs{{0, 1}, {0, 2}, {0, 3}, {1, 2}, {1, 3}, {2, 3}}));
    EXPECT_EQ(pairs(list_problems("all", two, &two, 0)), (Pairs{{0, 0}, {0, 1}, {1, 0}, {1, 1}}));
}

TEST(ProblemList, HasConsecutivePairs) {
    EXPECT_EQ(pairs(list_problems("consecutive", four, nullptr, 0)), (Pairs{{0, 1}, {1, 2}, {2, 3}}));
    EXPECT_EQ(pairs(list_problems("consecutive", two, &two, 0)), (Pairs{{0, 0}, {1, 1}}));
    EXPECT_THROW(list_problems("consecutive", four, &two, 0), ConfigError);
}

TEST(ProblemList, DrawsDifferentPairsOfDifferentMeasures) {
    const Pairs drawn = pairs(list_problems("random:12", four, nullptr, 3));
    EXPECT_EQ(std::set(drawn.begin(), drawn.end()).size(), 12U);
    for (const auto& [source, target] : drawn) EXPECT_NE(source, target);
    EXPECT_EQ(drawn, pairs(list_problems("random:12", four, nullptr, 3)));
    EXPECT_NE(drawn, pairs(list_problems("random:12", four, nullptr, 4)));
    EXPECT_THROW(list_problems("random:13", four, nullptr, 3), ConfigError);
    EXPECT_EQ(pairs(list_problems("random:8", four, &two, 3)).size(), 8U);
    EXPECT_THROW(list_problems("random:0", four, nullptr, 3), ConfigError);
    EXPECT_THROW(list_problems("random:many", four, nullptr, 3), ConfigError);
}

TEST(ProblemList, ReadsATableOfNamesOrRowNumbers) {
    const TemporaryFolder folder;
    const ProblemList list =
        list_problems(table(folder, "target,problem,source\nb,one,a\n3,two,0\n"), four, nullptr, 0);
    EXPECT_EQ(pairs(list), (Pairs{{0, 1}, {0, 3}}));
    EXPECT_EQ(list.names, (std::vector<std::string>{"one", "two"}));
}

TEST(ProblemList, NamesProblemsThatOccurTwice) {
    const TemporaryFolder folder;
    const ProblemList list = list_problems(table(folder, "source,target\na,b\na,b\n"), four, nullptr, 0);
    EXPECT_EQ(list.names, (std::vector<std::string>{"0: a -> b", "1: a -> b"}));
    EXPECT_TRUE(list_problems(table(folder, "source,target\na,b\nb,a\n"), four, nullptr, 0).names.empty());
}

TEST(ProblemList, RefusesTablesThatNameNoProblems) {
    const TemporaryFolder folder;
    EXPECT_THROW(list_problems(table(folder, "source,to\na,b\n"), four, nullptr, 0), DataError);
    EXPECT_THROW(list_problems(table(folder, "source,target\n"), four, nullptr, 0), DataError);
    EXPECT_THROW(list_problems(table(folder, "source,target\na,z\n"), four, nullptr, 0), DataError);
    EXPECT_THROW(list_problems(table(folder, "source,target\na,4\n"), four, nullptr, 0), DataError);
    EXPECT_THROW(list_problems(table(folder, "source,target\na,1.5\n"), four, nullptr, 0), DataError);
    EXPECT_THROW(list_problems(table(folder, "problem,source,target\np,a,b\np,b,c\n"), four, nullptr, 0),
                 DataError);
    EXPECT_THROW(list_problems("nowhere.csv", four, nullptr, 0), ConfigError);
    EXPECT_THROW(list_problems("all", {"a"}, nullptr, 0), ConfigError);
}
