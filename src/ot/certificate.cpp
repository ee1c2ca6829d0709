// SPDX-License-Identifier: MIT
#include "ot/certificate.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "core/error.hpp"
#include "core/parallel_error.hpp"
#include "ot/arcs.hpp"
#include "ot/exact.hpp"
#include "ot/row_search.hpp"

namespace popflow::ot {

namespace {

constexpr std::size_t rows_per_task = 64;
// Below this many elements threads cost more than they save.
constexpr std::size_t serial_size = 1U << 20U;

}  // namespace

Certificate certify(const Cost& cost, const Transport& transport) {
    const std::vector<double>& f = transport.duals.f;
    const std::vector<double>& g = transport.duals.g;
    core::check_shape("ot.certify.f", f.size(), 1, cost.rows(), 1);
    core::check_shape("ot.certify.g", g.size(), 1, cost.cols(), 1);
    linalg::AlignedVector<float> rounded_g(cost.padded_cols());
    double largest_g = 0;
    for (std::size_t j = 0; j < g.size(); ++j) {
        rounded_g[j] = static_cast<float>(g[j] / cost.unit());
        largest_g = std::max(largest_g, std::fabs(g[j] / cost.unit()));
    }
    const auto slack = [&](std::size_t i, std::size_t j) {
        return (f[i] - cost.offset()) + g[j] - cost.unit() * cost.exact(i, j);
    };
    std::vector<double> violation((cost.rows() + rows_per_task - 1) / rows_per_task);
    core::ParallelError error;
#pragma omp parallel if (cost.rows() * cost.cols() > serial_size)
    {
        std::optional<RowSearch> search;
#pragma omp for schedule(dynamic)
        for (std::size_t task = 0; task < violation.size(); ++task) {
            error.run([&] {
                if (!search) search.emplace(cost.padded_cols());
                const std::size_t end = std::min(cost.rows(), (task + 1) * rows_per_task);
                double worst = 0;
                for (std::size_t i = task * rows_per_task; i < end; ++i) {
                    search->reduce(cost.row(i), rounded_g.data(), kept_fraction(cost));
                    // Only what may be worse than the worst so far needs its cost in double.
                    const double fi = (f[i] - cost.offset() - worst) / cost.unit();
                    search->below(cost.cols(), static_cast<float>(fi + rounding_bound(cost, fi, largest_g)),
                                  [&](std::size_t j) { worst = std::max(worst, slack(i, j)); });
                }
                violation[task] = worst;
            });
        }
    }
    error.rethrow();
    Certificate certificate;
    certificate.violation = *std::ranges::max_element(violation);
    double gap = 0;
    for (const PlanEntry& entry : transport.plan) gap -= entry.mass * slack(entry.i, entry.j);
    certificate.gap = std::fabs(gap);
    return certificate;
}

}  // namespace popflow::ot
