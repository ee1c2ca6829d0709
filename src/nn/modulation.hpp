// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "nn/skip_mlp.hpp"

namespace popflow::nn {

/// Feature-wise linear modulation (FiLM) of a SkipMlp by its shared input a. Before the SELU of hidden layer
/// l, the product and bias of each output are scaled by 1 + G_l a + c_l. In the first layer the contribution
/// of the shared inputs is not scaled: it is the shift.
///
/// Scaling an output is scaling a row of the weights. Hence a network that is modulated for one population is
/// a SkipMlp with the weights diag(1 + G a + c) W. The cost per cell does not change.
///
/// Shapes:  a [shared_before], G_l [hidden, shared_before], c_l [1, hidden].
/// Source:  Perez et al., "FiLM: visual reasoning with a general conditioning layer", AAAI 2018, equation 2.
class Modulation {
  public:
    Modulation() = default;
    /// Adds G and c of each hidden layer to the layout that holds the network.
    Modulation(ParameterLayout& layout, const std::string& name, const SkipMlp& mlp);

    /// Draws G and c with Linear::initialise_uniform().
    void initialise(std::span<float> values, std::uint64_t seed) const;

    /// Buffers of one thread.
    template <class Real>
    struct Cache {
        linalg::AlignedVector<Real> values;     ///< weights of the modulated network, in the same layout
        linalg::AlignedVector<Real> gradients;  ///< gradients with respect to these weights
        std::vector<Real> scale;                ///< [layers hidden]
    };

    /// Fills cache.values with the weights of the network modulated by a. Sets cache.gradients to zero.
    template <class Real>
    void apply(std::span<const Real> values, std::span<const Real> a, Cache<Real>& cache) const;

    /// Adds the parameter gradients that follow from cache.gradients to `gradients`, and the gradient with
    /// respect to a to `da`. Both accumulate, because the network itself contributes to da as well.
    template <class Real>
    void backward(std::span<const Real> values, std::span<const Real> a, Cache<Real>& cache,
                  std::span<Real> gradients, std::span<Real> da) const;

  private:
    std::size_t first_row_column_ = 0;  ///< first column of the row inputs in the weights of the first layer
    std::size_t row_inputs_ = 0;        ///< number of these columns
    std::vector<Linear> layers_;        ///< layers of the network
    std::vector<Linear> scales_;        ///< G and c of each hidden layer
};

}  // namespace popflow::nn
