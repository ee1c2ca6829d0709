// SPDX-License-Identifier: MIT
#include "options/export_options.hpp"

#include "core/label_list.hpp"
#include "core/parse.hpp"

namespace popflow::options {

namespace {

using Strings = std::vector<std::string>;

void add_path(OptionTable& table, const std::string& name, std::string& field, const std::string& argument,
              const std::string& help) {
    table.add({name, Section::general, argument, help, [&field](const Strings& v) { field = v.back(); },
               [&field] { return field.empty() ? Strings{} : Strings{field}; }});
}

}  // namespace

OptionTable export_options(ExportConfig& config) {
    OptionTable table;
    add_path(table, "config", config.config_file, "F.cfg",
             "file of `option = value` lines, overridden by flags. A line `include = F.cfg` reads another "
             "file first");
    add_path(table, "data", config.data, "F.h5ad",
             "file of pixels, which popflow import --images or popflow predict wrote");
    add_path(table, "images", config.images, "FOLDER",
             "folder to write PNG images to. It is created, and no file in it is overwritten");
    add_path(table, "layer", config.layer, "NAME", "layer to read instead of X, such as t=0.5");
    table.add({"population",
               Section::general,
               "COLUMNS",
               std::string("columns of obs that tell the images apart. Default: image, and for predictions "
                           "predicted_treatment and predicted_concentration") +
                   comma_help,
               [&config](const Strings& v) {
                   config.population.clear();
                   for (const std::string& one : v) {
                       for (std::string& item : core::split_list("population", one))
                           config.population.push_back(std::move(item));
                   }
               },
               [&config] {
                   return config.population.empty() ? Strings{} : Strings{core::list_text(config.population)};
               },
               true,
               {},
               true});
    table.add(
        {"bits", Section::general, "8|16",
         "bits of a channel of the images. 16 keep the values of a prediction to 1 / 65535",
         [&config](const Strings& v) {
             config.bits = static_cast<image::PngDepth>(core::parse_choice("bits", v.back(), {"8", "16"}));
         },
         [&config] { return Strings{config.bits == image::PngDepth::bits8 ? "8" : "16"}; }});
    return table;
}

}  // namespace popflow::options
