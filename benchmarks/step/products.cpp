// SPDX-License-Identifier: MIT
// Matrix products of a training step on one thread: blocks of 128 rows through a layer, and blocks of 128
// rows of the gradient of its weight. Each benchmark covers one slot of 1024 cells.
#include <algorithm>

#include "linalg/packed_gemm.hpp"
#include "linalg/selu.hpp"
#include "step/measure.hpp"

namespace popflow::bench {

namespace {

using linalg::bfloat16;

constexpr std::size_t cells = 1024;
constexpr std::size_t block = 128;

template <class T>
Matrix<T> rounded(Matrix<float> x) {
    if constexpr (std::is_same_v<T, float>) {
        return x;
    } else {
        Matrix<T> out(x.rows(), x.cols());
        linalg::round_rows(x.view(), out.view());
        return out;
    }
}

template <class T>
void layer(benchmark::State& state, std::size_t in, std::size_t out) {
    const Matrix<T> x = rounded<T>(normal_matrix(cells, in, 1));
    linalg::PackedMatrix<T> w;
    const Matrix<float> weight = normal_matrix(out, in, 3);
    w.pack(true, weight.view());
    Matrix<float> y(cells, out);
    for (auto _ : state) {
        for (std::size_t i = 0; i < cells; i += block) {
            linalg::multiply(x.view().row_block(i, block), w, false, y.view().row_block(i, block));
        }
    }
    count_gflops(state, 2.0 * cells * static_cast<double>(in * out));
}

template <class T>
void gradient(benchmark::State& state, std::size_t in, std::size_t out) {
    const Matrix<T> x = rounded<T>(normal_matrix(cells, in, 1));
    const Matrix<T> dz = rounded<T>(normal_matrix(cells, out, 2));
    Matrix<float> dw(out, in);
    for (auto _ : state) {
        for (std::size_t i = 0; i < out; i += block) {
            const std::size_t count = std::min(block, out - i);
            linalg::add_transposed_product(dz.view().col_block(i, count), x.view(),
                                           dw.view().row_block(i, count));
        }
    }
    count_gflops(state, 2.0 * cells * static_cast<double>(in * out));
}

template <class T>
void add_all(const std::string& precision) {
    for (const auto& [in, out] : {std::pair<std::size_t, std::size_t>{427, 512}, {512, 512}, {512, 43}}) {
        const std::string shape = std::to_string(in) + "x" + std::to_string(out) + "/" + precision;
        add_serial("layer/" + shape, [in = in, out = out](auto& state) { layer<T>(state, in, out); });
        add_serial("gradient/" + shape, [in = in, out = out](auto& state) { gradient<T>(state, in, out); });
    }
}

}  // namespace

void add_products() {
    for (const Precision precision : precisions()) {
        if (precision == Precision::fp32) add_all<float>("fp32");
        if (precision == Precision::bf16) add_all<bfloat16>("bf16");
    }
}

}  // namespace popflow::bench
