// SPDX-License-Identifier: MIT
#include <algorithm>

#include "config/option_table.hpp"
#include "core/text.hpp"

namespace popflow::config {

namespace {

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
        case Section::scores:
            return "Comparison";
        case Section::general:
        case Section::inspect:
            break;
    }
    return "General";
}

// Words from `column` on to the width of a line; later lines are indented.
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

std::string value_of(const Option& option) {
    if (option.argument.empty()) return "";
    const std::vector<std::string> values = option.text();
    return core::joined(values, values.size());
}

}  // namespace

std::vector<std::pair<std::string, std::vector<const Option*>>> OptionTable::groups(
    const std::vector<Section>& sections) const {
    std::vector<std::pair<std::string, std::vector<const Option*>>> all;
    const auto place = [&](const Option& option) {
        const auto at = std::ranges::find(sections, option.section);
        return at != sections.end() ? at : std::ranges::find_first_of(sections, option.also);
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
            std::string left =
                "  --" + option->name + (option->argument.empty() ? "" : " " + option->argument);
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
            const std::string name =
                "--" + option->name + (option->argument.empty() ? "" : " " + option->argument);
            out += "| " + cell(name, true) + " | " + cell(option->help, false) + " | " +
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
            if (!option->argument.empty()) out += " \\fI" + core::manual_text(option->argument) + "\\fR";
            out += "\n" + core::manual_text(option->help);
            if (const std::string value = value_of(*option); !value.empty())
                out += " [" + core::manual_text(value) + "]";
            out += "\n";
        }
    }
    return out;
}

std::string OptionTable::words(const std::vector<Section>& sections) const {
    std::string out;
    for (const Option& option : options_) {
        if (!takes(sections, option)) continue;
        const std::string word = "--" + option.name + (option.argument.empty() ? "" : "=" + option.argument);
        out += (out.empty() ? "'" : " '") + word + "'";
    }
    return out;
}

}  // namespace popflow::config
