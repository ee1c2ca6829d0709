// SPDX-License-Identifier: MIT
#include "ot/bures.hpp"

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "core/parallel_for.hpp"
#include "linalg/eigen_tools.hpp"
#include "linalg/symmetric_eigen.hpp"

namespace popflow::ot {

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using linalg::eigen_map;
using linalg::Matrix;

// Smallest eigenvalue of a covariance that a map starts from, relative to the largest one.
constexpr double smallest_variance = 1e-9;
constexpr std::size_t barycentre_rounds = 100;
constexpr double barycentre_tolerance = 1e-6;
// Number of matrices that a barycentre adds at a time.
constexpr std::size_t barycentre_block = 64;

Matrix<double> from_eigen(const MatrixXd& x) {
    Matrix<double> out(static_cast<std::size_t>(x.rows()), static_cast<std::size_t>(x.cols()));
    Eigen::Map<linalg::EigenRows>(out.data(), x.rows(), x.cols()) = x;
    return out;
}

MatrixXd symmetric_part(const MatrixXd& x) {
    return 0.5 * (x + x.transpose());
}

MatrixXd root_of(const MatrixXd& symmetric) {
    const linalg::SymmetricEigen eigen = linalg::symmetric_eigen(symmetric);
    return eigen.vectors * eigen.values.cwiseMax(0).cwiseSqrt().asDiagonal() * eigen.vectors.transpose();
}

// Root of a covariance and the inverse of the root.
struct RootPair {
    MatrixXd root;
    MatrixXd inverse;
};

RootPair root_pair(const MatrixXd& covariance) {
    const linalg::SymmetricEigen eigen = linalg::symmetric_eigen(covariance);
    const double largest = eigen.values.maxCoeff();
    if (!(largest > 0)) throw core::NumericalError("gaussian_map.a", "the covariance is zero");
    const VectorXd roots = eigen.values.cwiseMax(smallest_variance * largest).cwiseSqrt();
    const MatrixXd& q = eigen.vectors;
    return {q * roots.asDiagonal() * q.transpose(), q * roots.cwiseInverse().asDiagonal() * q.transpose()};
}

// Sum of the singular values of the product of two roots.
double product_nuclear_norm(const Matrix<double>& a, const Matrix<double>& b, MatrixXd& product) {
    if (a.rows() == 1) return a(0, 0) * b(0, 0);
    if (a.rows() == 2) {
        const double m00 = a(0, 0) * b(0, 0) + a(0, 1) * b(1, 0);
        const double m01 = a(0, 0) * b(0, 1) + a(0, 1) * b(1, 1);
        const double m10 = a(1, 0) * b(0, 0) + a(1, 1) * b(1, 0);
        const double m11 = a(1, 0) * b(0, 1) + a(1, 1) * b(1, 1);
        const double squares = m00 * m00 + m01 * m01 + m10 * m10 + m11 * m11;
        return std::sqrt(squares + 2 * std::abs(m00 * m11 - m01 * m10));
    }
    product.noalias() = eigen_map(a) * eigen_map(b);
    const VectorXd squares = linalg::symmetric_eigenvalues(product.transpose() * product);
    return squares.cwiseMax(0).cwiseSqrt().sum();
}

}  // namespace

double squared_bures_distance(const GaussianMoments& a, const GaussianMoments& b) {
    const linalg::SerialEigen serial;
    const std::size_t d = a.mean.size();
    core::check_shape("squared_bures_distance.b", 1, b.mean.size(), 1, d);
    double sum = 0;
    for (std::size_t j = 0; j < d; ++j) {
        const double difference = a.mean[j] - b.mean[j];
        sum += difference * difference + a.covariance(j, j) + b.covariance(j, j);
    }
    return std::max(0.0, sum - 2 * linalg::nuclear_norm(eigen_map(a.root) * eigen_map(b.root)));
}

Matrix<double> squared_bures_matrix(std::span<const GaussianMoments* const> a,
                                    std::span<const GaussianMoments* const> b) {
    const linalg::SerialEigen serial;
    Matrix<double> distances(a.size(), b.size());
    MatrixXd product;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const double trace_a = trace(a[i]->covariance);
        for (std::size_t j = 0; j < b.size(); ++j) {
            core::check_shape("squared_bures_matrix.b", 1, b[j]->mean.size(), 1, a[i]->mean.size());
            double sum = trace_a + trace(b[j]->covariance);
            for (std::size_t k = 0; k < a[i]->mean.size(); ++k) {
                const double difference = a[i]->mean[k] - b[j]->mean[k];
                sum += difference * difference;
            }
            distances(i, j) = std::max(0.0, sum - 2 * product_nuclear_norm(a[i]->root, b[j]->root, product));
        }
    }
    return distances;
}

Matrix<double> gaussian_map(const GaussianMoments& a, const GaussianMoments& b) {
    const linalg::SerialEigen serial;
    core::check_shape("gaussian_map.b", 1, b.mean.size(), 1, a.mean.size());
    const RootPair from = root_pair(eigen_map(a.covariance));
    const MatrixXd inner = symmetric_part(from.root * eigen_map(b.covariance) * from.root);
    return from_eigen(symmetric_part(from.inverse * root_of(inner) * from.inverse));
}

GeodesicPoint geodesic_point(const GaussianMoments& a, const GaussianMoments& b, const Matrix<double>& map,
                             double t) {
    const std::size_t d = a.mean.size();
    const linalg::SerialEigen serial;
    core::check_shape("geodesic_point.b", 1, b.mean.size(), 1, d);
    core::check_shape("geodesic_point.map", map.rows(), map.cols(), d, d);
    GeodesicPoint point{std::vector<double>(d), {}, std::vector<double>(d), {}};
    for (std::size_t j = 0; j < d; ++j) {
        point.mean_velocity[j] = b.mean[j] - a.mean[j];
        point.mean[j] = a.mean[j] + t * point.mean_velocity[j];
    }
    const auto size = static_cast<Eigen::Index>(d);
    const MatrixXd displacement = eigen_map(map) - MatrixXd::Identity(size, size);
    const MatrixXd moved = MatrixXd::Identity(size, size) + t * displacement;
    const Eigen::LLT<MatrixXd> factor(moved);
    if (factor.info() != Eigen::Success)
        throw core::NumericalError("geodesic_point", "the map is singular at this time");
    point.covariance = from_eigen(symmetric_part(moved * eigen_map(a.covariance) * moved));
    // Both factors are functions of C, so that they commute.
    point.velocity = from_eigen(symmetric_part(factor.solve(displacement)));
    return point;
}

GaussianMoments bures_barycentre(std::span<const GaussianMoments> gaussians) {
    if (gaussians.empty()) throw core::ShapeMismatch("bures_barycentre", "[at least 1]", 0, 0);
    const std::size_t d = gaussians.front().mean.size();
    const auto size = static_cast<Eigen::Index>(d);
    const double share = 1 / static_cast<double>(gaussians.size());
    GaussianMoments result{std::vector<double>(d, 0.0), {}, {}};
    MatrixXd s = MatrixXd::Zero(size, size);
    for (const GaussianMoments& one : gaussians) {
        core::check_shape("bures_barycentre", 1, one.mean.size(), 1, d);
        for (std::size_t j = 0; j < d; ++j) result.mean[j] += share * one.mean[j];
        s += share * eigen_map(one.covariance);
    }
    const linalg::SerialEigen serial;
    std::vector<MatrixXd> roots(std::min(barycentre_block, gaussians.size()));
    for (std::size_t round = 0; round < barycentre_rounds && s.trace() > 0; ++round) {
        const RootPair own = root_pair(s);
        MatrixXd mean = MatrixXd::Zero(size, size);
        for (std::size_t first = 0; first < gaussians.size(); first += barycentre_block) {
            const std::size_t count = std::min(barycentre_block, gaussians.size() - first);
            core::parallel_for(count, [&](std::size_t k) {
                roots[k] =
                    root_of(symmetric_part(own.root * eigen_map(gaussians[first + k].covariance) * own.root));
            });
            for (std::size_t k = 0; k < count; ++k) mean += share * roots[k];
        }
        const MatrixXd next = symmetric_part(own.inverse * mean * mean * own.inverse);
        const double change = (next - s).norm();
        s = next;
        if (change <= barycentre_tolerance * s.norm()) break;
    }
    result.covariance = from_eigen(s);
    result.root = from_eigen(root_of(s));
    return result;
}

}  // namespace popflow::ot
