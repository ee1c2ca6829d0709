// SPDX-License-Identifier: MIT
#pragma once

#include "linalg/onednn.hpp"

/// Products by the kernel library, of float and of bfloat16; for sources of linalg alone.
namespace popflow::linalg::onednn {

/// The right factor of a product, rounded to T and laid out as the library's kernels for this CPU read it.
template <class T>
class Packed {
  public:
    /// Takes op(b), [k, n], where op transposes if asked. The storage is kept if the shape is as before.
    void pack(bool transpose, ConstMatrixView<float> b);
    std::size_t rows() const { return rows_; }
    std::size_t cols() const { return cols_; }
    const dnnl_memory_desc_t& layout() const { return layout_; }
    dnnl_memory_t memory() const { return memory_.get(); }

  private:
    void choose_layout(std::size_t k, std::size_t n);
    void make_reorder(bool transpose, std::size_t stride);

    std::size_t rows_ = 0, cols_ = 0;
    dnnl_memory_desc_t layout_{};
    AlignedVector<std::byte> bytes_;
    Memory memory_;
    Memory source_;
    Primitive reorder_;  ///< of a source with this stride, transposed or not
    bool source_transposed_ = false;
    std::size_t source_stride_ = 0;
};

/// C = A B + C if `accumulate`, else C = A B, by the calling thread alone.
///
/// Shapes:  A [m, k], B [k, n], C [m, n].
/// @throws NumericalError if the library refuses the call
template <class T>
void multiply(ConstMatrixView<T> a, const Packed<T>& b, bool accumulate, MatrixView<float> c);

/// C += A^T B, by the calling thread alone.
///
/// Shapes:  A [k, m], B [k, n], C [m, n].
/// @throws NumericalError if the library refuses the call
template <class T>
void add_transposed_product(ConstMatrixView<T> a, ConstMatrixView<T> b, MatrixView<float> c);

}  // namespace popflow::linalg::onednn
