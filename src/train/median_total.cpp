// SPDX-License-Identifier: MIT
#include "train/median_total.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <set>

#include "core/error.hpp"
#include "mpi/partition.hpp"
#include "mpi/run_collectively.hpp"
#include "screen/read_populations.hpp"

namespace popflow::train {

namespace {

// Returns the value of rank k, counted from 0, of all ranks' sorted values. The bits of positive doubles have
// the order of the values, so one bit after the other is determined by counting. Collective.
double value_at(std::int64_t k, std::span<const double> values, const mpi::Communicator& comm) {
    std::uint64_t bits = 0;
    for (int b = 62; b >= 0; --b) {
        const std::uint64_t candidate = bits | (std::uint64_t{1} << static_cast<unsigned>(b));
        std::array<std::int64_t, 1> below{std::ranges::count_if(
            values, [&](double v) { return std::bit_cast<std::uint64_t>(v) < candidate; })};
        comm.sum(below);
        if (below[0] <= k) bits = candidate;
    }
    return std::bit_cast<double>(bits);
}

}  // namespace

double exact_median(std::span<const double> values, const mpi::Communicator& comm) {
    std::array<std::int64_t, 1> count{std::ssize(values)};
    comm.sum(count);
    if (count[0] == 0) return 0;
    const double upper = value_at(count[0] / 2, values, comm);
    return count[0] % 2 == 1 ? upper : (value_at(count[0] / 2 - 1, values, comm) + upper) / 2;
}

double median_total(const screen::Screen& screen, const screen::Split& split, const mpi::Communicator& comm) {
    std::set<std::size_t> distinct;
    for (const std::size_t p : split.pairs(screen::Part::train))
        distinct.insert({screen.pairs[p].control, screen.pairs[p].treated});
    const std::vector<std::size_t> populations(distinct.begin(), distinct.end());
    std::vector<std::size_t> sizes;
    for (const std::size_t p : populations) sizes.push_back(screen.populations[p].n_cells);
    const auto parts = mpi::partition_by_weight(sizes, static_cast<std::size_t>(comm.size()));
    std::vector<double> own;
    mpi::run_collectively(comm, [&] {
        std::vector<std::size_t> part;
        for (const std::size_t k : parts[static_cast<std::size_t>(comm.rank())])
            part.push_back(populations[k]);
        for (const std::vector<double>& totals : screen::read_totals(screen, part)) {
            for (const double total : totals) {
                if (!std::isfinite(total))
                    throw core::DataError(
                        screen.file, screen.options.source.path(),
                        "a value is negative or not finite: --size-factor median needs counts");
                if (total > 0) own.push_back(total);
            }
        }
    });
    const double median = exact_median(own, comm);
    if (median == 0)
        throw core::DataError(screen.file, screen.options.source.path(),
                              "all training cells have the total 0: --size-factor median needs counts");
    return median;
}

}  // namespace popflow::train
