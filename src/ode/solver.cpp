// SPDX-License-Identifier: MIT
#include "ode/solver.hpp"

namespace popflow::ode {

using linalg::MatrixView;

Statistics& Statistics::operator+=(const Statistics& other) {
    evaluations += other.evaluations;
    accepted += other.accepted;
    rejected += other.rejected;
    return *this;
}

template <class Real>
void check_snapshots(const std::string& solver, const Snapshots<Real>& snapshots, std::size_t rows,
                     std::size_t cols) {
    for (std::size_t s = 0; s < snapshots.times.size(); ++s) {
        if (!(snapshots.times[s] >= 0 && snapshots.times[s] <= 1))
            throw core::Error(solver + ": a snapshot time is outside [0, 1]");
        const MatrixView<Real>& at = snapshots.x.at(s);
        core::check_shape(solver + ".snapshot", at.rows, at.cols, rows, cols);
    }
}

template void check_snapshots(const std::string&, const Snapshots<float>&, std::size_t, std::size_t);
template void check_snapshots(const std::string&, const Snapshots<double>&, std::size_t, std::size_t);

}  // namespace popflow::ode
