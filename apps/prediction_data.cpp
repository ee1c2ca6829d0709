// SPDX-License-Identifier: MIT
#include "prediction_data.hpp"

#include <filesystem>

#include "anndata/anndata.hpp"
#include "population_mode.hpp"
#include "predict/map_predictor.hpp"
#include "predict/prediction_file.hpp"
#include "verbs.hpp"

namespace popflow::apps {

screen::Screen open_prediction_data(const std::string& prediction, const predict::PredictionOrigin& origin,
                                    const std::string& data) {
    options::RunConfig config;
    run_options(config).parse_text(origin.provenance.config, prediction);
    const std::string path = data.empty() ? config.data : data;
    std::error_code error;
    if (data.empty() && !std::filesystem::exists(path, error))
        throw core::ConfigError("data", "found no file '" + path + "', which " + prediction +
                                            " was predicted from. Give its path with --data");
    const anndata::AnnData predicted(prediction);
    screen::ScreenOptions& options = config.screen;
    if (origin.source_column == predict::map_problem_column) {
        read_without_pairs(config);
    } else {
        options.all_are_controls = !config.treatments.empty();
        // The predictions of an evaluation are of pairs and have the part of the split.
        options.need_pairs = predicted.has_obs(predict::predicted_part_column);
    }
    if (!options.need_pairs) options.split_column.clear();
    options.markers = predicted.var_names();
    options.exclude_markers.clear();
    screen::Screen screen = screen::open_screen(path, options);
    if (screen.fingerprint != origin.provenance.data_fingerprint)
        throw core::DataError(path, "",
                              "is not the file that " + prediction +
                                  " was predicted from: its fingerprint is " + screen.fingerprint +
                                  ", and the prediction has " + origin.provenance.data_fingerprint +
                                  ". Give the file of the prediction with --data, or predict again");
    return screen;
}

}  // namespace popflow::apps
