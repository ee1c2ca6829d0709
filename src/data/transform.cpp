// SPDX-License-Identifier: MIT
#include <cmath>

#include "core/error.hpp"
#include "core/text.hpp"
#include "data/screen.hpp"

namespace popflow::data {

Transform Transform::parse(const std::string& text) {
    if (text == "none") return {Kind::none, 1};
    if (text == "log1p") return {Kind::log1p, 1};
    if (text == "arcsinh") return {Kind::arcsinh, 5};
    const std::string prefix = "arcsinh:";
    if (text.starts_with(prefix)) {
        const std::optional<double> cofactor = core::label_number(text.substr(prefix.size()));
        if (cofactor && *cofactor > 0) return {Kind::arcsinh, *cofactor};
    }
    throw core::ConfigError("transform",
                            "found `" + text + "`, allowed arcsinh:COFACTOR (a number above 0), log1p, none");
}

std::string Transform::text() const {
    switch (kind) {
        case Kind::arcsinh:
            return "arcsinh:" + core::number_label(cofactor);
        case Kind::log1p:
            return "log1p";
        case Kind::none:
            break;
    }
    return "none";
}

double Transform::apply(double raw) const {
    switch (kind) {
        case Kind::arcsinh:
            return std::asinh(raw / cofactor);
        case Kind::log1p:
            return std::log1p(raw);
        case Kind::none:
            break;
    }
    return raw;
}

double Transform::invert(double transformed) const {
    switch (kind) {
        case Kind::arcsinh:
            return cofactor * std::sinh(transformed);
        case Kind::log1p:
            return std::expm1(transformed);
        case Kind::none:
            break;
    }
    return transformed;
}

}  // namespace popflow::data
