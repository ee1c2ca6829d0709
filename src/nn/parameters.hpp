// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "linalg/matrix.hpp"

namespace popflow::nn {

/// One named matrix inside a flat parameter buffer.
struct Tensor {
    std::string name;
    std::size_t offset = 0;  ///< of the first element, in elements
    std::size_t rows = 0;
    std::size_t cols = 0;
    std::size_t size() const { return rows * cols; }
};

/// Names and places of all parameters of a model in one flat buffer.
///
/// Values, gradients and optimiser moments are buffers of the same layout, so that the optimiser, the sum
/// over ranks and a checkpoint are one loop or one call each. Tensors start on multiples of 16 elements; the
/// elements between them stay zero.
class ParameterLayout {
  public:
    /// Appends a tensor; names must differ.
    const Tensor& add(const std::string& name, std::size_t rows, std::size_t cols);
    /// Elements of the buffer, padding included.
    std::size_t size() const { return size_; }
    /// Trainable elements.
    std::size_t count() const;
    const std::vector<Tensor>& tensors() const { return tensors_; }
    /// @throws core::Error if there is no tensor of this name
    const Tensor& find(const std::string& name) const;

  private:
    std::vector<Tensor> tensors_;
    std::size_t size_ = 0;
};

/// The matrix of one tensor in a buffer of its layout.
template <class Real>
linalg::MatrixView<Real> matrix_of(std::span<Real> buffer, const Tensor& tensor) {
    return {buffer.data() + tensor.offset, tensor.rows, tensor.cols};
}

/// The elements of one tensor in a buffer of its layout.
template <class Real>
std::span<Real> elements_of(std::span<Real> buffer, const Tensor& tensor) {
    return buffer.subspan(tensor.offset, tensor.size());
}

}  // namespace popflow::nn
