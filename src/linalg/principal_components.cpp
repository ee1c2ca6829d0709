// SPDX-License-Identifier: MIT
#include "linalg/principal_components.hpp"

#include <algorithm>
#include <cmath>

namespace popflow::linalg {

namespace {

Matrix<double> centred(ConstMatrixView<float> x) {
    Matrix<double> out(x.rows, x.cols);
    for (std::size_t j = 0; j < x.cols; ++j) {
        double mean = 0;
        for (std::size_t i = 0; i < x.rows; ++i) mean += x(i, j) / static_cast<double>(x.rows);
        for (std::size_t i = 0; i < x.rows; ++i) out(i, j) = x(i, j) - mean;
    }
    return out;
}

// X X' or X' X, whichever is smaller.
Matrix<double> gram(const Matrix<double>& x, bool of_rows) {
    const std::size_t size = of_rows ? x.rows() : x.cols();
    const std::size_t inner = of_rows ? x.cols() : x.rows();
    Matrix<double> g(size, size);
    for (std::size_t a = 0; a < size; ++a) {
        for (std::size_t b = a; b < size; ++b) {
            double sum = 0;
            for (std::size_t k = 0; k < inner; ++k) sum += of_rows ? x(a, k) * x(b, k) : x(k, a) * x(k, b);
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

// Gram-Schmidt, twice, which is enough; a column of which rounding alone is left becomes zero.
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

// Leading eigenvectors of g, the columns. More columns than are wanted speed up the first ones.
Matrix<double> leading_vectors(const Matrix<double>& g, std::size_t count) {
    Matrix<double> q(g.rows(), std::min(g.rows(), count + 6));
    for (std::size_t i = 0; i < q.rows(); ++i) {
        for (std::size_t c = 0; c < q.cols(); ++c) {
            q(i, c) = std::cos(static_cast<double>((i + 1) * (c + 1)) * 0.7390851332151607);
        }
    }
    make_orthonormal(q);
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
    const bool of_rows = x.rows < x.cols;
    const Matrix<double> vectors = leading_vectors(gram(values, of_rows), count);
    for (std::size_t c = 0; c < std::min(count, vectors.cols()); ++c) {
        // Scores are X v; of an eigenvector u of X X' the direction v is X' u.
        std::vector<double> direction(x.cols, 0);
        double square = 0;
        for (std::size_t j = 0; j < x.cols; ++j) {
            if (!of_rows) direction[j] = vectors(j, c);
            for (std::size_t i = 0; of_rows && i < x.rows; ++i) direction[j] += values(i, j) * vectors(i, c);
            square += direction[j] * direction[j];
        }
        if (!(square > 1e-24 * total)) continue;
        double largest = 0;
        for (std::size_t i = 0; i < x.rows; ++i) {
            double sum = 0;
            for (std::size_t j = 0; j < x.cols; ++j) sum += values(i, j) * direction[j] / std::sqrt(square);
            out.scores(i, c) = sum;
            out.share[c] += sum * sum / total;
            if (std::abs(sum) > std::abs(largest) * (1 + 1e-6)) largest = sum;
        }
        for (std::size_t i = 0; largest < 0 && i < x.rows; ++i) out.scores(i, c) = -out.scores(i, c);
    }
    return out;
}

}  // namespace popflow::linalg
