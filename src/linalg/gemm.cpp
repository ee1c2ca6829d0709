// SPDX-License-Identifier: MIT
#include "linalg/gemm.hpp"

#include <dnnl.h>
#include <fmt/format.h>

#include <array>
#include <atomic>
#include <new>
#include <optional>
#include <string>

#include "linalg/avx2_product.hpp"
#include "linalg/onednn.hpp"
#include "linalg/row_blocks.hpp"

namespace popflow::linalg {

namespace {

// Checks the shapes of a product and returns its inner size k.
template <class Real>
std::size_t checked_inner_size(bool transpose_a, bool transpose_b, const ConstMatrixView<Real>& a,
                               const ConstMatrixView<Real>& b, const MatrixView<Real>& c) {
    const std::size_t m = transpose_a ? a.cols : a.rows;
    const std::size_t k = transpose_a ? a.rows : a.cols;
    const std::size_t inner_b = transpose_b ? b.cols : b.rows;
    const std::size_t n = transpose_b ? b.rows : b.cols;
    if (inner_b != k) throw core::ShapeMismatch("gemm.b", "inner size " + std::to_string(k), b.rows, b.cols);
    core::check_shape("gemm.c", c.rows, c.cols, m, n);
    return k;
}

// Returns the part of `a` that holds rows [first, first + count) of op(a).
template <class Real>
ConstMatrixView<Real> op_row_block(bool transpose, const ConstMatrixView<Real>& a, std::size_t first,
                                   std::size_t count) {
    return transpose ? a.col_block(first, count) : a.row_block(first, count);
}

// Bytes of memory that must be available when dnnl_sgemm may generate kernels. oneDNN generates the code of a
// kernel at its first use in the process. All kernels together were measured to take up to 12 MB (6 MB on a
// CPU with AVX2 only). The probe asks for twice the maximum, as a margin.
constexpr std::size_t sgemm_code_bytes = std::size_t{24} << 20;

// Returns whether this is the first product of its kind in the process, so that oneDNN may generate a kernel.
// The kind consists of the properties by which oneDNN selects kernels.
bool is_first_of_kind(bool transpose_a, bool transpose_b, float beta, const MatrixView<float>& c) {
    static std::array<std::atomic<bool>, 256> seen{};
    std::size_t kind = 0;
    for (const bool is : {transpose_a, transpose_b, beta == 0, beta == 1, c.rows == 1, c.cols == 1,
                          c.rows <= 16, c.cols <= 16})
        kind = 2 * kind + static_cast<std::size_t>(is);
    return !seen[kind].load(std::memory_order_relaxed) && !seen[kind].exchange(true);
}

// Computes a block of rows of C with oneDNN. Returns false if oneDNN refuses the call.
bool multiply_block(bool transpose_a, bool transpose_b, float alpha, const ConstMatrixView<float>& a,
                    const ConstMatrixView<float>& b, std::size_t k, float beta, const MatrixView<float>& c) {
    const auto size = [](std::size_t s) { return static_cast<dnnl_dim_t>(s); };
    std::optional<onednn::CodeMemoryProbe> probe;
    if (is_first_of_kind(transpose_a, transpose_b, beta, c)) probe.emplace(sgemm_code_bytes);
    const dnnl_status_t status =
        dnnl_sgemm(transpose_a ? 'T' : 'N', transpose_b ? 'T' : 'N', size(c.rows), size(c.cols), size(k),
                   alpha, a.data, size(a.stride), b.data, size(b.stride), beta, c.data, size(c.stride));
    if (status == dnnl_out_of_memory) throw std::bad_alloc();
    return status == dnnl_success;
}

}  // namespace

void gemm(bool transpose_a, bool transpose_b, float alpha, ConstMatrixView<float> a, ConstMatrixView<float> b,
          float beta, MatrixView<float> c) {
    const std::size_t k = checked_inner_size(transpose_a, transpose_b, a, b, c);
    if (c.empty()) return;
    if (avx2::is_preferred()) {
        thread_local avx2::Panels panels;
        panels.pack(transpose_b, b);
        parallel_for_row_blocks(
            c.rows, [&, &right = panels](std::size_t /*block*/, std::size_t first, std::size_t count) {
                avx2::multiply(alpha, transpose_a, op_row_block(transpose_a, a, first, count), right, beta,
                               c.row_block(first, count));
            });
        return;
    }
    parallel_for_row_blocks(c.rows, [&](std::size_t /*block*/, std::size_t first, std::size_t count) {
        if (!multiply_block(transpose_a, transpose_b, alpha, op_row_block(transpose_a, a, first, count), b, k,
                            beta, c.row_block(first, count))) {
            throw core::NumericalError("gemm", "oneDNN refused the call");
        }
    });
}

void gemm(bool transpose_a, bool transpose_b, double alpha, ConstMatrixView<double> a,
          ConstMatrixView<double> b, double beta, MatrixView<double> c) {
    const std::size_t k = checked_inner_size(transpose_a, transpose_b, a, b, c);
    for (std::size_t i = 0; i < c.rows; ++i) {
        for (std::size_t j = 0; j < c.cols; ++j) {
            double sum = 0;
            for (std::size_t l = 0; l < k; ++l) {
                sum += (transpose_a ? a(l, i) : a(i, l)) * (transpose_b ? b(j, l) : b(l, j));
            }
            c(i, j) = alpha * sum + (beta == 0 ? 0 : beta * c(i, j));
        }
    }
}

const char* gemm_library() {
    static const std::string name = [] {
        const dnnl_version_t* v = dnnl_version();
        return fmt::format("oneDNN {}.{}.{}{}", v->major, v->minor, v->patch,
                           avx2::is_preferred() ? ", popflow's own AVX2 kernels for fp32" : "");
    }();
    return name.c_str();
}

}  // namespace popflow::linalg
