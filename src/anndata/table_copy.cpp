// SPDX-License-Identifier: MIT
#include "anndata/table_copy.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.hpp"
#include "h5/dataframe.hpp"

namespace popflow::anndata {

namespace {

// Calls work(T{}), where T is the type in memory for the numbers of a dataset.
template <class Work>
void with_number(const h5::Dataset& dataset, Work work) {
    const h5::StoredType& type = dataset.type();
    if (type.kind == h5::Kind::floating) return type.bytes <= 4 ? work(float{}) : work(double{});
    if (type.kind == h5::Kind::enumeration) return work(std::int64_t{});
    if (type.kind != h5::Kind::integer) {
        throw core::DataError(
            dataset.file(), dataset.path(),
            "found " + type.text() + ", which popflow cannot copy. It copies strings, numbers and bools");
    }
    switch (type.bytes) {
        case 1:
            return type.is_signed ? work(std::int8_t{}) : work(std::uint8_t{});
        case 2:
            return type.is_signed ? work(std::int16_t{}) : work(std::uint16_t{});
        case 4:
            return type.is_signed ? work(std::int32_t{}) : work(std::uint32_t{});
        default:
            return type.is_signed ? work(std::int64_t{}) : work(std::uint64_t{});
    }
}

// The selected rows of a table in the order of the file, each with its position among the rows of a call.
class SelectedRows {
  public:
    explicit SelectedRows(std::span<const RowSegment> segments) : segments_(segments) {
        std::size_t position = 0;
        for (const RowSegment& segment : segments) {
            for (const std::uint64_t row : segment.rows) selected_.emplace_back(row, position++);
        }
        std::ranges::sort(selected_);
    }

    // Returns all selected values, in the order of the segments. read(first, count) returns the values of a
    // block.
    template <class Value, class Read>
    std::vector<Value> gather(Read read) const {
        constexpr std::size_t block_rows = std::size_t{1} << 16;
        std::vector<Value> values(selected_.size());
        for (std::size_t begin = 0; begin < selected_.size();) {
            const std::size_t first = selected_[begin].first;
            std::size_t end = begin;
            while (end < selected_.size() && selected_[end].first < first + block_rows) ++end;
            std::vector<Value> block = read(first, selected_[end - 1].first + 1 - first);
            for (; begin < end; ++begin)
                values[selected_[begin].second] = block[selected_[begin].first - first];
        }
        return values;
    }

    // Calls write(first row, values) for each segment.
    template <class Value, class Write>
    void scatter(const std::vector<Value>& values, Write write) const {
        std::size_t position = 0;
        for (const RowSegment& segment : segments_) {
            write(segment.first, std::span(values).subspan(position, segment.rows.size()));
            position += segment.rows.size();
        }
    }

  private:
    std::span<const RowSegment> segments_;
    std::vector<std::pair<std::size_t, std::size_t>> selected_;  ///< (row, position), sorted
};

void create_values(h5::Group& group, const std::string& name, const h5::Dataset& source, std::size_t rows) {
    if (source.type().kind == h5::Kind::string) {
        h5::Dataset made = group.create_strings(name, rows);
        return h5::write_encoding(made, "string-array", "0.2.0");
    }
    if (source.type().kind == h5::Kind::boolean) {
        h5::Dataset made = group.create_bools(name, rows);
        return h5::write_encoding(made, "array", "0.2.0");
    }
    with_number(source, [&](auto number) {
        h5::Dataset made = group.create_dataset(name, h5::element_of<decltype(number)>(), {rows});
        h5::write_encoding(made, "array", "0.2.0");
    });
}

void write_values(h5::Dataset target, const h5::Dataset& source, const SelectedRows& rows) {
    if (source.type().kind == h5::Kind::string) {
        const auto values = rows.gather<std::string>(
            [&](std::size_t first, std::size_t count) { return source.read_strings(first, count); });
        return rows.scatter(values, [&](std::size_t first, std::span<const std::string> some) {
            target.write_strings(first, some);
        });
    }
    const auto numbers = [&](auto number) {
        using Number = decltype(number);
        return rows.gather<Number>([&](std::size_t first, std::size_t count) {
            std::vector<Number> block(count);
            source.read_rows(first, count, std::span<Number>(block));
            return block;
        });
    };
    if (source.type().kind == h5::Kind::boolean) {
        return rows.scatter(
            numbers(std::uint8_t{}),
            [&](std::size_t first, std::span<const std::uint8_t> some) { target.write_bools(first, some); });
    }
    with_number(source, [&](auto number) {
        rows.scatter(numbers(number), [&](std::size_t first, std::span<const decltype(number)> some) {
            target.write_rows(first, some);
        });
    });
}

void copy_all(h5::Group& group, const std::string& name, const h5::Dataset& source) {
    create_values(group, name, source, source.rows());
    std::vector<std::uint64_t> rows(source.rows());
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = i;
    const RowSegment all{rows, 0};
    write_values(group.open_dataset(name), source, SelectedRows({&all, 1}));
}

void create_column(h5::Group& table, const std::string& name, const StoredColumn& source, std::size_t rows) {
    if (source.categories) {
        h5::Group column = table.create_group(name);
        h5::write_encoding(column, "categorical", "0.2.0");
        column.write_attribute("ordered", source.ordered);
        create_values(column, "codes", source.values, rows);
        return copy_all(column, "categories", *source.categories);
    }
    if (source.mask) {
        h5::Group column = table.create_group(name);
        h5::write_encoding(column, source.encoding, "0.1.0");
        create_values(column, "values", source.values, rows);
        return create_values(column, "mask", *source.mask, rows);
    }
    create_values(table, name, source.values, rows);
}

// Reads a value, so that a column that cannot be read is found before other work.
void read_first_value(const h5::Dataset& dataset) {
    if (dataset.rank() != 1)
        throw core::DataError(dataset.file(), dataset.path(),
                              fmt::format("found {} dimensions, but a column has 1", dataset.rank()));
    if (dataset.rows() == 0) return;
    if (dataset.type().kind == h5::Kind::string) {
        dataset.read_strings(0, 1);
        return;
    }
    if (dataset.type().kind == h5::Kind::boolean) {
        std::uint8_t value = 0;
        return dataset.read_rows(0, 1, std::span<std::uint8_t>(&value, 1));
    }
    with_number(dataset, [&](auto number) { dataset.read_rows(0, 1, std::span(&number, 1)); });
}

void check_column(const AnnData& data, const std::string& table, const StoredColumn& column) {
    const std::size_t wanted = table == "obs" ? data.n_obs() : data.n_vars();
    for (const h5::Dataset* values : {&column.values, column.mask ? &*column.mask : nullptr}) {
        if (values == nullptr || (values->rank() == 1 && values->rows() == wanted)) continue;
        throw core::DataError(data.file(), values->path(),
                              fmt::format("found {} rows in {} dimensions, but the table has {} in 1",
                                          values->rows(), values->rank(), wanted));
    }
    for (const h5::Dataset* values : {&column.values, column.categories ? &*column.categories : nullptr,
                                      column.mask ? &*column.mask : nullptr}) {
        if (values != nullptr) read_first_value(*values);
    }
}

// Checks that the name of a column can be the name of a column in a new file.
void check_name(const AnnData& data, const std::string& table, const std::string& name) {
    if (name == "_index")
        throw core::DataError(
            data.file(), table + "/" + name,
            "found the name of the column of row names that a new file has: rename the column");
    if (name.find('/') == std::string::npos) return;
    throw core::DataError(data.file(), table + "/" + name,
                          "found a name with `/`, which HDF5 takes for a group: rename the column");
}

// Returns the columns of a table. Replaces a group that is no column by the names in the column order that it
// contains, as a file has it that was written from names with `/`.
std::vector<std::string> column_names(const StoredTable& table) {
    const std::vector<std::string> nested = table.nested_columns();
    std::vector<std::string> names;
    const auto is_in = [](const std::string& name, const std::string& group) {
        return name.starts_with(group + "/");
    };
    for (const std::string& name : table.columns()) {
        if (is_in(table.index(), name)) continue;
        const bool is_group =
            std::ranges::any_of(nested, [&](const std::string& inner) { return is_in(inner, name); });
        if (!is_group) names.push_back(name);
    }
    names.insert(names.end(), nested.begin(), nested.end());
    return names;
}

}  // namespace

TableCopy::TableCopy(const AnnData& data, const std::string& table) : data_(data) {
    if (table == "var" && !data.has_var_table()) return;
    const StoredTable source = data.table(table);
    for (const std::string& name : column_names(source)) {
        try {
            check_name(data, table, name);
            StoredColumn column = source.column(name);
            check_column(data, table, column);
            columns_.emplace_back(name, std::move(column));
        } catch (const core::Error& error) {
            // The message begins with the file, which all columns share.
            std::string text = error.what();
            const std::string file = data.file() + ": ";
            if (text.starts_with(file)) text.erase(0, file.size());
            left_out_.push_back(text);
        }
    }
}

std::vector<std::string> TableCopy::columns() const {
    std::vector<std::string> names;
    for (const auto& [name, column] : columns_) names.push_back(name);
    return names;
}

void TableCopy::create(h5::Group& table, std::size_t rows) const {
    for (const auto& [name, column] : columns_) create_column(table, name, column, rows);
}

void TableCopy::write(h5::Group& table, std::span<const RowSegment> segments) const {
    const SelectedRows rows(segments);
    for (const auto& [name, column] : columns_) {
        if (column.categories) {
            write_values(table.open_dataset(name + "/codes"), column.values, rows);
        } else if (column.mask) {
            write_values(table.open_dataset(name + "/values"), column.values, rows);
            write_values(table.open_dataset(name + "/mask"), *column.mask, rows);
        } else {
            write_values(table.open_dataset(name), column.values, rows);
        }
    }
}

std::vector<std::string> TableCopy::obs_names(std::span<const RowSegment> segments) const {
    return SelectedRows(segments).gather<std::string>(
        [&](std::size_t first, std::size_t count) { return data_.obs_names(first, count); });
}

}  // namespace popflow::anndata
