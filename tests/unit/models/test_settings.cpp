// SPDX-License-Identifier: MIT
#include "models/settings.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"

namespace models = popflow::models;
using popflow::core::ConfigError;

namespace {

enum class Colour { red, green };

struct Example final : models::Settings {
    std::size_t width = 3;
    double rate = 0.5;
    Colour colour = Colour::green;

    std::unique_ptr<Settings> clone() const override { return std::make_unique<Example>(*this); }
    void visit(models::FieldVisitor& visitor) override {
        visitor.count({.name = "width", .help = "width of a layer"}, width, 1, 10);
        visitor.number({.name = "rate", .help = "learning rate"}, rate, 0, 1);
        visitor.choice({.name = "colour", .help = "colour of a line"}, colour, {"red", "green"});
    }
};

// Returns the message of the ConfigError that assign_text() throws.
std::string message(const std::string& name, const std::string& text) {
    Example example;
    try {
        models::assign_text(example, name, text);
    } catch (const ConfigError& error) {
        return error.what();
    }
    return "no exception";
}

}  // namespace

TEST(Settings, AreDescribedInTheOrderOfTheVisit) {
    const auto fields = models::describe(Example());
    ASSERT_EQ(fields.size(), 3U);
    EXPECT_EQ(fields[0].field.name, "width");
    EXPECT_EQ(fields[0].value, models::FieldValue(std::uint64_t{3}));
    EXPECT_EQ(fields[0].min, models::FieldValue(std::uint64_t{1}));
    EXPECT_EQ(fields[0].max, models::FieldValue(std::uint64_t{10}));
    EXPECT_EQ(fields[1].value, models::FieldValue(0.5));
    EXPECT_EQ(fields[2].value, models::FieldValue(std::string("green")));
    EXPECT_EQ(fields[2].choices, (std::vector<std::string>{"red", "green"}));
}

TEST(Settings, AreAssignedFromText) {
    Example example;
    models::assign_texts(example, {{"width", "7"}, {"rate", "0.125"}, {"colour", "red"}, {"unknown", "1"}});
    EXPECT_EQ(example.width, 7U);
    EXPECT_EQ(example.rate, 0.125);
    EXPECT_EQ(example.colour, Colour::red);
}

TEST(Settings, TextReadsBackTheSameValue) {
    Example before;
    before.rate = 0.1 + 0.2;  // has no short decimal representation
    Example after;
    for (const auto& description : models::describe(before))
        models::assign_text(after, description.field.name, models::text_of(description.value));
    EXPECT_EQ(after.rate, before.rate);
    EXPECT_EQ(models::field_text(after, "rate"), models::field_text(before, "rate"));
}

TEST(Settings, RefuseValuesThatAreNotAllowed) {
    EXPECT_EQ(message("width", "11"), "width: found '11'. Give a whole number from 1 to 10");
    EXPECT_EQ(message("rate", "-1"), "rate: found '-1'. Give a number from 0 to 1");
    EXPECT_EQ(message("colour", "gren"),
              "colour: found 'gren' (did you mean 'green'?). Give one of red, green");
    EXPECT_EQ(message("height", "1"), "height: is no setting of this method");
    Example example;
    EXPECT_THROW(models::assign(example, "width", 0.5), ConfigError);
    EXPECT_THROW(models::assign(example, "rate", 2.0), ConfigError);
    EXPECT_EQ(example.width, 3U);
    EXPECT_EQ(example.rate, 0.5);
}
