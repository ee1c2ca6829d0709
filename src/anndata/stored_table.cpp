// SPDX-License-Identifier: MIT
#include "anndata/stored_table.hpp"

#include <algorithm>

#include "core/error.hpp"

namespace popflow::anndata {

namespace {

bool is_ordered(const h5::Object& object) {
    return object.has_attribute("ordered") && object.bool_attribute("ordered");
}

StoredColumn plain(h5::Dataset values) {
    return {std::move(values), std::nullopt, std::nullopt, false, ""};
}

StoredColumn categorical(h5::Dataset codes, h5::Dataset categories, bool ordered) {
    return {std::move(codes), std::move(categories), std::nullopt, ordered, ""};
}

/// Opens a column that is a group, as anndata 0.8 or later writes it.
StoredColumn group_column(const h5::Group& column) {
    const std::string encoding = column.string_attribute_or("encoding-type", "(none)");
    if (column.contains_dataset("codes")) {
        // Newer versions may write categories of strings as a nullable column, in which no value is missing.
        const char* categories = column.contains_group("categories") ? "categories/values" : "categories";
        return categorical(column.open_dataset("codes"), column.open_dataset(categories), is_ordered(column));
    }
    if (column.contains_dataset("values") && column.contains_dataset("mask")) {
        return {column.open_dataset("values"), std::nullopt, column.open_dataset("mask"), false, encoding};
    }
    throw core::DataError(
        column.file(), column.path(),
        "found encoding " + encoding +
            ", which popflow cannot read. It reads array, string-array, categorical, nullable-integer and "
            "nullable-boolean");
}

/// Returns the name of the column that names the rows of a table.
std::string index_name(const h5::Group& root, const std::string& table) {
    if (!root.contains_group(table)) return "index";
    const h5::Group group = root.open_group(table);
    const std::string name = group.string_attribute_or("_index", "_index");
    return !group.contains(name) && group.contains("index") ? "index" : name;
}

}  // namespace

StoredTable::StoredTable(const h5::Group& root, std::string name) : root_(root), name_(std::move(name)) {
    if (!root.contains(name_))
        throw core::DataError(root.file(), name_, "is missing: the file is not an AnnData file (.h5ad)");
    compound_ = !root.contains_group(name_);
    index_ = index_name(root, name_);
}

std::vector<std::string> StoredTable::member_names() const {
    if (compound_) return root_.open_dataset(name_).members();
    std::vector<std::string> names = root_.open_group(name_).names();
    std::erase(names, "__categories");
    return names;
}

std::vector<std::string> StoredTable::columns() const {
    std::vector<std::string> names = member_names();
    std::erase(names, index_);
    if (compound_ || !root_.open_group(name_).has_attribute("column-order")) return names;
    std::vector<std::string> ordered;
    for (const std::string& name : root_.open_group(name_).strings_attribute("column-order")) {
        if (std::erase(names, name) > 0) ordered.push_back(name);
    }
    ordered.insert(ordered.end(), names.begin(), names.end());
    return ordered;
}

std::vector<std::string> StoredTable::nested_columns() const {
    std::vector<std::string> nested;
    if (compound_ || !root_.open_group(name_).has_attribute("column-order")) return nested;
    for (const std::string& name : root_.open_group(name_).strings_attribute("column-order")) {
        if (name.find('/') != std::string::npos && name != index_) nested.push_back(name);
    }
    return nested;
}

/// Finds the labels of a categorical column where the layout of the file stores them: `uns/NAME_categories`
/// (compound dataset), the group of the column, the attribute `categories`, or `__categories/NAME`.
StoredColumn StoredTable::column(const std::string& name) const {
    if (compound_) {
        h5::Dataset values = root_.open_dataset(name_).member(name);
        const std::string categories = "uns/" + name + "_categories";
        if (values.type().kind == h5::Kind::integer && root_.contains_dataset(categories))
            return categorical(std::move(values), root_.open_dataset(categories), false);
        return plain(std::move(values));
    }
    const h5::Group group = root_.open_group(name_);
    if (group.contains_group(name)) return group_column(group.open_group(name));
    h5::Dataset values = group.open_dataset(name);
    if (values.is_reference_attribute("categories")) {
        h5::Dataset categories = values.referenced_dataset("categories");
        const bool ordered = is_ordered(categories);
        return categorical(std::move(values), std::move(categories), ordered);
    }
    if (values.type().kind == h5::Kind::integer && group.contains_dataset("__categories/" + name)) {
        h5::Dataset categories = group.open_dataset("__categories/" + name);
        const bool ordered = is_ordered(categories);
        return categorical(std::move(values), std::move(categories), ordered);
    }
    return plain(std::move(values));
}

}  // namespace popflow::anndata
