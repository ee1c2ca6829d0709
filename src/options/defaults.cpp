// SPDX-License-Identifier: MIT
#include "options/defaults.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/error.hpp"
#include "core/join.hpp"
#include "core/text.hpp"
#include "eval/set_comparison.hpp"
#include "models/families.hpp"

namespace popflow::options {

namespace {

using models::OptionValues;

const OptionValues& recipe_defaults(models::Recipe recipe) {
    static const OptionValues none;
    static const OptionValues paper{{"batch-pairs", "1"},  {"rate", "1e-4"},      {"schedule", "constant"},
                                    {"warmup-steps", "0"}, {"clip-norm", "0"},    {"ema-decay", "0"},
                                    {"precision", "fp32"}, {"eval-draw", "first"}};
    return recipe == models::Recipe::paper ? paper : none;
}

// Throws: the method does not use the value, so the stored configuration would be wrong.
[[noreturn]] void refuse(const std::string& option, const std::string& value, const std::string& allowed,
                         const RunConfig& config) {
    throw core::ConfigError(option, "found '" + value + "', but method " + config.method->name() +
                                        " takes only " + allowed + ". Omit --" + option);
}

// Checks the settings that only some methods have.
void check_exclusive_settings(const RunConfig& config) {
    for (const models::Family* owner : models::SettingsSet::owners()) {
        for (const models::FieldDescription& description : models::describe(config.settings.of(*owner))) {
            const models::Field& field = description.field;
            if (!field.is_exclusive || models::uses_setting(config.method->name(), field.name)) continue;
            const std::string allowed = models::field_text(*owner->make_settings(), field.name);
            const std::string found = models::text_of(description.value);
            if (found != allowed) refuse(field.name, found, allowed, config);
        }
    }
}

// Checks that no setting is changed that has no effect because of another one.
void check_unused_settings(const RunConfig& config) {
    const models::Settings& settings = config.method_settings();
    const auto defaults = config.method->make_settings();
    for (const auto& [name, reason] : config.method->unused_settings(settings)) {
        const std::string found = models::field_text(settings, name);
        if (found != models::field_text(*defaults, name))
            throw core::ConfigError(
                name, "found '" + found + "', which has no effect with " + reason + ". Omit --" + name);
    }
}

// Checks that the control populations are those of the data if the context is computed from them once.
void check_encoder(const RunConfig& config) {
    const models::EncoderChoice encoder = config.method->fixed_encoder(config.method_settings());
    if (encoder.kind == nullptr || !config.sampling.augmentation.any()) return;
    throw core::ConfigError("augment", "found '" + config.sampling.augmentation.text() +
                                           "', which changes the control populations, but --encoder " +
                                           encoder.kind->name() +
                                           " describes those of the data. Omit --augment, or use "
                                           "--encoder learned");
}

// Checks that the start options fit the method.
void check_start(const RunConfig& config) {
    if (config.start.is_trivial()) return;
    const std::string option = config.start.kind != models::StartKind::none ? "start-map"
                               : config.start.shrinkage != 1                ? "shrinkage"
                                                                            : "guard";
    const std::string& method = config.method->name();
    const auto has = [&](const char* setting, const char* value) {
        return models::uses_setting(method, setting) &&
               models::field_text(config.method_settings(), setting) == value;
    };
    if (has("base", "gaussian"))
        throw core::ConfigError(option, "needs --base source, since noise has no start");
    if (has("icnn-start", "uniform"))
        throw core::ConfigError(option,
                                "needs --icnn-start identity, so that the untrained model predicts the "
                                "start");
}

// Checks that nothing is set that --method auto chooses.
void check_selection(const RunConfig& config, const OptionTable& table) {
    if (!config.selects_method) return;
    if (config.recipe != models::Recipe::popflow)
        throw core::ConfigError("recipe", "found 'paper', which --method auto cannot follow. Name a method");
    for (const char* option : {"start-map", "shrink-to", "shrinkage", "guard"}) {
        if (table.is_given(option))
            throw core::ConfigError(
                option, "is chosen by --method auto. Omit --" + std::string(option) + ", or name a method");
    }
    if (const models::EncoderChoice encoder = config.method->fixed_encoder(config.method_settings());
        encoder.kind != nullptr)
        throw core::ConfigError("encoder", "found '" + encoder.text() +
                                               "', which --method auto does not try. Omit --encoder, or give "
                                               "--method mfm");
}

void check_validation(const RunConfig& config) {
    const models::ItemKind items = config.method->items(config.method_settings());
    const bool has_pairs = items == models::ItemKind::pairs ||
                           (items == models::ItemKind::populations &&
                            !config.method->population_draws(config.method_settings()).is_unpaired());
    if (config.validation_units > 0 && !has_pairs) {
        throw core::ConfigError("validation",
                                fmt::format("found {}, but method {} does not train on pairs of "
                                            "populations. Omit --validation",
                                            config.validation_units, config.method->name()));
    }
    if (config.validates && has_pairs) return;
    const std::string problem =
        has_pairs
            ? "needs a validation. Omit --validation none, or give --validation N"
            : "needs a method that trains on pairs of populations. The method is " + config.method->name();
    if (config.keeps_best()) throw core::ConfigError("keep", "found best, which " + problem);
    if (config.patience > 0)
        throw core::ConfigError("patience", fmt::format("found {}, which {}", config.patience, problem));
}

// Checks that scores of sets are asked for only where there are sets.
void check_set_metrics(const RunConfig& config) {
    if (!config.problems.populations.columns.empty()) return;
    for (const std::string& name : eval::set_metric_names()) {
        if (std::ranges::find(config.evaluate.metrics, name) != config.evaluate.metrics.end())
            throw core::ConfigError("metrics",
                                    "found '" + name +
                                        "', which compares sets of populations. Use popflow metrics "
                                        "A.h5ad B.h5ad --population COLUMN");
    }
}

void check_combinations(const RunConfig& config, const OptionTable& table) {
    check_set_metrics(config);
    check_selection(config, table);
    check_exclusive_settings(config);
    check_unused_settings(config);
    check_encoder(config);
    check_validation(config);
    for (const auto& [option, allowed] : config.method->fixed(config.method_settings())) {
        const std::vector<std::string> found = table.values(option);
        const std::string text = core::joined(found, found.size());
        if (text != allowed) refuse(option, text, allowed, config);
    }
    if (config.sampling.coupling_scope == train::CouplingScope::condition &&
        !train::uses_optimal_transport(config.sampling.coupling)) {
        throw core::ConfigError("coupling-scope", "found 'condition', which needs --coupling ot or rows-ot");
    }
    if (config.sampling.entropic.rho > 0 && config.sampling.coupling != train::Coupling::entropic)
        throw core::ConfigError("coupling-rho",
                                "found '" + core::number_label(config.sampling.entropic.rho) +
                                    "', which needs --coupling entropic. Give both, or omit --coupling-rho");
    check_start(config);
}

}  // namespace

void add_default_notes(OptionTable& table) {
    // Methods and recipes with this default, and methods that have it with recipe paper or on small screens
    // alone.
    struct Owners {
        std::vector<std::string> always;
        std::vector<std::string> with_paper;
        std::vector<std::string> on_small_screens;
    };
    std::map<std::string, std::map<std::string, Owners>> owners;  // by option and value
    const auto collect = [&](const OptionValues& values, const std::string& owner,
                             std::vector<std::string> Owners::*names, const OptionValues& known) {
        for (const auto& value : values) {
            const bool is_known = std::ranges::find(known, value) != known.end();
            if (!is_known && table.initial(value.first) != std::vector{value.second})
                (owners[value.first][value.second].*names).push_back(owner);
        }
    };
    for (const models::Family* family : models::families()) {
        const auto settings = family->make_settings();
        const OptionValues own = family->defaults(models::Recipe::popflow, *settings);
        collect(own, family->name(), &Owners::always, {});
        collect(family->defaults(models::Recipe::paper, *settings), family->name(), &Owners::with_paper, own);
        collect(family->small_screen_defaults(*settings), family->name(), &Owners::on_small_screens, {});
    }
    collect(recipe_defaults(models::Recipe::paper), "recipe paper", &Owners::always, {});
    for (const auto& [option, values] : owners) {
        std::string note;
        for (const auto& [value, names] : values) {
            std::vector<std::string> all = names.always;
            if (!names.with_paper.empty())
                all.push_back(core::and_joined(names.with_paper) + " with recipe paper");
            if (!names.on_small_screens.empty())
                all.push_back(fmt::format("{} with fewer than {} pairs",
                                          core::and_joined(names.on_small_screens),
                                          models::small_screen_pairs));
            note += (note.empty() ? "" : ", ") + core::and_joined(all) + ": " + value;
        }
        table.append_help(option, " (" + note + ")");
    }
}

OptionValues apply_screen_defaults(const RunConfig& config, const OptionTable& table, std::size_t pairs) {
    if (pairs >= models::small_screen_pairs || config.selects_method ||
        config.recipe != models::Recipe::popflow)
        return {};
    OptionValues values = config.method->small_screen_defaults(config.method_settings());
    std::erase_if(values, [&](const auto& value) { return table.is_given(value.first); });
    for (const auto& [option, value] : values) table.set_default(option, {value});
    check_combinations(config, table);
    return values;
}

void apply_defaults(const RunConfig& config, const OptionTable& table, const std::set<std::string>& given,
                    std::set<std::string>& changed) {
    for (const std::string& option : changed) {
        if (!given.contains(option)) table.set_default(option, table.initial(option));
    }
    const auto apply = [&](const OptionValues& values) {
        for (const auto& [option, value] : values) {
            if (given.contains(option)) continue;
            table.set_default(option, {value});
            changed.insert(option);
        }
    };
    apply(recipe_defaults(config.recipe));
    apply(config.method->defaults(config.recipe, config.method_settings()));
    check_combinations(config, table);
}

}  // namespace popflow::options
