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
    std::string mode = "plain";

    std::unique_ptr<Settings> clone() const override { return std::make_unique<Example>(*this); }
    void visit(models::FieldVisitor& visitor) override {
        visitor.count({.name = "width", .help = "width of a layer"}, width, 1, 10);
        visitor.number({.name = "rate", .help = "learning rate"}, rate, 0, 1);
        visitor.choice({.name = "colour", .help = "colour of a line"}, colour, {"red", "green"});
        visitor.text({.name = "mode", .help = "mode of the line", .omits_default = true}, mode,
                     {.argument = "plain|dashed[:N]", .normalise = [](const std::string& text) {
                          if (text == "plain" || text == "dashed:2") return text;
                          if (text == "dashed") return std::string("dashed:2");
                          throw ConfigError("mode", "found '" + text + "'. Give plain or dashed");
                      }});
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
    ASSERT_EQ(fields.size(), 4U);
    EXPECT_EQ(fields[0].field.name, "width");
    EXPECT_EQ(fields[0].value, models::FieldValue(std::uint64_t{3}));
    EXPECT_EQ(fields[0].min, models::FieldValue(std::uint64_t{1}));
    EXPECT_EQ(fields[0].max, models::FieldValue(std::uint64_t{10}));
    EXPECT_EQ(fields[1].value, models::FieldValue(0.5));
    EXPECT_EQ(fields[2].value, models::FieldValue(std::string("green")));
    EXPECT_EQ(fields[2].choices, (std::vector<std::string>{"red", "green"}));
    EXPECT_EQ(fields[3].value, models::FieldValue(std::string("plain")));
    EXPECT_EQ(fields[3].rule.argument, "plain|dashed[:N]");
}

TEST(Settings, AreStoredWithoutDefaultsThatAreOmitted) {
    Example example;
    EXPECT_EQ(models::describe_stored(example, Example()).size(), 3U);
    models::assign(example, "mode", std::string("dashed"));
    const auto fields = models::describe_stored(example, Example());
    ASSERT_EQ(fields.size(), 4U);
    EXPECT_EQ(fields[3].value, models::FieldValue(std::string("dashed:2")));
}

TEST(Settings, AreAssignedFromText) {
    Example example;
    models::assign_texts(
        example,
        {{"width", "7"}, {"rate", "0.125"}, {"colour", "red"}, {"mode", "dashed"}, {"unknown", "1"}});
    EXPECT_EQ(example.width, 7U);
    EXPECT_EQ(example.rate, 0.125);
    EXPECT_EQ(example.colour, Colour::red);
    EXPECT_EQ(example.mode, "dashed:2");
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
    EXPECT_EQ(message("mode", "dotted"), "mode: found 'dotted'. Give plain or dashed");
    EXPECT_EQ(message("height", "1"), "height: is no setting of this method");
    Example example;
    EXPECT_THROW(models::assign(example, "width", 0.5), ConfigError);
    EXPECT_THROW(models::assign(example, "rate", 2.0), ConfigError);
    EXPECT_EQ(example.width, 3U);
    EXPECT_EQ(example.rate, 0.5);
}
