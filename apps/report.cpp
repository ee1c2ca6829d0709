// SPDX-License-Identifier: MIT
#include "report/report.hpp"

#include <cstdio>
#include <filesystem>
#include <map>
#include <optional>

#include "core/parse.hpp"
#include "core/stored_file.hpp"
#include "core/text.hpp"
#include "output_path.hpp"
#include "predict/run_model.hpp"
#include "verbs.hpp"
#include "watch.hpp"

namespace popflow::apps {

namespace {

// Returns the format of --format, or otherwise that of the extension of the output.
report::ReportFormat format(const options::RunConfig& config) {
    const auto& names = report::report_format_names();
    std::string name = config.format;
    if (name.empty()) {
        static const std::map<std::string, std::string> formats{{".txt", "text"},  {".md", "markdown"},
                                                                {".csv", "csv"},   {".tex", "latex"},
                                                                {".html", "html"}, {".htm", "html"}};
        const auto at = formats.find(std::filesystem::path(config.output).extension().string());
        if (!config.output.empty() && at == formats.end()) {
            throw core::ConfigError("output",
                                    "found '" + config.output +
                                        "', allowed a name that ends in .txt, .md, .csv, .tex or .html, or "
                                        "any name with --format");
        }
        name = config.output.empty() ? "text" : at->second;
    }
    return static_cast<report::ReportFormat>(core::parse_choice("format", name, names));
}

// Returns the result file of a run folder. A path of a file is returned unchanged.
std::string results_of(const std::string& path) {
    std::error_code ignored;
    if (!std::filesystem::is_directory(path, ignored)) return path;
    std::string file = path + "/results.h5";
    if (std::filesystem::exists(file, ignored)) return file;
    if (!predict::is_run_folder(path)) {
        throw core::ConfigError("report",
                                "found the folder '" + path +
                                    "', which is not a run folder: it has no results.h5. Give result "
                                    "files or run folders");
    }
    throw core::ConfigError(
        "report", "found the run '" + path +
                      "', which has no results.h5 yet. Create it with popflow evaluate --run " + path +
                      " --output " + file);
}

}  // namespace

int verb_report(const Arguments& arguments, const mpi::Communicator& comm) {
    options::RunConfig config;
    const options::OptionTable table = run_options(config);
    using enum options::Section;
    std::vector<std::string> files;
    const std::string usage =
        "report R.h5|RUN ... [options]\n       popflow report --watch RUN [--log-seconds 2]";
    if (parse_or_help(table, usage, arguments, {general, options::Section::report}, comm, &files))
        return done;
    if (!config.watch.empty()) {
        if (comm.is_root()) watch_run(config.watch, config.log_seconds);
        return done;
    }
    for (std::string& file : files) file = results_of(file);
    if (files.empty()) throw core::ConfigError("report", "missing, give one or more result files");
    std::optional<report::PublishedTable> published;
    if (!config.published.empty()) published = report::PublishedTable::load(config.published);
    const report::ReportFormat kind = format(config);
    std::vector<std::string> inputs = files;
    inputs.insert(inputs.end(), {config.config_file, config.published});
    check_output(config.output, "output", inputs);
    std::vector<eval::Results> results;
    for (const std::string& file : files) results.push_back(eval::read_results(file));
    if (!comm.is_root()) return done;
    const std::string text =
        report::report(results, table.effects(), kind, published ? &*published : nullptr);
    if (config.output.empty()) {
        std::printf("%s", text.c_str());
    } else {
        core::store_file(config.output, std::as_bytes(std::span(text)));
        std::printf("%s: %s of %s\n", config.output.c_str(),
                    report::report_format_names()[static_cast<std::size_t>(kind)].c_str(),
                    core::counted(results.size(), "result file").c_str());
    }
    return done;
}

}  // namespace popflow::apps
