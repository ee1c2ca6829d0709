// SPDX-License-Identifier: MIT
#include "models/fixed_encoders.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "core/error.hpp"
#include "core/parse.hpp"
#include "models/kernel_pca_encoder.hpp"
#include "models/model.hpp"
#include "models/moments_encoder.hpp"

namespace popflow::models {

std::span<const FixedEncoderKind* const> fixed_encoders() {
    // clang-format off
    static const std::array all{
        moments_encoder(),
        kernel_pca_encoder(),
    };
    // clang-format on
    return all;
}

std::string EncoderChoice::text() const {
    if (kind == nullptr) return learned_encoder;
    return components == 0 ? kind->name() : kind->name() + ":" + std::to_string(components);
}

std::string encoder_forms() {
    std::string forms = learned_encoder;
    for (const FixedEncoderKind* kind : fixed_encoders())
        forms += "|" + kind->name() + (kind->default_components() > 0 ? "[:N]" : "");
    return forms;
}

std::string encoder_summaries() {
    std::string summaries;
    for (const FixedEncoderKind* kind : fixed_encoders())
        summaries += (summaries.empty() ? "" : ". ") + kind->name() + ": " + kind->summary();
    return summaries;
}

EncoderChoice parse_encoder(const std::string& text) {
    const std::size_t colon = text.find(':');
    const std::string name = text.substr(0, colon);
    std::vector<std::string> names{learned_encoder};
    for (const FixedEncoderKind* kind : fixed_encoders()) names.push_back(kind->name());
    const std::size_t index = core::parse_choice("encoder", name, names);
    EncoderChoice choice;
    if (index > 0) choice.kind = fixed_encoders()[index - 1];
    choice.components = choice.kind == nullptr ? 0 : choice.kind->default_components();
    if (colon == std::string::npos) return choice;
    if (choice.components == 0)
        throw core::ConfigError("encoder",
                                "found '" + text + "', but " + name + " takes no number. Give " + name);
    choice.components = core::parse_count("encoder", text.substr(colon + 1), 1, max_width);
    return choice;
}

}  // namespace popflow::models
