// SPDX-License-Identifier: MIT
#include "eval/report.hpp"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>

#include "verbs.hpp"
#include "watch.hpp"

namespace popflow::apps {

namespace {

void write_text(const std::string& path, const std::string& text) {
    const std::string temporary = path + ".tmp";
    std::ofstream out(temporary);
    out << text;
    out.close();
    std::error_code error;
    if (out) std::filesystem::rename(temporary, path, error);
    if (!out || error) {
        std::filesystem::remove(temporary, error);
        throw core::ConfigError("output", "cannot write '" + path + "'");
    }
}

// As asked for, or else as the end of the output's name says.
eval::ReportFormat format(const config::RunConfig& config) {
    const auto& names = eval::report_format_names();
    std::string name = config.format;
    if (name.empty()) {
        const std::string ending = std::filesystem::path(config.output).extension();
        static const std::map<std::string, std::string> formats{
            {".md", "markdown"}, {".csv", "csv"}, {".tex", "latex"}, {".html", "html"}, {".htm", "html"}};
        const auto at = formats.find(ending);
        name = at == formats.end() ? "text" : at->second;
    }
    return static_cast<eval::ReportFormat>(config::parse_choice("format", name, names));
}

}  // namespace

int report(const Arguments& arguments, const dist::Communicator& comm) {
    config::RunConfig config;
    const config::OptionTable table = run_options(config);
    using enum config::Section;
    std::vector<std::string> files;
    const std::string usage =
        "report R.h5|RUN ... [options]\n       popflow report --watch RUN [--log-seconds 2]";
    if (parse_or_help(table, usage, arguments, {general, config::Section::report}, comm, &files)) return done;
    if (!config.watch.empty()) {
        if (comm.root()) watch_run(config.watch, config.log_seconds);
        return done;
    }
    for (std::string& file : files) {  // a run folder stands for its results
        if (std::filesystem::is_directory(file)) file += "/results.h5";
    }
    if (files.empty()) throw core::ConfigError("report", "missing; give one or more result files");
    std::optional<eval::PublishedTable> published;
    if (!config.published.empty()) published = eval::PublishedTable::load(config.published);
    std::vector<eval::Results> results;
    for (const std::string& file : files) results.push_back(eval::read_results(file));
    if (!comm.root()) return done;
    const std::string text = eval::report(results, format(config), published ? &*published : nullptr);
    if (config.output.empty()) {
        std::printf("%s", text.c_str());
    } else {
        write_text(config.output, text);
    }
    return done;
}

}  // namespace popflow::apps
