// SPDX-License-Identifier: MIT
#include "models/population_flow_settings.hpp"

#include "core/error.hpp"
#include "core/parse.hpp"

namespace popflow::models {

namespace {

// Largest number of cells of a subset.
constexpr std::size_t max_subset = 1'000'000;

// Values of --source.
struct SourceChoice {
    PopulationSource source = PopulationSource::noise;
    std::size_t subset = 0;

    std::string text() const {
        if (source == PopulationSource::subset) return "subset:" + std::to_string(subset);
        return source == PopulationSource::noise ? "noise" : "control";
    }
};

SourceChoice parse_source(const std::string& text) {
    const std::size_t colon = text.find(':');
    const std::size_t index =
        core::parse_choice("source", text.substr(0, colon), {"noise", "control", "subset"});
    const auto source = static_cast<PopulationSource>(index);
    if (source == PopulationSource::subset) {
        if (colon == std::string::npos)
            throw core::ConfigError(
                "source", "found 'subset' without a number of cells. Give subset:N, for example subset:50");
        return {source, core::parse_count("source", text.substr(colon + 1), 2, max_subset)};
    }
    if (colon != std::string::npos)
        throw core::ConfigError("source",
                                "found '" + text + "'. Only subset takes a number. Give noise or control");
    return {source, 0};
}

}  // namespace

std::unique_ptr<Settings> PopulationFlowSettings::clone() const {
    return std::make_unique<PopulationFlowSettings>(*this);
}

void PopulationFlowSettings::visit(FieldVisitor& visitor) {
    visitor.text({.name = "source",
                  .help = "where the flow of bwfm and wfm starts: noise generates populations and needs no "
                          "controls, control predicts treated populations from controls, subset:N (wfm) "
                          "completes N cells to a population",
                  .is_exclusive = true,
                  .omits_default = true},
                 source, {.argument = "noise|control|subset:N", .normalise = [](const std::string& text) {
                              return parse_source(text).text();
                          }});
    visitor.choice({.name = "pairing",
                    .help = "whether bwfm and wfm know which control belongs to a treated population. With "
                            "none, --outer chooses among the controls with the same values of --pair-by",
                    .group = FieldGroup::training,
                    .is_exclusive = true,
                    .omits_default = true},
                   draws.pairing, {"none", "known"});
    visitor.choice({.name = "outer",
                    .help = "how bwfm and wfm pair source and target populations of one treatment: none at "
                            "random, batch by exact assignment within a slot, all by exact transport "
                            "between all controls and treated populations. With auto, batch for noise, "
                            "all for controls, and none for subsets",
                    .group = FieldGroup::training,
                    .is_exclusive = true,
                    .omits_default = true},
                   draws.outer, {"auto", "none", "batch", "all"});
    visitor.choice({.name = "outer-distance",
                    .help = "distance between populations in --outer of wfm. With all, source and target "
                            "populations are centred first. bwfm uses bures",
                    .methods = {"wfm"},
                    .group = FieldGroup::training,
                    .is_exclusive = true,
                    .omits_default = true},
                   draws.outer_distance, {"chamfer", "bures", "energy", "w2"});
    visitor.count({.name = "outer-cells",
                   .help = "number of random cells of each population that --outer all compares, 0 for all "
                           "cells",
                   .methods = {"wfm"},
                   .group = FieldGroup::training,
                   .omits_default = true},
                  draws.outer_cells, 0, max_subset);
    visitor.count({.name = "populations-per-slot",
                   .help = "number of populations of a slot of bwfm and wfm. A step has --batch-pairs slots",
                   .group = FieldGroup::training,
                   .omits_default = true},
                  draws.populations, 1, 4096);
    visitor.number({.name = "drop-label",
                    .help = "probability with which a step of bwfm and wfm hides the treatment of a "
                            "population, which predict --guidance needs",
                    .group = FieldGroup::training,
                    .omits_default = true},
                   draws.drop_label, 0, 1);
    visitor.number({.name = "inner-noise",
                    .help = "share b of the variance of a source cloud that wfm draws anew after its cells "
                            "were coupled: x <- m + sqrt(1 - b) (x - m) + sqrt(b) e",
                    .methods = {"wfm"},
                    .group = FieldGroup::training,
                    .is_exclusive = true,
                    .omits_default = true},
                   draws.inner_noise, 0, 1);
    visitor.number({.name = "cloud-scale",
                    .help = "wfm scales a target population by a random factor within 1 +- this number, for "
                            "each marker, about the mean of the training cells",
                    .methods = {"wfm"},
                    .group = FieldGroup::training,
                    .is_exclusive = true,
                    .omits_default = true},
                   draws.scale, 0, 0.99);
    visitor.count({.name = "cloud-mirror",
                   .help = "number of a marker (1 is the first) in which wfm mirrors half of the target "
                           "populations at the mean of the training cells, 0 for none",
                   .methods = {"wfm"},
                   .group = FieldGroup::training,
                   .is_exclusive = true,
                   .omits_default = true},
                  draws.mirror, 0, max_width);
    visitor.number({.name = "base-spread",
                    .help = "factor of the spread of the means of the noise of bwfm and wfm",
                    .omits_default = true},
                   draws.base_spread, 0, 1e6);
    visitor.count({.name = "gaussian-hidden",
                   .help = "width of the networks of bwfm",
                   .methods = {"bwfm"},
                   .omits_default = true},
                  gaussian_hidden, 1, max_width);
    visitor.count({.name = "gaussian-layers",
                   .help = "number of hidden layers of the networks of bwfm",
                   .methods = {"bwfm"},
                   .omits_default = true},
                  gaussian_layers, 1, max_layers);
    visitor.count({.name = "attention-width",
                   .help = "width of the transformer of wfm, a multiple of --attention-heads",
                   .methods = {"wfm"},
                   .omits_default = true},
                  width, 1, max_width);
    visitor.count({.name = "attention-blocks",
                   .help = "number of blocks of the transformer of wfm",
                   .methods = {"wfm"},
                   .omits_default = true},
                  blocks, 1, max_layers);
    visitor.count({.name = "attention-heads",
                   .help = "number of attention heads of the transformer of wfm",
                   .methods = {"wfm"},
                   .omits_default = true},
                  heads, 1, max_width);
    visitor.choice({.name = "attention-condition",
                    .help = "how time and treatment enter each block of the transformer of wfm: added to its "
                            "input, or as modulation, which is a scale, a shift and a gate (adaptive layer "
                            "normalisation)",
                    .methods = {"wfm"},
                    .omits_default = true},
                   condition, {"added", "modulation"});
    visitor.count({.name = "attention-frequencies",
                   .help = "number of random Fourier frequencies of a cell in the transformer of wfm",
                   .methods = {"wfm"},
                   .omits_default = true},
                  frequencies, 0, max_width);
    visitor.number({.name = "attention-scale",
                    .help = "standard deviation of the frequencies of --attention-frequencies",
                    .methods = {"wfm"},
                    .omits_default = true},
                   frequency_scale, 0, 1e3);
    visitor.count({.name = "attention-cells",
                   .help = "number of cells above which wfm predicts a control population in equal parts, "
                           "whose cells see each other",
                   .methods = {"wfm"},
                   .omits_default = true},
                  part, 2, max_subset);
}

PopulationDraws resolved_draws(const Settings& settings, PopulationForm form) {
    const auto& own = dynamic_cast<const PopulationFlowSettings&>(settings);
    const SourceChoice choice = parse_source(own.source);
    PopulationDraws draws = own.draws;
    draws.form = form;
    draws.source = choice.source;
    draws.subset = choice.subset;
    if (draws.outer != OuterCoupling::automatic) return draws;
    switch (draws.source) {
        case PopulationSource::noise:
            draws.outer = OuterCoupling::batch;
            break;
        case PopulationSource::control:
            draws.outer = OuterCoupling::all;
            break;
        case PopulationSource::subset:
            draws.outer = OuterCoupling::none;
    }
    return draws;
}

void check_draws(const PopulationDraws& draws) {
    if (draws.source == PopulationSource::control) {
        if (draws.scale > 0 || draws.mirror > 0)
            throw core::ConfigError(draws.scale > 0 ? "cloud-scale" : "cloud-mirror",
                                    "needs --source noise or subset:N: controls would not change with the "
                                    "treated populations");
        return;
    }
    const bool is_noise = draws.source == PopulationSource::noise;
    if (draws.pairing == Pairing::known)
        throw core::ConfigError(
            "pairing", std::string("known needs --source control: ") +
                           (is_noise ? "noise has no pairs" : "a subset belongs to its own population"));
    if (is_noise && draws.outer == OuterCoupling::all)
        throw core::ConfigError("outer",
                                "all needs --source control: there is no end of noise populations. "
                                "Give batch or none");
    if (!is_noise && draws.outer != OuterCoupling::none)
        throw core::ConfigError("outer",
                                "must be none with --source subset: a subset belongs to its own "
                                "population. Omit --outer");
}

}  // namespace popflow::models
