// SPDX-License-Identifier: MIT
#include "predict/prediction_space.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/text.hpp"

namespace popflow::predict {

using Kind = screen::Transform::Kind;

const std::vector<std::string>& space_names() {
    static const std::vector<std::string> names{"raw", "arcsinh", "transformed", "normalised"};
    return names;
}

Space parse_space(const std::string& name, const screen::Transform& transform) {
    const bool known = std::ranges::find(space_names(), name) != space_names().end();
    if (!known || (name == "arcsinh" && transform.kind != Kind::arcsinh)) {
        throw core::ConfigError("space", "found '" + name + "'" +
                                             (known ? ", but the transform is " + transform.text() +
                                                          ". Give raw, transformed or normalised"
                                                    : ". Give raw, arcsinh, transformed or normalised"));
    }
    if (name == "raw") return Space::raw;
    return name == "normalised" ? Space::normalised : Space::transformed;
}

std::string space_name(Space space, const screen::Transform& transform) {
    if (space == Space::raw) return "raw";
    if (space == Space::normalised) return "normalised";
    return transform.kind == Kind::arcsinh ? "arcsinh" : "transformed";
}

void to_space(Space space, const screen::Normalisation& normalisation, const screen::Transform& transform,
              linalg::MatrixView<float> x) {
    if (space == Space::normalised) return;
    normalisation.invert(x);
    if (space == Space::transformed || transform.kind == Kind::none) return;
    for (std::size_t i = 0; i < x.rows; ++i) {
        for (float& value : x.row_span(i))
            value = static_cast<float>(transform.invert(static_cast<double>(value)));
    }
}

}  // namespace popflow::predict
