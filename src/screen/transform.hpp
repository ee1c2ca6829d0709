// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>

namespace popflow::screen {

/// x -> arcsinh(x / cofactor), log(1 + x), or x.
struct Transform {
    enum class Kind { arcsinh, log1p, none };
    Kind kind = Kind::arcsinh;
    double cofactor = 5;  ///< raw counts

    /// Reads `arcsinh:5`, `arcsinh`, `log1p` or `none`. @throws ConfigError
    static Transform parse(const std::string& text);
    std::string text() const;

    /// Of raw values in place, computed in double: half a unit in the last place of a float, whatever the
    /// size of the value. @param values  those that allows() has nothing against
    void apply(std::span<float> values) const;
    /// Whether all values can be transformed: finite, and for log1p not negative.
    bool allows(std::span<const float> values) const;
    /// The inverse of apply().
    double invert(double transformed) const;
};

}  // namespace popflow::screen
