// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "linalg/bfloat16.hpp"
#include "linalg/matrix.hpp"

namespace popflow::linalg {

/// Right factor of many products, rounded to T and packed into the layout that the kernels read.
///
/// T is float, bfloat16, or double (a plain copy, for gradient checks). Concurrent reads are thread-safe.
template <class T>
class PackedMatrix {
  public:
    PackedMatrix();
    ~PackedMatrix();
    PackedMatrix(PackedMatrix&&) noexcept;
    PackedMatrix& operator=(PackedMatrix&&) noexcept;

    /// Packs op(b), [k, n], where op transposes if `transpose`. Reuses the storage if the shape is unchanged.
    void pack(bool transpose, ConstMatrixView<accumulator_t<T>> b);

    std::size_t rows() const;
    std::size_t cols() const;

    struct Storage;
    const Storage& storage() const { return *storage_; }

  private:
    std::unique_ptr<Storage> storage_;
};

/// Computes C = A B + C if `accumulate`, else C = A B, on the calling thread.
///
/// Shapes:  A [m, k], B [k, n], C [m, n]. Fast for m up to a few hundred. Callers split taller matrices.
/// @throws ShapeMismatch if the shapes do not fit
/// @throws NumericalError if oneDNN refuses the call
template <class T>
void multiply(ConstMatrixView<T> a, const PackedMatrix<T>& b, bool accumulate,
              MatrixView<accumulator_t<T>> c);

/// Adds a product with a transposed left factor, C += A^T B, on the calling thread: the gradient of a weight.
///
/// Shapes:  A [k, m], B [k, n], C [m, n].
/// @throws ShapeMismatch if the shapes do not fit
/// @throws NumericalError if oneDNN refuses the call
template <class T>
void add_transposed_product(ConstMatrixView<T> a, ConstMatrixView<T> b, MatrixView<accumulator_t<T>> c);

}  // namespace popflow::linalg
