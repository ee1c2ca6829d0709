// SPDX-License-Identifier: MIT
#pragma once

#include "linalg/onednn.hpp"

/// Matrix products of float and of bfloat16 with oneDNN. Only for the sources of linalg.
namespace popflow::linalg::onednn {

/// Right factor of a product, rounded to T and packed into the layout that oneDNN prefers on this CPU.
template <class T>
class Packed {
  public:
    /// Packs op(b), [k, n], where op transposes if `transpose`. Reuses the storage if the shape is unchanged.
    /// @throws NumericalError if oneDNN refuses the call, std::bad_alloc if memory runs out
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
    Primitive reorder_;  ///< packs a source with the following transposition and stride
    bool source_transposed_ = false;
    std::size_t source_stride_ = 0;
};

/// Computes C = A B + C if `accumulate`, else C = A B, on the calling thread.
///
/// Shapes:  A [m, k], B [k, n], C [m, n].
/// @throws NumericalError if oneDNN refuses the call, std::bad_alloc if memory runs out
template <class T>
void multiply(ConstMatrixView<T> a, const Packed<T>& b, bool accumulate, MatrixView<float> c);

/// Adds a product with a transposed left factor, C += A^T B, on the calling thread.
///
/// Shapes:  A [k, m], B [k, n], C [m, n].
/// @throws NumericalError if oneDNN refuses the call, std::bad_alloc if memory runs out
template <class T>
void add_transposed_product(ConstMatrixView<T> a, ConstMatrixView<T> b, MatrixView<float> c);

}  // namespace popflow::linalg::onednn
