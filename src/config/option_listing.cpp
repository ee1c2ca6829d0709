// SPDX-License-Identifier: MIT
#include <sstream>

#include "config/option_table.hpp"
#include "core/text.hpp"

namespace popflow::config {

std::string OptionTable::help(const std::vector<Section>& sections) const {
    std::ostringstream out;
    for (const Option& option : options_) {
        if (!takes(sections, option)) continue;
        std::string left = "  --" + option.name + (option.argument.empty() ? "" : " " + option.argument);
        std::string value;
        for (const std::string& v : option.text()) value += (value.empty() ? "" : " ") + v;
        constexpr std::size_t column = 34;
        left = left.size() + 2 > column ? left + "\n" + std::string(column, ' ')
                                        : left + std::string(column - left.size(), ' ');
        out << left << option.help;
        if (!option.argument.empty() && !value.empty()) out << " [" << value << "]";
        out << "\n";
    }
    return out.str();
}

std::string OptionTable::markdown(const std::vector<Section>& sections) const {
    const auto cell = [](const std::string& text, bool code) {
        std::string out;
        for (const char c : text) out += c == '|' ? std::string("\\|") : std::string(1, c);
        return code && !out.empty() ? "`" + out + "`" : out;
    };
    std::string out = "| option | meaning | default |\n|---|---|---|\n";
    for (const Option& option : options_) {
        if (!takes(sections, option)) continue;
        std::string value;
        if (!option.argument.empty()) value = core::joined(option.text(), option.text().size());
        const std::string name = "--" + option.name + (option.argument.empty() ? "" : " " + option.argument);
        out +=
            "| " + cell(name, true) + " | " + cell(option.help, false) + " | " + cell(value, true) + " |\n";
    }
    return out;
}

std::string OptionTable::manual(const std::vector<Section>& sections) const {
    std::string out;
    for (const Option& option : options_) {
        if (!takes(sections, option)) continue;
        out += ".TP\n\\fB\\-\\-" + core::manual_text(option.name) + "\\fR";
        if (!option.argument.empty()) out += " \\fI" + core::manual_text(option.argument) + "\\fR";
        out += "\n" + core::manual_text(option.help);
        const std::vector<std::string> values = option.text();
        const std::string value = core::joined(values, values.size());
        if (!option.argument.empty() && !value.empty()) out += " [" + core::manual_text(value) + "]";
        out += "\n";
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
