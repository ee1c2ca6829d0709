// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "h5/dataframe.hpp"
#include "linalg/matrix.hpp"

namespace popflow::eval {

/// Origin of the results of transport problems, stored as attributes of the root group.
struct ProblemOrigin {
    std::string config{};            ///< resolved configuration
    std::string data_fingerprint{};  ///< fingerprint of the source file and of the target file
    std::string cost{};              ///< sqeuclidean, euclidean, sphere, or the name of a file
    std::string unit{};              ///< unit of `value`, for example `squared distance`, may be empty
    std::uint64_t seed = 0;
    int ranks = 1;
    int threads = 1;
    std::string version{};  ///< set by reading
    std::string commit{};   ///< set by reading
};

/// Distances between all populations.
struct DistanceMatrix {
    std::vector<std::string> names{};
    std::string what{};               ///< name of the distance: `W2`, `W1` or `cost`
    linalg::Matrix<double> values{};  ///< [names, names], symmetric, NaN for a problem that failed
};

/// Contents of a result file of `popflow ot`.
///
/// Columns of `problems`, which has one row per (problem, solver, start, acceleration, tolerance):
///   - `problem`, `source`, `target`: names. `n`, `m`: numbers of atoms with mass of both sides.
///   - `solver`: exact, sinkhorn or newton. `start`: zeros, gaussian, or the name of a run or file.
///     `acceleration`: none, overrelax or anderson.
///   - `tolerance`: allowed marginal error, NaN for `exact`. `epsilon`: absolute, 0 for `exact`.
///   - `converged` (bool), `iterations`, `rejected`: number of rejected steps among the iterations.
///   - `seconds`: time of the solve up to this tolerance, with the start. `start_seconds`: its part for the
///     start. `check_seconds`: its part for ot::Fallback.
///   - `marginal_error`: 1-norm. `value`: <P, C>. `value_entropic`: <P, C> + epsilon KL(P | a b^T). `gap`:
///     primal minus dual value.
///   - `domain`: kernel, log or empty. `fallback` (bool): whether the tolerance was reached from zeros in
///   place
///     of the start.
///   - `status`: ok or failed. `message`: reason of a failure. `rank`: rank that solved the problem.
///
/// Columns of `convergence`: `problem`, `solver`, `start`, `acceleration`, `iteration`, `marginal_error`,
/// `seconds` since the begin of the solve.
struct ProblemResults {
    std::string file{};  ///< path that it was read from, empty for new results
    ProblemOrigin origin{};
    h5::DataFrame problems{};     ///< may have further columns
    h5::DataFrame convergence{};  ///< error by iteration, may have no rows
    std::optional<DistanceMatrix> distances{};
};

/// Writes a result file under a temporary name and renames it.
/// @param write_more  adds further groups before the file is renamed, may be empty
/// @throws core::Error if a table lacks a column or the distances have a wrong shape
/// @throws core::DataError if the file cannot be created, core::WriteError if writing fails
void write_problem_results(const std::string& path, const ProblemResults& results,
                           const std::function<void(h5::Group& root)>& write_more = {});

/// Reads a result file of transport problems.
/// @throws core::DataError for another kind of file, another format version and a damaged file
ProblemResults read_problem_results(const std::string& path);

}  // namespace popflow::eval
