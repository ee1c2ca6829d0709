// SPDX-License-Identifier: MIT
#include "data/anndata.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/text.hpp"
#include "h5/file.hpp"

namespace popflow::data {

namespace {

/// Name of the column that names the rows of a table.
std::string index_name(const h5::Group& root, const std::string& table) {
    if (!root.contains_group(table)) return "index";
    const h5::Group group = root.open_group(table);
    const std::string name = group.string_attribute_or("_index", "_index");
    return !group.contains(name) && group.contains("index") ? "index" : name;
}

/// Columns of a table, its index among them.
std::vector<std::string> member_names(const h5::Group& root, const std::string& table) {
    if (!root.contains_group(table)) return root.open_dataset(table).members();
    std::vector<std::string> names = root.open_group(table).names();
    std::erase(names, "__categories");
    return names;
}

/// A column of a table that is one compound dataset; codes of a category have it in `uns/NAME_categories`.
LabelColumn compound_column(const h5::Group& root, const std::string& table, const std::string& name) {
    h5::Dataset values = root.open_dataset(table).member(name);
    const std::string categories = "uns/" + name + "_categories";
    if (values.type().kind == h5::Kind::integer && root.contains_dataset(categories)) {
        return LabelColumn::categorical(std::move(values), root.open_dataset(categories));
    }
    return LabelColumn(std::move(values));
}

/// A column of anndata 0.8 or later that is a group.
LabelColumn group_column(const h5::Group& column) {
    if (column.contains_dataset("codes")) {
        // Newer versions may write categories of strings as a nullable column; none of them is missing.
        const char* categories = column.contains_group("categories") ? "categories/values" : "categories";
        return LabelColumn::categorical(column.open_dataset("codes"), column.open_dataset(categories));
    }
    if (column.contains_dataset("values") && column.contains_dataset("mask")) {
        return {column.open_dataset("values"), column.open_dataset("mask")};
    }
    throw core::DataError(
        column.file(), column.path(),
        "found encoding " + column.string_attribute_or("encoding-type", "(none)") +
            ", allowed array, string-array, categorical, nullable-integer, nullable-boolean");
}

LabelColumn open_column(const h5::Group& root, const std::string& table, const std::string& name) {
    if (!root.contains_group(table)) return compound_column(root, table, name);
    const h5::Group group = root.open_group(table);
    if (group.contains_group(name)) return group_column(group.open_group(name));
    h5::Dataset values = group.open_dataset(name);
    if (values.is_reference_attribute("categories")) {
        h5::Dataset categories = values.referenced_dataset("categories");
        return LabelColumn::categorical(std::move(values), std::move(categories));
    }
    if (values.type().kind == h5::Kind::integer && group.contains_dataset("__categories/" + name)) {
        return LabelColumn::categorical(std::move(values), group.open_dataset("__categories/" + name));
    }
    return LabelColumn(std::move(values));
}

void check_rows(const h5::Group& root, const LabelColumn& column, std::size_t wanted, const char* dimension) {
    if (column.rows() == wanted) return;
    throw core::DataError(root.file(), column.path(),
                          "found " + std::to_string(column.rows()) + " rows, allowed as many as X has " +
                              dimension + ", " + std::to_string(wanted));
}

LabelColumn open_index(const h5::Group& root, const std::string& table, std::size_t wanted,
                       const char* dimension) {
    LabelColumn index = open_column(root, table, index_name(root, table));
    check_rows(root, index, wanted, dimension);
    return index;
}

}  // namespace

AnnData::AnnData(const std::string& file) : root_(h5::open_file(file)), x_(root_) {
    for (const char* table : {"obs", "var"}) {
        if (!root_.contains(table))
            throw core::DataError(file, table, "is missing; allowed: an AnnData file (.h5ad)");
    }
    open_index(root_, "obs", n_obs(), "rows");
    var_names_ = open_index(root_, "var", n_vars(), "columns").read_labels();
}

std::vector<std::string> AnnData::obs_columns() const {
    std::vector<std::string> names = member_names(root_, "obs");
    std::erase(names, index_name(root_, "obs"));
    return names;
}

bool AnnData::has_obs(const std::string& column) const {
    const std::vector<std::string> names = obs_columns();
    return std::find(names.begin(), names.end(), column) != names.end();
}

LabelColumn AnnData::obs(const std::string& column) const {
    if (!has_obs(column)) {
        const std::vector<std::string> names = obs_columns();
        throw core::DataError(file(), "obs/" + column,
                              names.empty() ? "is missing; obs has no columns"
                                            : "is missing; nearest is `" + core::nearest_name(column, names) +
                                                  "`, found " + core::joined(names));
    }
    LabelColumn result = open_column(root_, "obs", column);
    check_rows(root_, result, n_obs(), "rows");
    return result;
}

}  // namespace popflow::data
