// SPDX-License-Identifier: MIT
#include "eval/result_provenance.hpp"

#include "core/version.hpp"
#include "metrics/metric.hpp"

namespace popflow::eval {

void write_provenance(h5::Group& root, const predict::Provenance& p) {
    root.write_attribute("version", core::version());
    root.write_attribute("commit", core::commit());
    root.write_attribute("compiler", core::compiler());
    root.write_attribute("method", p.method);
    root.write_attribute("base", p.base);
    root.write_attribute("knn", p.knn);
    root.write_attribute("seed", p.seed);
    root.write_attribute("steps", p.steps);
    if (p.best_step > 0) root.write_attribute("best_step", p.best_step);
    root.write_attribute("split", p.split);
    root.write_attribute("precision", p.precision);
    root.write_attribute("config", p.config);
    root.write_attribute("data_fingerprint", p.data_fingerprint);
    root.write_attribute("ranks", p.ranks);
    root.write_attribute("threads", p.threads);
    root.write_attribute("recipe", p.recipe);
    root.write_attribute("condition", p.condition);
    if (!p.selection.empty()) root.write_attribute("selection", p.selection);
    if (p.latent == 0) return;
    root.write_attribute("latent_components", p.latent);
    root.write_attribute("latent_variance_share", p.latent_share);
    root.write_attribute("latent_metrics", metrics::names_in(metrics::Space::latent));
    root.write_attribute("marker_metrics", metrics::names_in(metrics::Space::markers));
}

predict::Provenance read_provenance(const h5::Group& root) {
    predict::Provenance p;
    p.method = root.string_attribute("method");
    p.base = root.string_attribute("base");
    p.knn = static_cast<std::size_t>(root.int_attribute("knn"));
    p.seed = static_cast<std::uint64_t>(root.int_attribute("seed"));
    p.steps = static_cast<std::uint64_t>(root.int_attribute("steps"));
    if (root.has_attribute("best_step"))
        p.best_step = static_cast<std::uint64_t>(root.int_attribute("best_step"));
    p.split = root.string_attribute("split");
    p.precision = root.string_attribute("precision");
    p.config = root.string_attribute("config");
    p.data_fingerprint = root.string_attribute("data_fingerprint");
    p.ranks = static_cast<int>(root.int_attribute("ranks"));
    p.threads = static_cast<int>(root.int_attribute("threads"));
    p.version = root.string_attribute("version");
    p.commit = root.string_attribute("commit");
    if (root.has_attribute("recipe")) p.recipe = root.string_attribute("recipe");
    if (root.has_attribute("condition")) p.condition = root.string_attribute("condition");
    if (root.has_attribute("selection")) p.selection = root.string_attribute("selection");
    if (root.has_attribute("latent_components")) {
        p.latent = static_cast<std::size_t>(root.int_attribute("latent_components"));
        p.latent_share = root.double_attribute("latent_variance_share");
    }
    return p;
}

}  // namespace popflow::eval
