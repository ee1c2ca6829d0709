// SPDX-License-Identifier: MIT
#include "dist/parts_sum.hpp"

#include <mpi.h>

#include <algorithm>
#include <vector>

#include "core/simd.hpp"
#include "dist/mpi_call.hpp"

namespace popflow::dist {

namespace {

constexpr int tag = 1;

// Unsigned, so that a sum that is refused later may wrap.
POPFLOW_SIMD void add(const std::int64_t* summands, std::int64_t* total, std::size_t n) {
#pragma omp simd
    for (std::size_t i = 0; i < n; ++i) {
        total[i] = static_cast<std::int64_t>(static_cast<std::uint64_t>(total[i]) +
                                             static_cast<std::uint64_t>(summands[i]));
    }
}

}  // namespace

// Each rank sends a part to its owner and adds what the others send it. Between two ranks of a machine this
// took a third of the time of MPI_Reduce_scatter (1.5 ms against 4.4 ms for 1.9 million elements), which
// works in memory of its own.
struct PartsSum::Impl {
    Communicator communicator;
    std::size_t rank;
    std::size_t size;
    std::span<std::int64_t> values{};
    std::span<const std::size_t> bounds{};
    std::vector<std::int64_t> received{};  ///< the own part, of each other rank
    std::vector<MPI_Request> receives{};   ///< of each other rank
    std::vector<MPI_Request> sends{};
    std::size_t unsent = 0;  ///< parts of ranks before this one are not final yet
    bool started = false;

    std::span<std::int64_t> part(std::size_t r) const {
        return values.subspan(bounds[r], bounds[r + 1] - bounds[r]);
    }
};

PartsSum::PartsSum(const Communicator& communicator)
    : impl_(new Impl{.communicator = communicator,
                     .rank = static_cast<std::size_t>(communicator.rank()),
                     .size = static_cast<std::size_t>(communicator.size())}) {}
PartsSum::~PartsSum() = default;
PartsSum::PartsSum(PartsSum&&) noexcept = default;

bool PartsSum::started() const {
    return impl_->started;
}

void PartsSum::start(std::span<std::int64_t> values, std::span<const std::size_t> bounds) {
    Impl& s = *impl_;
    s.values = values;
    s.bounds = bounds;
    s.started = true;
    s.unsent = s.size;
    const std::size_t own = s.part(s.rank).size();
    if (s.received.size() < own * (s.size - 1)) s.received.resize(own * (s.size - 1));
    s.receives.assign(s.size - 1, MPI_REQUEST_NULL);
    s.sends.assign(s.size - 1, MPI_REQUEST_NULL);
    for (std::size_t k = 1; k < s.size; ++k) {
        const auto from = static_cast<int>((s.rank + s.size - k) % s.size);
        check(MPI_Irecv(s.received.data() + (k - 1) * own, static_cast<int>(own), MPI_INT64_T, from, tag,
                        s.communicator.impl_->comm, &s.receives[k - 1]),
              "MPI_Irecv");
    }
}

void PartsSum::final_from(std::size_t first) {
    Impl& s = *impl_;
    while (s.unsent > 0 && s.bounds[s.unsent - 1] >= first) {
        const std::size_t to = --s.unsent;
        if (to == s.rank) continue;
        const std::span<std::int64_t> part = s.part(to);
        check(MPI_Isend(part.data(), static_cast<int>(part.size()), MPI_INT64_T, static_cast<int>(to), tag,
                        s.communicator.impl_->comm, &s.sends[to < s.rank ? to : to - 1]),
              "MPI_Isend");
    }
    // The library moves messages on while it is called.
    int all = 0;
    check(MPI_Testall(static_cast<int>(s.sends.size()), s.sends.data(), &all, MPI_STATUSES_IGNORE),
          "MPI_Testall");
}

void PartsSum::finish() {
    Impl& s = *impl_;
    final_from(0);
    const std::span<std::int64_t> own = s.part(s.rank);
    for (std::size_t k = 1; k < s.size; ++k) {
        int which = 0;
        check(MPI_Waitany(static_cast<int>(s.receives.size()), s.receives.data(), &which, MPI_STATUS_IGNORE),
              "MPI_Waitany");
        add(s.received.data() + static_cast<std::size_t>(which) * own.size(), own.data(), own.size());
    }
    check(MPI_Waitall(static_cast<int>(s.sends.size()), s.sends.data(), MPI_STATUSES_IGNORE), "MPI_Waitall");
    s.started = false;
}

}  // namespace popflow::dist
