// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "linalg/bfloat16.hpp"
#include "linalg/matrix.hpp"

namespace popflow::linalg {

/// The right factor of many products, rounded to T and laid out as the kernels read it.
///
/// T is float, bfloat16, or double (a plain copy, for gradient checks). Once packed, any number of threads
/// may use it.
template <class T>
class PackedMatrix {
  public:
    PackedMatrix();
    ~PackedMatrix();
    PackedMatrix(PackedMatrix&&) noexcept;
    PackedMatrix& operator=(PackedMatrix&&) noexcept;

    /// Takes op(b), [k, n], where op transposes if asked. The storage is kept if the shape is as before.
    void pack(bool transpose, ConstMatrixView<accumulator_t<T>> b);

    std::size_t rows() const;
    std::size_t cols() const;

    struct Storage;
    const Storage& storage() const { return *storage_; }

  private:
    std::unique_ptr<Storage> storage_;
};

/// C = A B + C if `accumulate`, else C = A B, by the calling thread alone.
///
/// Shapes:  A [m, k], B [k, n], C [m, n]. Fast for m up to some hundreds; the caller cuts taller matrices.
/// @throws ShapeMismatch; NumericalError if the kernel library refuses the call
template <class T>
void multiply(ConstMatrixView<T> a, const PackedMatrix<T>& b, bool accumulate,
              MatrixView<accumulator_t<T>> c);

/// C += A^T B, by the calling thread alone: the gradient of a weight.
///
/// Shapes:  A [k, m], B [k, n], C [m, n].
/// @throws ShapeMismatch; NumericalError if the kernel library refuses the call
template <class T>
void add_transposed_product(ConstMatrixView<T> a, ConstMatrixView<T> b, MatrixView<accumulator_t<T>> c);

}  // namespace popflow::linalg
