// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "mpi/communicator.hpp"
#include "screen/cell_store.hpp"
#include "screen/latent_space.hpp"
#include "screen/normalisation.hpp"

namespace popflow::train {

/// Largest number of markers for which the components come from the covariance matrix and are exact. With
/// more markers an iteration finds them, see linalg::eigenvector_tolerance.
inline constexpr std::size_t max_exact_markers = 1000;

/// Checks the number of components of a latent space.
/// @param cells  number of training cells
/// @throws core::ConfigError{latent} for more than min(markers, cells - 1)
void check_latent_size(std::size_t components, std::size_t markers, std::size_t cells);

/// Returns about how many bytes of memory a rank needs for fit_latent_space(), without the cells.
double latent_fit_bytes(std::size_t components, std::size_t markers);

/// Training cells from which components are computed. Non-owning.
struct LatentCells {
    const screen::CellStore& cells;        ///< populations of this rank, normalised
    std::span<const std::size_t> counted;  ///< those that this rank counts, each population on one rank
    /// Moments of the cells of all ranks before the normalisation.
    const screen::Moments& moments;
    const screen::Normalisation& normalisation;
};

/// Computes the principal components of all training cells, with a scale of 1. Collective.
///
/// Each population gives sums of products in double precision. They are rounded to multiples of 2^-61 of a
/// bound and added as integers, so that the result has the same bits on any number of ranks and threads. The
/// sign of a component makes its entry of largest magnitude positive.
/// @throws core::ConfigError{latent} if the cells vary in fewer directions than there are components
/// @throws core::NumericalError if the components do not converge
screen::LatentSpace fit_latent_space(const LatentCells& cells, std::size_t components,
                                     const mpi::Communicator& comm);

}  // namespace popflow::train
