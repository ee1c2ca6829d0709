// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "core/random.hpp"
#include "core/text.hpp"
#include "eval/evaluator.hpp"
#include "predict/trained_model.hpp"
#include "screen/read_populations.hpp"
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

}  // namespace

int verb_metrics(const Arguments& arguments, const mpi::Communicator& comm) {
    options::RunConfig config;
    config.screen.transform.kind = screen::Transform::Kind::none;
    config.evaluate.max_cells = eval::all_cells;
    const options::OptionTable table = run_options(config);
    const std::vector<options::Section> sections{options::Section::scores};
    const std::string usage =
        "metrics A.h5ad B.h5ad [options]\n\n"
        "Compares the cells of A, as the prediction, with those of B. --max-cells compares a random sample\n"
        "of each, drawn with --seed.";
    std::vector<std::string> files;
    if (parse_or_help(table, usage, arguments, sections, comm, &files)) return done;
    if (files.size() != 2)
        throw core::ConfigError(
            "metrics", "found " + core::counted(files.size(), "file") + ". Give two data files to compare");
    if (!comm.is_root()) return done;
    screen::AllCells a = screen::read_all_cells(files[0], config.screen);
    config.screen.markers = a.markers;
    screen::AllCells b = screen::read_all_cells(files[1], config.screen);
    subsample(a.x, config, 0);
    subsample(b.x, config, 1);
    const popflow::metrics::Scores scores =
        popflow::metrics::score(a.x.view(), b.x.view(), eval::selection(config.evaluate));
    nlohmann::ordered_json json = nlohmann::ordered_json::object();
    for (const std::string& name : config.evaluate.metrics) {
        const double value = scores.*popflow::metrics::find_metric(name)->score;
        const std::string text = fmt::format("{:.9g}", value);
        json[name] = std::strtod(text.c_str(), nullptr);  // the digits of the text, null if it is not finite
        if (!config.json) std::printf("%s %s\n", name.c_str(), text.c_str());
    }
    if (config.json) std::printf("%s\n", json.dump().c_str());
    return done;
}

}  // namespace popflow::apps
