// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "linalg/matrix.hpp"

namespace popflow::nn {

/// Named matrix inside a flat parameter buffer.
struct Tensor {
    std::string name;
    std::size_t offset = 0;  ///< position of the first element, in elements
    std::size_t rows = 0;
    std::size_t cols = 0;
    std::size_t size() const { return rows * cols; }
};

/// Names and positions of all parameters of a model in one flat buffer.
///
/// Values, gradients and optimiser moments are buffers with the same layout. Hence the optimiser, the sum
/// over ranks and a checkpoint need one loop or one call each. Tensors start at multiples of 16 elements, a
/// cache line of floats. The padding between them stays zero.
class ParameterLayout {
  public:
    /// Appends a tensor. Its name must be unique. The reference is valid until the next call.
    const Tensor& add(const std::string& name, std::size_t rows, std::size_t cols);
    /// Number of elements of the buffer, including padding.
    std::size_t size() const { return size_; }
    /// Number of elements of all tensors, without padding.
    std::size_t count() const;
    const std::vector<Tensor>& tensors() const { return tensors_; }
    /// Returns the tensor with this name.
    /// @throws core::Error if there is none
    const Tensor& find(const std::string& name) const;

  private:
    std::vector<Tensor> tensors_;
    std::size_t size_ = 0;
};

/// Returns a view of a tensor, as a matrix, in a buffer of its layout.
template <class Real>
linalg::MatrixView<Real> matrix_of(std::span<Real> buffer, const Tensor& tensor) {
    return {buffer.data() + tensor.offset, tensor.rows, tensor.cols};
}

/// Returns a view of the elements of a tensor in a buffer of its layout.
template <class Real>
std::span<Real> elements_of(std::span<Real> buffer, const Tensor& tensor) {
    return buffer.subspan(tensor.offset, tensor.size());
}

}  // namespace popflow::nn
