// SPDX-License-Identifier: MIT
#include <cmath>
#include <cstdio>

#include "data/all_cells.hpp"
#include "eval/evaluator.hpp"
#include "verbs.hpp"

namespace popflow::apps {

int metrics(const Arguments& arguments, const dist::Communicator& comm) {
    config::RunConfig config;
    config.screen.transform.kind = data::Transform::Kind::none;
    const config::OptionTable table = run_options(config);
    const std::vector<config::Section> sections{config::Section::scores};
    const std::string usage =
        "metrics A.h5ad B.h5ad [options]\n\n"
        "All cells of A, as the prediction, against all cells of B.";
    std::vector<std::string> files;
    if (parse_or_help(table, usage, arguments, sections, comm, &files)) return done;
    if (files.size() != 2)
        throw core::ConfigError("metrics", "found " + std::to_string(files.size()) + " files, allowed 2");
    if (!comm.root()) return done;
    const data::AllCells a = data::read_all_cells(files[0], config.screen);
    config.screen.markers = a.markers;
    const data::AllCells b = data::read_all_cells(files[1], config.screen);
    const popflow::metrics::Scores scores =
        popflow::metrics::score(a.x.view(), b.x.view(), eval::selection(config.evaluate));
    std::string json;
    for (const std::string& name : config.evaluate.metrics) {
        const double value = eval::metric(scores, name);
        char text[64];
        std::snprintf(text, sizeof text, "%.9g", value);
        if (!config.json) std::printf("%s %s\n", name.c_str(), text);
        json += (json.empty() ? "\"" : ", \"") + name + "\": " + (std::isfinite(value) ? text : "null");
    }
    if (config.json) std::printf("{%s}\n", json.c_str());
    return done;
}

}  // namespace popflow::apps
