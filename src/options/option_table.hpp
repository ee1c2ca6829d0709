// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "core/option_effect.hpp"

namespace popflow::options {

/// Groups of options. A verb accepts the options of some sections.
enum class Section {
    general,
    data,
    split,
    model,
    train,
    run_folder,
    transport,
    evaluate,
    predict,
    inspect,
    report,
    simulate,
    ot,
    scores  ///< options of other sections that the verb `metrics` accepts
};

/// End of the help of an option that takes a list of labels.
inline constexpr const char* comma_help = ". A label with a comma is written in double quotes";

/// One option: a flag `--name VALUE` and a key `name = VALUE` of a configuration file.
struct Option {
    std::string name;
    Section section = Section::general;
    std::string argument;  ///< placeholder of the value in --help, empty for a switch
    std::string help;
    std::function<void(const std::vector<std::string>&)> set;  ///< throws core::ConfigError
    std::function<std::vector<std::string>()> text;  ///< the current values, in the form that set() reads
    bool stored = true;                              ///< whether it is part of the resolved configuration
    core::OptionEffect effect{};
    /// Whether it may be given several times. It then takes lists, whose items may be in double quotes.
    bool repeatable = false;
    std::vector<Section> shared_with{};  ///< further sections whose verbs accept it
    std::vector<std::string> initial{};  ///< values when the option was added to a table
    /// Whether the flag may be given alone, as a switch, or as `--name=VALUE`. Alone it has the value `true`.
    bool is_value_optional = false;
};

/// Whether a verb with these sections accepts the option.
bool accepts(const std::vector<Section>& sections, const Option& option);

/// The options of the program, in the order of --help.
class OptionTable {
  public:
    /// @throws core::Error for a name that the table already has
    void add(Option option);
    const std::vector<Option>& options() const { return options_; }
    /// Effects of all stored options, by name.
    core::OptionEffects effects() const;
    /// Makes an option available to the verbs of another section. It is stored only with its own section.
    void share(const std::string& name, Section section);
    /// Forbids that one command line or one file sets more than one of these options.
    void forbid_combination(std::vector<std::string> names) { exclusive_.push_back(std::move(names)); }
    /// Lets an option be given without a value, see Option::is_value_optional.
    void make_value_optional(const std::string& name);
    /// Function that sets defaults that depend on other options. Its second argument contains the names of
    /// all options that have been set so far, by any call.
    using DefaultSetter = std::function<void(const OptionTable&, const std::set<std::string>&)>;
    /// Registers a function that parse() calls at its end.
    void on_parsed(DefaultSetter done) { on_parsed_ = std::move(done); }
    /// Appends a text to the help of an option.
    void append_help(const std::string& name, const std::string& text);
    /// Sets a default, which does not count as set by the user. @throws core::ConfigError
    void set_default(const std::string& name, const std::vector<std::string>& values) const;
    /// Returns the current values of an option. @throws core::Error if there is no such option
    std::vector<std::string> values(const std::string& name) const { return require(name).text(); }
    /// Returns the values that an option had when it was added. @throws core::Error as values()
    const std::vector<std::string>& initial(const std::string& name) const { return require(name).initial; }

    /// Sets options from the command line and from the file of the flag `config`. Flags override the file.
    ///
    /// The command line may contain only options of `sections`. A file may contain options of all sections,
    /// so one file can be used with every verb.
    /// @param positional  receives the arguments that are not flags. If it is nullptr, such arguments are an
    /// error.
    /// @throws core::ConfigError for an unknown key, a missing value, a value that is not allowed, or two
    /// values of an option that takes one
    void parse(const std::vector<std::string>& arguments, const std::vector<Section>& sections,
               std::vector<std::string>* positional) const;
    /// Sets options from the text of a configuration file.
    ///
    /// `include = F.cfg` reads another file first, whose keys are overridden by those of the including file.
    /// The path is relative to the including file. A value of an option that takes one may be in double
    /// quotes. A
    /// `#` outside quotes starts a comment. Lines may end in CR, and the text may begin with a byte order
    /// mark.
    /// @param name  path of the file, for messages and for relative paths of included files
    /// @throws core::ConfigError as parse(), and for a file that includes itself
    void parse_text(const std::string& text, const std::string& name) const;
    /// Whether a parse set the option, as opposed to a default.
    bool is_given(const std::string& name) const { return given_->contains(name); }
    /// Returns the resolved configuration: every stored option of `sections` as a line `name = value`.
    /// @throws core::ConfigError for a value that a configuration file cannot contain
    std::string text(const std::vector<Section>& sections) const;
    /// Returns the text of --help, with a heading for each section. Lines are wrapped between words at
    /// `width` characters.
    std::string help(const std::vector<Section>& sections, std::size_t width) const;
    /// Returns the same as Markdown tables.
    std::string markdown(const std::vector<Section>& sections) const;
    /// Returns the same as entries of a manual page (man(7)).
    std::string manual(const std::vector<Section>& sections) const;
    /// Returns the options for completion by a shell, in single quotes: `'--name=ARGUMENT' '--switch'`.
    std::string completion_words(const std::vector<Section>& sections) const;

  private:
    /// Returns the options that verbs with these sections accept, by heading, in the order of the sections.
    std::vector<std::pair<std::string, std::vector<const Option*>>> groups(
        const std::vector<Section>& sections) const;
    const Option* find(const std::string& name) const;
    const Option& require(const std::string& name) const;
    void parse_file(const std::string& text, const std::string& name,
                    std::vector<std::string>& open_files) const;
    void include(const std::string& name, const std::string& including,
                 std::vector<std::string>& open_files) const;

    void set(const std::string& name, const std::vector<std::string>& values) const;
    std::string file_value(const Option& option, const std::string& value) const;
    /// @param given  names of the options that a command line or a file sets, as keys
    void check_exclusive(const std::map<std::string, std::vector<std::string>>& given) const;

    std::vector<Option> options_;
    std::vector<std::vector<std::string>> exclusive_;
    DefaultSetter on_parsed_;
    std::shared_ptr<std::set<std::string>> given_ = std::make_shared<std::set<std::string>>();
};

}  // namespace popflow::options
