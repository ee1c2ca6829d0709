// SPDX-License-Identifier: MIT
#include "screen/latent_space.hpp"

#include <algorithm>
#include <numeric>

#include "linalg/gemm.hpp"

namespace popflow::screen {

namespace {

// Rows that are centred at a time.
constexpr std::size_t block_rows = 1024;

}  // namespace

double LatentSpace::total_share() const {
    return std::accumulate(variance_share.begin(), variance_share.end(), 0.0);
}

std::vector<std::string> LatentSpace::names() const {
    std::vector<std::string> names;
    for (std::size_t k = 0; k < size(); ++k) names.push_back("component " + std::to_string(k + 1));
    return names;
}

linalg::Matrix<float> LatentSpace::project(linalg::ConstMatrixView<float> x) const {
    core::check_shape("latent_space.x", x.rows, x.cols, x.rows, components.cols());
    linalg::Matrix<float> z(x.rows, size());
    linalg::Matrix<float> centred(std::min(block_rows, x.rows), x.cols);
    for (std::size_t first = 0; first < x.rows; first += block_rows) {
        const std::size_t rows = std::min(block_rows, x.rows - first);
        for (std::size_t i = 0; i < rows; ++i) {
            const float* from = x.row(first + i);
            float* to = centred.view().row(i);
            for (std::size_t j = 0; j < x.cols; ++j) to[j] = from[j] - mean[j];
        }
        linalg::gemm(false, true, 1.0F, centred.view().row_block(0, rows), components.view(), 0.0F,
                     z.view().row_block(first, rows));
    }
    return z;
}

linalg::Matrix<float> LatentSpace::encode(linalg::ConstMatrixView<float> x) const {
    linalg::Matrix<float> z = project(x);
    for (float& value : z.values()) value /= scale;
    return z;
}

linalg::Matrix<float> LatentSpace::decode(linalg::ConstMatrixView<float> z) const {
    core::check_shape("latent_space.z", z.rows, z.cols, z.rows, size());
    linalg::Matrix<float> x(z.rows, components.cols());
    for (std::size_t i = 0; i < z.rows; ++i) std::ranges::copy(mean, x.view().row(i));
    linalg::gemm(false, false, scale, z, components.view(), 1.0F, x.view());
    return x;
}

void LatentSpace::unscale(linalg::MatrixView<float> z) const {
    for (std::size_t i = 0; i < z.rows; ++i) {
        for (float& value : z.row_span(i)) value *= scale;
    }
}

Cells encoded(const LatentSpace* latent, Cells cells) {
    if (latent != nullptr) cells.x = latent->encode(cells.x.view());
    return cells;
}

}  // namespace popflow::screen
