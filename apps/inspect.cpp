// SPDX-License-Identifier: MIT
#include <cstdio>

#include "data/inspection.hpp"
#include "verbs.hpp"

namespace popflow::apps {

int inspect(const Arguments& arguments, const dist::Communicator& comm) {
    config::RunConfig config;
    config.split.clear();  // shown only if asked for
    const config::OptionTable table = run_options(config);
    using enum config::Section;
    const std::vector<config::Section> sections{general, config::Section::data, split,
                                                config::Section::report};
    if (parse_or_help(table, "inspect --data F.h5ad [--split S] [--json]", arguments, sections, comm))
        return done;
    require(config.data, "data", "F.h5ad");
    if (!comm.root()) return done;
    const data::Screen screen = data::open_screen(config.data, config.screen);
    data::Split split_parts;
    if (!config.split.empty()) split_parts = data::make_split(screen, config.split, config.split_seed);
    const data::Split* shown = config.split.empty() ? nullptr : &split_parts;
    const std::string text =
        config.json ? inspection_json(screen, shown) + "\n" : inspection_text(screen, shown);
    std::fputs(text.c_str(), stdout);
    return done;
}

}  // namespace popflow::apps
