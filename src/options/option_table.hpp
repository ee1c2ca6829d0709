// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/error.hpp"

namespace popflow::options {

/// Parts of the program that an option belongs to; a verb takes some of them.
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
    scores  ///< of `metrics`: options of other sections that have a meaning there
};

/// One option: a flag `--name VALUE` and a key `name = VALUE` of a configuration file.
struct Option {
    std::string name;
    Section section = Section::general;
    std::string argument;  ///< what --help calls the value; empty: a switch
    std::string help;
    std::function<void(const std::vector<std::string>&)> set;  ///< throws ConfigError
    std::function<std::vector<std::string>()> text;            ///< values that set() would read back
    bool stored = true;                                        ///< part of the resolved configuration
    std::vector<Section> also{};  ///< sections whose verbs take it too; it is stored with its own
};

/// A verb of these sections takes the option.
bool takes(const std::vector<Section>& sections, const Option& option);

/// Options in the order of --help.
class OptionTable {
  public:
    void add(Option option) { options_.push_back(std::move(option)); }
    const std::vector<Option>& options() const { return options_; }
    /// Lets the verbs of another section take an option too.
    void share(const std::string& name, Section section);
    /// Calls `done` at the end of each parse() with the names of all options set so far, by this or an
    /// earlier call: the place of defaults that depend on other options.
    void on_parsed(std::function<void(const std::set<std::string>&)> done) { on_parsed_ = std::move(done); }

    /// Sets options from the command line and from the file that `config` names there; flags override the
    /// file.
    ///
    /// On the command line only options of `sections` are allowed, in a file those of any section, so that
    /// one file serves all verbs.
    /// @param positional  receives arguments that are not flags; nullptr: there may be none
    /// @throws core::ConfigError for an unknown key, a missing value or a value that is not allowed
    void parse(const std::vector<std::string>& arguments, const std::vector<Section>& sections,
               std::vector<std::string>* positional) const;
    /// Sets options from the text of a configuration file.
    ///
    /// `include = F.cfg` in it sets those of another file first, which the file's own keys override; the path
    /// is relative to the including file. @param name of the file, for messages and for what it includes
    /// @throws core::ConfigError also for a file that includes itself
    void parse_text(const std::string& text, const std::string& name) const;
    /// Whether an option was set by what was parsed so far, not by its default.
    bool given(const std::string& name) const { return given_->contains(name); }
    /// The resolved configuration: every stored option of `sections` as `name = value`.
    /// @throws core::ConfigError for a value that would not read back
    std::string text(const std::vector<Section>& sections) const;
    /// Lines of --help, at most `width` characters long as far as words go, under a heading for each section.
    std::string help(const std::vector<Section>& sections, std::size_t width) const;
    /// The same as tables in Markdown.
    std::string markdown(const std::vector<Section>& sections) const;
    /// The same as entries of a manual page (man(7)).
    std::string manual(const std::vector<Section>& sections) const;
    /// The same for a shell that completes them: `'--name=ARGUMENT' '--switch'`, in single quotes.
    std::string words(const std::vector<Section>& sections) const;

  private:
    /// Options that verbs of these sections take, by heading, in the order of the sections.
    std::vector<std::pair<std::string, std::vector<const Option*>>> groups(
        const std::vector<Section>& sections) const;
    const Option* find(const std::string& name) const;
    void parse_file(const std::string& text, const std::string& name,
                    std::vector<std::string>& open_files) const;
    void include(const std::string& name, const std::string& including,
                 std::vector<std::string>& open_files) const;

    void set(const std::string& name, const std::vector<std::string>& values) const;

    std::vector<Option> options_;
    std::function<void(const std::set<std::string>&)> on_parsed_;
    std::shared_ptr<std::set<std::string>> given_ = std::make_shared<std::set<std::string>>();
};

/// Readers of option values; `key` goes into the message. @throws core::ConfigError
std::uint64_t parse_count(const std::string& key, const std::string& text, std::uint64_t least,
                          std::uint64_t most);
double parse_number(const std::string& key, const std::string& text, double least, double most);
/// Position of text among `allowed`.
std::size_t parse_choice(const std::string& key, const std::string& text,
                         const std::vector<std::string>& allowed);

}  // namespace popflow::options
