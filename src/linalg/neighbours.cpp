// SPDX-License-Identifier: MIT
#include "linalg/neighbours.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <numeric>

#include "linalg/dispatch.hpp"

namespace popflow::linalg {

namespace {

// squared[j] += (value - column[j])^2
POPFLOW_SIMD void add_squared_differences(float value, const float* column, float* squared, std::size_t n) {
#pragma omp simd
    for (std::size_t j = 0; j < n; ++j) squared[j] += (value - column[j]) * (value - column[j]);
}

void add_squared_differences(double value, const double* column, double* squared, std::size_t n) {
    for (std::size_t j = 0; j < n; ++j) squared[j] += (value - column[j]) * (value - column[j]);
}

template <class Real>
Matrix<Real> transposed(ConstMatrixView<Real> x) {
    Matrix<Real> columns(x.cols, x.rows);
    for (std::size_t i = 0; i < x.rows; ++i) {
        for (std::size_t j = 0; j < x.cols; ++j) columns(j, i) = x(i, j);
    }
    return columns;
}

// The k cells of smallest (distance, index), written in ascending order of index.
template <class Real>
void select_nearest(const std::vector<Real>& squared, std::size_t k, std::vector<std::uint32_t>& order,
                    std::uint32_t* nearest) {
    std::iota(order.begin(), order.end(), 0U);
    std::nth_element(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(k), order.end(),
                     [&](std::uint32_t a, std::uint32_t b) {
                         return squared[a] < squared[b] || (squared[a] == squared[b] && a < b);
                     });
    std::copy_n(order.begin(), k, nearest);
    std::sort(nearest, nearest + k);
}

// In float, distance and index make one integer key: distances are not negative, so their bits are in their
// order.
void select_nearest(const std::vector<float>& squared, std::size_t k, std::vector<std::uint64_t>& keys,
                    std::uint32_t* nearest) {
    for (std::size_t j = 0; j < squared.size(); ++j) {
        keys[j] = (std::uint64_t{std::bit_cast<std::uint32_t>(squared[j])} << 32U) | j;
    }
    std::nth_element(keys.begin(), keys.begin() + static_cast<std::ptrdiff_t>(k), keys.end());
    for (std::size_t j = 0; j < k; ++j) nearest[j] = static_cast<std::uint32_t>(keys[j]);
    std::sort(nearest, nearest + k);
}

template <class Real, class Key>
std::vector<std::uint32_t> search(ConstMatrixView<Real> x, std::size_t k) {
    if (k == 0) return {};
    if (k >= x.rows)
        throw core::ShapeMismatch("neighbours.x", "more rows than k = " + std::to_string(k), x.rows, x.cols);
    const Matrix<Real> columns = transposed(x);
    std::vector<std::uint32_t> nearest(x.rows * k);
#pragma omp parallel
    {
        std::vector<Real> squared(x.rows);
        std::vector<Key> scratch(x.rows);
#pragma omp for schedule(static)
        for (std::size_t i = 0; i < x.rows; ++i) {
            std::fill(squared.begin(), squared.end(), Real{0});
            for (std::size_t j = 0; j < x.cols; ++j) {
                add_squared_differences(x(i, j), columns.data() + j * x.rows, squared.data(), x.rows);
            }
            squared[i] = std::numeric_limits<Real>::infinity();
            select_nearest(squared, k, scratch, nearest.data() + i * k);
        }
    }
    return nearest;
}

}  // namespace

std::vector<std::uint32_t> nearest_neighbours(ConstMatrixView<float> x, std::size_t k) {
    return search<float, std::uint64_t>(x, k);
}

std::vector<std::uint32_t> nearest_neighbours(ConstMatrixView<double> x, std::size_t k) {
    return search<double, std::uint32_t>(x, k);
}

}  // namespace popflow::linalg
