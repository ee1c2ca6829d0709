// SPDX-License-Identifier: MIT
#include "anndata/label_column.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "core/error.hpp"
#include "h5/file.hpp"
#include "support/temporary_folder.hpp"

namespace core = popflow::core;
namespace h5 = popflow::h5;
using popflow::anndata::LabelColumn;
using popflow::support::TemporaryFolder;
using Strings = std::vector<std::string>;
using Codes = std::vector<std::int32_t>;

namespace {

/// Tests of datasets, each in its own file in a temporary folder: dataset `drug` is in the file `drug.h5`.
class Labels : public testing::Test {
  protected:
    template <class T>
    h5::Dataset numbers(const std::string& name, const std::vector<T>& values) const {
        return store(name, [&](h5::Group& root) { root.write(name, values); });
    }
    h5::Dataset strings(const std::string& name, const Strings& values) const {
        return store(name, [&](h5::Group& root) { root.write_strings(name, values); });
    }
    h5::Dataset bools(const std::string& name, const std::vector<std::uint8_t>& values) const {
        return store(name, [&](h5::Group& root) { root.write_bools(name, values); });
    }
    /// Stores a dataset that `write` writes to the root group. Returns the dataset, opened for reading.
    template <class Write>
    h5::Dataset store(const std::string& name, const Write& write) const {
        h5::AtomicFile file(folder_.file(name + ".h5"));
        {
            h5::Group root = file.root();
            write(root);
        }
        file.commit();
        return open(name);
    }
    h5::Dataset open(const std::string& name) const {
        return h5::open_file(folder_.file(name + ".h5")).open_dataset(name);
    }
    /// Returns the message of the DataError that `call` throws, without the name of the folder.
    template <class Call>
    std::string error_of(const Call& call) const {
        try {
            call();
        } catch (const core::DataError& error) {
            return std::string(error.what()).substr(folder_.file("").size());
        }
        return "no error";
    }

  private:
    TemporaryFolder folder_;
};

Codes read(LabelColumn& column, std::size_t first, std::size_t count) {
    Codes codes(count, -7);
    column.read_codes(first, codes);
    return codes;
}

Codes read(LabelColumn& column) {
    return read(column, 0, column.rows());
}

}  // namespace

TEST_F(Labels, GivesStringsCodesInTheOrderInWhichTheyAreRead) {
    LabelColumn column(strings("drug", {"SN-38", "DMSO", "DMSO", "", "SN-38"}));
    EXPECT_EQ(column.rows(), 5U);
    EXPECT_EQ(column.path(), "drug");
    EXPECT_EQ(column.labels(), Strings{});
    EXPECT_EQ(read(column), (Codes{0, 1, 1, 2, 0}));
    EXPECT_EQ(column.labels(), (Strings{"SN-38", "DMSO", ""})) << "an empty string is a label";
}

TEST_F(Labels, KeepsTheCodesOfLabelsOverBlocks) {
    LabelColumn column(strings("drug", {"a", "b", "a", "c"}));
    EXPECT_EQ(read(column, 2, 2), (Codes{0, 1}));
    EXPECT_EQ(column.labels(), (Strings{"a", "c"}));
    EXPECT_EQ(read(column, 0, 2), (Codes{0, 2}));
    EXPECT_EQ(read(column), (Codes{0, 2, 0, 1}));
    EXPECT_EQ(column.labels(), (Strings{"a", "c", "b"}));
    EXPECT_EQ(read(column, 4, 0), Codes{});
}

TEST_F(Labels, WritesFloatsWithTheFewestDigits) {
    LabelColumn single(numbers<float>("float32", {0.1F, 2.0F, 0.1F, 1e20F}));
    EXPECT_EQ(single.read_labels(), (Strings{"0.1", "2", "0.1", "1e+20"}));
    LabelColumn twice(numbers<double>("float64", {0.1, 0.30000000000000004, -1.5}));
    EXPECT_EQ(twice.read_labels(), (Strings{"0.1", "0.30000000000000004", "-1.5"}));
}

TEST_F(Labels, GivesNegativeZeroTheLabelOfZero) {
    LabelColumn single(numbers<float>("float32", {0.0F, -0.0F}));
    EXPECT_EQ(read(single), (Codes{0, 0}));
    LabelColumn twice(numbers<double>("float64", {-0.0, 0.0}));
    EXPECT_EQ(read(twice), (Codes{0, 0}));
    EXPECT_EQ(twice.labels(), (Strings{"0"}));
}

TEST_F(Labels, ReadsNotANumberAsMissing) {
    LabelColumn single(numbers<float>("float32", {std::numeric_limits<float>::quiet_NaN(), 1}));
    EXPECT_EQ(read(single), (Codes{LabelColumn::missing_code, 0}));
    LabelColumn twice(numbers<double>("float64", {1, std::numeric_limits<double>::quiet_NaN(), 1}));
    EXPECT_EQ(read(twice), (Codes{0, LabelColumn::missing_code, 0}));
    EXPECT_EQ(twice.read_labels(), (Strings{"1", "", "1"}));
    EXPECT_EQ(twice.labels(), (Strings{"1"}));
}

TEST_F(Labels, ReadsIntegersOfTheFullRange) {
    LabelColumn small(numbers<std::int8_t>("int8", {-128, 0, 127, -128}));
    EXPECT_EQ(small.read_labels(), (Strings{"-128", "0", "127", "-128"}));
    LabelColumn lowest(numbers<std::int64_t>("int64", {std::numeric_limits<std::int64_t>::min(), -1}));
    EXPECT_EQ(lowest.read_labels(), (Strings{"-9223372036854775808", "-1"}));
    LabelColumn highest(numbers<std::uint64_t>("uint64", {std::numeric_limits<std::uint64_t>::max(), 0}));
    EXPECT_EQ(highest.read_labels(), (Strings{"18446744073709551615", "0"}));
}

TEST_F(Labels, WritesBoolsAsTrueAndFalse) {
    LabelColumn column(bools("viable", {1, 0, 1}));
    EXPECT_EQ(column.read_labels(), (Strings{"True", "False", "True"}));
    EXPECT_EQ(read(column), (Codes{0, 1, 0}));
}

TEST_F(Labels, ReadsMaskedValuesAsMissing) {
    LabelColumn plate(numbers<std::int32_t>("plate_values", {7, 1, 7}), bools("plate_mask", {0, 1, 0}));
    EXPECT_EQ(plate.read_labels(), (Strings{"7", "", "7"}));
    EXPECT_EQ(read(plate, 1, 2), (Codes{LabelColumn::missing_code, 0}))
        << "the mask is read from the same rows as the values";
    LabelColumn drug(strings("drug_values", {"a", "b"}), bools("drug_mask", {1, 0}));
    EXPECT_EQ(drug.read_labels(), (Strings{"", "b"}));
    LabelColumn viable(bools("viable_values", {1, 0}), bools("viable_mask", {0, 1}));
    EXPECT_EQ(viable.read_labels(), (Strings{"True", ""}));
}

TEST_F(Labels, RefusesAMaskOfAnotherLength) {
    EXPECT_EQ(error_of([&] {
                  LabelColumn(numbers<std::int32_t>("plate_values", {7, 1, 7}), bools("plate_mask", {0, 1}));
              }),
              "plate_mask.h5: plate_mask: found 2 rows, but there are 3 values: the file is damaged");
}

TEST_F(Labels, KeepsTheCodesOfACategoricalColumn) {
    LabelColumn column = LabelColumn::categorical(numbers<std::int8_t>("drug_codes", {2, 0, -1, 2}),
                                                  strings("drug_categories", {"a", "b", "c"}));
    EXPECT_EQ(column.path(), "drug_codes");
    EXPECT_EQ(column.labels(), (Strings{"a", "b", "c"})) << "categories need no read";
    EXPECT_EQ(read(column), (Codes{2, 0, LabelColumn::missing_code, 2}));
    EXPECT_EQ(read(column, 1, 2), (Codes{0, LabelColumn::missing_code}));
    EXPECT_EQ(column.read_labels(), (Strings{"c", "a", "", "c"}));
    EXPECT_EQ(column.labels(), (Strings{"a", "b", "c"}));
}

TEST_F(Labels, ReadsEveryNegativeCodeAsMissing) {
    LabelColumn column = LabelColumn::categorical(numbers<std::int16_t>("codes", {-1, -2, -32768}),
                                                  strings("categories", {"a"}));
    EXPECT_EQ(read(column), (Codes(3, LabelColumn::missing_code)));
}

TEST_F(Labels, ReadsCategoriesOfEveryType) {
    numbers<std::uint8_t>("codes", {1, 0});
    EXPECT_EQ(LabelColumn::categorical(open("codes"), numbers<double>("doses", {0.5, 10})).read_labels(),
              (Strings{"10", "0.5"}));
    EXPECT_EQ(LabelColumn::categorical(open("codes"), numbers<std::int64_t>("plates", {3, 4})).read_labels(),
              (Strings{"4", "3"}));
    EXPECT_EQ(LabelColumn::categorical(open("codes"), bools("viable", {0, 1})).read_labels(),
              (Strings{"True", "False"}));
}

TEST_F(Labels, RefusesACodeWithoutACategory) {
    LabelColumn column = LabelColumn::categorical(numbers<std::int8_t>("drug_codes", {0, 1, 2}),
                                                  strings("drug_categories", {"a", "b"}));
    EXPECT_EQ(read(column, 0, 2), (Codes{0, 1}));
    EXPECT_EQ(error_of([&] { read(column, 1, 2); }),
              "drug_codes.h5: drug_codes: found code 2, but there are 2 categories: the file is damaged");
}

TEST_F(Labels, RefusesCodesThatAreNoIntegers) {
    strings("categories", {"a"});
    EXPECT_EQ(error_of([&] { LabelColumn::categorical(numbers<float>("float", {0}), open("categories")); }),
              "float.h5: float: found float32, but codes of categories must be integers");
    EXPECT_EQ(error_of([&] { LabelColumn::categorical(strings("text", {"0"}), open("categories")); }),
              "text.h5: text: found string, but codes of categories must be integers");
}

TEST_F(Labels, RefusesAColumnOfTwoDimensions) {
    const std::vector<float> values(4);
    store("matrix", [&](h5::Group& root) { root.write("matrix", std::span<const float>(values), {2, 2}); });
    EXPECT_EQ(error_of([&] { LabelColumn{open("matrix")}; }),
              "matrix.h5: matrix: found 2 dimensions, but a column of labels has 1");
    numbers<std::int8_t>("codes", {0});
    EXPECT_EQ(error_of([&] { LabelColumn::categorical(open("codes"), open("matrix")); }),
              "matrix.h5: matrix: found 2 dimensions, but a column of labels has 1");
    EXPECT_EQ(error_of([&] {
                  LabelColumn{store("scalar", [](h5::Group& root) { root.write_string("scalar", "a"); })};
              }),
              "scalar.h5: scalar: found 0 dimensions, but a column of labels has 1");
}

TEST_F(Labels, RefusesLabelsOfMoreThan4096Bytes) {
    const std::string longest(4096, 'x');
    LabelColumn allowed(strings("allowed", {longest}));
    EXPECT_EQ(allowed.read_labels(), (Strings{longest}));
    LabelColumn column(strings("long", {"a", longest + "x"}));
    EXPECT_EQ(read(column, 0, 1), (Codes{0}));
    EXPECT_EQ(error_of([&] { read(column); }),
              "long.h5: long: found a value of 4097 bytes. Shorten it: labels may have 4096");
    numbers<std::int8_t>("codes", {0});
    EXPECT_EQ(
        error_of([&] { LabelColumn::categorical(open("codes"), strings("categories", {longest + "x"})); }),
        "categories.h5: categories: found a value of 4097 bytes. Shorten it: labels may have 4096");
}

TEST_F(Labels, RefusesRowsThatDoNotExist) {
    LabelColumn text(strings("text", {"a", "b"}));
    EXPECT_THROW(read(text, 1, 2), core::DataError);
    LabelColumn number(numbers<double>("number", {1, 2}));
    EXPECT_THROW(read(number, 2, 1), core::DataError);
}
