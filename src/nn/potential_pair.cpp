// SPDX-License-Identifier: MIT
#include "nn/potential_pair.hpp"

#include <algorithm>

#include "core/error.hpp"

namespace popflow::nn {

using linalg::ConstMatrixView;
using linalg::MatrixView;

template <class Real>
void PotentialPair<Real>::set(const PotentialShape& shape, std::span<const Real> source,
                              std::span<const Real> target) {
    source_.set(shape, source);
    target_.set(shape, target);
}

// Maps cells to the other side and back, and adds the terms of the loss that belong to them.
// @param all  number of cells of this side
template <class Real>
void PotentialPair<Real>::run_chain(bool is_source, ConstMatrixView<Real> cells, std::size_t all,
                                    const PotentialPairOptions& options, Buffers& buffers,
                                    Chain& chain) const {
    const ConvexPotential<Real>& first = is_source ? source_ : target_;
    const ConvexPotential<Real>& second = is_source ? target_ : source_;
    const std::size_t n = cells.rows;
    const std::size_t d = cells.cols;
    chain.first.clear(first.shape);
    chain.second.clear(first.shape);
    buffers.mapped.reshape(n, d);
    buffers.back.reshape(n, d);
    buffers.d_mapped.reshape(n, d);
    const Real share = 1 / static_cast<Real>(all);
    potential_forward(first, cells, is_source, buffers.first, buffers.mapped.view());
    potential_forward<Real>(second, buffers.mapped.view(), !is_source, buffers.second, buffers.back.view());
    const double weight = options.cycle / static_cast<double>(all);
    double squares = 0;
    double products = 0;
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t k = 0; k < d; ++k) {
            const Real error = buffers.back(i, k) - cells(i, k);
            squares += static_cast<double>(error) * static_cast<double>(error);
            products += static_cast<double>(buffers.mapped(i, k)) * static_cast<double>(cells(i, k));
            buffers.back(i, k) = static_cast<Real>(2 * weight) * error;
        }
    }
    potential_backward<Real>(second, buffers.mapped.view(), buffers.back.view(), is_source ? Real{0} : -share,
                             buffers.second, chain.second, buffers.d_mapped.view());
    potential_backward<Real>(first, cells, buffers.d_mapped.view(), is_source ? share : Real{0},
                             buffers.first, chain.first, {});
    chain.loss = weight * squares + chain.first.value + chain.second.value;
    if (!is_source) chain.loss += products / static_cast<double>(all);
}

template <class Real>
double PotentialPair<Real>::loss_and_gradient(ConstMatrixView<Real> x, ConstMatrixView<Real> y,
                                              const PotentialPairOptions& options, std::span<Real> d_source,
                                              std::span<Real> d_target) {
    const std::size_t d = source_.shape.inputs;
    core::check_shape("potential_pair.x", x.rows, x.cols, std::max<std::size_t>(x.rows, 1), d);
    core::check_shape("potential_pair.y", y.rows, y.cols, std::max<std::size_t>(y.rows, 1), d);
    const auto blocks = [](std::size_t n) { return (n + potential_block - 1) / potential_block; };
    const std::size_t x_blocks = blocks(x.rows);
    chains_.resize(x_blocks + blocks(y.rows));
#pragma omp parallel
    {
        Buffers buffers;
#pragma omp for schedule(dynamic)
        for (std::size_t b = 0; b < chains_.size(); ++b) {
            const bool is_source = b < x_blocks;
            const ConstMatrixView<Real>& cells = is_source ? x : y;
            const std::size_t begin = (is_source ? b : b - x_blocks) * potential_block;
            run_chain(is_source, cells.row_block(begin, std::min(potential_block, cells.rows - begin)),
                      cells.rows, options, buffers, chains_[b]);
        }
    }
    PotentialSums<Real> of_source;
    PotentialSums<Real> of_target;
    of_source.clear(source_.shape);
    of_target.clear(source_.shape);
    double loss = 0;
    for (std::size_t b = 0; b < chains_.size(); ++b) {
        const bool is_source = b < x_blocks;
        (is_source ? of_source : of_target).add(chains_[b].first);
        (is_source ? of_target : of_source).add(chains_[b].second);
        loss += chains_[b].loss;
    }
    add_potential_gradient(source_, of_source, d_source);
    add_potential_gradient(target_, of_target, d_target);
    return loss;
}

template class PotentialPair<float>;
template class PotentialPair<double>;

}  // namespace popflow::nn
