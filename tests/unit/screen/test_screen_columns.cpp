// SPDX-License-Identifier: MIT
#include "screen/screen_columns.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "core/error.hpp"
#include "h5/dataframe.hpp"
#include "h5/file.hpp"
#include "support/temporary_folder.hpp"

namespace core = popflow::core;
namespace h5 = popflow::h5;
using popflow::anndata::AnnData;
using namespace popflow::screen;
using popflow::support::TemporaryFolder;
using Strings = std::vector<std::string>;

namespace {

const double missing = std::numeric_limits<double>::quiet_NaN();

/// Returns obs of four rows. Only numbers can be missing.
h5::DataFrame default_obs() {
    h5::DataFrame obs;
    obs.add("patient", h5::DataFrame::Doubles{1, 1, 2, missing});
    obs.add("treatment", Strings{"DMSO", "SN-38", "SN-38", "SN-38"});
    obs.add("concentration", h5::DataFrame::Doubles{missing, 2.5, missing, 5});
    obs.add("batch", Strings{"b1", "b1", "b2", "b2"});
    return obs;
}

/// Tests of an AnnData file in a temporary folder.
class ScreenColumnsOfAFile : public testing::Test {
  protected:
    ScreenColumnsOfAFile() { store(default_obs()); }
    void store(const h5::DataFrame& obs) const {
        h5::DataFrame var;
        var.set_row_names({"pERK"});
        h5::AtomicFile file(path_);
        h5::Group root = file.root();
        h5::write_encoding(root, "anndata", "0.1.0");
        h5::write_dataframe(root, "obs", obs);
        h5::write_dataframe(root, "var", var);
        h5::Dataset x =
            root.write("X", std::span<const float>(std::vector<float>(obs.rows())), {obs.rows(), 1});
        h5::write_encoding(x, "array", "0.2.0");
        file.commit();
    }
    ScreenColumns columns(const ScreenOptions& options = {}) const {
        return ScreenColumns(AnnData(path_), options);
    }
    /// Returns the keys of all rows. All rows of default_obs() have different keys, so key i is that of row
    /// i.
    RowKeys keys(const ScreenColumns& columns, std::size_t rows = 4) const {
        RowKeys keys(AnnData(path_), columns.names());
        keys.read(0, rows);
        return keys;
    }
    /// Returns the reason of exclusion of each key.
    Strings reasons(const ScreenOptions& options) const {
        const ScreenColumns found = columns(options);
        const RowKeys all = keys(found);
        Strings out;
        for (std::size_t key = 0; key < all.size(); ++key) out.push_back(found.exclusion_reason(all, key));
        return out;
    }
    /// Returns the message of the UserError that the constructor throws, without the name of the file.
    std::string error(const ScreenOptions& options) const {
        try {
            columns(options);
        } catch (const core::DataError& thrown) {
            EXPECT_EQ(thrown.file, path_);
            return std::string(thrown.what()).substr(path_.size() + 2);
        } catch (const core::ConfigError& thrown) {
            return thrown.what();
        }
        return "no error";
    }

  private:
    TemporaryFolder folder_;
    std::string path_ = folder_.file("screen.h5ad");
};

/// Returns default options with the given pairing keys.
ScreenOptions pair_by(const Strings& keys) {
    ScreenOptions options;
    options.pair_by = keys;
    return options;
}

/// Returns options that pair by patient and have the given exclusions.
ScreenOptions exclude(const Strings& exclusions) {
    ScreenOptions options = pair_by({"patient"});
    options.exclude = exclusions;
    return options;
}

}  // namespace

TEST_F(ScreenColumnsOfAFile, UsesTheNamesOfTheRolesByDefault) {
    const ScreenColumns found = columns();
    EXPECT_EQ(found.names()[found.column(Role::patient)], "patient");
    EXPECT_EQ(found.names()[found.column(Role::treatment)], "treatment");
    EXPECT_EQ(found.names()[found.column(Role::concentration)], "concentration");
    EXPECT_FALSE(found.split().has_value());
}

TEST_F(ScreenColumnsOfAFile, GivesRolesThatTheFileLacksOneColumnWithoutAName) {
    const ScreenColumns found = columns();
    EXPECT_EQ(found.names(), (Strings{"patient", "", "treatment", "concentration"}));
    for (const Role role : {Role::culture, Role::replicate, Role::plate, Role::cell_type})
        EXPECT_EQ(found.column(role), 1U);
}

TEST_F(ScreenColumnsOfAFile, UsesTheColumnThatIsMappedToARole) {
    ScreenOptions options;
    options.columns = {{"plate", "batch"}, {"patient", "batch"}};
    const ScreenColumns found = columns(options);
    EXPECT_EQ(found.names()[found.column(Role::plate)], "batch");
    EXPECT_EQ(found.column(Role::patient), found.column(Role::plate)) << "a column is listed once";
}

TEST_F(ScreenColumnsOfAFile, RefusesAnUnknownRole) {
    ScreenOptions options;
    options.columns = {{"drug", "treatment"}};
    EXPECT_EQ(error(options),
              "column: found role `drug`. Give one of patient, culture, treatment, concentration, replicate, "
              "plate, "
              "cell_type, vehicle");
}

TEST_F(ScreenColumnsOfAFile, RefusesAMappedColumnThatTheFileLacks) {
    ScreenOptions options;
    options.columns = {{"plate", "batches"}};
    EXPECT_EQ(
        error(options),
        "obs/batches: is missing (did you mean 'batch'?), found batch, concentration, patient, treatment. "
        "--column plate= switches the role off");
}

TEST_F(ScreenColumnsOfAFile, NeedsATreatmentColumn) {
    h5::DataFrame obs;
    obs.add("drug", Strings{"DMSO"});
    store(obs);
    EXPECT_EQ(
        error({}),
        "obs/treatment: is missing, found drug. Name the column that holds the treatments with --column "
        "treatment=COLUMN");
    ScreenOptions options;
    options.columns = {{"treatment", "drug"}};
    EXPECT_EQ(error(options), "no error");
}

TEST_F(ScreenColumnsOfAFile, SaysThatObsHasNoColumns) {
    h5::DataFrame obs;
    obs.set_row_names({"cell 1"});
    store(obs);
    EXPECT_EQ(error({}), "obs/treatment: is missing: obs has no columns");
}

TEST_F(ScreenColumnsOfAFile, DefaultPairingKeysAreOptionalButNamedOnesAreRequired) {
    const ScreenColumns by_default = columns();
    EXPECT_EQ(by_default.pair_by(), (std::vector<std::size_t>{0, 1, 1, 1}));
    EXPECT_EQ(error(pair_by({"patient", "culture"})),
              "obs/culture: is missing, found batch, concentration, patient, treatment");
    const ScreenColumns named = columns(pair_by({"batch", "patient"}));
    ASSERT_EQ(named.pair_by().size(), 2U);
    EXPECT_EQ(named.names()[named.pair_by()[0]], "batch");
    EXPECT_EQ(named.names()[named.pair_by()[1]], "patient");
}

TEST_F(ScreenColumnsOfAFile, PairsByTheColumnThatIsMappedToARole) {
    ScreenOptions options = pair_by({"plate"});
    options.columns = {{"plate", "batch"}};
    const ScreenColumns found = columns(options);
    EXPECT_EQ(found.names()[found.pair_by()[0]], "batch");
}

TEST_F(ScreenColumnsOfAFile, RefusesInvalidPairingKeys) {
    EXPECT_EQ(error(pair_by({})), "pair-by: found no column. Give one or more");
    for (const char* role : {"treatment", "concentration"}) {
        EXPECT_EQ(error(pair_by({"patient", role})),
                  "pair-by: found " + std::string(role) +
                      ", which differs within an experiment. Give patient, culture, plate, replicate or "
                      "another column of obs");
    }
}

TEST_F(ScreenColumnsOfAFile, FindsTheSplitColumnByNameOrRole) {
    ScreenOptions options;
    options.split_column = "batch";
    const ScreenColumns by_name = columns(options);
    ASSERT_TRUE(by_name.split().has_value());
    EXPECT_EQ(by_name.names()[*by_name.split()], "batch");
    options.split_column = "plate";
    EXPECT_EQ(error(options), "obs/plate: is missing, found batch, concentration, patient, treatment");
    options.columns = {{"plate", "batch"}};
    const ScreenColumns by_role = columns(options);
    EXPECT_EQ(by_role.names()[*by_role.split()], "batch");
}

TEST_F(ScreenColumnsOfAFile, AnEmptyColumnSwitchesARoleOff) {
    ScreenOptions options;
    options.columns = {{"patient", ""}};
    const ScreenColumns found = columns(options);
    EXPECT_EQ(found.names()[found.column(Role::patient)], "");
    options.pair_by = {"patient"};
    EXPECT_EQ(
        error(options),
        "column: found `patient=`, which switches off a role that --pair-by, --exclude or --split names");
    options = {};
    options.columns = {{"treatment", ""}};
    EXPECT_EQ(error(options),
              "column: found `treatment=`, which switches the treatments off: only popflow predict with "
              "--treatment can read a file of controls");
    options.all_are_controls = true;
    const ScreenColumns controls = columns(options);
    EXPECT_FALSE(controls.has_treatments());
    EXPECT_TRUE(controls.is_control("anything"));
}

TEST_F(ScreenColumnsOfAFile, ReadsTheVehiclesOfTreatments) {
    ScreenOptions options;
    options.control_labels = {"S=water", "V=DMSO"};
    const ScreenColumns named = columns(options);
    EXPECT_EQ(named.named_vehicles(), (std::map<std::string, std::string>{{"S", "water"}, {"V", "DMSO"}}));
    EXPECT_TRUE(named.is_control("water"));
    EXPECT_TRUE(named.is_control("AH")) << "without another label the default labels hold";
    EXPECT_FALSE(named.is_control("S"));
    options.control_labels = {"none", "S=water"};
    EXPECT_FALSE(columns(options).is_control("AH"));
    EXPECT_TRUE(columns(options).is_control("none"));
}

TEST_F(ScreenColumnsOfAFile, RecognisesControlsByTheExactLabel) {
    ScreenOptions options;
    EXPECT_TRUE(columns().is_control("DMSO"));
    EXPECT_TRUE(columns().is_control("vehicle"));
    EXPECT_FALSE(columns().is_control("dmso"));
    EXPECT_FALSE(columns().is_control("SN-38"));
    EXPECT_FALSE(columns().is_control(""));
    options.control_labels = {"SN-38"};
    EXPECT_TRUE(columns(options).is_control("SN-38"));
    EXPECT_FALSE(columns(options).is_control("DMSO"));
}

TEST_F(ScreenColumnsOfAFile, ExcludesRowsThatLackARequiredLabel) {
    EXPECT_EQ(reasons(pair_by({"patient"})),
              (Strings{"", "", "no value of concentration", "no value of patient"}))
        << "a control needs no concentration";
    ScreenOptions other = pair_by({"batch"});
    other.control_labels = {"none"};
    EXPECT_EQ(reasons(other), (Strings{"no value of concentration", "", "no value of concentration", ""}))
        << "patient is no pairing key, so it may be missing";
}

TEST_F(ScreenColumnsOfAFile, DoesNotRequireLabelsOfColumnsThatTheFileLacks) {
    h5::DataFrame obs;
    obs.add("treatment", Strings{"DMSO", "SN-38"});
    store(obs);
    const ScreenColumns found = columns();
    const RowKeys all = keys(found, 2);
    EXPECT_EQ(found.exclusion_reason(all, 0), "");
    EXPECT_EQ(found.exclusion_reason(all, 1), "");
}

TEST_F(ScreenColumnsOfAFile, ExcludesRowsThatMatchAllConditionsOfAnEntry) {
    EXPECT_EQ(reasons(exclude({"treatment=SN-38, batch=b1"})),
              (Strings{"", "excluded by treatment=SN-38, batch=b1", "no value of concentration",
                       "no value of patient"}));
    EXPECT_EQ(reasons(exclude({"batch=b2", "concentration=2.5"})),
              (Strings{"", "excluded by concentration=2.5", "excluded by batch=b2", "excluded by batch=b2"}))
        << "an exclusion is reported before a missing label";
    EXPECT_EQ(reasons(exclude({"batch=b2", "patient=2"}))[2], "excluded by batch=b2")
        << "the first entry that matches is reported";
}

TEST_F(ScreenColumnsOfAFile, ExcludesMissingLabelsWithAnEmptyValue) {
    EXPECT_EQ(
        reasons(exclude({"concentration="})),
        (Strings{"excluded by concentration=", "", "excluded by concentration=", "no value of patient"}));
}

TEST_F(ScreenColumnsOfAFile, ExcludesByRoleAndByColumnName) {
    for (const char* name : {"plate", "batch"}) {
        ScreenOptions options = exclude({std::string(name) + "=b1"});
        options.columns = {{"plate", "batch"}};
        EXPECT_EQ(reasons(options)[0], "excluded by " + std::string(name) + "=b1");
        EXPECT_EQ(reasons(options)[3], "no value of patient");
    }
}

TEST_F(ScreenColumnsOfAFile, SplitsAConditionAtItsFirstEqualsSign) {
    h5::DataFrame obs = default_obs();
    obs.add("note", Strings{"a=b", "a", "b", ""});
    store(obs);
    EXPECT_EQ(reasons(exclude({"note=a=b"})),
              (Strings{"excluded by note=a=b", "", "no value of concentration", "no value of patient"}));
}

TEST_F(ScreenColumnsOfAFile, RefusesInvalidExclusions) {
    for (const char* text : {"batch", "=b1", "batch=b1,"}) {
        EXPECT_EQ(error(exclude({text})),
                  "exclude: found `" + std::string(text) + "`. Give COLUMN=VALUE[,COLUMN=VALUE...]");
    }
    EXPECT_EQ(error(exclude({"batch=b1,patient"})),
              "exclude: found `batch=b1,patient`. Give COLUMN=VALUE[,COLUMN=VALUE...]. Put a value with a "
              "comma in "
              "double quotes, and give --exclude once for each value");
    EXPECT_EQ(error(exclude({""})), "exclude: found nothing. Give COLUMN=VALUE[,COLUMN=VALUE...]");
    EXPECT_EQ(error(exclude({"batc=b1"})),
              "obs/batc: is missing (did you mean 'batch'?), found batch, concentration, patient, treatment");
}

TEST_F(ScreenColumnsOfAFile, ReadsValuesWithCommas) {
    h5::DataFrame obs = default_obs();
    obs.add("note", Strings{"a, b", "a", "b", "c"});
    store(obs);
    for (const char* text : {"note=\"a, b\",batch=b1", "\"note=a, b\",batch=b1", "note=a, b,batch=b1"})
        EXPECT_EQ(reasons(exclude({text}))[0], "excluded by " + std::string(text));
    EXPECT_EQ(reasons(exclude({"note= A "}))[1], "excluded by note= A ") << "capitals and blanks";
    const ScreenColumns found = columns(exclude({"note=a, b,batch=B1"}));
    EXPECT_EQ(found.notes(), (Strings{"exclude: took 'b1' of the data for 'B1'"}));
    EXPECT_EQ(found.resolved(exclude({""})).exclude, (Strings{"\"note=a, b\", batch=b1"}));
}

TEST_F(ScreenColumnsOfAFile, TakesColumnsThatDifferInCapitalsAndBlanks) {
    h5::DataFrame obs;
    obs.add("Treatment ", Strings{"DMSO", "A"});
    obs.add("PATIENT", Strings{"1", "1"});
    store(obs);
    const ScreenColumns found = columns();
    EXPECT_EQ(found.names()[found.column(Role::treatment)], "Treatment ");
    EXPECT_EQ(found.names()[found.column(Role::patient)], "PATIENT");
    EXPECT_EQ(found.notes().size(), 2U);
    obs.add("patient", Strings{"2", "2"});
    store(obs);
    const ScreenColumns exact = columns();
    EXPECT_EQ(exact.names()[exact.column(Role::patient)], "patient");
}

TEST_F(ScreenColumnsOfAFile, TakesTextsForMissingLabels) {
    h5::DataFrame obs;
    obs.add("treatment", Strings{"DMSO", "NA", "A", "B", "C"});
    obs.add("patient", Strings{"1", "1", "nan", "", "1"});
    obs.add("concentration", Strings{"None", "1", "1", "1", "NaN"});
    store(obs);
    const ScreenColumns found = columns(pair_by({"patient"}));
    const RowKeys all = keys(found, 5);
    const Strings expected{"", "no value of treatment", "no value of patient", "no value of patient",
                           "no value of concentration"};
    for (std::size_t key = 0; key < 5; ++key) EXPECT_EQ(found.exclusion_reason(all, key), expected[key]);
    EXPECT_EQ(found.population_values(all, 0), (Strings{"1", "DMSO", ""}));
    ScreenOptions options = pair_by({"patient"});
    options.control_labels = {"NA"};
    EXPECT_EQ(columns(options).exclusion_reason(all, 1), "") << "the user named the label";
}

TEST_F(ScreenColumnsOfAFile, ReadsConcentrationsWithUnits) {
    h5::DataFrame obs;
    obs.add("treatment", Strings{"A", "A", "A"});
    obs.add("concentration", Strings{"100 nM", "0.1 uM", "0.10"});
    store(obs);
    const ScreenColumns found = columns();
    const RowKeys all = keys(found, 3);
    for (std::size_t key = 0; key < 3; ++key) EXPECT_EQ(found.population_values(all, key).back(), "0.1");
    EXPECT_EQ(found.concentration(all, 2), "0.10") << "a number stays as it is written";
}

TEST_F(ScreenColumnsOfAFile, RefusesToPairByTheColumnOfTheTreatments) {
    ScreenOptions options = pair_by({"patient", "batch"});
    options.columns = {{"treatment", "batch"}};
    EXPECT_EQ(
        error(options),
        "pair-by: found batch, which is the column of the treatments, 'batch': a control and its treatments "
        "differ in it, so pairs need other columns, such as patient, culture, plate or replicate");
}

TEST_F(ScreenColumnsOfAFile, ReportsWhichExclusionsMatchAKey) {
    const ScreenColumns found = columns(exclude({"batch=b3", "batch=b2", "batch=b1,patient=2"}));
    EXPECT_EQ(found.exclusions_used(keys(found)), (std::vector<bool>{false, true, false}));
    EXPECT_TRUE(columns().exclusions_used(keys(columns())).empty());
}

TEST_F(ScreenColumnsOfAFile, IdentifiesAPopulationByPairingKeysTreatmentAndConcentration) {
    const ScreenColumns found = columns(pair_by({"batch", "patient"}));
    const RowKeys all = keys(found);
    EXPECT_EQ(found.population_values(all, 1), (Strings{"b1", "1", "SN-38", "2.5"}));
    EXPECT_EQ(found.population_values(all, 0), (Strings{"b1", "1", "DMSO", ""}));
    EXPECT_EQ(columns().population_values(keys(columns()), 1), (Strings{"1", "", "", "", "SN-38", "2.5"}));
}

TEST_F(ScreenColumnsOfAFile, ComparesConcentrationsAsNumbers) {
    h5::DataFrame obs;
    obs.add("treatment", Strings{"A", "A", "A", "A"});
    obs.add("concentration", Strings{"1", "1.0", "1e0", "high"});
    obs.add("batch", Strings{"1", "1.0", "1.0", "1.0"});
    store(obs);
    const ScreenColumns found = columns(pair_by({"batch"}));
    const RowKeys all = keys(found);
    ASSERT_EQ(all.size(), 4U);
    EXPECT_EQ(found.population_values(all, 0), (Strings{"1", "A", "1"}));
    EXPECT_EQ(found.population_values(all, 1), (Strings{"1.0", "A", "1"}))
        << "other labels are compared as texts";
    EXPECT_EQ(found.population_values(all, 2), (Strings{"1.0", "A", "1"}));
    EXPECT_EQ(found.population_values(all, 3), (Strings{"1.0", "A", "high"}));
}
