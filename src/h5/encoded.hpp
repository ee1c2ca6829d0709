// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "h5/dataframe.hpp"
#include "h5/group.hpp"

// Members of `uns` and the other dictionaries of an AnnData file, with the attributes by which anndata knows
// them. Source: AnnData on-disk specification, version 0.8.
namespace popflow::h5 {

/// A mapping, as `uns` is.
Group create_dict(Group& parent, const std::string& name);
void write_text(Group& group, const std::string& name, const std::string& value);
void write_texts(Group& group, const std::string& name, const std::vector<std::string>& values);
template <Number T>
void write_scalar(Group& group, const std::string& name, T value) {
    Dataset dataset = group.write(name, std::span<const T>(&value, 1), {});
    write_encoding(dataset, "numeric-scalar", "0.2.0");
}
template <Number T>
void write_array(Group& group, const std::string& name, std::span<const T> values,
                 const std::vector<std::size_t>& shape) {
    Dataset dataset = group.write(name, values, shape);
    write_encoding(dataset, "array", "0.2.0");
}

/// The narrowest type of codes into so many categories, as pandas chooses it.
Element code_type(std::size_t categories);

/// The attributes of an AnnData file and its members that are always there and mostly empty: layers, obsm,
/// obsp, varm, varp. X, obs, var and uns are the caller's.
void write_anndata_frame(Group& root);

}  // namespace popflow::h5
