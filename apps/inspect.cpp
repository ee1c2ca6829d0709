// SPDX-License-Identifier: MIT
#include <cstdio>

#include "core/text.hpp"
#include "inspect/inspection_json.hpp"
#include "inspect/inspection_text.hpp"
#include "screen/value_notes.hpp"
#include "verbs.hpp"

namespace popflow::apps {

namespace {

void print(const options::RunConfig& config, const screen::Screen& screen, const screen::Split* split) {
    const std::vector<std::string> notes = screen::value_notes(screen);
    const std::string text = config.json ? inspect::inspection_json(screen, split, notes) + "\n"
                                         : inspect::inspection_text(screen, split, notes);
    std::fputs(text.c_str(), stdout);
}

}  // namespace

int verb_inspect(const Arguments& arguments, const mpi::Communicator& comm) {
    options::RunConfig config;
    config.split.clear();  // the split is printed only if --split is given
    const options::OptionTable table = run_options(config);
    const std::vector<options::Section> sections{options::Section::inspect, options::Section::data,
                                                 options::Section::split};
    std::vector<std::string> files;
    if (parse_or_help(table, "inspect F.h5ad [--split S] [--json] [options]", arguments, sections, comm,
                      &files))
        return done;
    if (!files.empty() && !config.data.empty()) files.push_back(config.data);
    if (files.size() > 1)
        throw core::ConfigError("inspect",
                                "found " + core::counted(files.size(), "file") + ". Give one data file");
    if (!files.empty()) config.data = files.front();
    require(config.data, "data", "F.h5ad");
    if (!comm.is_root()) return done;
    const screen::Screen screen = screen::open_screen(config.data, config.screen);
    if (config.split.empty()) {
        print(config, screen, nullptr);
        return done;
    }
    try {
        const screen::Split split = screen::make_split(screen, config.split, config.split_seed);
        print(config, screen, &split);
    } catch (const core::UserError&) {
        // The tables show why the file cannot be split in this way.
        if (!config.json) print(config, screen, nullptr);
        std::fflush(stdout);
        throw;
    }
    return done;
}

}  // namespace popflow::apps
