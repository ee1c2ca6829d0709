// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "nn/skip_mlp.hpp"

namespace popflow::nn {

/// Feature-wise modulation of a SkipMlp by its shared input a: before the SELU of hidden layer l, the product
/// and bias of each output are scaled by 1 + G_l a + c_l. In the first layer the part of the shared inputs is
/// not scaled: it is the shift.
///
/// A scale of an output is a scale of a row of the weights, so that a network modulated for one population is
/// a SkipMlp of other weights: diag(1 + G a + c) W. What the cells cost stays the same.
///
/// Shapes:  a [shared_before], G_l [hidden, shared_before], c_l [1, hidden].
/// Source:  Perez et al., "FiLM: visual reasoning with a general conditioning layer", AAAI 2018, equation 2.
class Modulation {
  public:
    Modulation() = default;
    /// Adds G and c of each hidden layer to the layout that holds the network.
    Modulation(ParameterLayout& layout, const std::string& name, const SkipMlp& mlp);

    void initialise(std::span<float> values, std::uint64_t seed) const;

    /// Scratch of one thread.
    template <class Real>
    struct Cache {
        linalg::AlignedVector<Real> values;     ///< of the modulated network, in the same layout
        linalg::AlignedVector<Real> gradients;  ///< with respect to those
        std::vector<Real> scale;                ///< [layers hidden]
    };

    /// Fills cache.values with the weights of the network modulated by a, and sets cache.gradients to zero.
    template <class Real>
    void apply(std::span<const Real> values, std::span<const Real> a, Cache<Real>& cache) const;

    /// From cache.gradients to those of the parameters, which accumulate; da accumulates as well: the network
    /// itself has a share in it.
    template <class Real>
    void backward(std::span<const Real> values, std::span<const Real> a, Cache<Real>& cache,
                  std::span<Real> gradients, std::span<Real> da) const;

  private:
    std::size_t first_row_column_ = 0;  ///< of the first layer's weights, the columns of the rows' inputs
    std::size_t row_inputs_ = 0;
    std::vector<Linear> layers_;  ///< of the network
    std::vector<Linear> scales_;  ///< G and c of each hidden layer
};

}  // namespace popflow::nn
