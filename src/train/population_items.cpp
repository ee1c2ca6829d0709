// SPDX-License-Identifier: MIT
#include "train/population_items.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "ot/gaussian_moments.hpp"
#include "train/cloud_items.hpp"
#include "train/cloud_pair_items.hpp"
#include "train/gaussian_items.hpp"

namespace popflow::train {

OnePassResult PopulationItems::train_in_one_pass(const models::OnePassTraining& /*model*/,
                                                 std::size_t /*n_weights*/,
                                                 const mpi::Communicator& /*communicator*/) const {
    throw core::Error("training: populations have no training in one pass");
}

std::unique_ptr<PopulationItems> make_population_items(const screen::Screen& screen, const TrainingSet& set,
                                                       const PopulationSampling& sampling,
                                                       models::Constants constants, std::uint64_t seed,
                                                       const mpi::Communicator& comm) {
    if (sampling.draws.form == models::PopulationForm::clouds)
        return std::make_unique<CloudItems>(screen, set, sampling, std::move(constants), seed, comm);
    if (sampling.draws.form == models::PopulationForm::problems)
        return std::make_unique<CloudPairItems>(screen, set, sampling, std::move(constants), seed, comm);
    return std::make_unique<GaussianItems>(screen, set, sampling.draws, seed, comm);
}

MomentTable::MomentTable(std::size_t populations, std::size_t d)
    : d_(d), table_(populations, d + d * (d + 1) / 2) {}

void MomentTable::set(std::size_t row, linalg::ConstMatrixView<float> cells) {
    const ot::GaussianMoments moments = ot::gaussian_moments(cells);
    double* out = std::ranges::copy(moments.mean, table_.view().row(row)).out;
    for (std::size_t j = 0; j < d_; ++j) out = std::copy_n(moments.covariance.view().row(j), j + 1, out);
}

ot::GaussianMoments MomentTable::get(std::size_t row) const {
    const double* in = table_.view().row(row);
    ot::GaussianMoments moments{{in, in + d_}, linalg::Matrix<double>(d_, d_), {}};
    in += d_;
    for (std::size_t j = 0; j < d_; ++j) {
        for (std::size_t k = 0; k <= j; ++k) moments.covariance(j, k) = moments.covariance(k, j) = *in++;
    }
    moments.root = ot::symmetric_root(moments.covariance);
    return moments;
}

}  // namespace popflow::train
