// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "anndata/anndata.hpp"
#include "console.hpp"
#include "core/random.hpp"
#include "core/text.hpp"
#include "eval/evaluator.hpp"
#include "metrics/mean_change.hpp"
#include "metrics/mmd.hpp"
#include "predict/prediction_origin.hpp"
#include "predict/trained_model.hpp"
#include "screen/read_populations.hpp"
#include "set_metrics.hpp"
#include "verbs.hpp"

namespace popflow::apps {

namespace {

// Replaces x by a random sample of at most --max-cells of its rows. @param file  0 or 1, key of the draw
void subsample(linalg::Matrix<float>& x, const options::RunConfig& config, std::uint64_t file) {
    if (x.rows() <= config.evaluate.max_cells) return;
    const auto rows = predict::draw_rows(x.rows(), config.evaluate.max_cells, predict::Draw::random,
                                         core::Stream(config.train.seed, core::Purpose::evaluation, file, 0));
    linalg::Matrix<float> sample(rows.size(), x.cols());
    for (std::size_t i = 0; i < rows.size(); ++i)
        std::copy_n(x.view().row(rows[i]), x.cols(), sample.view().row(i));
    x = std::move(sample);
}

using Kind = anndata::MatrixSource::Kind;

// One of the two files, and how its cells are read.
struct ComparedFile {
    std::string path;
    std::optional<predict::PredictionOrigin> origin;  ///< empty unless popflow has predicted the cells
    screen::ScreenOptions options;
    bool is_inverse_of_log1p = false;  ///< log(1 + x) is applied to values that may be between -1 and 0
};

// Reads the cells of a file.
screen::AllCells read_cells(const ComparedFile& file) {
    screen::AllCells all = screen::read_all_cells(file.path, file.options);
    if (!file.is_inverse_of_log1p) return all;
    for (float& value : all.x.values()) {
        if (!(value > -1))
            throw core::DataError(
                file.path, "X",
                fmt::format("found {}, but log1p needs numbers above -1. Predict with --space "
                            "transformed",
                            value));
        value = static_cast<float>(std::log1p(static_cast<double>(value)));
    }
    return all;
}

// Whether a layer is one of the flow times of a prediction file.
bool is_flow_time(const anndata::MatrixSource& source) {
    return source.kind == Kind::layer && source.name.starts_with("t=");
}

void note(const std::string& text) {
    print_message("note: %s", text.c_str());
}

// Sets the matrix, size factor and transform of a file. What the command line does not give comes from the
// run that predicted the cells of a file. @param origin  of this file, or of the other one
void take_from_origin(ComparedFile& file, const predict::PredictionOrigin& origin,
                      const options::OptionTable& table) {
    screen::ScreenOptions& options = file.options;
    const bool is_given = table.is_given("transform");
    const bool has_source = table.is_given("layer") || table.is_given("obsm") || table.is_given("use-raw");
    if (!file.origin) {
        if (!has_source) options.source = origin.source;
        if (is_flow_time(options.source)) options.source = {};
        if (!is_given) options.transform = origin.transform;
        if (!is_given && !table.is_given("size-factor")) options.size_factor = origin.size_factor;
        return;
    }
    if (!is_flow_time(options.source)) options.source = {};
    if (file.origin->size_factor.is_set() || file.origin->space != predict::Space::raw)
        options.size_factor = {};
    if (is_given) return;
    options.transform = origin.transform;
    // Raw predictions may be negative, which the reader refuses for log1p.
    file.is_inverse_of_log1p =
        file.origin->space == predict::Space::raw && origin.transform.kind == screen::Transform::Kind::log1p;
    if (file.is_inverse_of_log1p) options.transform.kind = screen::Transform::Kind::none;
    if (file.origin->space != predict::Space::raw) options.transform.kind = screen::Transform::Kind::none;
}

// Sets the options of both files, see take_from_origin(). @param explain  whether to print a note
void resolve_options(ComparedFile& a, ComparedFile& b, const options::OptionTable& table, bool explain) {
    if (!a.origin && !b.origin) return;
    const predict::PredictionOrigin& origin = a.origin ? *a.origin : *b.origin;
    const bool both = a.origin && b.origin;
    const auto is_normalised = [](const ComparedFile& file) {
        return file.origin && file.origin->space == predict::Space::normalised;
    };
    if (!table.is_given("transform")) {
        if (both && a.origin->transform.text() != b.origin->transform.text())
            throw core::ConfigError("transform", "the files are predictions of runs with the transforms " +
                                                     a.origin->transform.text() + " and " +
                                                     b.origin->transform.text() + ". Choose one of them");
        if (is_normalised(a) != is_normalised(b))
            throw core::DataError(is_normalised(a) ? a.path : b.path, "X",
                                  "holds normalised values, which cannot be compared with those of the other "
                                  "file. Predict with --space raw or transformed");
    }
    take_from_origin(a, origin, table);
    take_from_origin(b, origin, table);
    for (const ComparedFile* file : {&a, &b}) {
        if (!explain || !file->origin || table.is_given("transform")) continue;
        const screen::ScreenOptions& options = (file == &a ? b : a).options;
        note(fmt::format(
            "{} is a prediction of popflow in {} space. As in its run, the other file is read with "
            "--transform {} --size-factor {}{}. To compare the stored values use --transform none",
            file->path, predict::space_name(file->origin->space, file->origin->transform),
            origin.transform.text(), options.size_factor.text(),
            options.source.kind == Kind::x ? "" : " " + options.source.option()));
    }
}

// Checks that the second file has the markers of the first.
void check_markers(const ComparedFile& a, const std::vector<std::string>& markers, const ComparedFile& b) {
    const std::vector<std::string> others = anndata::AnnData(b.path, b.options.source).var_names();
    const std::set<std::string> found(others.begin(), others.end());
    std::vector<std::string> shared;
    std::vector<std::string> missing;
    for (const std::string& marker : markers) (found.contains(marker) ? shared : missing).push_back(marker);
    if (missing.empty()) {
        if (shared.size() < found.size() && b.options.exclude_markers.empty())
            note(core::counted(found.size() - shared.size(), "marker") + " of " + b.path +
                 " left out: " + a.path + " does not have them");
        return;
    }
    throw core::DataError(
        b.path, "var",
        "has no marker " + core::joined(missing, 8) + " of " + a.path +
            (missing.size() == 1 ? core::did_you_mean(missing.front(), others) : "") +
            (shared.empty() ? ". The files have no marker in common"
                            : fmt::format(". Compare the {} that both have with --markers {}", shared.size(),
                                          core::joined(shared))));
}

// Reads the control cells and returns their means. @param partner  file to which their values must match
std::vector<double> read_control_means(const std::string& path, ComparedFile partner,
                                       const screen::AllCells& predicted, const options::RunConfig& config,
                                       const options::OptionTable& table) {
    ComparedFile control{path, predict::read_prediction_origin(path), config.screen};
    resolve_options(partner, control, table, false);
    if (config.screen.markers.empty()) check_markers(partner, predicted.markers, control);
    control.options.markers = predicted.markers;
    control.options.exclude_markers.clear();
    return popflow::metrics::marker_means(read_cells(control).x.view());
}

// Removes the metrics of a latent space if one file alone has cells that were mapped back from one.
void leave_out_latent_metrics(const ComparedFile& a, const ComparedFile& b, const options::OptionTable& table,
                              std::vector<std::string>& names) {
    const auto is_mapped_back = [](const ComparedFile& file) {
        return file.origin && file.origin->is_mapped_back;
    };
    if (is_mapped_back(a) == is_mapped_back(b)) return;
    const std::string why = (is_mapped_back(a) ? a : b).path +
                            ", whose cells were mapped back from principal components and lack the noise of "
                            "single markers";
    std::vector<std::string> left_out;
    std::vector<std::string> kept;
    for (const std::string& name : names) {
        const bool is_latent = popflow::metrics::find_metric(name)->space == popflow::metrics::Space::latent;
        (is_latent ? left_out : kept).push_back(name);
    }
    if (left_out.empty()) return;
    if (table.is_given("metrics") || kept.empty())
        throw core::ConfigError(
            "metrics", "found " + core::joined(left_out) + " for " + why + ". Give " +
                           core::joined(popflow::metrics::names_in(popflow::metrics::Space::markers)) +
                           ", or take the others from popflow evaluate");
    note("without " + core::joined(left_out) + " for " + why);
    names = kept;
}

// Returns the metrics to compute. Without control cells these are none of their change.
std::vector<std::string> chosen_metrics(const options::RunConfig& config, const options::OptionTable& table,
                                        bool has_control) {
    std::vector<std::string> names = config.evaluate.metrics;
    if (has_control) return names;
    for (const std::string& name : names) {
        if (table.is_given("metrics") && popflow::metrics::find_metric(name)->needs_control)
            throw core::ConfigError("metrics", "found '" + name +
                                                   "', which compares changes from the control cells. Give "
                                                   "their file as the third one");
    }
    std::erase_if(names, [](const auto& name) { return popflow::metrics::find_metric(name)->needs_control; });
    return names;
}

}  // namespace

int verb_metrics(const Arguments& arguments, const mpi::Communicator& comm) {
    options::RunConfig config;
    config.screen.transform.kind = screen::Transform::Kind::none;
    config.evaluate.max_cells = eval::all_cells;
    config.screen.min_cells = 2;
    const options::OptionTable table = run_options(config);
    const std::vector<options::Section> sections{options::Section::scores};
    const std::string usage =
        "metrics A.h5ad B.h5ad [CONTROL.h5ad] [options]\n\n"
        "Compares the cells of A, as the prediction, with those of B. --max-cells compares a random sample\n"
        "of each, drawn with --seed. If one file is a prediction of popflow, both are compared after the\n"
        "transform of its run, unless --transform is given. change_correlation and recall_top compare the\n"
        "changes from the cells of CONTROL.\n\n"
        "With --population COLUMN, compares the populations of A, as a generated set, with those of B, as a "
        "set\n"
        "of real ones. A population is the rows with the same values of these columns. Prints for each "
        "distance\n"
        "1-NNA (share of populations whose nearest other one is of the same set, 0.5 is best) and its two\n"
        "halves, 1-NN-D (0 is best), the p-value of 1-NNA under random labels, the mean distance of a real\n"
        "population to the nearest generated one (matching), and the share of real ones that are nearest to "
        "a\n"
        "generated one (coverage). With --training-data also the share of generated populations that are "
        "nearer\n"
        "to a training population than to a real one (memorised), and their mean distance to the nearest\n"
        "training population relative to that of the real ones (training_ratio).";
    std::vector<std::string> files;
    if (parse_or_help(table, usage, arguments, sections, comm, &files)) return done;
    if (files.size() != 2 && files.size() != 3)
        throw core::ConfigError("metrics",
                                "found " + core::counted(files.size(), "file") +
                                    ". Give two data files to compare, and a third one with control cells if "
                                    "their changes are to be compared");
    if (!config.problems.populations.columns.empty()) {
        if (files.size() == 3)
            throw core::ConfigError("population",
                                    "compares the sets of two files, but three are given. Omit " + files[2]);
        return compare_set_files(files, config, table, comm);
    }
    config.evaluate.metrics = chosen_metrics(config, table, files.size() == 3);
    if (!comm.is_root()) return done;
    ComparedFile first{files[0], predict::read_prediction_origin(files[0]), config.screen};
    ComparedFile second{files[1], predict::read_prediction_origin(files[1]), config.screen};
    const ComparedFile partner = first.origin ? first : second;  // the control is read as the other file
    resolve_options(first, second, table, true);
    leave_out_latent_metrics(first, second, table, config.evaluate.metrics);
    screen::AllCells a = read_cells(first);
    if (config.screen.markers.empty()) check_markers(first, a.markers, second);
    second.options.markers = a.markers;
    second.options.exclude_markers.clear();
    screen::AllCells b = read_cells(second);
    std::vector<double> control;
    if (files.size() == 3) control = read_control_means(files[2], partner, a, config, table);
    subsample(a.x, config, 0);
    subsample(b.x, config, 1);
    const popflow::metrics::Scores scores =
        popflow::metrics::score(a.x.view(), b.x.view(), eval::selection(config.evaluate),
                                {.control_means = files.size() == 3 ? &control : nullptr});
    if (popflow::metrics::is_mmd_constant(scores.mmd, a.x.rows(), b.x.rows()))
        note("mmd is the same for any two populations of these sizes: its fixed kernels are too narrow for " +
             core::counted(a.markers.size(), "marker") + ". Use mmd_scaled");
    nlohmann::ordered_json json = nlohmann::ordered_json::object();
    for (const std::string& name : config.evaluate.metrics) {
        const double value = scores.*popflow::metrics::find_metric(name)->score;
        const std::string text = fmt::format("{:.9g}", value);
        json[name] = std::strtod(text.c_str(), nullptr);  // the digits of the text, null if it is not finite
        if (!config.json) print_result("%s %s\n", name.c_str(), text.c_str());
    }
    if (config.json) print_result("%s\n", json.dump().c_str());
    return done;
}

}  // namespace popflow::apps
