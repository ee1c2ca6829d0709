// SPDX-License-Identifier: MIT
#include "linalg/inverse.hpp"

#include <Eigen/LU>

#include "core/error.hpp"

namespace popflow::linalg {

std::optional<std::vector<double>> inverse(std::span<const double> m, std::size_t n) {
    core::check_shape("linalg.inverse", m.size(), 1, n * n, 1);
    using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    const auto size = static_cast<Eigen::Index>(n);
    const Eigen::Map<const RowMajor> matrix(m.data(), size, size);
    const Eigen::FullPivLU<RowMajor> lu(matrix);
    if (!lu.isInvertible()) return std::nullopt;
    std::vector<double> result(n * n);
    Eigen::Map<RowMajor>(result.data(), size, size) = lu.inverse();
    return result;
}

}  // namespace popflow::linalg
