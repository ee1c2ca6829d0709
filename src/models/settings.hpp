// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "core/option_effect.hpp"

namespace popflow::models {

/// Group of options in which --help lists a setting.
enum class FieldGroup { model, training };

/// Name and meaning of one setting.
struct Field {
    std::string name;  ///< name of the option, and of the attribute in a checkpoint
    std::string help;
    core::Affects affects = core::Affects::training;
    std::vector<std::string> methods{};  ///< methods that use it, empty for all methods with these settings
    FieldGroup group = FieldGroup::model;
    /// Whether a method that does not use the setting refuses every value but the default.
    bool is_exclusive = false;
    /// Whether files have the setting only if it is not the default. A setting that was added to a method
    /// needs this, so that runs of earlier versions can be resumed and have the same checksums.
    bool omits_default = false;
};

/// Values of a setting that is a text with rules of its own.
struct TextRule {
    std::string argument;  ///< values as the help shows them
    /// Returns a text in its full form. @throws core::ConfigError if it is not allowed
    std::function<std::string(const std::string& text)> normalise;
};

/// Receives every setting of a method in turn.
class FieldVisitor {
  public:
    virtual ~FieldVisitor() = default;
    /// Visits a whole number in [min, max].
    virtual void count(const Field& field, std::size_t& value, std::size_t min, std::size_t max) = 0;
    /// Visits a number in [min, max].
    virtual void number(const Field& field, double& value, double min, double max) = 0;
    /// Visits the position of a value in a list of names.
    virtual void choice_index(const Field& field, std::size_t& index,
                              const std::vector<std::string>& names) = 0;
    /// Visits a text.
    virtual void text(const Field& field, std::string& value, const TextRule& rule) = 0;
    /// Visits an enumeration. @param names  name of each enumerator, in order
    template <class Enum>
    void choice(const Field& field, Enum& value, const std::vector<std::string>& names) {
        auto index = static_cast<std::size_t>(value);
        choice_index(field, index, names);
        value = static_cast<Enum>(index);
    }
};

/// Settings of a method. visit() describes each of them once. Options, configuration files, checkpoints,
/// comparisons and documentation follow from this description.
class Settings {
  public:
    virtual ~Settings() = default;
    virtual std::unique_ptr<Settings> clone() const = 0;
    virtual void visit(FieldVisitor& visitor) = 0;
};

/// Value of a setting: a whole number, a number, or the name of a choice or another text.
using FieldValue = std::variant<std::uint64_t, double, std::string>;

/// A setting with its current value and the values that are allowed.
struct FieldDescription {
    Field field;
    FieldValue value;
    FieldValue min{};                    ///< smallest allowed number
    FieldValue max{};                    ///< largest allowed number
    std::vector<std::string> choices{};  ///< allowed names of a choice
    TextRule rule{};                     ///< values of a text
};

/// Returns all settings in the order of visit().
std::vector<FieldDescription> describe(const Settings& settings);

/// Returns the settings that a file has: all but those that it omits, see Field::omits_default.
/// @param defaults  settings of the same method with their defaults
std::vector<FieldDescription> describe_stored(const Settings& settings, const Settings& defaults);

/// Returns the value as text that parse_field() reads.
std::string text_of(const FieldValue& value);
/// Reads a value from text. @throws core::ConfigError if the text is not a value that is allowed
FieldValue parse_field(const FieldDescription& description, const std::string& text);
/// Checks that a value is allowed. @throws core::ConfigError
void check_field(const FieldDescription& description, const FieldValue& value);

/// Sets one setting. @throws core::ConfigError if there is no such setting or the value is not allowed
void assign(Settings& settings, const std::string& name, const FieldValue& value);
/// Sets one setting from text. @throws core::ConfigError as assign()
void assign_text(Settings& settings, const std::string& name, const std::string& text);
/// Returns one setting as text. @throws core::ConfigError if there is no such setting
std::string field_text(const Settings& settings, const std::string& name);
/// Sets each setting that occurs in a map of option names and texts, and leaves the others unchanged.
/// @throws core::ConfigError as assign()
void assign_texts(Settings& settings, const std::map<std::string, std::string>& texts);

}  // namespace popflow::models
