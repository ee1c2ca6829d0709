// SPDX-License-Identifier: MIT
#include "options/option_table.hpp"

#include <algorithm>
#include <boost/program_options.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>

#include "core/label_list.hpp"
#include "core/text.hpp"
#include "core/text_reader.hpp"
#include "options/other_names.hpp"

namespace po = boost::program_options;

namespace popflow::options {

namespace {

bool contains(const std::vector<Section>& sections, Section section) {
    return std::ranges::find(sections, section) != sections.end();
}

po::options_description describe(const std::vector<Option>& options, const std::vector<Section>& sections) {
    po::options_description description;
    for (const Option& option : options) {
        if (!accepts(sections, option)) continue;
        auto* value = po::value<std::vector<std::string>>()->composing()->value_name(option.argument);
        if (option.argument.empty()) value->implicit_value({"true"}, "true")->zero_tokens();
        if (option.is_value_optional) value->implicit_value({"true"}, "true");
        description.add_options()(option.name.c_str(), value, option.help.c_str());
    }
    return description;
}

// Throws the error of Boost as a ConfigError, with a suggestion for an unknown option.
[[noreturn]] void rethrow(const po::error& error, const std::vector<std::string>& known) {
    if (const auto* unknown = dynamic_cast<const po::unknown_option*>(&error)) {
        std::string name = unknown->get_option_name();
        name.erase(0, name.find_first_not_of('-'));
        name.resize(std::min(name.find('='), name.size()));
        throw core::ConfigError(name, "unknown option" + option_advice(name, known));
    }
    throw core::ConfigError("usage", error.what());
}

using Values = std::map<std::string, std::vector<std::string>>;

void collect(const po::parsed_options& parsed, Values& values, std::vector<std::string>* positional) {
    for (const auto& option : parsed.options) {
        if (option.position_key >= 0) {
            if (positional == nullptr) {
                throw core::ConfigError("usage", "unexpected argument '" + option.value.front() + "'");
            }
            positional->push_back(option.value.front());
            continue;
        }
        auto& list = values[option.string_key];
        if (option.value.empty()) list.emplace_back("true");
        list.insert(list.end(), option.value.begin(), option.value.end());
    }
}

std::string read_text(const std::string& path) {
    std::error_code ignored;
    if (!std::ifstream(path) || std::filesystem::is_directory(path, ignored))
        throw core::ConfigError("config", "cannot read '" + path + "'");
    core::TextReader in(path);
    std::string text;
    for (std::string line; in.next(line, true);) text += line + "\n";
    return text;
}

std::string stripped(const std::string& text) {
    const std::size_t begin = text.find_first_not_of(" \t\r");
    if (begin == std::string::npos) return "";
    return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

// Returns the position of the `#` that starts a comment. One in double quotes does not. A quote opens at the
// start of a value, of an item of a list, or of a label behind `:`.
std::size_t comment_begin(const std::string& line) {
    bool is_open = false;
    char before = '\0';  // the last character that is not blank
    for (std::size_t i = 0; i < line.size(); ++i) {
        const char c = line[i];
        if (c == '#' && !is_open) return i;
        if (c == '"' && (is_open || before == '=' || before == ',' || before == ':' || before == '"'))
            is_open = !is_open;
        if (c != ' ' && c != '\t') before = c;
    }
    return is_open ? line.find('#') : std::string::npos;
}

// A line `key = value` of a configuration file.
struct Assignment {
    std::string key;
    std::string value;
    std::size_t line = 0;
};

std::vector<Assignment> parse_lines(const std::string& text, const std::string& name) {
    std::vector<Assignment> assignments;
    std::istringstream in(text.starts_with("\xEF\xBB\xBF") ? text.substr(3) : text);
    std::size_t number = 0;
    for (std::string line; std::getline(in, line);) {
        ++number;
        const std::string content = stripped(line.substr(0, comment_begin(line)));
        if (content.empty()) continue;
        const std::size_t equals = content.find('=');
        if (equals == std::string::npos || equals == 0)
            throw core::ConfigError(name,
                                    "line " + std::to_string(number) + ": found '" + content +
                                        "'. Write lines `option = value` and comments that start with #");
        assignments.push_back(
            {stripped(content.substr(0, equals)), stripped(content.substr(equals + 1)), number});
    }
    return assignments;
}

// Removes the double quotes around a value. Keeps those of a name in front of a colon, as in `"a:b":c`.
std::string unquoted(const std::string& key, const std::string& value) {
    if (!value.starts_with('"') || core::split_head(key, value).rest) return value;
    const std::vector<std::string> items = core::split_list(key, value);
    return items.size() == 1 ? items.front() : value;
}

// Returns the same path for all names of a file.
std::string canonical_path(const std::string& path) {
    std::error_code error;
    const std::filesystem::path canonical = std::filesystem::weakly_canonical(path, error);
    return error ? path : canonical.string();
}

constexpr const char* include_key = "include";

std::string heading_of(Section section) {
    switch (section) {
        case Section::data:
            return "Data";
        case Section::split:
            return "Split";
        case Section::model:
            return "Model";
        case Section::train:
            return "Training";
        case Section::run_folder:
            return "Trained model";
        case Section::transport:
            return "Transport of cells";
        case Section::evaluate:
            return "Evaluation";
        case Section::predict:
            return "Prediction";
        case Section::report:
            return "Report";
        case Section::simulate:
            return "Simulation";
        case Section::ot:
            return "Transport problems";
        case Section::scores:
            return "Comparison";
        case Section::general:
        case Section::inspect:
            break;
    }
    return "General";
}

// Wraps text at `width` characters. The first line starts at `column`, later lines are indented.
std::string wrapped(const std::string& text, std::size_t column, std::size_t indent, std::size_t width) {
    std::string out;
    bool first = true;
    for (const std::string& word : core::split_text(text, ' ')) {
        if (!first && column + 1 + word.size() > width) {
            out += "\n" + std::string(indent, ' ');
            column = indent;
            first = true;
        }
        out += (first ? "" : " ") + word;
        column += word.size() + (first ? 0 : 1);
        first = false;
    }
    return out;
}

// Returns the option with its value, as in `--steps N` or `--dry-run[=time|plan]`.
std::string flag_text(const Option& option) {
    if (option.argument.empty()) return "--" + option.name;
    return "--" + option.name +
           (option.is_value_optional ? "[=" + option.argument + "]" : " " + option.argument);
}

std::string value_of(const Option& option) {
    if (option.argument.empty() || option.is_value_optional) return "";
    const std::vector<std::string> values = option.text();
    return core::joined(values, values.size());
}

}  // namespace

bool accepts(const std::vector<Section>& sections, const Option& option) {
    return contains(sections, option.section) ||
           std::ranges::any_of(option.shared_with, [&](Section other) { return contains(sections, other); });
}

void OptionTable::add(Option option) {
    if (find(option.name) != nullptr) throw core::Error("option table: found '" + option.name + "' twice");
    option.initial = option.text();
    options_.push_back(std::move(option));
}

void OptionTable::append_help(const std::string& name, const std::string& text) {
    std::ranges::find(options_, name, &Option::name)->help += text;
}

void OptionTable::set_default(const std::string& name, const std::vector<std::string>& values) const {
    require(name).set(values);
}

core::OptionEffects OptionTable::effects() const {
    core::OptionEffects effects;
    for (const Option& option : options_) {
        if (option.stored) effects[option.name] = option.effect;
    }
    return effects;
}

void OptionTable::share(const std::string& name, Section section) {
    std::ranges::find(options_, name, &Option::name)->shared_with.push_back(section);
}

void OptionTable::make_value_optional(const std::string& name) {
    std::ranges::find(options_, name, &Option::name)->is_value_optional = true;
}

const Option* OptionTable::find(const std::string& name) const {
    const auto at = std::ranges::find(options_, name, &Option::name);
    return at == options_.end() ? nullptr : &*at;
}

const Option& OptionTable::require(const std::string& name) const {
    if (const Option* option = find(name)) return *option;
    throw core::Error("option table: found '" + name + "', which is no option");
}

void OptionTable::parse(const std::vector<std::string>& arguments, const std::vector<Section>& sections,
                        std::vector<std::string>* positional) const {
    std::vector<std::string> known;
    for (const Option& option : options_) {
        if (accepts(sections, option)) known.push_back(option.name);
    }
    const po::options_description description = describe(options_, sections);
    Values flags;
    try {
        const int style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
        collect(po::command_line_parser(arguments).options(description).style(style).run(), flags,
                positional);
    } catch (const po::error& error) {
        rethrow(error, known);
    }
    for (const auto& [name, values] : flags) {
        const Option* option = find(name);
        if (values.size() < 2 || option->repeatable || option->argument.empty()) continue;
        throw core::ConfigError(name, "found it twice, with '" + values[0] + "' and '" + values[1] +
                                          "': give it once, because it takes one value");
    }
    if (const auto file = flags.find("config"); file != flags.end()) {
        parse_text(read_text(file->second.back()), file->second.back());
    }
    check_exclusive(flags);
    for (const auto& [name, values] : flags) set(name, values);
    if (on_parsed_) on_parsed_(*this, *given_);
}

void OptionTable::set(const std::string& name, const std::vector<std::string>& values) const {
    find(name)->set(values);
    given_->insert(name);
}

void OptionTable::check_exclusive(const Values& given) const {
    for (const std::vector<std::string>& names : exclusive_) {
        std::vector<std::string> found;
        std::ranges::copy_if(names, std::back_inserter(found),
                             [&](const std::string& name) { return given.contains(name); });
        if (found.size() < 2) continue;
        throw core::ConfigError(found.front(), "found --" + found[0] + " and --" + found[1] +
                                                   ". Give only one of " + core::joined(names));
    }
}

void OptionTable::parse_text(const std::string& text, const std::string& name) const {
    std::vector<std::string> open_files{canonical_path(name)};
    parse_file(text, name, open_files);
}

void OptionTable::parse_file(const std::string& text, const std::string& name,
                             std::vector<std::string>& open_files) const {
    std::vector<std::string> known{include_key};
    for (const Option& option : options_) known.push_back(option.name);
    Values keys;
    std::map<std::string, Assignment> first;
    for (const Assignment& assignment : parse_lines(text, name)) {
        const std::string& key = assignment.key;
        const Option* option = find(key);
        if (option == nullptr && key != include_key)
            throw core::ConfigError(name + ": " + key, "unknown option" + option_advice(key, known));
        const bool is_single = option != nullptr && !option->repeatable;
        const auto [earlier, is_new] = first.try_emplace(key, assignment);
        if (is_single && !is_new) {
            throw core::ConfigError(name, key + ": found '" + earlier->second.value + "' on line " +
                                              std::to_string(earlier->second.line) + " and '" +
                                              assignment.value + "' on line " +
                                              std::to_string(assignment.line) + ": keep one of them");
        }
        try {
            const bool is_text = is_single || key == include_key;
            keys[key].push_back(is_text ? unquoted(key, assignment.value) : assignment.value);
        } catch (const core::ConfigError& error) {
            throw core::ConfigError(name, error.what());
        }
    }
    if (keys.contains("config"))
        throw core::ConfigError(name,
                                "config: not allowed in a file. Use `include = F.cfg` to read another file");
    for (const std::string& file : keys[include_key]) include(file, name, open_files);
    keys.erase(include_key);
    try {
        check_exclusive(keys);
    } catch (const core::ConfigError& error) {
        throw core::ConfigError(name, error.what());
    }
    for (const auto& [key, values] : keys) {
        try {
            set(key, values);
        } catch (const core::ConfigError& error) {
            throw core::ConfigError(name, error.what());
        }
    }
}

void OptionTable::include(const std::string& name, const std::string& including,
                          std::vector<std::string>& open_files) const {
    const std::string path = (std::filesystem::path(including).parent_path() / name).string();
    if (std::ranges::find(open_files, canonical_path(path)) != open_files.end())
        throw core::ConfigError(including, "include: found '" + name + "', which is a circular include");
    std::string text;
    try {
        text = read_text(path);
    } catch (const core::ConfigError&) {
        throw core::ConfigError(including, "include: cannot read '" + path + "'");
    }
    open_files.push_back(canonical_path(path));
    parse_file(text, path, open_files);
    open_files.pop_back();
}

std::string OptionTable::text(const std::vector<Section>& sections) const {
    std::string out;
    for (const Option& option : options_) {
        if (!option.stored || !contains(sections, option.section)) continue;
        for (const std::string& value : option.text()) {
            out += option.name + " = " + file_value(option, value) + "\n";
        }
    }
    return out;
}

// Returns a value in the form in which a configuration file has it.
std::string OptionTable::file_value(const Option& option, const std::string& value) const {
    if (value.find('\n') != std::string::npos)
        throw core::ConfigError(option.name, "found '" + value + "', which has line breaks. Remove them");
    const bool is_safe = comment_begin(option.name + " = " + value) == std::string::npos &&
                         stripped(value) == value && (option.repeatable || !value.starts_with('"'));
    if (is_safe) return value;
    if (option.repeatable)
        throw core::ConfigError(option.name,
                                "found '" + value +
                                    "', in which # would start a comment in a configuration file: put "
                                    "the label in double quotes");
    const std::string item = core::list_item(value);
    return item.starts_with('"') ? item : '"' + item + '"';
}

std::vector<std::pair<std::string, std::vector<const Option*>>> OptionTable::groups(
    const std::vector<Section>& sections) const {
    std::vector<std::pair<std::string, std::vector<const Option*>>> all;
    const auto place = [&](const Option& option) {
        const auto at = std::ranges::find(sections, option.section);
        return at != sections.end() ? at : std::ranges::find_first_of(sections, option.shared_with);
    };
    for (auto section = sections.begin(); section != sections.end(); ++section) {
        std::vector<const Option*> own;
        for (const Option& option : options_) {
            if (place(option) == section) own.push_back(&option);
        }
        if (!own.empty()) all.emplace_back(heading_of(*section), own);
    }
    return all;
}

std::string OptionTable::help(const std::vector<Section>& sections, std::size_t width) const {
    const std::size_t column = width >= 80 ? 30 : 8;
    std::string out;
    for (const auto& [heading, options] : groups(sections)) {
        out += (out.empty() ? "" : "\n") + heading + ":\n";
        for (const Option* option : options) {
            std::string left = "  " + flag_text(*option);
            left += left.size() + 2 > column ? "\n" + std::string(column, ' ')
                                             : std::string(column - left.size(), ' ');
            const std::string value = value_of(*option);
            out += left +
                   wrapped(option->help + (value.empty() ? "" : " [" + value + "]"), column, column, width) +
                   "\n";
        }
    }
    return out;
}

std::string OptionTable::markdown(const std::vector<Section>& sections) const {
    const auto cell = [](const std::string& text, bool code) {
        std::string out;
        for (const char c : text) out += c == '|' ? std::string("\\|") : std::string(1, c);
        return code && !out.empty() ? "`" + out + "`" : out;
    };
    std::string out;
    const auto all = groups(sections);
    for (const auto& [heading, options] : all) {
        if (all.size() > 1) out += (out.empty() ? "**" : "\n**") + heading + "**\n\n";
        out += "| option | meaning | default |\n|---|---|---|\n";
        for (const Option* option : options) {
            out += "| " + cell(flag_text(*option), true) + " | " + cell(option->help, false) + " | " +
                   cell(value_of(*option), true) + " |\n";
        }
    }
    return out;
}

std::string OptionTable::manual(const std::vector<Section>& sections) const {
    std::string out;
    const auto all = groups(sections);
    for (const auto& [heading, options] : all) {
        if (all.size() > 1) out += ".PP\n.I " + heading + "\n";
        for (const Option* option : options) {
            out += ".TP\n\\fB\\-\\-" + core::manual_text(option->name) + "\\fR";
            const bool is_optional = option->is_value_optional;
            if (!option->argument.empty())
                out += (is_optional ? "[=\\fI" : " \\fI") + core::manual_text(option->argument) +
                       (is_optional ? "\\fR]" : "\\fR");
            out += "\n" + core::manual_text(option->help);
            if (const std::string value = value_of(*option); !value.empty())
                out += " [" + core::manual_text(value) + "]";
            out += "\n";
        }
    }
    return out;
}

std::string OptionTable::completion_words(const std::vector<Section>& sections) const {
    std::string out;
    for (const Option& option : options_) {
        if (!accepts(sections, option)) continue;
        // A shell would complete the value as a word of its own, which an optional value cannot be.
        const bool has_value = !option.argument.empty() && !option.is_value_optional;
        const std::string word = "--" + option.name + (has_value ? "=" + option.argument : "");
        out += (out.empty() ? "'" : " '") + word + "'";
    }
    return out;
}

}  // namespace popflow::options
