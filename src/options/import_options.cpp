// SPDX-License-Identifier: MIT
#include "options/import_options.hpp"

#include "core/text.hpp"

namespace popflow::options {

namespace {

using Strings = std::vector<std::string>;

void add_text(OptionTable& table, const std::string& name, std::string& field, const std::string& argument,
              const std::string& help) {
    table.add({name, Section::general, argument, help, [&field](const Strings& v) { field = v.back(); },
               [&field] { return field.empty() ? Strings{} : Strings{field}; }});
}

void add_list(OptionTable& table, const std::string& name, Strings& field, const std::string& help) {
    table.add({name, Section::general, "NAMES", help,
               [&field](const Strings& v) {
                   field.clear();
                   for (const std::string& one : v) {
                       for (std::string& item : core::split_text(one, ',')) {
                           if (!item.empty()) field.push_back(std::move(item));
                       }
                   }
               },
               [&field] { return field.empty() ? Strings{} : Strings{core::joined(field, field.size())}; }});
}

}  // namespace

OptionTable import_options(ImportConfig& config) {
    OptionTable table;
    data_import::ImportOptions& import = config.import;
    add_text(
        table, "config", config.config_file, "F.cfg",
        "file of `option = value` lines; flags override it; `include = F.cfg` in it reads another first");
    add_text(table, "output", config.output, "F.h5ad", "file to write");
    add_text(
        table, "sheet", import.sheet, "S.csv",
        "sample sheet, a row for each file of cells (FCS, CSV or TSV); its columns become columns of obs");
    add_text(table, "file-column", import.file_column, "NAME",
             "column of the sheet that names the files, relative to the sheet");
    add_text(table, "cells", import.cells, "F.csv",
             "one table of all cells (or one FCS file), without a sheet");
    add_list(table, "obs", import.obs, "columns of tables of cells that become columns of obs");
    add_list(table, "markers", import.markers, "markers to take, in this order; default all");
    add_list(table, "exclude-markers", import.exclude_markers, "markers to leave out");
    const Strings names{"stain", "channel"};
    table.add({"marker-names", Section::general, "stain|channel",
               "what the markers of FCS files are called: $PnS, or $PnN where there is none; or $PnN",
               [&import, names](const Strings& v) {
                   import.names =
                       static_cast<data_import::MarkerNames>(parse_choice("marker-names", v.back(), names));
               },
               [&import, names] { return Strings{names[static_cast<std::size_t>(import.names)]}; }});
    table.add({"compensate", Section::general, "no|yes", "undo the spill of $SPILLOVER between channels",
               [&import](const Strings& v) {
                   import.compensate = parse_choice("compensate", v.back(), {"no", "yes"}) == 1;
               },
               [&import] { return Strings{import.compensate ? "yes" : "no"}; }});
    return table;
}

}  // namespace popflow::options
