// SPDX-License-Identifier: MIT
#include "predict/prediction_origin.hpp"

#include <map>

#include "core/error.hpp"
#include "core/text.hpp"
#include "h5/file.hpp"
#include "predict/map_predictor.hpp"

namespace popflow::predict {

namespace {

std::string text_of(const h5::Group& group, const std::string& name) {
    return group.contains_dataset(name) ? group.open_dataset(name).read_strings().at(0) : "";
}

std::uint64_t count_of(const h5::Group& group, const std::string& name) {
    return group.contains_dataset(name) ? group.open_dataset(name).read<std::uint64_t>().at(0) : 0;
}

Provenance provenance_of(const h5::Group& group) {
    Provenance provenance;
    provenance.method = text_of(group, "method");
    provenance.base = text_of(group, "base");
    provenance.seed = count_of(group, "seed");
    provenance.steps = count_of(group, "steps");
    provenance.best_step = count_of(group, "best_step");
    provenance.config = text_of(group, "config");
    provenance.data_fingerprint = text_of(group, "data_fingerprint");
    provenance.version = text_of(group, "version");
    provenance.commit = text_of(group, "commit");
    return provenance;
}

anndata::MatrixSource source_in(const std::string& config) {
    using Kind = anndata::MatrixSource::Kind;
    const std::map<std::string, std::string> values = core::key_values(config);
    if (const auto layer = values.find("layer"); layer != values.end()) return {Kind::layer, layer->second};
    if (const auto key = values.find("obsm"); key != values.end()) return {Kind::obsm, key->second};
    return {values.contains("use-raw") ? Kind::raw : Kind::x, ""};
}

}  // namespace

std::optional<PredictionOrigin> read_prediction_origin(const std::string& file) {
    const h5::Group root = h5::open_file(file, {"layers", "obsm", "obsp", "raw", "varm", "varp"});
    if (!root.contains_group("uns/popflow")) return std::nullopt;
    const h5::Group group = root.open_group("uns/popflow");
    const std::string space = text_of(group, "space");
    const std::string transform = text_of(group, "transform");
    if (space.empty() || transform.empty()) return std::nullopt;
    try {
        PredictionOrigin origin;
        origin.transform = screen::Transform::parse(transform);
        origin.space = parse_space(space, origin.transform);
        if (const std::string text = text_of(group, "size_factor"); !text.empty())
            origin.size_factor = screen::SizeFactor::parse(text);
        origin.source = source_in(text_of(group, "config"));
        origin.is_mapped_back = group.contains_dataset("latent_mean");
        origin.provenance = provenance_of(group);
        for (const char* column : {map_problem_column, "predicted_pair", "predicted_population"}) {
            if (group.contains_dataset(column)) origin.source_column = column;
        }
        return origin;
    } catch (const core::ConfigError& error) {
        throw core::DataError(file, "uns/popflow", error.what());
    }
}

void check_colours(const std::string& file, const PredictionOrigin& origin) {
    if (origin.space == Space::raw ||
        (origin.space == Space::transformed && origin.transform.kind == screen::Transform::Kind::none))
        return;
    throw core::DataError(file, "X",
                          "found " + space_name(origin.space, origin.transform) +
                              " values, which are no colours. Predict with --space raw");
}

}  // namespace popflow::predict
