// SPDX-License-Identifier: MIT
#include "ot/shared_kernel.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "ot/gibbs_rows.hpp"

namespace popflow::ot {

namespace {

void check_atoms(std::span<const std::uint32_t> atoms, std::size_t wanted, std::size_t count,
                 const char* name) {
    core::check_shape(name, atoms.size(), 1, wanted, 1);
    if (std::ranges::any_of(atoms, [&](std::uint32_t atom) { return atom >= count; }))
        throw core::ShapeMismatch(name, "atoms below " + std::to_string(count),
                                  *std::ranges::max_element(atoms), 1);
}

}  // namespace

SharedKernel::SharedKernel(linalg::ConstMatrixView<double> c, double epsilon)
    : values_(c.rows, c.cols), lowest_(0), epsilon_(epsilon) {
    const std::vector<double> zeros(c.cols);
    const double scale = 1 / epsilon;
    double highest = -std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < c.rows; ++i)
        highest = std::max(highest, max_row_exponent(c.row(i), zeros.data(), scale, c.cols));
    lowest_ = -highest * epsilon;
    for (std::size_t i = 0; i < c.rows; ++i)
        exponentiate_row(c.row(i), zeros.data(), scale, highest, c.cols, values_.view().row(i));
}

void check_kernel_part(const KernelPart& part, std::size_t n, std::size_t m, double epsilon) {
    check_atoms(part.rows, n, part.kernel->values().rows, "ot.entropic.kernel.rows");
    check_atoms(part.cols, m, part.kernel->values().cols, "ot.entropic.kernel.cols");
    if (part.kernel->epsilon() != epsilon)
        throw core::NumericalError("ot.entropic", "the kernel has another epsilon than the problem");
}

}  // namespace popflow::ot
