// SPDX-License-Identifier: MIT
#include "linalg/leading_eigenvectors.hpp"

#include <algorithm>
#include <cmath>
#include <random>

#include "linalg/eigen_tools.hpp"
#include "linalg/symmetric_eigen.hpp"

namespace popflow::linalg {

namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;
using Rows = EigenRows;

// Number of vectors beyond the wanted ones in the first block.
constexpr std::size_t oversampling = 8;
// Maximum number of products. Without a gap in the spectrum some tens are needed.
constexpr std::size_t max_products = 2000;

Index index_of(std::size_t i) {
    return static_cast<Index>(i);
}

Matrix<double> from_eigen(const Rows& x) {
    Matrix<double> out(static_cast<std::size_t>(x.rows()), static_cast<std::size_t>(x.cols()));
    std::copy_n(x.data(), x.size(), out.data());
    return out;
}

Rows below(const Rows& a, const Rows& b) {
    Rows both(a.rows() + b.rows(), std::max(a.cols(), b.cols()));
    if (a.rows() > 0) both.topRows(a.rows()) = a;
    if (b.rows() > 0) both.bottomRows(b.rows()) = b;
    return both;
}

void check_finite(const Rows& x) {
    if (!x.allFinite()) throw core::NumericalError("eigenvectors", "a value of the matrix is not finite");
}

// Makes the entry of largest magnitude of each row positive.
void fix_signs(Rows& vectors) {
    for (Index i = 0; i < vectors.rows(); ++i) {
        if (sign_of_largest(vectors.row(i)) < 0) vectors.row(i) = -vectors.row(i);
    }
}

LeadingEigenvectors result(const VectorXd& values, Rows vectors) {
    fix_signs(vectors);
    return {{values.data(), values.data() + values.size()}, from_eigen(vectors)};
}

// Eigenvalues in descending order, and eigenvectors as rows.
struct Spectrum {
    VectorXd values;
    Rows vectors;
};

Spectrum spectrum(const MatrixXd& a) {
    const SymmetricEigen eigen = symmetric_eigen(a);
    if (!eigen.converged)
        throw core::NumericalError("eigenvectors", "the eigenvalues of the matrix did not converge");
    return {eigen.values.reverse(), eigen.vectors.rowwise().reverse().transpose()};
}

Rows random_rows(std::size_t rows, std::size_t cols) {
    std::mt19937_64 bits(20240607);
    Rows x(index_of(rows), index_of(cols));
    for (Index i = 0; i < x.size(); ++i) x.data()[i] = 2 * (static_cast<double>(bits() >> 11U) * 0x1p-53) - 1;
    return x;
}

// Orthonormalises the rows of x against `basis` and each other. Drops rows that lie in the span of others.
Rows orthonormalised(const Rows& basis, Rows x) {
    Index kept = 0;
    for (Index i = 0; i < x.rows(); ++i) {
        Eigen::RowVectorXd row = x.row(i);
        const double length = row.norm();
        if (!(length > 0)) continue;
        row /= length;
        for (int pass = 0; pass < 3; ++pass) {  // each pass removes the rounding errors of the one before
            if (basis.rows() > 0) row -= (row * basis.transpose()) * basis;
            if (kept > 0) row -= (row * x.topRows(kept).transpose()) * x.topRows(kept);
            const double rest = row.norm();
            if (!(rest > 1e-8)) {
                row.setZero();
                break;
            }
            row /= rest;
        }
        if (row.isZero(0)) continue;
        x.row(kept) = row;
        ++kept;
    }
    return x.topRows(kept);
}

}  // namespace

LeadingEigenvectors leading_eigenvectors(ConstMatrixView<double> a, std::size_t count) {
    const SerialEigen serial;
    const Rows matrix = eigen_map(a);
    check_finite(matrix);
    const Spectrum all = spectrum(matrix);
    return result(all.values.head(index_of(count)), all.vectors.topRows(index_of(count)));
}

std::size_t max_subspace(std::size_t d, std::size_t count) {
    return std::min(d, std::max(4 * (count + oversampling), count + 200));
}

LeadingEigenvectors leading_eigenvectors(std::size_t d, std::size_t count, const RowsProduct& product) {
    const SerialEigen serial;
    const Index wanted = index_of(count);
    const Index kept = index_of(std::min(d, count + std::max(count / 2, oversampling)));
    const Index max_basis = index_of(max_subspace(d, count));
    Rows basis(0, index_of(d));   // orthonormal rows
    Rows images(0, index_of(d));  // their products with the matrix
    Rows block = orthonormalised(basis, random_rows(std::min(d, count + oversampling), d));
    for (std::size_t step = 0; step < max_products; ++step) {
        const Rows image = eigen_map(product(from_eigen(block)).view());
        check_finite(image);
        basis = below(basis, block);
        images = below(images, image);
        const MatrixXd projected = basis * images.transpose();
        const Spectrum ritz = spectrum((projected + projected.transpose()) / 2);
        const auto best = ritz.vectors.topRows(wanted);
        const Rows vectors = best * basis;
        const Rows residuals = best * images - ritz.values.head(wanted).asDiagonal() * vectors;
        Rows open(0, index_of(d));  // residuals that are too large
        for (Index i = 0; i < wanted; ++i) {
            if (residuals.row(i).norm() > eigenvector_tolerance * ritz.values(0))
                open = below(open, residuals.row(i));
        }
        const bool is_whole_space = basis.rows() == basis.cols();
        if (open.rows() == 0 || is_whole_space) return result(ritz.values.head(wanted), vectors);
        if (basis.rows() + open.rows() > max_basis && basis.rows() > kept) {
            const auto leading = ritz.vectors.topRows(kept);
            basis = Rows(leading * basis);
            images = Rows(leading * images);
        }
        block = orthonormalised(basis, open);
        if (block.rows() == 0) return result(ritz.values.head(wanted), vectors);  // an invariant subspace
    }
    throw core::NumericalError("eigenvectors", "the leading eigenvectors did not converge");
}

}  // namespace popflow::linalg
