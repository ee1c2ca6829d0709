// SPDX-License-Identifier: MIT
#include <filesystem>

#include "console.hpp"
#include "core/text.hpp"
#include "image/population_images.hpp"
#include "mpi/partition.hpp"
#include "mpi/run_collectively.hpp"
#include "options/export_options.hpp"
#include "predict/prediction_origin.hpp"
#include "progress.hpp"
#include "verbs.hpp"

namespace popflow::apps {

int verb_export(const Arguments& arguments, const mpi::Communicator& comm) {
    options::ExportConfig config;
    const options::OptionTable table = export_options(config);
    const std::string usage =
        "export --data F.h5ad --images FOLDER [options]\n\n"
        "Writes each population of pixels as a PNG image: the inverse of popflow import --images.\n"
        "Rows of F.h5ad have the markers red, green and blue and the columns x, y, width and height. Values\n"
        "are limited to [0, 1] and rounded to 8 bits, or to 16 with --bits 16.";
    if (parse_or_help(table, usage, arguments, {options::Section::general}, comm)) return done;
    require(config.data, "data", "F.h5ad");
    require(config.images, "images", "FOLDER");
    anndata::MatrixSource source;
    if (!config.layer.empty()) source = {anndata::MatrixSource::Kind::layer, config.layer};
    if (const auto origin = predict::read_prediction_origin(config.data); origin && config.layer.empty())
        predict::check_colours(config.data, *origin);
    const image::PopulationImages images(config.data, source, config.population);
    const std::vector<std::string> names = image::image_file_names(images);
    mpi::run_collectively(comm, [&] {
        if (comm.is_root()) image::prepare_folder(names, config.images);
    });
    std::vector<std::size_t> pixels;
    for (std::size_t i = 0; i < images.size(); ++i) pixels.push_back(images.pixels(i));
    const auto parts = mpi::partition_by_weight(pixels, static_cast<std::size_t>(comm.size()));
    const std::vector<std::size_t>& own = parts[static_cast<std::size_t>(comm.rank())];
    std::vector<std::int64_t> counts{0, 0};  // values outside [0, 1], and all values
    Progress progress("export", own.size(), 0, !comm.is_root());
    mpi::run_collectively(comm, [&] {
        for (std::size_t k = 0; k < own.size(); ++k) {
            const std::string path = (std::filesystem::path(config.images) / names[own[k]]).string();
            const std::size_t outside = image::write_population_image(images, own[k], path, config.bits);
            counts[0] += static_cast<std::int64_t>(outside);
            counts[1] += static_cast<std::int64_t>(3 * pixels[own[k]]);
            progress.update(k + 1, "images");
        }
    });
    comm.sum(counts);
    if (!comm.is_root()) return done;
    const double share = static_cast<double>(counts[0]) / static_cast<double>(counts[1]);
    print_result("%s: %s, %s of the values were outside [0, 1]\n", config.images.c_str(),
                 core::counted(images.size(), "image").c_str(), core::percent_text(share).c_str());
    return done;
}

}  // namespace popflow::apps
