// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "h5/group.hpp"

namespace popflow::h5 {

/// A table of named columns of equal length, like a pandas DataFrame.
class DataFrame {
  public:
    using Ints = std::vector<std::int64_t>;
    using Doubles = std::vector<double>;
    using Bools = std::vector<std::uint8_t>;
    using Strings = std::vector<std::string>;
    struct Column {
        std::string name;
        std::variant<Ints, Doubles, Bools, Strings> values;
        bool categorical = false;  ///< whether strings are stored as codes into their sorted distinct values
    };

    // Adds a column. The methods throw core::Error if a column of that name exists or the length differs from
    // that of the other columns.
    void add(const std::string& name, Ints values) { insert({name, std::move(values), false}); }
    void add(const std::string& name, Doubles values) { insert({name, std::move(values), false}); }
    void add(const std::string& name, Strings values) { insert({name, std::move(values), false}); }
    void add_bools(const std::string& name, Bools values) { insert({name, std::move(values), false}); }
    void add_categorical(const std::string& name, Strings values) { insert({name, std::move(values), true}); }
    /// Sets the row names. Without row names, rows are named 0, 1, ... @throws core::Error as add()
    void set_row_names(Strings names);

    std::size_t rows() const;
    const std::vector<Column>& columns() const { return columns_; }
    const Strings& row_names() const { return row_names_; }
    bool contains(const std::string& name) const { return find(name) != nullptr; }
    /// Sets the file and group that the table was read from. Errors about columns then name them.
    void set_source(const std::string& file, const std::string& path);
    /// Returns a column of the given type.
    /// @throws core::DataError that names the source file, or core::Error without a source, if the column is
    /// missing or has another type
    const Ints& ints(const std::string& name) const;
    const Doubles& doubles(const std::string& name) const;
    const Bools& bools(const std::string& name) const;
    const Strings& strings(const std::string& name) const;

  private:
    void insert(Column column);
    void check_length(std::size_t length, const std::string& name) const;
    const Column* find(const std::string& name) const;
    template <class Values>
    const Values& values(const std::string& name) const;

    [[noreturn]] void throw_error(const std::string& column, const std::string& problem) const;

    std::vector<Column> columns_;
    Strings row_names_;
    std::string file_{};  ///< source file, empty if the table was not read from a file
    std::string path_{};  ///< source group
};

/// Writes the attributes `encoding-type` and `encoding-version`, by which anndata identifies objects.
void write_encoding(Object& object, const std::string& type, const std::string& version);

/// Returns the narrowest integer type for the codes of `categories` categories, like pandas.
Element code_type(std::size_t categories);

/// Writes a table as group `name` in AnnData's dataframe encoding 0.2.0. Keeps the order of the columns.
///
/// `anndata.experimental.read_elem` reads the group as a pandas DataFrame.
/// Source: AnnData on-disk specification, version 0.8.
Group write_dataframe(Group& parent, const std::string& name, const DataFrame& table,
                      const Storage& storage = {});

/// Reads a table that write_dataframe() has written. @throws core::DataError for another encoding
DataFrame read_dataframe(const Group& parent, const std::string& name);

}  // namespace popflow::h5
