// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "h5/dataframe.hpp"
#include "h5/group.hpp"

namespace popflow::anndata {

// Writes the parts of a new `.h5ad` file in the encoding of AnnData. The create_ functions allocate the space
// of a column. RowWriter fills in its rows.

/// Creates a categorical column of obs. The width of its codes is the one that pandas uses.
void create_categorical(h5::Group& obs, const std::string& name, const std::vector<std::string>& categories,
                        std::size_t rows);
/// Creates the index of obs, for rows named 0, 1, ... and for other names of at most `max_length` bytes.
void create_row_names(h5::Group& obs, std::size_t rows, std::size_t max_length = 0);
/// Returns the number of bytes that each row name occupies.
std::size_t row_name_length(std::size_t rows);

/// Creates a mapping, such as `uns`.
h5::Group create_dict(h5::Group& parent, const std::string& name);
void write_string(h5::Group& group, const std::string& name, const std::string& value);
void write_strings(h5::Group& group, const std::string& name, const std::vector<std::string>& values);
template <class T>
void write_scalar(h5::Group& group, const std::string& name, T value) {
    h5::Dataset dataset = group.write(name, std::span<const T>(&value, 1), {});
    h5::write_encoding(dataset, "numeric-scalar", "0.2.0");
}

template <class T>
void write_array(h5::Group& group, const std::string& name, std::span<const T> values,
                 const std::vector<std::size_t>& shape) {
    h5::Dataset dataset = group.write(name, values, shape);
    h5::write_encoding(dataset, "array", "0.2.0");
}

/// Creates the empty groups that anndata expects in every file: layers, obsm, obsp, varm, varp.
void write_empty_groups(h5::Group& root);

}  // namespace popflow::anndata
