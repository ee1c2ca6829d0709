// SPDX-License-Identifier: MIT
#include "screen/size_factor.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

namespace popflow::screen {

SizeFactor SizeFactor::parse(const std::string& text) {
    if (text == "none") return {};
    if (text == "total") return {Kind::total, default_target};
    if (text == "median") return {Kind::median, 0};
    for (const auto& [prefix, kind] :
         {std::pair{"total:", Kind::total}, std::pair{"median:", Kind::median}}) {
        if (!text.starts_with(prefix)) continue;
        const std::optional<double> target = core::label_number(text.substr(std::string(prefix).size()));
        if (target && *target > 0) return {kind, *target};
    }
    throw core::ConfigError("size-factor", "found `" + text +
                                               "`. Give total, median, none, or total:TARGET with a number "
                                               "above 0");
}

std::string SizeFactor::text() const {
    switch (kind) {
        case Kind::total:
            return target == default_target ? "total" : "total:" + core::number_label(target);
        case Kind::median:
            return has_target() ? "median:" + core::number_label(target) : "median";
        case Kind::none:
            break;
    }
    return "none";
}

void SizeFactor::apply(double total, std::span<float> cell) const {
    if (!is_set()) return;
    const double factor = target / (total > 0 ? total : 1);
    for (float& value : cell) value = static_cast<float>(static_cast<double>(value) * factor);
}

}  // namespace popflow::screen
