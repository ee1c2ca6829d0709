// SPDX-License-Identifier: MIT
#include "nn/cloud_modulation.hpp"

#include <utility>

#include "linalg/activations.hpp"
#include "linalg/modulated_rows.hpp"
#include "nn/thread_blocks.hpp"

namespace popflow::nn {

using linalg::accumulator_t;
using linalg::bfloat16;
using linalg::ConstMatrixView;
using linalg::Matrix;
using linalg::MatrixView;

namespace {

// Position of a part in those of its branch.
enum class ModulationPart : std::size_t { scale, shift, gate };
constexpr std::size_t parts_per_branch = 3;
constexpr std::size_t modulation_parts = 2 * parts_per_branch;

// Returns one part of a row of `modulation`.
template <class View>
auto part_of(View modulation, std::size_t row, CloudModulation::Branch branch, ModulationPart part) {
    const std::size_t width = modulation.cols / modulation_parts;
    const std::size_t index = parts_per_branch * branch + static_cast<std::size_t>(part);
    return modulation.row_span(row).subspan(index * width, width);
}

}  // namespace

CloudModulation::CloudModulation(ParameterLayout& layout, const std::string& name, std::size_t width)
    : layer_(layout, name, width, modulation_parts * width) {}

void CloudModulation::initialise(std::span<float> values) const {
    for (const Tensor* tensor : {&layer_.weight(), &layer_.bias()})
        std::ranges::fill(elements_of(values, *tensor), 0.0F);
}

template <class Real>
void CloudModulation::forward(std::span<const Real> values, ConstMatrixView<Real> a,
                              Matrix<Real>& modulation) const {
    modulation.reshape(a.rows, layer_.out());
    layer_.multiply<Real>(values, a, modulation.view());
    linalg::add_bias(modulation.view(), elements_of(values, layer_.bias()));
}

template <class Real>
void CloudModulation::begin_backward(std::size_t segments, Gradient<Real>& gradient) const {
    gradient.sums.reshape(segments, layer_.out());
    gradient.sums.fill(0);
}

template <class Real>
void CloudModulation::backward(std::span<const Real> values, std::span<const Segment> segments,
                               ConstMatrixView<Real> a, Gradient<Real>& gradient, MatrixView<Real> da,
                               std::span<Real> gradients) const {
    gradient.total.reshape(a.rows, layer_.out());
    gradient.total.fill(0);
    for (const Segment& s : segments) {
        linalg::add_scaled(Real{1}, std::as_const(gradient.sums).view().row_span(s.index),
                           gradient.total.view().row_span(s.cloud));
    }
    const auto total = std::as_const(gradient.total).view();
    layer_.accumulate_gradient<Real>(a, total, gradients);
    layer_.input_gradient<Real>(values, total, Real{1}, da);
}

template <class T>
void CloudModulation::scale_and_shift(Branch branch, std::span<const Segment> segments,
                                      const Matrix<accumulator_t<T>>& modulation, const Matrix<T>& rows,
                                      Matrix<T>& out) const {
    for (const Segment& s : segments) {
        linalg::modulate_rows<T>(const_rows(rows, s.first, s.count),
                                 part_of(modulation.view(), s.cloud, branch, ModulationPart::scale),
                                 part_of(modulation.view(), s.cloud, branch, ModulationPart::shift),
                                 rows_of(out, s.first, s.count));
    }
}

template <class T>
void CloudModulation::scale_and_shift_backward(Branch branch, std::span<const Segment> segments,
                                               const Matrix<accumulator_t<T>>& modulation,
                                               const Matrix<T>& rows, MatrixView<accumulator_t<T>> d,
                                               Gradient<accumulator_t<T>>& gradient) const {
    for (const Segment& s : segments) {
        linalg::modulate_rows_backward<T>(
            const_rows(rows, s.first, s.count),
            part_of(modulation.view(), s.cloud, branch, ModulationPart::scale),
            d.row_block(s.first - segments.front().first, s.count),
            part_of(gradient.sums.view(), s.index, branch, ModulationPart::scale),
            part_of(gradient.sums.view(), s.index, branch, ModulationPart::shift));
    }
}

template <class T>
void CloudModulation::add_gated(Branch branch, std::span<const Segment> segments,
                                const Matrix<accumulator_t<T>>& modulation,
                                ConstMatrixView<accumulator_t<T>> x, std::span<const accumulator_t<T>> bias,
                                Matrix<T>& u, Matrix<accumulator_t<T>>& h) const {
    for (const Segment& s : segments) {
        linalg::add_gated_rows<T>(x.row_block(s.first - segments.front().first, s.count), bias,
                                  part_of(modulation.view(), s.cloud, branch, ModulationPart::gate),
                                  rows_of(u, s.first, s.count), rows_of(h, s.first, s.count));
    }
}

template <class T>
void CloudModulation::gated_backward(Branch branch, std::span<const Segment> segments,
                                     const Matrix<accumulator_t<T>>& modulation,
                                     const Matrix<accumulator_t<T>>& dh, const Matrix<T>& u, Matrix<T>& du,
                                     std::span<accumulator_t<T>> sums,
                                     Gradient<accumulator_t<T>>& gradient) const {
    for (const Segment& s : segments) {
        linalg::gated_rows_backward<T>(const_rows(dh, s.first, s.count),
                                       part_of(modulation.view(), s.cloud, branch, ModulationPart::gate),
                                       const_rows(u, s.first, s.count), rows_of(du, s.first, s.count), sums,
                                       part_of(gradient.sums.view(), s.index, branch, ModulationPart::gate));
    }
}

#define POPFLOW_INSTANTIATE(Real)                                                                       \
    template void CloudModulation::forward(std::span<const Real>, ConstMatrixView<Real>, Matrix<Real>&) \
        const;                                                                                          \
    template void CloudModulation::begin_backward(std::size_t, Gradient<Real>&) const;                  \
    template void CloudModulation::backward(std::span<const Real>, std::span<const Segment>,            \
                                            ConstMatrixView<Real>, Gradient<Real>&, MatrixView<Real>,   \
                                            std::span<Real>) const;
POPFLOW_INSTANTIATE(float)
POPFLOW_INSTANTIATE(double)
#undef POPFLOW_INSTANTIATE

#define POPFLOW_INSTANTIATE(T, Real)                                                                      \
    template void CloudModulation::scale_and_shift(Branch, std::span<const Segment>, const Matrix<Real>&, \
                                                   const Matrix<T>&, Matrix<T>&) const;                   \
    template void CloudModulation::scale_and_shift_backward(Branch, std::span<const Segment>,             \
                                                            const Matrix<Real>&, const Matrix<T>&,        \
                                                            MatrixView<Real>, Gradient<Real>&) const;     \
    template void CloudModulation::add_gated(Branch, std::span<const Segment>, const Matrix<Real>&,       \
                                             ConstMatrixView<Real>, std::span<const Real>, Matrix<T>&,    \
                                             Matrix<Real>&) const;                                        \
    template void CloudModulation::gated_backward(Branch, std::span<const Segment>, const Matrix<Real>&,  \
                                                  const Matrix<Real>&, const Matrix<T>&, Matrix<T>&,      \
                                                  std::span<Real>, Gradient<Real>&) const;
POPFLOW_INSTANTIATE(float, float)
POPFLOW_INSTANTIATE(bfloat16, float)
POPFLOW_INSTANTIATE(double, double)
#undef POPFLOW_INSTANTIATE

}  // namespace popflow::nn
