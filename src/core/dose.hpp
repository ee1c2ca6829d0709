// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>

namespace popflow::core {

/// Quantity that a dose measures. Doses of one quantity can be converted into each other.
enum class Quantity {
    number,
    molar,
    mass_per_volume,
    activity_per_volume,
    mass_per_mass,
    fraction,
    radiation,
    time
};

/// A dose label, read as a number.
struct Dose {
    double value = 0;  ///< in unit_name(quantity)
    Quantity quantity = Quantity::number;
};

/// Unit in which the values of a quantity are given: uM, ug/ml, U/ml, mg/kg, %, Gy or h. Empty for a plain
/// number.
const char* unit_name(Quantity quantity);

/// Reads a label such as `10`, `10 uM`, `10µM`, `1e-6 M`, `0,5 mg/ml`, `6h`, `30 min` or `1 d`, and converts
/// it to unit_name(). Returns nullopt for any other text, and for `1,000 nM`, whose comma may separate
/// thousands.
std::optional<Dose> parse_dose(const std::string& label);

/// Normalises a dose label: a number, or a number with a unit, becomes the number_label() of its value. Other
/// labels are unchanged.
std::string plain_dose(const std::string& label);

/// Units that parse_dose() reads, for messages.
const char* known_units();

}  // namespace popflow::core
