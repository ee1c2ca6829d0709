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
/// Labels are the strings of a column of strings; numbers as core::number_label() writes them; `True` and
/// `False`. Categories keep their codes; other columns get codes in the order in which values are met.
class LabelColumn {
  public:
    /// Code of a missing value: no category, NaN, or masked.
    static constexpr std::int32_t missing = -1;

    /// A column of strings or numbers.
    explicit LabelColumn(h5::Dataset values);
    /// A nullable column; `mask` is true where a value is missing.
    LabelColumn(h5::Dataset values, h5::Dataset mask);
    /// A categorical column from its codes and the labels of its categories.
    static LabelColumn categorical(h5::Dataset codes, h5::Dataset categories);

    std::size_t rows() const { return values_.rows(); }
    const std::string& path() const { return values_.path(); }
    /// Grows while read_codes() meets new values.
    const std::vector<std::string>& labels() const { return labels_; }
    /// Codes of rows [first, first + out.size()). @throws core::DataError for a code without category
    void read_codes(std::size_t first, std::span<std::int32_t> out);
    /// All labels in the order of the rows, a missing value as an empty one.
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
    std::unordered_map<std::uint64_t, std::int32_t> code_of_number_;  ///< by the number's bits
};

}  // namespace popflow::anndata
