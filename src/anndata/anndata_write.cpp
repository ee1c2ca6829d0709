// SPDX-License-Identifier: MIT
#include "anndata/anndata_write.hpp"

#include <algorithm>

namespace popflow::anndata {

void create_categorical(h5::Group& obs, const std::string& name, const std::vector<std::string>& categories,
                        std::size_t rows) {
    h5::Group column = obs.create_group(name);
    h5::write_encoding(column, "categorical", "0.2.0");
    column.write_attribute("ordered", false);
    h5::Dataset codes = column.create_contiguous("codes", h5::code_type(categories.size()), {rows});
    h5::write_encoding(codes, "array", "0.2.0");
    write_strings(column, "categories", categories);
}

void create_row_names(h5::Group& obs, std::size_t rows, std::size_t max_length) {
    const std::size_t length = std::max(max_length, row_name_length(rows));
    h5::Dataset index = obs.create_contiguous_strings("_index", length, rows);
    h5::write_encoding(index, "string-array", "0.2.0");
}

std::size_t row_name_length(std::size_t rows) {
    return std::to_string(rows - 1).size();
}

h5::Group create_dict(h5::Group& parent, const std::string& name) {
    h5::Group group = parent.create_group(name);
    h5::write_encoding(group, "dict", "0.1.0");
    return group;
}

void write_string(h5::Group& group, const std::string& name, const std::string& value) {
    h5::Dataset dataset = group.write_string(name, value);
    h5::write_encoding(dataset, "string", "0.2.0");
}

void write_strings(h5::Group& group, const std::string& name, const std::vector<std::string>& values) {
    h5::Dataset dataset = group.write_strings(name, values);
    h5::write_encoding(dataset, "string-array", "0.2.0");
}

void write_empty_groups(h5::Group& root) {
    for (const char* name : {"layers", "obsm", "obsp", "varm", "varp"}) create_dict(root, name);
}

}  // namespace popflow::anndata
