// SPDX-License-Identifier: MIT
#include "linalg/principal_components.hpp"

#include <algorithm>
#include <cmath>

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

// Returns the Gram matrix of the rows, X X', or of the columns, X' X.
Matrix<double> gram(const Matrix<double>& x, bool use_rows) {
    const std::size_t size = use_rows ? x.rows() : x.cols();
    const std::size_t inner = use_rows ? x.cols() : x.rows();
    Matrix<double> g(size, size);
    for (std::size_t a = 0; a < size; ++a) {
        for (std::size_t b = a; b < size; ++b) {
            double sum = 0;
            for (std::size_t k = 0; k < inner; ++k) sum += use_rows ? x(a, k) * x(b, k) : x(k, a) * x(k, b);
            g(a, b) = g(b, a) = sum;
        }
    }
    return g;
}

double squared_norm(const Matrix<double>& q, std::size_t c) {
    double square = 0;
    for (std::size_t i = 0; i < q.rows(); ++i) square += q(i, c) * q(i, c);
    return square;
}

// Orthonormalises the columns by modified Gram-Schmidt. The second round removes the rounding error of the
// first. A column becomes zero if less than 1e-10 of its length remains, which is rounding error.
void make_orthonormal(Matrix<double>& q) {
    for (std::size_t c = 0; c < q.cols(); ++c) {
        const double before_all = squared_norm(q, c);
        for (int round = 0; round < 2; ++round) {
            for (std::size_t before = 0; before < c; ++before) {
                double dot = 0;
                for (std::size_t i = 0; i < q.rows(); ++i) dot += q(i, c) * q(i, before);
                for (std::size_t i = 0; i < q.rows(); ++i) q(i, c) -= dot * q(i, before);
            }
        }
        const double square = squared_norm(q, c);
        const double scale = square > 1e-20 * before_all ? 1 / std::sqrt(square) : 0;
        for (std::size_t i = 0; i < q.rows(); ++i) q(i, c) *= scale;
    }
}

Matrix<double> product(const Matrix<double>& g, const Matrix<double>& q) {
    Matrix<double> out(q.rows(), q.cols());
    for (std::size_t i = 0; i < g.rows(); ++i) {
        for (std::size_t k = 0; k < g.cols(); ++k) {
            for (std::size_t c = 0; c < q.cols(); ++c) out(i, c) += g(i, k) * q(k, c);
        }
    }
    return out;
}

// Returns the leading eigenvectors of g as columns, by orthogonal iteration with six spare columns.
Matrix<double> leading_vectors(const Matrix<double>& g, std::size_t count) {
    // The start is an arbitrary but deterministic pattern. The angle is the fixed point of the cosine (about
    // 42 degrees): any angle that is no rational multiple of pi gives columns without a period.
    constexpr double start_angle = 0.7390851332151607;
    Matrix<double> q(g.rows(), std::min(g.rows(), count + 6));
    for (std::size_t i = 0; i < q.rows(); ++i) {
        for (std::size_t c = 0; c < q.cols(); ++c) {
            q(i, c) = std::cos(static_cast<double>((i + 1) * (c + 1)) * start_angle);
        }
    }
    make_orthonormal(q);
    // The error of an eigenvector falls in each round by the ratio of neighbouring eigenvalues. 300 rounds
    // reduce it to 1e-6 if that ratio is at most 0.955.
    constexpr int rounds = 300;
    for (int round = 0; round < rounds; ++round) {
        q = product(g, q);
        make_orthonormal(q);
    }
    return q;
}

}  // namespace

PrincipalComponents principal_components(ConstMatrixView<float> x, std::size_t count) {
    PrincipalComponents out{Matrix<double>(x.rows, count), std::vector<double>(count, 0)};
    const Matrix<double> values = centred(x);
    double total = 0;
    for (double v : values.values()) total += v * v;
    if (!(total > 0)) return out;
    const bool use_rows = x.rows < x.cols;
    const Matrix<double> vectors = leading_vectors(gram(values, use_rows), count);
    for (std::size_t c = 0; c < std::min(count, vectors.cols()); ++c) {
        // The scores are X v. If u is an eigenvector of X X', then v = X' u up to its length.
        std::vector<double> direction(x.cols, 0);
        double square = 0;
        for (std::size_t j = 0; j < x.cols; ++j) {
            if (!use_rows) direction[j] = vectors(j, c);
            for (std::size_t i = 0; use_rows && i < x.rows; ++i) direction[j] += values(i, j) * vectors(i, c);
            square += direction[j] * direction[j];
        }
        if (!(square > 1e-24 * total)) continue;  // a zero vector, or only rounding error
        double largest = 0;
        for (std::size_t i = 0; i < x.rows; ++i) {
            double sum = 0;
            for (std::size_t j = 0; j < x.cols; ++j) sum += values(i, j) * direction[j] / std::sqrt(square);
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
