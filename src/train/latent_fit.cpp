// SPDX-License-Identifier: MIT
#include "train/latent_fit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <exception>
#include <numeric>
#include <vector>

#include "core/error.hpp"
#include "core/text.hpp"
#include "linalg/gram.hpp"
#include "linalg/leading_eigenvectors.hpp"
#include "mpi/run_collectively.hpp"

namespace popflow::train {

using linalg::LeadingEigenvectors;
using linalg::Matrix;

namespace {

// Share of the largest variance below which a direction has no variance but rounding errors of the cells.
constexpr double min_variance = 1e-12;

// Sum of matrices of all ranks that does not depend on their order.
class OrderFreeSum {
  public:
    // @param bound  of the magnitude of each element of the sum of any of the matrices
    OrderFreeSum(std::size_t size, double bound)
        : total_(size, 0), quantum_(std::ldexp(1.0, std::ilogb(bound) - 60)) {}

    void add(std::span<const double> values) {
        for (std::size_t i = 0; i < total_.size(); ++i)
            total_[i] += static_cast<std::int64_t>(std::nearbyint(values[i] / quantum_));
    }
    // Overwrites `out` with the sum over all ranks. Collective.
    void reduce(const mpi::Communicator& comm, std::span<double> out) {
        constexpr std::size_t max_elements = std::size_t{1} << 27U;
        for (std::size_t first = 0; first < total_.size(); first += max_elements)
            comm.sum(std::span(total_).subspan(first, std::min(max_elements, total_.size() - first)));
        for (std::size_t i = 0; i < total_.size(); ++i) out[i] = static_cast<double>(total_[i]) * quantum_;
    }

  private:
    std::vector<std::int64_t> total_;
    double quantum_;
};

// Covariance matrix of the training cells, times their number, and its products with vectors.
class Covariance {
  public:
    Covariance(const LatentCells& cells, std::vector<float> centre, const std::vector<double>& squares,
               const mpi::Communicator& comm)
        : cells_(cells),
          centre_(std::move(centre)),
          largest_(*std::ranges::max_element(squares)),
          trace_(std::accumulate(squares.begin(), squares.end(), 0.0)),
          comm_(comm) {}

    std::size_t markers() const { return centre_.size(); }

    // Returns the matrix, of which the lower triangle is set. Collective.
    Matrix<double> matrix() const {
        Matrix<double> own(markers(), markers());
        // No element is larger than the largest on the diagonal.
        return sum(own, slack * largest_,
                   [&](linalg::ConstMatrixView<float> x) { linalg::centred_gram(x, centre_, own); });
    }

    // Returns the products with the columns of v, whose lengths are 1. Shapes: v [d, k], result [d, k].
    // Collective.
    Matrix<double> product(const Matrix<double>& v) const {
        Matrix<double> own(v.rows(), v.cols());
        // By Cauchy and Schwarz: |sum x_j (x v)| <= |x_j| |x v| <= |x_j| sqrt(trace).
        return sum(own, slack * std::sqrt(largest_ * trace_), [&](linalg::ConstMatrixView<float> x) {
            linalg::centred_gram_product(x, centre_, v, own);
        });
    }

  private:
    // Factor for the rounding of the bounds.
    static constexpr double slack = 1.5;

    // Adds the matrices that `compute` writes to `own` for the populations of all ranks.
    template <class Compute>
    Matrix<double> sum(Matrix<double>& own, double bound, Compute compute) const {
        OrderFreeSum total(own.size(), bound);
        for (const std::size_t k : cells_.counted) {
            compute(cells_.cells.cells(k).x);
            total.add(own.values());
            cells_.cells.evict(k);
        }
        total.reduce(comm_, own.values());
        return std::move(own);
    }

    const LatentCells& cells_;
    std::vector<float> centre_;
    double largest_;
    double trace_;
    const mpi::Communicator& comm_;
};

Matrix<double> transposed(const Matrix<double>& x) {
    Matrix<double> out(x.cols(), x.rows());
    for (std::size_t i = 0; i < x.rows(); ++i) {
        for (std::size_t j = 0; j < x.cols(); ++j) out(j, i) = x(i, j);
    }
    return out;
}

// Gives the values of rank 0 to all ranks. Collective.
void broadcast(const mpi::Communicator& comm, std::span<double> values) {
    if (!comm.is_root()) std::ranges::fill(values, 0.0);
    comm.sum(values);
}

// Computes the eigenvectors on rank 0, so that processors that round differently cannot disagree. The other
// ranks take part in the products until rank 0 ends.
LeadingEigenvectors eigenvectors_by_products(const Covariance& covariance, std::size_t count,
                                             const mpi::Communicator& comm) {
    const std::size_t d = covariance.markers();
    // Takes part in one product. Returns its result, or no rows if rank 0 has ended.
    const auto take_part = [&](const Matrix<double>& rows) {
        std::array<std::int64_t, 1> size{static_cast<std::int64_t>(rows.rows())};
        comm.sum(size);
        if (size[0] == 0) return Matrix<double>();
        Matrix<double> v(d, static_cast<std::size_t>(size[0]));
        if (comm.is_root()) v = transposed(rows);
        broadcast(comm, v.values());
        return transposed(covariance.product(v));
    };
    LeadingEigenvectors found;
    if (!comm.is_root()) {
        while (take_part({}).rows() > 0) {
        }
        return found;
    }
    try {
        found = linalg::leading_eigenvectors(d, count, take_part);
    } catch (const core::NumericalError&) {
        (void)take_part({});
        throw;
    }
    (void)take_part({});
    return found;
}

}  // namespace

void check_latent_size(std::size_t components, std::size_t markers, std::size_t cells) {
    const std::size_t max = std::min(markers, cells - std::min<std::size_t>(cells, 1));
    if (components <= max) return;
    throw core::ConfigError("latent", fmt::format("found pca:{}, but there are {} and {}. Give at most "
                                                  "pca:{}",
                                                  components, core::counted(markers, "marker"),
                                                  core::counted(cells, "training cell"), max));
}

double latent_fit_bytes(std::size_t components, std::size_t markers) {
    const auto d = static_cast<double>(markers);
    // The sum, its integers, and two copies inside the eigensolver, or the subspace, its products and a copy.
    if (markers <= max_exact_markers) return 4 * d * d * sizeof(double);
    return 3 * d * static_cast<double>(linalg::max_subspace(markers, components)) * sizeof(double);
}

screen::LatentSpace fit_latent_space(const LatentCells& cells, std::size_t components,
                                     const mpi::Communicator& comm) {
    const std::size_t d = cells.moments.mean.size();
    const auto scale = static_cast<double>(cells.normalisation.scale);
    const auto n = static_cast<double>(cells.moments.n);
    screen::LatentSpace latent;
    std::vector<double> squares;
    for (std::size_t j = 0; j < d; ++j) {
        const double mean =
            (cells.moments.mean[j] - static_cast<double>(cells.normalisation.mean[j])) / scale;
        latent.mean.push_back(static_cast<float>(mean));
        squares.push_back(cells.moments.m2[j] / (scale * scale) +
                          n * std::pow(mean - static_cast<double>(latent.mean[j]), 2));
    }
    const double total = std::accumulate(squares.begin(), squares.end(), 0.0);
    if (!(total > 0))
        throw core::ConfigError("latent",
                                "every marker is constant over the training cells: principal "
                                "components need markers that vary");

    const Covariance covariance(cells, latent.mean, squares, comm);
    Matrix<double> vectors(components, d);
    std::vector<double> values(components, 0.0);
    const auto take = [&](const LeadingEigenvectors& found) {
        vectors = found.vectors;
        values = found.values;
    };
    if (d <= max_exact_markers) {
        const Matrix<double> matrix = covariance.matrix();
        mpi::run_collectively(comm, [&] {
            if (comm.is_root()) take(linalg::leading_eigenvectors(matrix, components));
        });
    } else {
        std::exception_ptr error;
        try {
            const LeadingEigenvectors found = eigenvectors_by_products(covariance, components, comm);
            if (comm.is_root()) take(found);
        } catch (const core::NumericalError&) {
            error = std::current_exception();
        }
        mpi::run_collectively(comm, [&] {
            if (error) std::rethrow_exception(error);
        });
    }
    broadcast(comm, vectors.values());
    broadcast(comm, values);

    const auto varying = static_cast<std::size_t>(
        std::ranges::count_if(values, [&](double value) { return value > min_variance * values[0]; }));
    if (varying < components)
        throw core::ConfigError(
            "latent", fmt::format("found pca:{}, but the training cells vary in {} only. Give at most pca:{}",
                                  components, core::counted(varying, "direction"), varying));
    latent.components = Matrix<float>(components, d);
    std::ranges::transform(vectors.values(), latent.components.values().begin(),
                           [](double value) { return static_cast<float>(value); });
    for (const double value : values) latent.variance_share.push_back(value / total);
    return latent;
}

}  // namespace popflow::train
