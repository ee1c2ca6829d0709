// SPDX-License-Identifier: MIT
#include "ot/gibbs_kernel.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "ot/gibbs_rows.hpp"

namespace popflow::ot {

namespace {

// Largest distance of a potential from its reference. Elements of the kernel are exact down to e^-700.
constexpr double max_drift = 200;
const double min_sum = std::exp(-max_drift);
// Smallest largest element of a row of a shared kernel. Elements that underflow there, below e^-700, are then
// below e^-450 of the largest, and remain negligible after any drift of the potentials.
const double min_gathered = std::exp(-250.0);

}  // namespace

GibbsKernel::GibbsKernel(linalg::ConstMatrixView<double> c, std::span<const double> a,
                         std::span<const double> b, double epsilon, const KernelPart& part)
    : c_(c),
      a_(a),
      b_(b),
      scale_(1 / epsilon),
      part_(part),
      gathered_(part.kernel != nullptr ? c.cols : 0),
      kernel_(c.rows * c.cols),
      factors_(c.cols),
      col_sums_(c.cols),
      row_factors_(c.rows, 1),
      f0_(c.rows),
      g0_(c.cols) {}

double GibbsKernel::sweep(std::span<const double> g, double relaxation, std::span<double> image) {
    const bool is_done = absorptions_ > 0 && compute_factors(g) && multiply(relaxation);
    if (!is_done) {
        absorb(g);
        multiply(1);
    }
    double error = row_error_;
    std::vector<double> f;
    for (std::size_t j = 0; j < c_.cols; ++j) {
        error += std::fabs(factors_[j] * col_sums_[j] - b_[j]);
        if (col_sums_[j] > min_sum * b_[j]) {
            image[j] = g0_[j] - std::log(col_sums_[j] / b_[j]);
        } else {
            if (f.empty()) f = row_potentials();
            image[j] = -log_column_sum(f, j);
        }
    }
    return error;
}

std::vector<double> GibbsKernel::row_potentials() const {
    std::vector<double> f(c_.rows);
    for (std::size_t i = 0; i < c_.rows; ++i) f[i] = f0_[i] + std::log(row_factors_[i]);
    return f;
}

void GibbsKernel::update_columns(std::span<const double> f, std::span<double> g) const {
    std::vector<double> highest(c_.cols, -std::numeric_limits<double>::max());
    std::vector<double> sums(c_.cols);
    std::vector<double> row(c_.cols);
    for (std::size_t i = 0; i < c_.rows; ++i)
        raise_to_row(c_.row(i), f[i] + std::log(a_[i]), scale_, c_.cols, highest.data());
    for (std::size_t i = 0; i < c_.rows; ++i)
        exponentiate_below(c_.row(i), f[i] + std::log(a_[i]), scale_, highest.data(), c_.cols, row.data(),
                           sums.data());
    for (std::size_t j = 0; j < c_.cols; ++j) g[j] = -highest[j] - std::log(sums[j]);
}

// Computes the weights of the elements of a shared kernel for the exponents in factors_, the largest is 1.
void GibbsKernel::gather_weights() {
    const double highest = *std::ranges::max_element(factors_);
    for (std::size_t j = 0; j < c_.cols; ++j) gathered_[j] = std::exp(factors_[j] - highest);
    top_ = highest - part_.kernel->lowest() * scale_;
}

// Computes a row of the kernel for the exponents in factors_, and returns the logarithm of its scale. Takes
// the exponentials from the shared kernel unless too many digits of the row underflow there.
double GibbsKernel::compute_row(std::size_t i) {
    double* row = kernel_.data() + i * c_.cols;
    if (part_.kernel != nullptr) {
        const double largest = gather_row(part_.kernel->values().row(part_.rows[i]), part_.cols.data(),
                                          gathered_.data(), c_.cols, row);
        if (largest > min_gathered) {
            scale_row(1 / largest, c_.cols, row);
            return top_ + std::log(largest);
        }
    }
    const double highest = max_row_exponent(c_.row(i), factors_.data(), scale_, c_.cols);
    exponentiate_row(c_.row(i), factors_.data(), scale_, highest, c_.cols, row);
    return highest;
}

// Moves the reference to g and to potentials f0 with which the largest element of each row is 1.
void GibbsKernel::absorb(std::span<const double> g) {
    ++absorptions_;
    for (std::size_t j = 0; j < c_.cols; ++j) factors_[j] = g[j] + std::log(b_[j]);
    if (part_.kernel != nullptr) gather_weights();
    for (std::size_t i = 0; i < c_.rows; ++i) f0_[i] = -compute_row(i);
    std::ranges::copy(g, g0_.begin());
    std::ranges::fill(factors_, 1);
}

// Returns false if g is too far from the reference.
bool GibbsKernel::compute_factors(std::span<const double> g) {
    double drift = 0;
    for (std::size_t j = 0; j < c_.cols; ++j) drift = std::max(drift, std::fabs(g[j] - g0_[j]));
    if (!(drift <= max_drift)) return false;
    for (std::size_t j = 0; j < c_.cols; ++j) factors_[j] = std::exp(g[j] - g0_[j]);
    return true;
}

// Returns the relaxed factor of a row for its updated factor, and adds the error of the row's marginal.
double GibbsKernel::relaxed(double updated, std::size_t i, double relaxation) {
    const double change = (relaxation - 1) * std::log(updated / row_factors_[i]);
    if (!(std::fabs(change) <= max_drift)) return updated;
    row_error_ += a_[i] * std::fabs(std::expm1(change));
    return updated * std::exp(change);
}

// Updates the factors of the rows and the column sums. Returns false if the sum of a row underflows.
bool GibbsKernel::multiply(double relaxation) {
    std::ranges::fill(col_sums_, 0);
    row_error_ = 0;
    for (std::size_t i = 0; i < c_.rows; i += kernel_batch) {
        const std::size_t count = std::min(kernel_batch, c_.rows - i);
        KernelBatch batch{};
        for (std::size_t l = 0; l < kernel_batch; ++l)
            batch.rows[l] = kernel_.data() + (i + std::min(l, count - 1)) * c_.cols;
        dot_rows(batch, factors_.data(), c_.cols);
        for (std::size_t l = 0; l < count; ++l) {
            if (!(batch.sums[l] > min_sum)) return false;
            double factor = 1 / batch.sums[l];
            if (relaxation != 1) factor = relaxed(factor, i + l, relaxation);
            row_factors_[i + l] = factor;
            batch.weights[l] = a_[i + l] * factor;
        }
        add_rows(batch, c_.cols, col_sums_.data());
    }
    return true;
}

// Returns log sum_i a_i exp(f_i - c_ij / eps).
double GibbsKernel::log_column_sum(std::span<const double> f, std::size_t j) const {
    double highest = -std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < c_.rows; ++i)
        highest = std::max(highest, f[i] + std::log(a_[i]) - scale_ * c_(i, j));
    double sum = 0;
    for (std::size_t i = 0; i < c_.rows; ++i)
        sum += std::exp(f[i] + std::log(a_[i]) - scale_ * c_(i, j) - highest);
    return highest + std::log(std::max(sum, 1.0));  // the largest term is 1
}

}  // namespace popflow::ot
