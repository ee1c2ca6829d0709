// SPDX-License-Identifier: MIT
#include <cstdio>

#include "core/text.hpp"
#include "data/inspection.hpp"
#include "verbs.hpp"

namespace popflow::apps {

namespace {

void print(const config::RunConfig& config, const data::Screen& screen, const data::Split* split) {
    const std::string text =
        config.json ? inspection_json(screen, split) + "\n" : inspection_text(screen, split);
    std::fputs(text.c_str(), stdout);
}

}  // namespace

int inspect(const Arguments& arguments, const dist::Communicator& comm) {
    config::RunConfig config;
    config.split.clear();  // shown only if asked for
    const config::OptionTable table = run_options(config);
    const std::vector<config::Section> sections{config::Section::inspect, config::Section::data,
                                                config::Section::split};
    std::vector<std::string> files;
    if (parse_or_help(table, "inspect F.h5ad [--split S] [--json] [options]", arguments, sections, comm,
                      &files))
        return done;
    if (!files.empty() && !config.data.empty()) files.push_back(config.data);
    if (files.size() > 1)
        throw core::ConfigError("inspect", "found " + core::counted(files.size(), "file") + ", allowed 1");
    if (!files.empty()) config.data = files.front();
    require(config.data, "data", "F.h5ad");
    if (!comm.root()) return done;
    const data::Screen screen = data::open_screen(config.data, config.screen);
    if (config.split.empty()) {
        print(config, screen, nullptr);
        return done;
    }
    try {
        const data::Split split = data::make_split(screen, config.split, config.split_seed);
        print(config, screen, &split);
    } catch (const core::UserError&) {
        // What is in the file shows why it cannot be split so.
        if (!config.json) print(config, screen, nullptr);
        std::fflush(stdout);
        throw;
    }
    return done;
}

}  // namespace popflow::apps
