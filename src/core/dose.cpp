// SPDX-License-Identifier: MIT
#include "core/dose.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "core/text.hpp"

namespace popflow::core {

namespace {

// A unit is `multiplier / divisor` of the unit of its quantity. Both are exact, so 100 nM is the double that
// is nearest to 0.1.
struct Unit {
    Quantity quantity = Quantity::number;
    double multiplier = 1;
    double divisor = 1;
};

Unit decimal(Quantity quantity, int exponent) {
    const double scale = std::pow(10.0, std::abs(exponent));
    return exponent < 0 ? Unit{quantity, 1, scale} : Unit{quantity, scale, 1};
}

// Exponent of a metric prefix.
std::optional<int> prefix_exponent(std::string_view prefix) {
    if (prefix.empty()) return 0;
    if (prefix == "k") return 3;
    if (prefix == "c") return -2;
    if (prefix == "d") return -1;
    if (prefix == "m" || prefix == "milli") return -3;
    // u, the micro sign, the Greek letter mu
    if (prefix == "u" || prefix == "\xC2\xB5" || prefix == "\xCE\xBC" || prefix == "mc" || prefix == "micro")
        return -6;
    if (prefix == "n" || prefix == "nano") return -9;
    if (prefix == "p" || prefix == "pico") return -12;
    if (prefix == "f" || prefix == "femto") return -15;
    return std::nullopt;
}

// Exponent of a text that is a prefix and a base unit.
std::optional<int> exponent_of(std::string_view text, std::initializer_list<std::string_view> bases) {
    for (const std::string_view base : bases) {
        if (!text.ends_with(base)) continue;
        if (const auto exponent = prefix_exponent(text.substr(0, text.size() - base.size()))) return exponent;
    }
    return std::nullopt;
}

std::optional<Unit> ratio_unit(const std::string& unit) {
    const std::size_t slash = unit.find('/');
    if (slash == std::string::npos) return std::nullopt;
    const std::string_view above = std::string_view(unit).substr(0, slash);
    const std::string_view below = std::string_view(unit).substr(slash + 1);
    if (const auto volume = exponent_of(below, {"l", "L"})) {
        if (const auto amount = exponent_of(above, {"mol"}))
            return decimal(Quantity::molar, *amount - *volume + 6);
        // A gram per litre is 1000 ug/ml.
        if (const auto mass = exponent_of(above, {"g"}))
            return decimal(Quantity::mass_per_volume, *mass - *volume + 3);
        if (const auto activity = exponent_of(above, {"IU", "U"}))
            return decimal(Quantity::activity_per_volume, *activity - *volume - 3);
    }
    if (const auto body = exponent_of(below, {"g"})) {
        // A gram per gram is 1e6 mg/kg.
        if (const auto mass = exponent_of(above, {"g"}))
            return decimal(Quantity::mass_per_mass, *mass - *body + 6);
    }
    return std::nullopt;
}

// Single letters are compared as they are: `3D` is a culture, not a time.
std::optional<Unit> time_unit(const std::string& text) {
    const std::string unit = text.size() == 1 && text != "H" ? text : lower_case(text);
    const auto is_one_of = [&](std::initializer_list<std::string_view> names) {
        return std::ranges::find(names, unit) != names.end();
    };
    if (is_one_of({"s", "sec", "secs", "second", "seconds"})) return Unit{Quantity::time, 1, 3600};
    if (is_one_of({"min", "mins", "minute", "minutes"})) return Unit{Quantity::time, 1, 60};
    if (is_one_of({"h", "hr", "hrs", "hour", "hours"})) return Unit{Quantity::time, 1, 1};
    if (is_one_of({"d", "day", "days"})) return Unit{Quantity::time, 24, 1};
    if (is_one_of({"w", "wk", "wks", "week", "weeks"})) return Unit{Quantity::time, 168, 1};
    return std::nullopt;
}

std::optional<Unit> unit_of(const std::string& text) {
    if (text.empty()) return Unit{};
    if (text.ends_with("olar")) {  // micromolar, nanomolar
        const std::string word = lower_case(text);
        if (const auto exponent = exponent_of(word, {"molar"}))
            return decimal(Quantity::molar, *exponent + 6);
    }
    if (const auto exponent = exponent_of(text, {"M"})) return decimal(Quantity::molar, *exponent + 6);
    if (const auto exponent = exponent_of(text, {"Gy"})) return decimal(Quantity::radiation, *exponent);
    if (const auto unit = ratio_unit(text)) return unit;
    for (const char* percent : {"%", "percent", "%v/v", "%w/v", "%(v/v)", "%(w/v)"}) {
        if (text == percent) return Unit{Quantity::fraction, 1, 1};
    }
    return time_unit(text);
}

// Removes every blank, also the no-break spaces of UTF-8, and underscores.
std::string without_blanks(const std::string& text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text.compare(i, 2, "\xC2\xA0") == 0) {
            ++i;
        } else if (text.compare(i, 3, "\xE2\x80\xAF") == 0 || text.compare(i, 3, "\xE2\x80\x89") == 0) {
            i += 2;
        } else if (text[i] != ' ' && text[i] != '\t' && text[i] != '_') {
            out += text[i];
        }
    }
    return out;
}

// Returns the length of the number at the start of a text. An exponent needs a digit: `1e` is no number.
std::size_t number_length(const std::string& text) {
    const auto digits = [&](std::size_t i) {
        while (i < text.size() && text[i] >= '0' && text[i] <= '9') ++i;
        return i;
    };
    std::size_t end = digits(text.starts_with('+') || text.starts_with('-') ? 1 : 0);
    if (end < text.size() && (text[end] == '.' || text[end] == ',')) end = digits(end + 1);
    if (end == 0 || end >= text.size() || (text[end] != 'e' && text[end] != 'E')) return end;
    const std::size_t sign = end + 1 < text.size() && (text[end + 1] == '-' || text[end + 1] == '+') ? 1 : 0;
    const std::size_t exponent_end = digits(end + 1 + sign);
    return exponent_end > end + 1 + sign ? exponent_end : end;
}

// Whether the comma of a number may separate thousands: 1,000 or 12,500.
bool may_be_thousands(const std::string& number) {
    const std::size_t comma = number.find(',');
    return comma != std::string::npos && comma > 0 && comma <= 3 && number[0] != '0' &&
           number.size() == comma + 4;
}

}  // namespace

const char* unit_name(Quantity quantity) {
    switch (quantity) {
        case Quantity::molar:
            return "uM";
        case Quantity::mass_per_volume:
            return "ug/ml";
        case Quantity::activity_per_volume:
            return "U/ml";
        case Quantity::mass_per_mass:
            return "mg/kg";
        case Quantity::fraction:
            return "%";
        case Quantity::radiation:
            return "Gy";
        case Quantity::time:
            return "h";
        case Quantity::number:
            break;
    }
    return "";
}

std::optional<Dose> parse_dose(const std::string& label) {
    if (const auto number = label_number(label)) return Dose{*number, Quantity::number};
    const std::string text = label.substr(std::min(label.find_first_not_of(" \t"), label.size()));
    const std::size_t length = number_length(text);
    std::string number = text.substr(0, length);
    if (number.empty() || may_be_thousands(number)) return std::nullopt;
    std::ranges::replace(number, ',', '.');
    if (number.starts_with('+')) number.erase(0, 1);
    const auto value = label_number(number);
    const auto unit = unit_of(without_blanks(text.substr(length)));
    if (!value || !unit) return std::nullopt;
    return Dose{*value * unit->multiplier / unit->divisor, unit->quantity};
}

std::string plain_dose(const std::string& label) {
    const auto dose = parse_dose(label);
    return dose ? number_label(dose->value) : label;
}

const char* known_units() {
    return "M, mM, uM, nM, pM, mol/l, g/l, mg/ml, ug/ml, ng/ml, U/ml, mg/kg, %, Gy, s, min, h, d, weeks";
}

}  // namespace popflow::core
