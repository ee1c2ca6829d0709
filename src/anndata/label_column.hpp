// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "h5/group.hpp"

namespace popflow::anndata {

/// A column of obs or var as codes into its distinct labels, read in blocks.
///
/// Labels of strings are the strings. Labels of numbers are written by core::number_label(). Labels of bools
/// are `True` and `False`. A categorical column keeps its codes. Other columns get codes in the order in
/// which their values are read.
class LabelColumn {
  public:
    /// Sentinel code of a missing value: no category, NaN or masked.
    static constexpr std::int32_t missing_code = -1;

    /// Opens a column of strings or numbers.
    explicit LabelColumn(h5::Dataset values);
    /// Opens a nullable column. `mask` is true where a value is missing.
    LabelColumn(h5::Dataset values, h5::Dataset mask);
    /// Opens a categorical column from its codes and the labels of its categories.
    static LabelColumn categorical(h5::Dataset codes, h5::Dataset categories);

    std::size_t rows() const { return values_.rows(); }
    const std::string& path() const { return values_.path(); }
    /// Distinct labels by code. Grows when read_codes() finds new values.
    const std::vector<std::string>& labels() const { return labels_; }
    /// Reads the codes of rows [first, first + out.size()). @throws core::DataError for a code without
    /// category
    void read_codes(std::size_t first, std::span<std::int32_t> out);
    /// Reads the labels of all rows. A missing value has an empty label.
    std::vector<std::string> read_labels();

  private:
    void read_categories(std::size_t first, std::span<std::int32_t> out) const;
    void read_strings(std::size_t first, std::span<std::int32_t> out);
    template <class Value>
    void read_numbers(std::size_t first, std::span<std::int32_t> out);
    std::int32_t add_label(std::string label);
    void check_length(const std::string& label) const;

    h5::Dataset values_;
    std::optional<h5::Dataset> mask_;
    bool categorical_ = false;
    std::vector<std::string> labels_;
    std::unordered_map<std::string, std::int32_t> code_of_string_;
    std::unordered_map<std::uint64_t, std::int32_t> code_of_number_;  ///< keyed by the bits of the number
};

}  // namespace popflow::anndata
