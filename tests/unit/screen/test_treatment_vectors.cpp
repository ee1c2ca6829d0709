// SPDX-License-Identifier: MIT
#include "screen/treatment_vectors.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "core/error.hpp"
#include "support/temporary_folder.hpp"

using popflow::screen::TreatmentVectors;

namespace {

class TreatmentVectorsFile : public testing::Test {
  protected:
    TreatmentVectors read(const std::string& text) const {
        std::ofstream(path) << text;
        return TreatmentVectors::read(path);
    }
    std::string error_message(const std::string& text) const {
        try {
            (void)read(text);
        } catch (const popflow::core::DataError& error) {
            return std::string(error.what()).substr(path.size() + 2);
        }
        return "";
    }

    const popflow::support::TemporaryFolder folder;
    const std::string path = folder.file("vectors.csv");
};

}  // namespace

TEST_F(TreatmentVectorsFile, ReadsOneRowPerTreatmentAndAddsCombinations) {
    const TreatmentVectors vectors = read("mass;treatment;target\n3;SN-38;0\n\"-1e0\";5-FU;1\n0;V+X;-1\n");

    EXPECT_EQ(vectors.names(), (std::vector<std::string>{"SN-38", "5-FU", "V+X"}));
    EXPECT_EQ(vectors.features(), 2U);
    // All features are halved, because the mean squared length of the three rows is 12 / 3 = 4.
    EXPECT_EQ(vectors.find("SN-38"), (std::vector<float>{1.5F, 0}));
    EXPECT_EQ(vectors.find("5-FU"), (std::vector<float>{-0.5F, 0.5F}));
    EXPECT_EQ(vectors.find("5-FU+SN-38"), (std::vector<float>{1, 0.5F}));
    EXPECT_EQ(vectors.find("V+X"), (std::vector<float>{0, -0.5F})) << "its own row";
    EXPECT_FALSE(vectors.find("V"));
    EXPECT_FALSE(vectors.find("SN-38+V"));
}

TEST_F(TreatmentVectorsFile, KeepsOneHotVectorsUnchanged) {
    const TreatmentVectors vectors = read("treatment,a,b\nA,1,0\nB,0,1\n");
    EXPECT_EQ(vectors.find("A"), (std::vector<float>{1, 0}));
    EXPECT_EQ(read("treatment,a\nA,0\n").find("A"), (std::vector<float>{0}));
    EXPECT_TRUE(read("treatment,a\n\xb5M,1\n").find("\xc2\xb5M")) << "Latin-1, as spreadsheets write it";
}

TEST_F(TreatmentVectorsFile, ReportsWhatIsWrong) {
    EXPECT_EQ(
        error_message("drug,a\nA,1\n"),
        "line 1: found the columns drug, a, but no column treatment: add one that names the treatment of "
        "each row");
    EXPECT_EQ(error_message("treatment\nA\n"),
              "line 1: found only the column treatment: add one or more columns of features");
    EXPECT_EQ(error_message("treatment,a\n"), "found no rows. Give one for each treatment");
    EXPECT_EQ(error_message("treatment,a\nA,1\nB\n"), "row 2: found 1 field, but the table has 2 columns");
    EXPECT_EQ(error_message("treatment,a\nA,1\nA,2\n"),
              "row 2: found treatment 'A' twice. Give each treatment one row");
    EXPECT_EQ(error_message("treatment,a\n,1\n"),
              "row 1: found no name of a treatment. Give each row a name");
    for (const std::string wrong : {"high", "", "nan", "inf", "1e60", "1 2"}) {
        EXPECT_EQ(error_message("treatment,a\nA,1\nB," + wrong + "\n"),
                  "row 2, column a: found '" + wrong + "'. Give a number");
    }
}
