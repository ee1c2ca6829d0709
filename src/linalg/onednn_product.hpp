// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "linalg/bfloat16.hpp"
#include "linalg/matrix.hpp"

/// Products by the kernel library, of float and of bfloat16; for sources of linalg alone.
namespace popflow::linalg::onednn {

/// The right factor of a product, rounded to T and laid out as the library's kernels for this CPU read it.
template <class T>
class Packed {
  public:
    Packed();
    ~Packed();
    Packed(Packed&&) noexcept;
    Packed& operator=(Packed&&) noexcept;

    /// Takes op(b), [k, n], where op transposes if asked. The storage is kept if the shape is as before.
    void pack(bool transpose, ConstMatrixView<float> b);
    std::size_t rows() const;
    std::size_t cols() const;

    struct Storage;
    const Storage& storage() const { return *storage_; }

  private:
    std::unique_ptr<Storage> storage_;
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
