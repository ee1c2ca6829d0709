// SPDX-License-Identifier: MIT
#include "linalg/principal_components.hpp"

#include <algorithm>
#include <cmath>

#include "linalg/symmetric_eigen.hpp"

namespace popflow::linalg {

namespace {

// Subtracts the mean of each column.
Matrix<double> centred(ConstMatrixView<float> x) {
    Matrix<double> out(x.rows, x.cols);
    for (std::size_t j = 0; j < x.cols; ++j) {
        double mean = 0;
        for (std::size_t i = 0; i < x.rows; ++i) mean += x(i, j) / static_cast<double>(x.rows);
        for (std::size_t i = 0; i < x.rows; ++i) out(i, j) = x(i, j) - mean;
    }
    return out;
}

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

Eigen::Map<const RowMajor> map_of(const Matrix<double>& x) {
    return {x.values().data(), static_cast<Eigen::Index>(x.rows()), static_cast<Eigen::Index>(x.cols())};
}

}  // namespace

PrincipalComponents principal_components(ConstMatrixView<float> x, std::size_t count) {
    PrincipalComponents out{Matrix<double>(x.rows, count), std::vector<double>(count, 0)};
    const Matrix<double> values = centred(x);
    double total = 0;
    for (double v : values.values()) total += v * v;
    if (!(total > 0)) return out;
    // The eigenvectors of the smaller Gram matrix: v of X'X, or u of XX' with v = X'u / ||X'u||.
    const auto data = map_of(values);
    const bool use_rows = x.rows < x.cols;
    const SymmetricEigen eigen = symmetric_eigen(use_rows ? Eigen::MatrixXd(data * data.transpose())
                                                          : Eigen::MatrixXd(data.transpose() * data));
    const Eigen::Index size = eigen.values.size();
    for (std::size_t c = 0; c < std::min(count, static_cast<std::size_t>(size)); ++c) {
        const Eigen::Index k = size - 1 - static_cast<Eigen::Index>(c);  // eigenvalues ascend
        if (!(eigen.values(k) > 1e-20 * total)) continue;                // no variance but rounding error
        Eigen::VectorXd direction = eigen.vectors.col(k);
        if (use_rows) direction = (data.transpose() * direction).normalized();
        const Eigen::VectorXd scores = data * direction;
        double largest = 0;
        for (std::size_t i = 0; i < x.rows; ++i) {
            const double sum = scores(static_cast<Eigen::Index>(i));
            out.scores(i, c) = sum;
            out.share[c] += sum * sum / total;
            // The tolerance makes the first of nearly equal scores decide the sign, whatever the rounding.
            if (std::abs(sum) > std::abs(largest) * (1 + 1e-6)) largest = sum;
        }
        for (std::size_t i = 0; largest < 0 && i < x.rows; ++i) out.scores(i, c) = -out.scores(i, c);
    }
    return out;
}

}  // namespace popflow::linalg
