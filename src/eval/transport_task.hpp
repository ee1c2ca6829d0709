// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "eval/problem_outputs.hpp"
#include "eval/problem_results.hpp"
#include "eval/problem_solver.hpp"
#include "eval/task.hpp"

namespace popflow::eval {

/// Solves transport problems. A work item is a batch of consecutive problems, so that small problems cost
/// little communication. The batches depend on the problems only.
class TransportTask : public Task {
  public:
    /// The arguments must outlive the task. @param rank  rank of the process, for the table
    TransportTask(const problems::ProblemSet& problems, const SolveOptions& options, int rank);

    std::span<const std::size_t> items() const override { return items_; }
    std::size_t cost(std::size_t item) const override;
    /// Solves the problems of the batches in parallel.
    std::vector<TaskRecord> run(std::span<const std::size_t> items) override;
    /// Number of problems in `batches` batches, on average.
    std::size_t problems_in(std::size_t batches) const;

  private:
    std::vector<std::vector<MadeStart>> make_starts(std::span<const std::size_t> chosen) const;

    const problems::ProblemSet& problems_;
    const SolveOptions& options_;
    int rank_;
    std::optional<ot::SharedKernel> kernel_;  // for problems over shared atoms
    std::vector<std::size_t> first_;          // first problem of each batch, then the number of problems
    std::vector<std::size_t> items_;
};

/// Tables and further outputs of all problems.
struct TransportResults {
    h5::DataFrame problems;     ///< as ProblemResults::problems
    h5::DataFrame convergence;  ///< as ProblemResults::convergence
    std::vector<SolveOutput> outputs;
};

/// Assembles the records of a TransportTask, in the order of the problems.
TransportResults transport_results(const problems::ProblemSet& problems, const SolveOptions& options,
                                   const std::vector<TaskRecord>& records);

/// Returns the distances between all measures from the first solver, start and acceleration, at the last
/// tolerance: the square root of the value for the cost `sqeuclidean`, else the value.
/// @param table  of all problems, which are all pairs of one set of measures
DistanceMatrix distance_matrix(const problems::ProblemSet& problems, const SolveOptions& options,
                               const h5::DataFrame& table);

}  // namespace popflow::eval
