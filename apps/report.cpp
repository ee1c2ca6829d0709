// SPDX-License-Identifier: MIT
#include "report/report.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/parse.hpp"
#include "core/stored_file.hpp"
#include "core/text.hpp"
#include "eval/result_kind.hpp"
#include "output_path.hpp"
#include "prediction_data.hpp"
#include "report/figure.hpp"
#include "report/figure_file.hpp"
#include "report/grouping.hpp"
#include "report/image_report.hpp"
#include "report/map_report.hpp"
#include "report/problem_figures.hpp"
#include "report/problem_report.hpp"
#include "report/report_figures.hpp"
#include "report/result_files.hpp"
#include "report/set_report.hpp"
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
        const std::string extension = std::filesystem::path(config.output).extension().string();
        const auto at = formats.find(extension);
        if (!config.output.empty() && at == formats.end()) {
            const auto& pictures = report::figure_format_names();
            const bool is_picture =
                !extension.empty() && std::ranges::find(pictures, extension.substr(1)) != pictures.end();
            throw core::ConfigError(
                "output",
                "found '" + config.output + "'. " +
                    (is_picture ? "A report is text, Markdown, CSV, LaTeX or HTML. For its figures as " +
                                      extension.substr(1) +
                                      " files give --figures FOLDER "
                                      "--figure-format " +
                                      extension.substr(1)
                                : "Give a name that ends in .txt, .md, .csv, .tex or .html, or name the "
                                  "format with --format"));
        }
        name = config.output.empty() ? "text" : at->second;
    }
    return static_cast<report::ReportFormat>(core::parse_choice("format", name, names));
}

using NamedFigures = std::vector<std::pair<std::string, report::Figure>>;

// Writes every figure to a file of its own. Returns a line that counts them.
std::string write_figures(const options::RunConfig& config, const NamedFigures& figures,
                          const std::vector<std::string>& inputs) {
    const std::string extension =
        "." + report::figure_format_names()[static_cast<std::size_t>(config.figure_format)];
    std::error_code error;
    std::filesystem::create_directories(config.figures, error);
    if (error)
        throw core::ConfigError("figures",
                                "cannot create the folder '" + config.figures + "': " + error.message());
    for (const auto& [name, figure] : figures) {
        const std::string path = (std::filesystem::path(config.figures) / (name + extension)).string();
        check_output(path, "figures", inputs);
        const std::string text = report::convert_figure(report::figure_svg(figure), config.figure_format);
        core::store_file(path, std::as_bytes(std::span(text)));
    }
    return config.figures + ": " + core::counted(figures.size(), "figure") + " (*" + extension + ")\n";
}

// Report of some result files.
struct Report {
    std::string text;
    NamedFigures figures{};  ///< empty unless --figures is given
};

// Result files of a report, all of one kind.
class ReportInputs {
  public:
    // Reads the files. Predictions are read by make(), since their images need not fit into memory.
    // @throws core::DataError, core::ConfigError for files of several kinds
    // @param by  column of the groups of the tables, empty for the default
    ReportInputs(const report::ResultFiles& found, const std::string& by)
        : kind_(report::common_kind(found)) {
        if (!has_pairs() && !by.empty())
            throw core::ConfigError("by", "found '" + by + "', but the report is of " + kind() +
                                              ", which have no groups of pairs. Leave out --by");
        for (const std::string& file : found.files) {
            switch (kind_) {
                case eval::ResultKind::sets:
                    sets_.push_back(eval::read_set_results(file));
                    break;
                case eval::ResultKind::maps:
                    maps_.push_back(eval::read_map_results(file));
                    break;
                case eval::ResultKind::problems:
                    problems_.push_back(eval::read_problem_results(file));
                    break;
                case eval::ResultKind::prediction:
                    predictions_.push_back(file);
                    break;
                case eval::ResultKind::pairs:
                case eval::ResultKind::unknown:
                    scores_.push_back(eval::read_results(file));
                    if (!by.empty()) report::group_by(scores_.back(), by);
            }
        }
    }
    bool has_pairs() const { return kind_ == eval::ResultKind::pairs; }
    bool has_images() const { return kind_ == eval::ResultKind::prediction; }
    // Contents of the files in words, for messages.
    std::string kind() const { return eval::kind_text(kind_); }
    Report make(const options::RunConfig& config, const core::OptionEffects& effects,
                report::ReportFormat format, const report::PublishedTable* published) const {
        const bool has_figures = !config.figures.empty();
        switch (kind_) {
            case eval::ResultKind::sets:
                return {report::set_report(sets_, format),
                        has_figures ? report::named_set_figures(sets_) : NamedFigures()};
            case eval::ResultKind::maps:
                return {report::map_report(maps_, format), NamedFigures()};
            case eval::ResultKind::problems:
                return {report::problem_report(problems_, format),
                        has_figures ? report::named_problem_figures(problems_) : NamedFigures()};
            case eval::ResultKind::prediction: {
                const std::vector<report::ImageResults> images =
                    read_images(config, {.max_cells = config.evaluate.max_cells,
                                         .draws = has_figures || format == report::ReportFormat::html});
                return {report::image_report(images, format),
                        has_figures ? report::named_image_figures(images) : NamedFigures()};
            }
            case eval::ResultKind::pairs:
            case eval::ResultKind::unknown:
                break;
        }
        return {
            report::report(scores_, effects, format, published),
            has_figures ? report::named_figures(scores_, report::compare(scores_, effects)) : NamedFigures()};
    }

  private:
    std::vector<report::ImageResults> read_images(const options::RunConfig& config,
                                                  const report::ImageOptions& options) const {
        std::vector<report::ImageResults> images;
        for (const std::string& file : predictions_) {
            const auto origin = predict::read_prediction_origin(file);
            if (!origin)
                throw core::DataError(file, "uns/popflow",
                                      "has no origin of predicted cells. Predict again with popflow predict");
            report::check_images(file, *origin);
            const screen::Screen data = open_prediction_data(file, *origin, config.data);
            images.push_back(report::read_image_results(file, *origin, data, options));
        }
        return images;
    }

    eval::ResultKind kind_;
    std::vector<std::string> predictions_;
    std::vector<eval::Results> scores_;
    std::vector<eval::ProblemResults> problems_;
    std::vector<eval::SetResults> sets_;
    std::vector<eval::MapResults> maps_;
};

}  // namespace

int verb_report(const Arguments& arguments, const mpi::Communicator& comm) {
    options::RunConfig config;
    config.evaluate.max_cells = report::ImageOptions{}.max_cells;
    const options::OptionTable table = run_options(config);
    using enum options::Section;
    std::vector<std::string> paths;
    const std::string usage =
        "report R.h5|RUN|FOLDER ... [options]\n"
        "       popflow report P.h5ad ... [--data F.h5ad] [options]\n"
        "       popflow report --watch RUN [--log-seconds 2]\n\n"
        "A folder stands for all run folders and result files in it and below it.\n\n"
        "Of predicted images (popflow predict, see popflow import --images) the HTML report shows each "
        "source\n"
        "beside its target and the result. They are read from the data file of the prediction, or from "
        "--data.\n"
        "--max-cells limits the pixels of an image that are scored.";
    if (parse_or_help(table, usage, arguments, {general, options::Section::report}, comm, &paths))
        return done;
    if (!config.watch.empty()) {
        if (comm.is_root()) watch_run(config.watch, config.log_seconds);
        return done;
    }
    if (paths.empty())
        throw core::ConfigError("report",
                                "no result file. Give result files, run folders or folders of runs");
    std::optional<report::PublishedTable> published;
    if (!config.published.empty()) published = report::PublishedTable::load(config.published);
    const report::ReportFormat kind = format(config);
    if (!config.figures.empty()) report::check_figure_format(config.figure_format);
    const report::ResultFiles found = report::find_result_files(paths);
    if (comm.is_root()) {
        for (const std::string& note : found.notes) std::fprintf(stderr, "%s\n", note.c_str());
    }
    std::vector<std::string> inputs = found.files;
    inputs.insert(inputs.end(), {config.config_file, config.published, config.data});
    check_output(config.output, "output", inputs);
    const ReportInputs results(found, config.by);
    for (const char* name : {"data", "max-cells"}) {
        if (!results.has_images())
            refuse_option(arguments, name,
                          "is an option of a report of predicted images, and the report is of " +
                              results.kind() + ". Leave it out");
    }
    if (published && !results.has_pairs())
        throw core::ConfigError("published", "found '" + config.published + "', but the report is of " +
                                                 results.kind() +
                                                 ", which have no published table. Leave out --published");
    if (!comm.is_root()) return done;
    if (config.dry_run != options::DryRunMode::none) {
        std::printf("report of %s\n", core::counted(found.files.size(), "result file").c_str());
        return done;
    }
    const auto [text, drawn] = results.make(config, table.effects(), kind, published ? &*published : nullptr);
    std::string figures;
    if (!config.figures.empty()) figures = write_figures(config, drawn, inputs);
    if (config.output.empty()) {
        std::printf("%s", text.c_str());
        std::fprintf(stderr, "%s", figures.c_str());
    } else {
        core::store_file(config.output, std::as_bytes(std::span(text)));
        std::printf("%s: %s of %s\n%s", config.output.c_str(),
                    report::report_format_names()[static_cast<std::size_t>(kind)].c_str(),
                    core::counted(found.files.size(), "result file").c_str(), figures.c_str());
    }
    return done;
}

}  // namespace popflow::apps
