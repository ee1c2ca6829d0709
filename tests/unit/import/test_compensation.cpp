// SPDX-License-Identifier: MIT
#include "import/compensation.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "support/fcs_fixture.hpp"

namespace core = popflow::core;
using namespace popflow::data_import;
using namespace popflow::support;
using popflow::linalg::Matrix;

namespace {

/// Returns a file with the channels A, B and C, one event and the given spillover.
FcsBytes with_spillover(const std::vector<float>& event, const std::string& spillover,
                        const std::string& keyword = "$SPILLOVER") {
    FcsBytes fcs = two_events();
    fcs.set("$PAR", "3").set("$P3B", "32").set("$P3N", "C").set("$TOT", "1").set(keyword, spillover);
    fcs.data = float_bytes(event);
    return fcs;
}

std::vector<float> compensated(const FcsFile& file) {
    Matrix<float> x(file.events(), file.parameters().size());
    file.read(0, x);
    Compensation(file).apply(x);
    return {x.values().begin(), x.values().end()};
}

class FcsCompensation : public FcsFileTest {
  protected:
    std::string compensation_error(const FcsBytes& fcs) const {
        const FcsFile file = open(fcs);
        return error_of([&] { Compensation{file}; });
    }
};

}  // namespace

TEST_F(FcsCompensation, ParsesTheSpillover) {
    const FcsFile file = open(with_spillover({1, 2, 3}, "2, C, A, 1, 0.25, 0.5e-1, 1"));
    EXPECT_EQ(read_spillover(file).columns, (std::vector<std::size_t>{2, 0}));
    EXPECT_EQ(read_spillover(file).values, (std::vector<double>{1, 0.25, 0.05, 1}));
}

TEST_F(FcsCompensation, FindsTheSpilloverUnderOlderKeywords) {
    for (const char* name : {"SPILLOVER", "SPILL", "$SPILL", "spill"}) {
        const FcsFile file = open(with_spillover({1, 2, 3}, "1,B,2", name));
        EXPECT_EQ(read_spillover(file).columns, (std::vector<std::size_t>{1})) << name;
    }
    FcsBytes both = with_spillover({1, 2, 3}, "1,B,2", "SPILL").set("$SPILLOVER", "1,C,2");
    EXPECT_EQ(read_spillover(open(both)).columns, (std::vector<std::size_t>{2}))
        << "the keyword of the standard has priority";
}

TEST_F(FcsCompensation, RefusesAnInvalidSpillover) {
    const auto error_with = [&](const std::string& spillover) {
        const FcsFile file = open(with_spillover({1, 2, 3}, spillover));
        return error_of([&] { read_spillover(file); });
    };
    EXPECT_EQ(
        error_with(""),
        "$SPILLOVER: missing, and so are SPILL and $COMP: import without compensation with --compensate no");
    for (const char* size : {"0", "4", "1.5", "-1", "two"}) {
        EXPECT_EQ(error_with(std::string(size) + ",A,1"),
                  "$SPILLOVER: found '" + std::string(size) +
                      "' channels, but the file has 3. Import with --compensate no");
    }
    EXPECT_EQ(error_with("2,A,B,1,0,0"),
              "$SPILLOVER: found 6 entries, but 2 channels need 7. Import with --compensate no");
    EXPECT_EQ(error_with("1,A,1,1"),
              "$SPILLOVER: found 4 entries, but 1 channels need 3. Import with --compensate no");
    EXPECT_EQ(error_with("2,A,B,1,0,x,1"),
              "$SPILLOVER: found 'x', which is no number. Import with --compensate no");
    EXPECT_EQ(error_with("1,A,nan"),
              "$SPILLOVER: found 'nan', which is no number. Import with --compensate no");
    const FcsFile old = open(with_spillover({1, 2, 3}, "1,A", "SPILL"));
    EXPECT_EQ(error_of([&] { read_spillover(old); }),
              "SPILL: found names of channels without a matrix: import with --compensate no");
}

TEST_F(FcsCompensation, CompensationRecoversTheTrueFluorescence) {
    // True values (A, C) = (8, 20). A spills a quarter into C, and C spills half into A:
    // measured A = 8 + 0.5 * 20 = 18, measured C = 0.25 * 8 + 20 = 22.
    const std::vector<float> event{18, 7, 22};
    const std::vector<float> found = compensated(open(with_spillover(event, "2,A,C,1,0.25,0.5,1")));
    EXPECT_FLOAT_EQ(found[0], 8);
    EXPECT_EQ(found[1], 7) << "B is not in the matrix";
    EXPECT_FLOAT_EQ(found[2], 20);
    EXPECT_EQ(compensated(open(with_spillover(event, "2,C,A,1,0.5,0.25,1"))), found)
        << "the order of the channels does not matter";
}

TEST_F(FcsCompensation, CompensationWithTheIdentityChangesNothing) {
    EXPECT_EQ(compensated(open(with_spillover({1.1F, -2.2F, 3.3F}, "3,A,B,C,1,0,0,0,1,0,0,0,1"))),
              (std::vector<float>{1.1F, -2.2F, 3.3F}));
}

TEST_F(FcsCompensation, CompensationExchangesRowsIfADiagonalElementIsZero) {
    // For the true values (A, B, C) the measured values are (B, 2 C, A).
    EXPECT_EQ(compensated(open(with_spillover({5, 6, 7}, "3,A,B,C,0,0,1,1,0,0,0,2,0"))),
              (std::vector<float>{7, 5, 3}));
}

TEST_F(FcsCompensation, CompensationRefusesAnUnknownChannelAndASingularMatrix) {
    EXPECT_EQ(compensation_error(with_spillover({1, 2, 3}, "2,A,pERK,1,0,0,1")),
              "$SPILLOVER: found channel 'pERK', which no $PnN names. Import with --compensate no");
    const std::string singular =
        "$SPILLOVER: found a singular matrix: import without compensation with --compensate no";
    EXPECT_EQ(compensation_error(with_spillover({1, 2, 3}, "2,A,B,1,2,2,4")), singular);
    EXPECT_EQ(compensation_error(with_spillover({1, 2, 3}, "1,A,0")), singular);
    EXPECT_EQ(
        compensation_error(with_spillover({1, 2, 3}, "")),
        "$SPILLOVER: missing, and so are SPILL and $COMP: import without compensation with --compensate no");
}

TEST_F(FcsCompensation, NamesTheKeywordThatHoldsTheMatrix) {
    EXPECT_EQ(compensation_error(with_spillover({1, 2, 3}, "2,A,B,1,2,2,4", "SPILL")),
              "SPILL: found a singular matrix: import without compensation with --compensate no");
    EXPECT_EQ(compensation_error(with_spillover({1, 2, 3}, "2,A,D,1,0,0,1", "SPILL")),
              "SPILL: found channel 'D', which no $PnN names. Import with --compensate no");
    EXPECT_EQ(Compensation(open(with_spillover({1, 2, 3}, "1,B,2", "SPILL"))).keyword(), "SPILL");
    EXPECT_EQ(compensation_error(with_spillover({1, 2, 3}, "2,A,B")),
              "$SPILLOVER: found names of channels without a matrix: import with --compensate no");
    EXPECT_EQ(compensation_error(with_spillover({1, 2, 3}, "2,A,1,1,0,0,1")),
              "$SPILLOVER: found channel '1' twice. Import with --compensate no");
}

TEST_F(FcsCompensation, AcceptsNumbersOfChannels) {
    const std::vector<float> event{18, 7, 22};
    EXPECT_EQ(compensated(open(with_spillover(event, "2,1,3,1,0.25,0.5,1"))),
              compensated(open(with_spillover(event, "2,A,C,1,0.25,0.5,1"))));
    EXPECT_EQ(compensation_error(with_spillover(event, "2,1,4,1,0,0,1")),
              "$SPILLOVER: found channel '4', which no $PnN names. Import with --compensate no");
}

TEST_F(FcsCompensation, ReadsTheCompensationMatrixOfAllParameters) {
    // True values (8, 6, 20): A spills a quarter into C, C spills half into A.
    const std::vector<float> event{18, 6, 22};
    const std::vector<float> found =
        compensated(open(with_spillover(event, "3,1,0,0.25,0,1,0,0.5,0,1", "$COMP")));
    EXPECT_FLOAT_EQ(found[0], 8);
    EXPECT_FLOAT_EQ(found[1], 6);
    EXPECT_FLOAT_EQ(found[2], 20);
    EXPECT_EQ(compensated(open(with_spillover(event, "2,1,0,0,1", "$COMP"))), event) << "no spillover";
    EXPECT_EQ(compensated(open(with_spillover(event, "2,A,C,1,0.25,0.5,1", "$COMP"))),
              compensated(open(with_spillover(event, "2,A,C,1,0.25,0.5,1"))));
}

TEST_F(FcsCompensation, RefusesPercentagesThatWereAlreadySubtracted) {
    // The example of FCS 3.0.
    EXPECT_EQ(
        compensation_error(with_spillover({1, 2, 3}, "3,0.0,-0.1,0.0,-40.0,0.0,-0.6,0.0,-36.4,0.0", "$COMP")),
        "$COMP: found percentages, which the instrument has already subtracted by the standard FCS 3.0: "
        "import the values as they are with --compensate no");
    EXPECT_EQ(
        compensation_error(with_spillover({1, 2, 3}, "2,1,0.1,0.1,1", "$COMP")),
        "$COMP: found a matrix of 2 channels without their names, but the file has 3 parameters. Import "
        "with --compensate no");
}
