// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>

#include "h5/group.hpp"
#include "linalg/matrix.hpp"
#include "nn/parameters.hpp"

namespace popflow::train {

/// Writes a matrix as a dataset.
void write_matrix(h5::Group& group, const std::string& name, linalg::ConstMatrixView<float> m);
/// Reads a matrix. @throws core::DataError if the dataset does not exist or does not have two dimensions
linalg::Matrix<float> read_matrix(const h5::Group& group, const std::string& name);
/// Reads a matrix in double precision. @throws core::DataError as read_matrix()
linalg::Matrix<double> read_double_matrix(const h5::Group& group, const std::string& name);
/// Checks the shape of a dataset. @throws core::DataError
void check_matrix(const h5::Group& parent, const std::string& name, std::span<const std::size_t> shape,
                  std::size_t rows, std::size_t cols);

/// Writes one dataset for each tensor, so that other programs find weights by name.
void write_tensors(h5::Group& parent, const std::string& name, const nn::ParameterLayout& layout,
                   std::span<const float> buffer);
/// Reads the tensors of write_tensors(). @throws core::DataError if a tensor is missing or has another shape
linalg::AlignedVector<float> read_tensors(const h5::Group& parent, const std::string& name,
                                          const nn::ParameterLayout& layout);

/// Reads a size. Its default limit keeps the product of a few sizes within the range of std::size_t.
/// @throws core::DataError
std::size_t read_size(const h5::Group& group, const char* name, std::size_t max = 1'000'000'000);

}  // namespace popflow::train
