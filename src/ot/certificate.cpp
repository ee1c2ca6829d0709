// SPDX-License-Identifier: MIT
#include "ot/certificate.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "core/error.hpp"
#include "core/parallel_error.hpp"
#include "ot/exact.hpp"
#include "ot/exact/arcs.hpp"
#include "ot/exact/row_search.hpp"

namespace popflow::ot {

namespace {

constexpr std::size_t rows_per_task = 64;
// Matrices with fewer elements run on one thread: starting a team costs more than it saves.
constexpr std::size_t serial_size = 1U << 20U;

// Calls visit(i, reduced costs of row i, largest |g|) for every row. All numbers are in matrix units.
template <class Visit>
void visit_rows(const Cost& cost, std::span<const double> g, const Visit& visit) {
    core::check_shape("ot.certify.g", g.size(), 1, cost.cols(), 1);
    linalg::AlignedVector<float> rounded_g(cost.padded_cols());
    double largest_g = 0;
    for (std::size_t j = 0; j < g.size(); ++j) {
        rounded_g[j] = static_cast<float>(g[j] / cost.unit());
        largest_g = std::max(largest_g, std::fabs(g[j] / cost.unit()));
    }
    core::ParallelError error;
#pragma omp parallel if (cost.rows() * cost.cols() > serial_size)
    {
        std::optional<RowSearch> search;
#pragma omp for schedule(dynamic)
        for (std::size_t first = 0; first < cost.rows(); first += rows_per_task) {
            error.run([&] {
                if (!search) search.emplace(cost.padded_cols());
                for (std::size_t i = first; i < std::min(cost.rows(), first + rows_per_task); ++i) {
                    search->reduce(cost.row(i), rounded_g.data(), kept_fraction(cost));
                    visit(i, *search, largest_g);
                }
            });
        }
    }
    error.rethrow();
}

}  // namespace

Certificate certify(const Cost& cost, const TransportPlan& transport) {
    const std::vector<double>& f = transport.duals.f;
    const std::vector<double>& g = transport.duals.g;
    core::check_shape("ot.certify.f", f.size(), 1, cost.rows(), 1);
    const auto slack = [&](std::size_t i, std::size_t j) {
        return (f[i] - cost.offset()) + g[j] - cost.unit() * cost.exact(i, j);
    };
    std::vector<double> violation(cost.rows());
    visit_rows(cost, g, [&](std::size_t i, RowSearch& search, double largest_g) {
        const double fi = (f[i] - cost.offset()) / cost.unit();
        double worst = 0;
        search.below(cost.cols(), static_cast<float>(fi + rounding_bound(cost, fi, largest_g)),
                     [&](std::size_t j) { worst = std::max(worst, slack(i, j)); });
        violation[i] = worst;
    });
    Certificate certificate;
    certificate.violation = *std::ranges::max_element(violation);
    double gap = 0;
    for (const PlanEntry& entry : transport.plan) gap -= entry.mass * slack(entry.i, entry.j);
    certificate.gap = std::fabs(gap);
    return certificate;
}

void apply_c_transform(const Cost& cost, Potentials& duals) {
    duals.f.resize(cost.rows());
    visit_rows(cost, duals.g, [&](std::size_t i, RowSearch& search, double largest_g) {
        const double nearest = search.least(cost.cols());
        // Both the fp32 minimum and the exact minimum may be off by the error bound, so it counts twice.
        const double limit = nearest + 2 * rounding_bound(cost, nearest, largest_g) +
                             2 * (1 - kept_fraction(cost)) * (std::fabs(nearest) + largest_g);
        double least = std::numeric_limits<double>::infinity();
        search.below(
            cost.cols(), std::nextafter(static_cast<float>(limit), std::numeric_limits<float>::max()),
            [&](std::size_t j) { least = std::min(least, cost.unit() * cost.exact(i, j) - duals.g[j]); });
        duals.f[i] = least + cost.offset();
    });
}

}  // namespace popflow::ot
