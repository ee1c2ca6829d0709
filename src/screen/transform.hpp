// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>

namespace popflow::screen {

/// Elementwise transform of raw values: x -> arcsinh(x / cofactor), log(1 + x), or x.
struct Transform {
    enum class Kind { arcsinh, log1p, none };
    Kind kind = Kind::arcsinh;
    double cofactor = 5;  ///< cofactor of arcsinh, in raw counts

    /// Parses `arcsinh:5`, `arcsinh`, `log1p` or `none`. @throws ConfigError for any other text
    static Transform parse(const std::string& text);
    /// Returns the text that parse() reads.
    std::string text() const;

    /// Transforms raw values in place. Computes in double precision. The error is half a unit in the last
    /// place of a float for values of any size.
    /// @param values  raw values for which allows() is true
    void apply(std::span<float> values) const;
    /// Returns whether all values can be transformed: finite, and for log1p not negative.
    bool allows(std::span<const float> values) const;
    /// Inverts apply() for one value.
    double invert(double transformed) const;
};

}  // namespace popflow::screen
