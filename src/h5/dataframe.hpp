// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "h5/group.hpp"

namespace popflow::h5 {

/// A table of named columns of equal length, as pandas has it.
class DataFrame {
  public:
    using Ints = std::vector<std::int64_t>;
    using Doubles = std::vector<double>;
    using Bools = std::vector<std::uint8_t>;
    using Strings = std::vector<std::string>;
    struct Column {
        std::string name;
        std::variant<Ints, Doubles, Bools, Strings> values;
        bool categorical = false;  ///< strings stored as codes into their sorted distinct values
    };

    // @throws core::Error if a column of that name is there or the length differs from the others'
    void add(const std::string& name, Ints values) { insert({name, std::move(values), false}); }
    void add(const std::string& name, Doubles values) { insert({name, std::move(values), false}); }
    void add(const std::string& name, Strings values) { insert({name, std::move(values), false}); }
    void add_bools(const std::string& name, Bools values) { insert({name, std::move(values), false}); }
    void add_categorical(const std::string& name, Strings values) { insert({name, std::move(values), true}); }
    /// Row names; without any, rows are named 0, 1, ...
    void name_rows(Strings names);

    std::size_t rows() const;
    const std::vector<Column>& columns() const { return columns_; }
    const Strings& row_names() const { return row_names_; }
    bool contains(const std::string& name) const { return find(name) != nullptr; }
    /// Remembers where the table was read from, so that what it lacks is the error of that file.
    void comes_from(const std::string& file, const std::string& path);
    /// A column of a known type. @throws core::Error, or core::DataError of the file that the table comes
    /// from, if it is missing or of another type
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

    [[noreturn]] void refuse(const std::string& column, const std::string& problem) const;

    std::vector<Column> columns_;
    Strings row_names_;
    std::string file_{};  ///< empty: made here
    std::string path_{};
};

/// Writes attributes `encoding-type` and `encoding-version`, by which anndata knows what an object is.
void write_encoding(Object& object, const std::string& type, const std::string& version);

/// The narrowest type of codes into so many categories, as pandas chooses it.
Element code_type(std::size_t categories);

/// Writes a table as group `name` in AnnData's dataframe encoding 0.2.0, the columns in their order.
///
/// Source: AnnData on-disk specification, version 0.8. `anndata.experimental.read_elem` gives a pandas
/// DataFrame.
Group write_dataframe(Group& parent, const std::string& name, const DataFrame& table,
                      const Storage& storage = {});

/// Reads what write_dataframe() writes. @throws core::DataError for another encoding
DataFrame read_dataframe(const Group& parent, const std::string& name);

}  // namespace popflow::h5
