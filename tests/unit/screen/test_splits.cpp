// SPDX-License-Identifier: MIT
#include "screen/splits.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <tuple>

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
                    screen.experiments.push_back(
                        {p.patient, {p.patient, p.culture, p.plate, p.replicate}, {first, first + 1}});
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

    EXPECT_EQ(error_message(screen, "patient:21"),
              "screen.h5ad: split patient:21: found no pairs of patient `21` (did you mean '1'?). Give some "
              "of 0, 1, 2");
    EXPECT_EQ(error_message(make_screen(1, {"PDO"}, 2, {"A"}), "patient:0"),
              "screen.h5ad: split patient:0: found one patient only, `0`, but a split needs two or more. "
              "--split none "
              "trains on all pairs, --split plate:1 holds out one of 2 plates");
    EXPECT_EQ(error_message(screen, "patient:0,1,2"),
              "screen.h5ad: split patient:0,1,2: found 0 pairs to train on and 3 to test, but a split needs "
              "both. Hold out fewer values, or score an earlier run on all pairs with --split all. "
              "--split none trains on all pairs, --split patient:2 holds out one of 3 patients");
    EXPECT_EQ(error_message(screen, "patient:"),
              "split: found `patient:` without a name. Give replica, "
              "patient:NAME[,NAME], treatment:NAME[,NAME], COLUMN:VALUE[,VALUE], each:COLUMN, "
              "column:NAME, letters, none or all");
    EXPECT_EQ(error_message(screen, "patients"),
              "split: found `patients`. Give replica, patient:NAME[,NAME], treatment:NAME[,NAME], "
              "COLUMN:VALUE[,VALUE], each:COLUMN, column:NAME, letters, none or all");
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
              "screen.h5ad: split treatment:VC: found no pairs of treatment `VC` (did you mean 'V'?). "
              "Give some of CS, S, V");
    EXPECT_EQ(error_message(make_screen(2, {"F"}, 1, {"A"}), "treatment:S"),
              "screen.h5ad: split treatment:S: found one treatment only, `S`, but a split needs two or more. "
              "--split none trains on all pairs, --split patient:1 holds out one of 2 patients");
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
    for (Population& population : screen.populations)
        population.split_values = {labels[population.experiment]};

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
    for (Population& population : screen.populations) population.split_values = {"train"};

    EXPECT_NE(error_message(screen, "column:part").find("2 pairs to train on and 0 to test"),
              std::string::npos);
    screen.populations[1].split_values = {"test"};
    EXPECT_EQ(
        error_message(screen, "column:part"),
        "screen.h5ad: obs/part: found `test, train` in the experiment 0. All cells of an experiment must "
        "have one of train, validation, test");
    screen.populations[0].split_values = screen.populations[1].split_values = {"tset"};
    EXPECT_THROW(make_split(screen, "column:part", 1), DataError);
}

TEST(NoSplit, TrainsOnEveryPair) {
    const Screen screen = make_screen(1, {"PDO"}, 1, {"A"});

    const Split split = make_split(screen, "none", 1);

    EXPECT_EQ(split.parts, std::vector<Part>{Part::train});
    EXPECT_TRUE(holds_out_nothing("none"));
    EXPECT_FALSE(holds_out_nothing("all"));
}

TEST(HeldOutColumn, HoldsOutPairsByTheirValue) {
    Screen screen = make_screen(2, {"PDO", "F"}, 2, {"A"});
    screen.options.split_column = "well";
    for (Population& population : screen.populations)
        population.split_values = {population.culture + population.plate};

    const Split split = make_split(screen, "well:F0, PDO1", 1);

    EXPECT_EQ(split.column, "well");
    for (std::size_t p = 0; p < screen.pairs.size(); ++p) {
        const std::string& value = treated(screen, p).split_values.front();
        EXPECT_EQ(split.parts[p], value == "F0" || value == "PDO1" ? Part::test : Part::train);
        EXPECT_EQ(held_out_label(screen, split, p), value);
    }
    EXPECT_EQ(split_column("well:F0"), "well");
    EXPECT_EQ(held_out_column("column:part"), "");
    EXPECT_EQ(held_out_column("patient:1"), "");
    EXPECT_EQ(
        error_message(screen, "well:F3"),
        "screen.h5ad: split well:F3: found no pairs of well `F3` (did you mean 'F0'?). Give some of F0, F1, "
        "PDO0, PDO1");
    EXPECT_THROW(make_split(screen, "row:1", 1), ConfigError) << "the screen was not read with this column";
}

TEST(HeldOutColumn, MayHaveAColonInQuotes) {
    Screen screen = make_screen(2, {"PDO"}, 2, {"A"});
    screen.options.split_column = "my:col";
    for (Population& population : screen.populations) population.split_values = {"d:" + population.patient};

    for (const std::string spec : {"\"my:col\":d:1", "\"my:col\" : \"d:1\"", "\"\"\"my:col\"\":d:1\""}) {
        const Split split = make_split(screen, spec, 1);
        EXPECT_EQ(split.parts, (std::vector<Part>{Part::train, Part::train, Part::test, Part::test})) << spec;
        EXPECT_EQ(split.column, "my:col");
        EXPECT_EQ(split_column(spec), "my:col");
    }
    EXPECT_EQ(split_column("column:my:col"), "my:col");
    EXPECT_EQ(split_column("column:\"my:col\""), "my:col");
    EXPECT_EQ(split_column("\"column:part\""), "part") << "quotes around the whole text";
    EXPECT_EQ(split_column("\"column\":a"), "column") << "a column of this name";
    EXPECT_EQ(held_out_column("\"patient\":1"), "");
    EXPECT_THROW(split_column("\"my:col:a"), ConfigError);
}

// A column of drug classes: the control has a class of its own, which both parts share.
TEST(HeldOutColumn, ControlsMayHaveAValueOfTheirOwn) {
    Screen screen = make_screen(2, {"PDO"}, 1, {"A"});
    screen.options.split_column = "class";
    for (Population& population : screen.populations)
        population.split_values = {population.control ? "vehicle" : "class" + population.patient};

    EXPECT_EQ(make_split(screen, "class:class1", 1).parts, (std::vector<Part>{Part::train, Part::test}));
}

TEST(HeldOutColumn, RefusesCellsOfOneValueInTwoParts) {
    Screen screen = make_screen(2, {"PDO"}, 1, {"A"});
    screen.options.split_column = "donor";
    for (Population& population : screen.populations) population.split_values = {"d" + population.patient};
    screen.populations[screen.pairs[1].treated].split_values = {"d0", "d1"};
    EXPECT_EQ(
        error_message(screen, "donor:d1"),
        "split: found donor:d1, but the population 1: S has several values of donor: d0, d1. Add donor to "
        "--pair-by, so that its cells are in one part");

    screen.populations[screen.pairs[1].treated].split_values = {"d1"};
    screen.populations[screen.pairs[0].control].split_values = {"d0", "d1"};
    EXPECT_EQ(
        error_message(screen, "donor:d1"),
        "pair-by: found patient, culture, plate, replicate, but the split donor:d1 needs the key donor: the "
        "control 0: DMSO of a train pair has cells of `d1`, which are in the other part");
}

TEST(PopulationUnits, AreTheValuesOfTheSplitColumn) {
    Screen screen = make_screen(3, {"PDO", "F"}, 1, {"A"});
    EXPECT_EQ(population_units(screen, make_split(screen, "patient:2", 1)),
              (std::vector<std::size_t>{0, 0, 1, 1, 2, 2}));

    screen.options.split_column = "donor";
    for (Population& population : screen.populations)
        population.split_values = {population.patient == "1" ? "d1" : "d2"};
    EXPECT_EQ(population_units(screen, make_split(screen, "donor:d1", 1)),
              (std::vector<std::size_t>{0, 0, 1, 1, 0, 0}));
}

// A treatment and a class of treatments do not say which populations belong together.
TEST(PopulationUnits, AreExperimentsIfTreatmentsAreHeldOut) {
    Screen screen = make_screen(2, {"PDO"}, 2, {"A"});
    for (std::size_t experiment = 0; experiment < 4; ++experiment) {
        Population other = screen.populations[screen.pairs[experiment].treated];
        other.treatment = "F";
        screen.populations.push_back(other);
        screen.pairs.push_back({screen.pairs[experiment].control, screen.populations.size() - 1});
    }
    const std::vector<std::size_t> experiments{0, 1, 2, 3, 0, 1, 2, 3};
    EXPECT_EQ(population_units(screen, make_split(screen, "treatment:F", 1)), experiments);

    screen.options.split_column = "class";
    for (Population& population : screen.populations)
        population.split_values = {population.control            ? "vehicle"
                                   : population.treatment == "F" ? "kinase"
                                                                 : "other"};
    EXPECT_EQ(population_units(screen, make_split(screen, "class:kinase", 1)), experiments);

    // Each experiment has one treatment.
    screen = make_screen(2, {"PDO"}, 1, {"A"});
    screen.populations[screen.pairs[1].treated].treatment = "F";
    EXPECT_EQ(population_units(screen, make_split(screen, "treatment:F", 1)),
              (std::vector<std::size_t>{0, 1}));
}

// A validation holds out what the split holds out, unless one value is left to train on.
TEST(ValidationUnits, AreTreatmentsIfTreatmentsAreHeldOut) {
    Screen screen = make_screen(2, {"PDO"}, 1, {"1", "2", "3"});
    for (std::size_t pair = 0; pair < 6; ++pair)
        screen.populations[screen.pairs[pair].treated].treatment = std::string(1, "AFS"[pair % 3]);
    EXPECT_EQ(validation_units(screen, make_split(screen, "treatment:F", 1)),
              (std::vector<std::size_t>{0, 1, 2, 0, 1, 2}));
    const Split held_out = hold_out_units(screen, make_split(screen, "treatment:F", 1), 1, 1);
    ASSERT_EQ(held_out.pairs(Part::validation).size(), 2U);
    for (const std::size_t pair : held_out.pairs(Part::validation))
        EXPECT_EQ(held_out.parts[(pair + 3) % 6], Part::validation);
    EXPECT_EQ(validation_units(screen, make_split(screen, "treatment:F,S", 1)),
              population_units(screen, make_split(screen, "treatment:F,S", 1)));
    EXPECT_EQ(validation_units(screen, make_split(screen, "none", 1)),
              population_units(screen, make_split(screen, "none", 1)));
}

// The column has only the names of the parts. No patient is in two parts, but each plate is.
TEST(PopulationUnits, AreTheValuesOfAKeyThatSeparatesTheParts) {
    Screen screen = make_screen(3, {"PDO", "F"}, 2, {"A"});
    screen.options.split_column = "part";
    for (Population& population : screen.populations)
        population.split_values = {population.patient == "2" ? "test" : "train"};
    EXPECT_EQ(population_units(screen, make_split(screen, "column:part", 1)),
              (std::vector<std::size_t>{0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2}));

    // The key with fewer values counts.
    for (Experiment& experiment : screen.experiments)
        experiment.values[2] = experiment.values[0] == "2" ? "day 2" : "day 1";
    EXPECT_EQ(population_units(screen, make_split(screen, "column:part", 1)),
              (std::vector<std::size_t>{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1}));

    // Now the replicates are separated, and the patients are not.
    screen = make_screen(2, {"PDO"}, 1, {"A", "B"});
    screen.options.split_column = "part";
    for (Population& population : screen.populations)
        population.split_values = {population.replicate == "B" ? "test" : "train"};
    EXPECT_EQ(population_units(screen, make_split(screen, "column:part", 1)),
              (std::vector<std::size_t>{0, 1, 0, 1}));
}

TEST(PopulationUnits, AreExperimentsOtherwise) {
    const Screen one = make_screen(2, {"PDO"}, 2, {"A"});
    EXPECT_EQ(population_units(one, make_split(one, "none", 1)), (std::vector<std::size_t>{0, 1, 2, 3}));
    const Screen screen = make_screen(20, {"PDO"}, 3, {"A", "B"});
    const std::vector<std::size_t> units = population_units(screen, make_split(screen, "replica", 1));
    EXPECT_EQ(std::set<std::size_t>(units.begin(), units.end()).size(), screen.pairs.size());
}

TEST(HoldOutUnits, KeepsThePairsOfAUnitTogether) {
    const Screen screen = make_screen(7, {"PDO", "F"}, 2, {"A"});
    const Split before = make_split(screen, "patient:0", 1);
    std::set<std::set<std::string>> choices;
    for (const std::uint64_t seed : {1, 2, 3, 4, 5, 6, 7, 8}) {
        const Split split = hold_out_units(screen, before, 2, seed);
        std::set<std::string> held_out;
        for (const std::size_t p : split.pairs(Part::validation)) held_out.insert(treated(screen, p).patient);
        EXPECT_EQ(held_out.size(), 2U);
        EXPECT_FALSE(held_out.contains("0"));
        EXPECT_EQ(split.pairs(Part::validation).size(), 8U) << "all four pairs of each patient";
        EXPECT_EQ(split.pairs(Part::test), before.pairs(Part::test));
        EXPECT_EQ(split.spec, before.spec);
        EXPECT_EQ(split.parts, hold_out_units(screen, before, 2, seed).parts);
        choices.insert(held_out);
    }
    EXPECT_GT(choices.size(), 2U);
}

TEST(HoldOutUnits, HoldsOutExperimentsIfNothingIsHeldOut) {
    const Screen screen = make_screen(4, {"PDO"}, 1, {"A"});
    EXPECT_EQ(hold_out_units(screen, make_split(screen, "none", 1), 3, 1).pairs(Part::train).size(), 1U);
}

TEST(HoldOutUnits, RefusesWhatItCannotHoldOut) {
    const auto message = [](const Screen& screen, const std::string& spec, std::size_t count) {
        try {
            hold_out_units(screen, make_split(screen, spec, 1), count, 1);
        } catch (const ConfigError& error) {
            return std::string(error.what());
        }
        return std::string("no error");
    };
    const Screen screen = make_screen(5, {"PDO"}, 2, {"A", "B"});
    EXPECT_EQ(
        message(screen, "patient:0", 4),
        "validation: found 4, but the training part has 4 units. Give a smaller number, so that pairs to "
        "train on are left");
    EXPECT_EQ(message(screen, "replica", 1),
              "validation: found 1, but --split replica has a validation part. Omit --validation to use this "
              "part");
}

TEST(Part, NamesAreParsedBackToTheSamePart) {
    for (const Part part : {Part::train, Part::validation, Part::test})
        EXPECT_EQ(parse_part(part_name(part)), part);
    EXPECT_THROW(parse_part("tests"), ConfigError);
}

TEST(LeaveOneOut, HoldsOutEachValueInNaturalOrder) {
    const Screen screen = make_screen(12, {"PDO", "F"}, 1, {"A"});
    const std::vector<std::string> patients = left_out_values(screen, "each:patient");
    EXPECT_EQ(patients,
              (std::vector<std::string>{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"}));
    std::vector<int> tested(screen.pairs.size(), 0);
    for (const std::string& patient : patients) {
        const std::string spec = left_out_split("each:patient", patient);
        EXPECT_EQ(spec, "patient:" + patient);
        for (const std::size_t p : make_split(screen, spec, 1).pairs(Part::test)) ++tested[p];
    }
    EXPECT_EQ(tested, std::vector<int>(screen.pairs.size(), 1))
        << "each pair is in the test part of one fold";
}

TEST(LeaveOneOut, ReadsRolesAndColumnsAndTheirQuotes) {
    for (const auto& [spec, unit, column] : std::vector<std::tuple<std::string, std::string, std::string>>{
             {"each:patient", "patient", ""},
             {"each:treatment", "treatment", ""},
             {"each:culture", "culture", "culture"},
             {"each: batch ", "batch", "batch"},
             {"each:my:column", "my:column", "my:column"},
             {"each:\"my:column\"", "my:column", "my:column"},
             {"each:column", "column", "column"},
             {"\"each:patient\"", "patient", ""},
             {"each:a,b", "a,b", "a,b"}}) {
        EXPECT_TRUE(is_leave_one_out(spec)) << spec;
        EXPECT_EQ(unit_column(spec), unit) << spec;
        EXPECT_EQ(split_column(spec), column) << spec;
        EXPECT_EQ(held_out_column(spec), column) << spec;
        for (const std::string value : {"v", "a, b", "a\"b", " v", ""}) {
            const std::string fold = left_out_split(spec, value);
            EXPECT_FALSE(is_leave_one_out(fold)) << fold;
            EXPECT_EQ(unit_column(fold), unit) << fold;
            EXPECT_EQ(split_column(fold), column) << fold;
        }
    }
    for (const char* spec : {"patient:each", "each", "\"each\":1", "column:each", "replica", "none"})
        EXPECT_FALSE(is_leave_one_out(spec)) << spec;
    EXPECT_EQ(unit_column("\"each\":1"), "each");
    EXPECT_EQ(left_out_split("each:each", "1"), "\"each\":1");
    EXPECT_EQ(left_out_split("each:column", "1"), "\"column\":1");
    EXPECT_EQ(left_out_split("each:a:b", "x,y"), "\"a:b\":\"x,y\"");
}

TEST(LeaveOneOut, FindsValuesThatNeedQuotes) {
    Screen screen = make_screen(4, {"PDO"}, 1, {"A"});
    const std::vector<std::string> names{"a, b", "a", "say \"b\"", ""};
    for (std::size_t p = 0; p < screen.populations.size(); ++p)
        screen.populations[p].split_values = {names[p / 2]};
    screen.options.split_column = "drug:class";
    const std::string spec = "each:\"drug:class\"";
    EXPECT_EQ(left_out_values(screen, spec), (std::vector<std::string>{"", "a", "a, b", "say \"b\""}));
    for (std::size_t p = 0; p < screen.pairs.size(); ++p)
        EXPECT_EQ(make_split(screen, left_out_split(spec, names[p]), 1).pairs(Part::test),
                  std::vector<std::size_t>{p})
            << names[p];
}

TEST(LeaveOneOut, ReportsColumnsThatCannotBeHeldOut) {
    const auto message = [](const Screen& screen, const std::string& spec) -> std::string {
        try {
            (void)left_out_values(screen, spec);
        } catch (const popflow::core::UserError& error) {
            return error.what();
        }
        return "no error";
    };
    EXPECT_EQ(message(make_screen(1, {"PDO"}, 2, {"A"}), "each:patient"),
              "screen.h5ad: split each:patient: found one patient only, `0`, but a split needs two or more. "
              "--split none trains on all pairs, --split plate:1 holds out one of 2 plates");
    EXPECT_EQ(message(make_screen(2, {"PDO"}, 1, {"A"}), "each:"),
              "split: found `each:` without a column. Give each:COLUMN, for example each:patient");
    Screen screen = make_screen(3, {"PDO"}, 1, {"A"});
    screen.options.split_column = "class";
    for (Population& p : screen.populations) p.split_values = {"a", "b"};
    EXPECT_NE(message(screen, "each:class").find("has several values of class: a, b. Add class to --pair-by"),
              std::string::npos)
        << message(screen, "each:class");
    screen.options.pair_by = {"plate"};
    EXPECT_NE(message(screen, "each:patient").find("this split needs the key patient"), std::string::npos);
    // Without pairs, populations may differ in a column that does not pair them.
    screen.options.population_columns = {"patient"};
    EXPECT_EQ(message(screen, "each:patient"), "no error");
    screen.options.population_columns = {};
    EXPECT_NE(error_message(screen, "each:patient").find("stands for one split for each value"),
              std::string::npos);
}
