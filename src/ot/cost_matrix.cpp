// SPDX-License-Identifier: MIT
#include "ot/cost_matrix.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.hpp"

namespace popflow::ot {

namespace {

using linalg::ConstMatrixView;
using linalg::Matrix;

double squared_distance(const double* x, const double* y, std::size_t d) {
    double sum = 0;
    for (std::size_t k = 0; k < d; ++k) sum += (x[k] - y[k]) * (x[k] - y[k]);
    return sum;
}

double angle(const double* x, const double* y, std::size_t d) {
    double difference = 0;
    double sum = 0;
    for (std::size_t k = 0; k < d; ++k) {
        difference += (x[k] - y[k]) * (x[k] - y[k]);
        sum += (x[k] + y[k]) * (x[k] + y[k]);
    }
    return 2 * std::atan2(std::sqrt(difference), std::sqrt(sum));
}

void check_finite(ConstMatrixView<double> x) {
    for (std::size_t i = 0; i < x.rows; ++i) {
        if (!std::ranges::all_of(x.row_span(i), [](double v) { return std::isfinite(v); }))
            throw core::NumericalError("ot.cost_matrix",
                                       "the position of atom " + std::to_string(i) + " is not finite");
    }
}

// Returns x with rows of length 1.
Matrix<double> normalised_rows(ConstMatrixView<double> x) {
    Matrix<double> unit(x.rows, x.cols);
    for (std::size_t i = 0; i < x.rows; ++i) {
        const auto row = x.row_span(i);
        const double norm = std::sqrt(std::inner_product(row.begin(), row.end(), row.begin(), 0.0));
        if (norm == 0)
            throw core::NumericalError("ot.cost_matrix",
                                       "the position of atom " + std::to_string(i) + " has no direction");
        for (std::size_t k = 0; k < x.cols; ++k) unit(i, k) = row[k] / norm;
    }
    return unit;
}

template <class CostOfAtoms>
Matrix<double> fill(ConstMatrixView<double> x, ConstMatrixView<double> y, CostOfAtoms cost) {
    Matrix<double> c(x.rows, y.rows);
#pragma omp parallel for schedule(static) if (c.size() > (std::size_t{1} << 16U))
    for (std::size_t i = 0; i < x.rows; ++i) {
        for (std::size_t j = 0; j < y.rows; ++j) c(i, j) = cost(x.row(i), y.row(j), x.cols);
    }
    return c;
}

}  // namespace

Matrix<double> cost_matrix(AtomCost kind, ConstMatrixView<double> x, ConstMatrixView<double> y) {
    if (x.empty()) throw core::ShapeMismatch("ot.cost_matrix.x", "[n, d]", x.rows, x.cols);
    if (y.empty() || y.cols != x.cols)
        throw core::ShapeMismatch("ot.cost_matrix.y", "[m, " + std::to_string(x.cols) + "]", y.rows, y.cols);
    check_finite(x);
    check_finite(y);
    switch (kind) {
        case AtomCost::squared_euclidean:
            return fill(x, y, squared_distance);
        case AtomCost::euclidean:
            return fill(x, y, [](const double* u, const double* v, std::size_t d) {
                return std::sqrt(squared_distance(u, v, d));
            });
        case AtomCost::sphere:
            return fill(normalised_rows(x), normalised_rows(y), angle);
    }
    return {};
}

CostSummary summarise_costs(linalg::ConstMatrixView<double> c) {
    CostSummary summary{0, c(0, 0)};
    for (std::size_t i = 0; i < c.rows; ++i) {
        for (const double cost : c.row_span(i)) {
            summary.mean += cost;
            summary.largest = std::max(summary.largest, cost);
        }
    }
    summary.mean /= static_cast<double>(c.rows * c.cols);
    return summary;
}

}  // namespace popflow::ot
