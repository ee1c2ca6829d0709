// SPDX-License-Identifier: MIT
#include "options/import_options.hpp"

#include "core/label_list.hpp"
#include "core/parse.hpp"

namespace popflow::options {

namespace {

using Strings = std::vector<std::string>;

void add_text(OptionTable& table, const std::string& name, std::string& field, const std::string& argument,
              const std::string& help) {
    table.add({name, Section::general, argument, help, [&field](const Strings& v) { field = v.back(); },
               [&field] { return field.empty() ? Strings{} : Strings{field}; }});
}

void add_list(OptionTable& table, const std::string& name, Strings& field, const std::string& help) {
    table.add({name,
               Section::general,
               "NAMES",
               help + comma_help,
               [&field, name](const Strings& v) {
                   field.clear();
                   for (const std::string& one : v) {
                       for (std::string& item : core::split_list(name, one)) field.push_back(std::move(item));
                   }
               },
               [&field] { return field.empty() ? Strings{} : Strings{core::list_text(field)}; },
               true,
               {},
               true});
}

}  // namespace

OptionTable import_options(ImportConfig& config) {
    OptionTable table;
    data_import::ImportOptions& import = config.import;
    add_text(table, "config", config.config_file, "F.cfg",
             "file of `option = value` lines, overridden by flags. A line `include = F.cfg` reads another "
             "file first");
    add_text(table, "output", config.output, "F.h5ad", "file to write");
    add_text(table, "sheet", import.sheet, "S.csv",
             "sample sheet with one row per file of cells (FCS, CSV, TSV, PNG or JPEG), its columns become "
             "columns of obs");
    add_text(table, "file-column", import.file_column, "NAME",
             "column of the sheet with the paths of the files, relative to the sheet");
    add_text(table, "cells", import.cells, "F.csv",
             "one table of all cells, or one FCS file, instead of a sheet");
    table.add({"images",
               Section::general,
               "FOLDER|FILE...",
               "images (PNG, JPEG), or folders of them, instead of a sheet: one population of pixels for "
               "each. Further files may follow. The option may be given several times",
               [&import](const Strings& v) { import.images = v; },
               [&import] { return import.images; },
               true,
               {},
               true});
    table.add({"pixels", Section::general, "N",
               "number of pixels to draw from each image at random, without replacement. 0: all",
               [&import](const Strings& v) {
                   import.pixels = core::parse_count("pixels", v.back(), 0, 4294967295);
               },
               [&import] { return Strings{std::to_string(import.pixels)}; }});
    table.add({"max-side", Section::general, "N",
               "longer side in pixels to which larger images are shrunk, by means over areas. 0: none",
               [&import](const Strings& v) {
                   import.max_side = core::parse_count("max-side", v.back(), 0, 1000000);
               },
               [&import] { return Strings{std::to_string(import.max_side)}; }});
    table.add({"seed", Section::general, "N", "seed of the drawn pixels",
               [&import](const Strings& v) {
                   import.seed = core::parse_count("seed", v.back(), 0, ~std::uint64_t{0});
               },
               [&import] { return Strings{std::to_string(import.seed)}; }});
    add_list(table, "obs", import.obs, "columns of the tables of cells that become columns of obs");
    add_list(table, "markers", import.markers, "markers to use, in this order (default: all)");
    add_list(table, "exclude-markers", import.exclude_markers, "markers to leave out");
    const Strings names{"stain", "channel"};
    table.add({"marker-names", Section::general, "stain|channel",
               "names of the markers of FCS files: $PnS (stain) with $PnN as fallback, or $PnN (channel)",
               [&import, names](const Strings& v) {
                   import.names = static_cast<data_import::MarkerNames>(
                       core::parse_choice("marker-names", v.back(), names));
               },
               [&import, names] { return Strings{names[static_cast<std::size_t>(import.names)]}; }});
    table.add({"data-set", Section::general, "N", "data set of FCS files that have several, counted from 1",
               [&import](const Strings& v) {
                   import.data_set = core::parse_count("data-set", v.back(), 1, 1000000);
               },
               [&import] { return Strings{std::to_string(import.data_set)}; }});
    table.add({"compensate", Section::general, "no|yes",
               "undo the spillover between channels that $SPILLOVER, SPILL or $COMP describes",
               [&import](const Strings& v) {
                   import.compensate = core::parse_choice("compensate", v.back(), {"no", "yes"}) == 1;
               },
               [&import] { return Strings{import.compensate ? "yes" : "no"}; }});
    const Strings decimals{"auto", "point", "comma"};
    table.add(
        {"decimal", Section::general, "auto|point|comma",
         "decimal mark of the numbers in tables of cells. auto finds it out, and refuses numbers such as "
         "1,234 if no other number of the file shows what the comma means",
         [&import, decimals](const Strings& v) {
             import.decimal =
                 static_cast<data_import::Decimal>(core::parse_choice("decimal", v.back(), decimals));
         },
         [&import, decimals] { return Strings{decimals[static_cast<std::size_t>(import.decimal)]}; }});
    return table;
}

}  // namespace popflow::options
