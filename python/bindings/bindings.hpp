// SPDX-License-Identifier: MIT
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "linalg/matrix.hpp"

namespace popflow::python {

// Each function adds the functions of one source file to the module.
void bind_transport(nanobind::module_& module);
void bind_scores(nanobind::module_& module);
void bind_verbs(nanobind::module_& module);
void bind_models(nanobind::module_& module);

/// Read-only C-contiguous arrays, used without a copy.
template <class Real>
using ArrayView2 =
    nanobind::ndarray<const Real, nanobind::ndim<2>, nanobind::c_contig, nanobind::device::cpu>;
template <class Real>
using ArrayView1 =
    nanobind::ndarray<const Real, nanobind::ndim<1>, nanobind::c_contig, nanobind::device::cpu>;

template <class Real>
linalg::ConstMatrixView<Real> matrix_view(const ArrayView2<Real>& array) {
    return {array.data(), array.shape(0), array.shape(1)};
}

template <class Real>
std::span<const Real> span_of(const ArrayView1<Real>& array) {
    return {array.data(), array.shape(0)};
}

/// Gives the elements of a container to a NumPy array, without a copy. The container has data().
template <class Container>
auto to_numpy(Container values, std::initializer_list<std::size_t> shape) {
    using Real = typename Container::value_type;
    auto owner = std::make_unique<Container>(std::move(values));
    Real* data = owner->data();
    const nanobind::capsule capsule(owner.release(),
                                    [](void* p) noexcept { delete static_cast<Container*>(p); });
    return nanobind::ndarray<nanobind::numpy, Real>(data, shape, capsule);
}

template <class Real>
auto to_numpy(std::vector<Real> values) {
    const std::size_t size = values.size();
    return to_numpy(std::move(values), {size});
}

}  // namespace popflow::python
