// SPDX-License-Identifier: MIT
#include "screen/splits.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "core/error.hpp"

using namespace popflow::core;
using namespace popflow::screen;
using popflow::core::ConfigError;
using popflow::core::DataError;

namespace {

/// Returns a screen that has no file. Every combination of labels has a control and one treated population.
Screen make_screen(std::size_t n_patients, const std::vector<std::string>& cultures, std::size_t n_plates,
                   const std::vector<std::string>& replicates) {
    Screen screen;
    screen.file = "screen.h5ad";
    for (std::size_t patient = 0; patient < n_patients; ++patient) {
        for (const std::string& culture : cultures) {
            for (std::size_t plate = 0; plate < n_plates; ++plate) {
                for (const std::string& replicate : replicates) {
                    Population p;
                    p.experiment = screen.experiments.size();
                    p.patient = std::to_string(patient);
                    p.culture = culture;
                    p.plate = std::to_string(plate);
                    p.replicate = replicate;
                    const std::size_t first = screen.populations.size();
                    p.treatment = "DMSO";
                    p.control = true;
                    screen.populations.push_back(p);
                    p.treatment = "S";
                    p.control = false;
                    screen.populations.push_back(p);
                    screen.pairs.push_back({first, first + 1});
                    screen.experiments.push_back({p.patient, {}, {first, first + 1}});
                }
            }
        }
    }
    return screen;
}

const Population& treated(const Screen& screen, std::size_t pair) {
    return screen.populations[screen.pairs[pair].treated];
}

std::string error_message(const Screen& screen, const std::string& spec) {
    try {
        make_split(screen, spec, 1);
    } catch (const popflow::core::UserError& error) {
        return error.what();
    }
    return "no error";
}

}  // namespace

TEST(PatientSplit, HoldsOutWholePatients) {
    const Screen screen = make_screen(4, {"PDO", "F"}, 2, {"A", "B"});

    const Split split = make_split(screen, "patient:1, 3", 1);

    ASSERT_EQ(split.parts.size(), screen.pairs.size());
    for (std::size_t p = 0; p < split.parts.size(); ++p) {
        const std::string& patient = treated(screen, p).patient;
        EXPECT_EQ(split.parts[p], patient == "1" || patient == "3" ? Part::test : Part::train);
    }
    EXPECT_EQ(split.pairs(Part::test).size(), 16U);
    EXPECT_TRUE(split.pairs(Part::validation).empty());
}

TEST(PatientSplit, ReportsInvalidSplits) {
    const Screen screen = make_screen(3, {"PDO"}, 1, {"A"});

    EXPECT_EQ(
        error_message(screen, "patient:21"),
        "screen.h5ad: split patient:21: found no pairs of patient `21` (did you mean '1'?), allowed 0, 1, 2");
    EXPECT_EQ(error_message(make_screen(1, {"PDO"}, 2, {"A"}), "patient:0"),
              "screen.h5ad: split patient:0: found one patient only, `0`, allowed two or more");
    EXPECT_EQ(error_message(screen, "patient:0,1,2"),
              "screen.h5ad: split patient:0,1,2: found 0 pairs to train on and 3 to test, allowed 1 or more "
              "of each");
    EXPECT_EQ(error_message(screen, "patient:"),
              "split: found `patient:` without a name, allowed replica, "
              "patient:NAME[,NAME], treatment:NAME[,NAME], column:NAME, letters, all");
    EXPECT_EQ(error_message(screen, "patients"),
              "split: found `patients`, allowed replica, patient:NAME[,NAME], treatment:NAME[,NAME], "
              "column:NAME, letters, all");
}

TEST(PatientSplit, ThrowsIfExperimentsAreNotOfOnePatient) {
    Screen screen = make_screen(3, {"PDO"}, 1, {"A"});
    screen.options.pair_by = {"plate"};

    EXPECT_THROW(make_split(screen, "patient:1", 1), ConfigError);
}

TEST(TreatmentSplit, HoldsOutAllPairsOfATreatment) {
    Screen screen = make_screen(4, {"PDO", "F"}, 2, {"A", "B"});
    for (std::size_t p = 0; p < screen.pairs.size(); p += 4)
        screen.populations[screen.pairs[p].treated].treatment = p % 8 == 0 ? "V" : "CS";

    const Split split = make_split(screen, "treatment:V,CS", 1);

    ASSERT_EQ(split.parts.size(), screen.pairs.size());
    for (std::size_t p = 0; p < split.parts.size(); ++p)
        EXPECT_EQ(split.parts[p], p % 4 == 0 ? Part::test : Part::train);
    EXPECT_EQ(error_message(screen, "treatment:VC"),
              "screen.h5ad: split treatment:VC: found no pairs of treatment `VC` (did you mean 'V'?), "
              "allowed CS, S, V");
    EXPECT_EQ(error_message(make_screen(2, {"F"}, 1, {"A"}), "treatment:S"),
              "screen.h5ad: split treatment:S: found one treatment only, `S`, allowed two or more");
}

TEST(ReplicaSplit, HoldsOutOneReplicateOfTenBatchesPerCulture) {
    const Screen screen = make_screen(11, {"PDO", "F"}, 3, {"A", "B", "C"});

    const Split split = make_split(screen, "replica", 7);

    for (const char* culture : {"PDO", "F"}) {
        std::map<Part, std::set<std::pair<std::string, std::string>>> batches;
        std::map<Part, int> pairs;
        for (std::size_t p = 0; p < split.parts.size(); ++p) {
            const Population& population = treated(screen, p);
            if (population.culture != culture) continue;
            batches[split.parts[p]].insert({population.patient, population.plate});
            ++pairs[split.parts[p]];
        }
        EXPECT_EQ(pairs[Part::validation], 10);
        EXPECT_EQ(pairs[Part::test], 10);
        EXPECT_EQ(batches[Part::validation].size(), 10U);
        EXPECT_EQ(batches[Part::test].size(), 10U);
        EXPECT_EQ(batches[Part::train].size(), 33U);  // every batch keeps pairs to train on
        for (const auto& batch : batches[Part::test]) EXPECT_FALSE(batches[Part::validation].contains(batch));
    }
}

TEST(ReplicaSplit, IsDeterministicForASeed) {
    const Screen screen = make_screen(10, {"PDO"}, 3, {"A", "B"});

    EXPECT_EQ(make_split(screen, "replica", 1).parts, make_split(screen, "replica", 1).parts);
    EXPECT_NE(make_split(screen, "replica", 1).parts, make_split(screen, "replica", 2).parts);
}

TEST(ReplicaSplit, HoldsOutAThirdOfTheBatchesIfThereAreFew) {
    const Split split = make_split(make_screen(4, {"PDO"}, 2, {"A", "B"}), "replica", 1);

    EXPECT_EQ(split.pairs(Part::validation).size(), 2U);
    EXPECT_EQ(split.pairs(Part::test).size(), 2U);
    EXPECT_EQ(split.pairs(Part::train).size(), 12U);
    EXPECT_THROW(make_split(make_screen(2, {"PDO"}, 1, {"A", "B"}), "replica", 1), DataError);
    EXPECT_THROW(make_split(make_screen(20, {"PDO"}, 3, {"A"}), "replica", 1), DataError);
}

TEST(ColumnSplit, ReadsThePartsFromTheColumn) {
    Screen screen = make_screen(3, {"PDO"}, 1, {"A"});
    screen.options.split_column = "part";
    const std::vector<std::string> labels{"test", "train", "validation"};
    for (Population& population : screen.populations) population.part = labels[population.experiment];

    const Split split = make_split(screen, "column:part", 1);

    EXPECT_EQ(split.parts, (std::vector<Part>{Part::test, Part::train, Part::validation}));
    EXPECT_EQ(split_column("column:part"), "part");
    EXPECT_EQ(split_column("letters"), "split");
    EXPECT_EQ(split_column("replica"), "");
    EXPECT_THROW(make_split(screen, "column:other", 1), ConfigError);
}

TEST(ColumnSplit, ThrowsForMixedExperimentsAndUnknownParts) {
    Screen screen = make_screen(2, {"PDO"}, 1, {"A"});
    screen.options.split_column = "part";
    for (Population& population : screen.populations) population.part = "train";

    EXPECT_NE(error_message(screen, "column:part").find("2 pairs to train on and 0 to test"),
              std::string::npos);
    screen.populations[1].part = "test";
    EXPECT_EQ(
        error_message(screen, "column:part"),
        "screen.h5ad: obs/part: found `test, train` in the experiment 0, allowed one of train, validation, "
        "test, the same for all cells of an experiment");
    screen.populations[0].part = screen.populations[1].part = "tset";
    EXPECT_THROW(make_split(screen, "column:part", 1), DataError);
}

TEST(Part, NamesAreParsedBackToTheSamePart) {
    for (const Part part : {Part::train, Part::validation, Part::test})
        EXPECT_EQ(parse_part(part_name(part)), part);
    EXPECT_THROW(parse_part("tests"), ConfigError);
}
