// SPDX-License-Identifier: MIT
#include "eval/result_kind.hpp"

#include <utility>

#include "core/error.hpp"
#include "h5/file.hpp"

namespace popflow::eval {

ResultKind result_kind(const std::string& path) {
    using enum ResultKind;
    constexpr std::pair<const char*, ResultKind> attributes[] = {{"popflow_results", pairs},
                                                                 {"popflow_problems", problems},
                                                                 {"popflow_sets", sets},
                                                                 {"popflow_maps", maps}};
    try {
        const h5::Group root = h5::open_file(path, {"X", "layers", "obsm", "obsp", "raw", "varm", "varp"});
        for (const auto& [name, kind] : attributes) {
            if (root.has_attribute(name)) return kind;
        }
        if (root.contains_group("uns/popflow") && root.open_group("uns/popflow").contains_dataset("space"))
            return prediction;
    } catch (const core::UserError&) {
        return unknown;
    }
    return unknown;
}

std::string kind_text(ResultKind kind) {
    switch (kind) {
        case ResultKind::pairs:
            return "scores of population pairs";
        case ResultKind::problems:
            return "transport problems";
        case ResultKind::sets:
            return "scores of generated populations";
        case ResultKind::maps:
            return "scores of maps between populations";
        case ResultKind::prediction:
            return "predicted cells";
        case ResultKind::unknown:
            break;
    }
    return "other contents";
}

}  // namespace popflow::eval
