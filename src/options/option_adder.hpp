// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "core/label_list.hpp"
#include "core/parse.hpp"
#include "core/text.hpp"
#include "options/option_table.hpp"

namespace popflow::options {

/// Returns the choices of an option as `a|b|c`.
inline std::string list_choice(const std::vector<std::string>& allowed) {
    std::string text;
    for (const std::string& a : allowed) text += (text.empty() ? "" : "|") + a;
    return text;
}

/// Adds options to one section of a table. Each option refers to a field of the configuration, which must
/// outlive the table.
class OptionAdder {
  public:
    using Strings = std::vector<std::string>;
    static constexpr bool stored = true;
    static constexpr bool repeatable = true;

    OptionAdder(OptionTable& table, Section section, core::OptionEffect effect = {})
        : table_(table), section_(section), effect_(std::move(effect)) {}

    void text(const std::string& name, std::string& field, const std::string& argument,
              const std::string& help, bool is_stored = true) {
        add(
            name, argument, help, [&field](const Strings& v) { field = v.back(); },
            [&field] { return field.empty() ? Strings{} : Strings{field}; }, is_stored);
    }
    template <class Count>
    void count(const std::string& name, Count& field, std::uint64_t min, const std::string& help,
               std::uint64_t max = std::numeric_limits<std::int64_t>::max()) {
        add(
            name, "N", help,
            [&field, name, min, max](const Strings& v) {
                field = static_cast<Count>(core::parse_count(name, v.back(), min, max));
            },
            [&field] { return Strings{std::to_string(field)}; });
    }
    void number(const std::string& name, double& field, double min, double max, const std::string& help) {
        add(
            name, "X", help,
            [&field, name, min, max](const Strings& v) {
                field = core::parse_number(name, v.back(), min, max);
            },
            [&field] { return Strings{core::number_label(field)}; });
    }
    template <class Enum>
    void choice(const std::string& name, Enum& field, const Strings& allowed, const std::string& help) {
        add(
            name, list_choice(allowed), help,
            [&field, name, allowed](const Strings& v) {
                field = static_cast<Enum>(core::parse_choice(name, v.back(), allowed));
            },
            [&field, allowed] { return Strings{allowed[static_cast<std::size_t>(field)]}; });
    }
    /// Adds a list of labels, which may be in double quotes.
    void labels(const std::string& name, Strings& field, const std::string& argument,
                const std::string& help) {
        list(name, field, argument, help + comma_help);
    }
    void list(const std::string& name, Strings& field, const std::string& argument, const std::string& help) {
        add(
            name, argument, help,
            [&field, name](const Strings& v) {
                field.clear();
                for (const std::string& one : v) {
                    for (std::string& item : core::split_list(name, one)) field.push_back(std::move(item));
                }
            },
            [&field] { return field.empty() ? Strings{} : Strings{core::list_text(field)}; }, stored,
            repeatable);
    }
    void toggle(const std::string& name, bool& field, const std::string& help) {
        add(
            name, "", help,
            [&field, name](const Strings& v) {
                field = core::parse_choice(name, v.back(), {"false", "true"}) == 1;
            },
            [&field] { return Strings{field ? "true" : "false"}; }, false);
    }
    void add(const std::string& name, const std::string& argument, const std::string& help,
             std::function<void(const Strings&)> set, std::function<Strings()> text, bool is_stored = true,
             bool is_repeatable = false) {
        table_.add({name, section_, argument, help, std::move(set), std::move(text), is_stored, effect_,
                    is_repeatable});
    }

  private:
    OptionTable& table_;
    Section section_;
    core::OptionEffect effect_;
};

}  // namespace popflow::options
