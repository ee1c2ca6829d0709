// SPDX-License-Identifier: MIT
#include "h5/dataframe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/error.hpp"

namespace popflow::h5 {

void DataFrame::check_length(std::size_t length, const std::string& name) const {
    const bool first = columns_.empty() && row_names_.empty();
    if (!first && length != rows()) {
        throw_error(name, fmt::format("found {} rows, but the table has {}", length, rows()));
    }
}

void DataFrame::set_source(const std::string& file, const std::string& path) {
    file_ = file;
    path_ = path;
}

void DataFrame::throw_error(const std::string& column, const std::string& problem) const {
    if (file_.empty()) throw core::Error("table column `" + column + "`: " + problem);
    throw core::DataError(file_, path_ + "/" + column, problem);
}

void DataFrame::insert(Column column) {
    if (contains(column.name)) throw_error(column.name, "occurs twice");
    check_length(std::visit([](const auto& values) { return values.size(); }, column.values), column.name);
    columns_.push_back(std::move(column));
}

void DataFrame::set_row_names(Strings names) {
    check_length(names.size(), "row names");
    row_names_ = std::move(names);
}

std::size_t DataFrame::rows() const {
    if (columns_.empty()) return row_names_.size();
    return std::visit([](const auto& values) { return values.size(); }, columns_.front().values);
}

const DataFrame::Column* DataFrame::find(const std::string& name) const {
    const auto found = std::find_if(columns_.begin(), columns_.end(),
                                    [&](const Column& column) { return column.name == name; });
    return found == columns_.end() ? nullptr : &*found;
}

template <class Values>
const Values& DataFrame::values(const std::string& name) const {
    const Column* column = find(name);
    if (column == nullptr) throw_error(name, "is missing");
    const Values* typed = std::get_if<Values>(&column->values);
    if (typed == nullptr) throw_error(name, "has an unexpected type");
    return *typed;
}

const DataFrame::Ints& DataFrame::ints(const std::string& name) const {
    return values<Ints>(name);
}
const DataFrame::Doubles& DataFrame::doubles(const std::string& name) const {
    return values<Doubles>(name);
}
const DataFrame::Bools& DataFrame::bools(const std::string& name) const {
    return values<Bools>(name);
}
const DataFrame::Strings& DataFrame::strings(const std::string& name) const {
    return values<Strings>(name);
}

Element code_type(std::size_t categories) {
    if (categories <= 127) return Element::int8;
    return categories <= 32767 ? Element::int16 : Element::int32;
}

void write_encoding(Object& object, const std::string& type, const std::string& version) {
    object.write_attribute("encoding-type", type);
    object.write_attribute("encoding-version", version);
}

namespace {

// Writes strings as codes into their sorted distinct values, with the narrowest code type.
void write_categorical(Group& table, const std::string& name, const DataFrame::Strings& values,
                       const Storage& storage) {
    const std::set<std::string> distinct(values.begin(), values.end());
    const std::vector<std::string> categories(distinct.begin(), distinct.end());
    std::vector<std::int32_t> codes;
    codes.reserve(values.size());
    for (const std::string& value : values) {
        const auto place = std::lower_bound(categories.begin(), categories.end(), value);
        codes.push_back(static_cast<std::int32_t>(place - categories.begin()));
    }
    Group column = table.create_group(name);
    write_encoding(column, "categorical", "0.2.0");
    column.write_attribute("ordered", false);
    Dataset stored_codes =
        column.create_dataset("codes", code_type(categories.size()), {codes.size()}, storage);
    stored_codes.write_rows(0, std::span<const std::int32_t>(codes));
    write_encoding(stored_codes, "array", "0.2.0");
    Dataset stored_categories = column.write_strings("categories", categories);
    write_encoding(stored_categories, "string-array", "0.2.0");
}

// Visitor that writes a column in the encoding of its type.
struct ColumnWriter {
    Group& table;
    const DataFrame::Column& column;
    const Storage& storage;

    void operator()(const DataFrame::Ints& values) const {
        Dataset stored = table.write(column.name, values, storage);
        write_encoding(stored, "array", "0.2.0");
    }
    void operator()(const DataFrame::Doubles& values) const {
        Dataset stored = table.write(column.name, values, storage);
        write_encoding(stored, "array", "0.2.0");
    }
    void operator()(const DataFrame::Bools& values) const {
        Dataset stored = table.write_bools(column.name, values, storage);
        write_encoding(stored, "array", "0.2.0");
    }
    void operator()(const DataFrame::Strings& values) const {
        if (column.categorical) return write_categorical(table, column.name, values, storage);
        Dataset stored = table.write_strings(column.name, values, storage);
        write_encoding(stored, "string-array", "0.2.0");
    }
};

// Reads a categorical column as strings. A negative code, which pandas writes for a missing value, gives "".
DataFrame::Strings categorical_values(const Group& column) {
    const std::vector<std::string> categories = column.open_dataset("categories").read_strings();
    DataFrame::Strings values;
    for (const std::int64_t code : column.open_dataset("codes").read<std::int64_t>()) {
        if (code >= static_cast<std::int64_t>(categories.size())) {
            throw core::DataError(
                column.file(), column.path(),
                fmt::format("found code {}, but there are {} categories: the file is damaged", code,
                            categories.size()));
        }
        values.push_back(code < 0 ? "" : categories[static_cast<std::size_t>(code)]);
    }
    return values;
}

}  // namespace

Group write_dataframe(Group& parent, const std::string& name, const DataFrame& table,
                      const Storage& storage) {
    Group group = parent.create_group(name);
    write_encoding(group, "dataframe", "0.2.0");
    DataFrame::Strings order;
    for (const DataFrame::Column& column : table.columns()) order.push_back(column.name);
    group.write_attribute("column-order", order);
    group.write_attribute("_index", "_index");
    DataFrame::Strings row_names = table.row_names();
    for (std::size_t i = row_names.size(); i < table.rows(); ++i) row_names.push_back(std::to_string(i));
    Dataset index = group.write_strings("_index", row_names, storage);
    write_encoding(index, "string-array", "0.2.0");
    for (const DataFrame::Column& column : table.columns()) {
        std::visit(ColumnWriter{group, column, storage}, column.values);
    }
    return group;
}

DataFrame read_dataframe(const Group& parent, const std::string& name) {
    const Group group = parent.open_group(name);
    const std::string encoding = group.string_attribute("encoding-type");
    if (encoding != "dataframe") {
        throw core::DataError(group.file(), group.path(),
                              "found encoding " + encoding + ", but it must be dataframe");
    }
    DataFrame table;
    table.set_source(group.file(), group.path());
    table.set_row_names(group.open_dataset(group.string_attribute("_index")).read_strings());
    for (const std::string& column : group.strings_attribute("column-order")) {
        if (group.contains_group(column)) {
            table.add_categorical(column, categorical_values(group.open_group(column)));
            continue;
        }
        const Dataset stored = group.open_dataset(column);
        switch (stored.type().kind) {
            case Kind::integer:
                table.add(column, stored.read<std::int64_t>());
                break;
            case Kind::floating:
                table.add(column, stored.read<double>());
                break;
            case Kind::boolean:
                table.add_bools(column, stored.read<std::uint8_t>());
                break;
            default:
                table.add(column, stored.read_strings());
                break;
        }
    }
    return table;
}

}  // namespace popflow::h5
