// SPDX-License-Identifier: MIT
#include "linalg/packed_gemm.hpp"

#include "linalg/avx2_product.hpp"
#include "linalg/gemm.hpp"
#include "linalg/onednn_product.hpp"

namespace popflow::linalg {

namespace {

// Plain copy of a factor in double, the reference for gradient checks.
class Copy {
  public:
    void pack(bool transpose, ConstMatrixView<double> b) {
        values_.reshape(transpose ? b.cols : b.rows, transpose ? b.rows : b.cols);
        for (std::size_t i = 0; i < rows(); ++i) {
            for (std::size_t j = 0; j < cols(); ++j) values_(i, j) = transpose ? b(j, i) : b(i, j);
        }
    }
    std::size_t rows() const { return values_.rows(); }
    std::size_t cols() const { return values_.cols(); }
    ConstMatrixView<double> view() const { return values_.view(); }

  private:
    Matrix<double> values_;
};

void product(ConstMatrixView<double> a, const Copy& b, bool accumulate, MatrixView<double> c) {
    gemm(false, false, 1.0, a, b.view(), accumulate ? 1.0 : 0.0, c);
}

void add_product_of_transpose(ConstMatrixView<double> a, ConstMatrixView<double> b, MatrixView<double> c) {
    gemm(true, false, 1.0, a, b, 1.0, c);
}

void product(ConstMatrixView<bfloat16> a, const onednn::Packed<bfloat16>& b, bool accumulate,
             MatrixView<float> c) {
    onednn::multiply(a, b, accumulate, c);
}

void add_product_of_transpose(ConstMatrixView<bfloat16> a, ConstMatrixView<bfloat16> b, MatrixView<float> c) {
    onednn::add_transposed_product(a, b, c);
}

// Factor in float, packed for the kernels that this CPU uses: popflow's own or oneDNN's.
class PackedFloats {
  public:
    void pack(bool transpose, ConstMatrixView<float> b) {
        if (avx2::is_preferred()) {
            panels_.pack(transpose, b);
        } else {
            packed_.pack(transpose, b);
        }
    }
    std::size_t rows() const { return avx2::is_preferred() ? panels_.rows() : packed_.rows(); }
    std::size_t cols() const { return avx2::is_preferred() ? panels_.cols() : packed_.cols(); }
    const avx2::Panels& panels() const { return panels_; }
    const onednn::Packed<float>& packed() const { return packed_; }

  private:
    avx2::Panels panels_;
    onednn::Packed<float> packed_;
};

void product(ConstMatrixView<float> a, const PackedFloats& b, bool accumulate, MatrixView<float> c) {
    if (avx2::is_preferred()) {
        avx2::multiply(1, false, a, b.panels(), accumulate ? 1.0F : 0.0F, c);
    } else {
        onednn::multiply(a, b.packed(), accumulate, c);
    }
}

void add_product_of_transpose(ConstMatrixView<float> a, ConstMatrixView<float> b, MatrixView<float> c) {
    if (avx2::is_preferred()) {
        avx2::add_transposed_product(a, b, c);
    } else {
        onednn::add_transposed_product(a, b, c);
    }
}

}  // namespace

template <>
struct PackedMatrix<float>::Storage {
    PackedFloats values;
};
template <>
struct PackedMatrix<bfloat16>::Storage {
    onednn::Packed<bfloat16> values;
};
template <>
struct PackedMatrix<double>::Storage {
    Copy values;
};

template <class T>
void PackedMatrix<T>::pack(bool transpose, ConstMatrixView<accumulator_t<T>> b) {
    if (!storage_) storage_ = std::make_unique<Storage>();
    storage_->values.pack(transpose, b);
}

template <class T>
PackedMatrix<T>::PackedMatrix() = default;
template <class T>
PackedMatrix<T>::~PackedMatrix() = default;
template <class T>
PackedMatrix<T>::PackedMatrix(PackedMatrix&&) noexcept = default;
template <class T>
PackedMatrix<T>& PackedMatrix<T>::operator=(PackedMatrix&&) noexcept = default;
template <class T>
std::size_t PackedMatrix<T>::rows() const {
    return storage_ ? storage_->values.rows() : 0;
}
template <class T>
std::size_t PackedMatrix<T>::cols() const {
    return storage_ ? storage_->values.cols() : 0;
}

template <class T>
void multiply(ConstMatrixView<T> a, const PackedMatrix<T>& b, bool accumulate,
              MatrixView<accumulator_t<T>> c) {
    core::check_shape("packed_gemm.a", a.rows, a.cols, c.rows, b.rows());
    core::check_shape("packed_gemm.c", c.rows, c.cols, a.rows, b.cols());
    if (!c.empty()) product(a, b.storage().values, accumulate, c);
}

template <class T>
void add_transposed_product(ConstMatrixView<T> a, ConstMatrixView<T> b, MatrixView<accumulator_t<T>> c) {
    core::check_shape("packed_gemm.b", b.rows, b.cols, a.rows, c.cols);
    core::check_shape("packed_gemm.c", c.rows, c.cols, a.cols, b.cols);
    if (!c.empty()) add_product_of_transpose(a, b, c);
}

template class PackedMatrix<float>;
template class PackedMatrix<bfloat16>;
template class PackedMatrix<double>;
template void multiply(ConstMatrixView<float>, const PackedMatrix<float>&, bool, MatrixView<float>);
template void multiply(ConstMatrixView<bfloat16>, const PackedMatrix<bfloat16>&, bool, MatrixView<float>);
template void multiply(ConstMatrixView<double>, const PackedMatrix<double>&, bool, MatrixView<double>);
template void add_transposed_product(ConstMatrixView<float>, ConstMatrixView<float>, MatrixView<float>);
template void add_transposed_product(ConstMatrixView<bfloat16>, ConstMatrixView<bfloat16>, MatrixView<float>);
template void add_transposed_product(ConstMatrixView<double>, ConstMatrixView<double>, MatrixView<double>);

}  // namespace popflow::linalg
