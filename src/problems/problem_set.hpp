// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "linalg/matrix.hpp"
#include "ot/cost_matrix.hpp"
#include "ot/histogram_problem.hpp"
#include "problems/histogram_file.hpp"
#include "problems/populations.hpp"
#include "problems/problem_list.hpp"

namespace popflow::problems {

/// Which transport problems to read, and from where.
struct ProblemOptions {
    std::string data{};         ///< file of the source measures
    std::string target_data{};  ///< file of the target measures, empty for the same file
    HistogramOptions histograms{};
    PopulationOptions populations{};  ///< used if it names columns
    std::size_t prototypes = 0;       ///< number of prototypes that populations are mapped to, 0 for none
    std::string problems{};  ///< see list_problems(), empty for `all`, or `consecutive` with two files
    std::string cost = "sqeuclidean";  ///< `sqeuclidean`, `euclidean`, `sphere`, or the path of a file
    std::uint64_t seed = 0;

    bool has_populations() const { return !populations.columns.empty(); }
};

/// Names of the costs, in the order of ot::AtomCost.
const std::vector<std::string>& cost_names();

/// Returns the costs between the atoms of two files: those of the positions for a name of cost_names(), or
/// those that the file `cost` holds.
/// @throws core::DataError if the positions are missing or have different numbers of coordinates, and as
/// read_costs()
linalg::Matrix<double> atom_costs(const std::string& cost, const HistogramFile& source,
                                  const HistogramFile& target);

/// A list of discrete transport problems with their measures.
///
/// The measures are histograms over shared atoms, or populations of cells that are atoms of their own with
/// equal weights. Holds the measures that the problems use in memory.
class ProblemSet {
  public:
    /// Reads the measures. Every rank reads the same.
    /// @throws core::ConfigError, core::DataError as the readers
    explicit ProblemSet(const ProblemOptions& options);
    ProblemSet(const ProblemSet&) = delete;
    ProblemSet& operator=(const ProblemSet&) = delete;

    std::size_t size() const { return list_.problems.size(); }
    const Problem& problem(std::size_t p) const { return list_.problems[p]; }
    std::string name(std::size_t p) const;
    const std::string& source_name(std::size_t p) const { return sources().names[problem(p).source]; }
    const std::string& target_name(std::size_t p) const { return targets().names[problem(p).target]; }
    /// Number of pairs of atoms with mass.
    std::size_t work(std::size_t p) const;
    /// Whether the problems are all pairs of one set of measures.
    bool is_all_pairs() const { return is_all_pairs_; }

    /// Whether the measures are histograms over shared atoms.
    bool has_histograms() const { return !populations_ || prototypes_; }
    const ot::Histogram& source_histogram(std::size_t p) const {
        return *sources().histograms[problem(p).source];
    }
    const ot::Histogram& target_histogram(std::size_t p) const {
        return *targets().histograms[problem(p).target];
    }
    /// Summary of costs(), zeros for populations.
    const ot::CostSummary& cost_summary() const { return cost_summary_; }
    /// Costs between all shared atoms [n, m]. Empty for populations.
    const linalg::Matrix<double>& costs() const { return costs_; }
    /// Positions of the shared atoms [n, d] of a side, without rows if there are none.
    const linalg::Matrix<double>& source_positions() const { return sources().positions; }
    const linalg::Matrix<double>& target_positions() const { return targets().positions; }
    bool has_positions() const { return !has_histograms() || sources().positions.rows() > 0; }

    /// Cells of a population [n, d].
    const linalg::Matrix<float>& source_cells(std::size_t p) const {
        return sources().populations->cells[problem(p).source];
    }
    const linalg::Matrix<float>& target_cells(std::size_t p) const {
        return targets().populations->cells[problem(p).target];
    }
    /// Populations of the source, null for histograms of a file.
    const Populations* populations() const { return populations_ ? &*populations_ : nullptr; }
    /// Names of all source measures.
    const std::vector<std::string>& names() const { return sources().names; }

    /// The cost, none if it is read from a file.
    std::optional<ot::AtomCost> atom_cost() const { return cost_; }
    /// Hex digest over all that was read.
    const std::string& fingerprint() const { return fingerprint_; }
    const std::vector<std::string>& notes() const { return notes_; }
    /// Bytes of the measures and of the costs.
    std::size_t memory() const;

  private:
    struct Side {
        std::vector<std::string> names;
        std::vector<std::optional<ot::Histogram>> histograms;  // those that a problem uses
        linalg::Matrix<double> positions;
        const Populations* populations = nullptr;
        std::size_t atoms = 0;
    };
    const Side& sources() const { return source_; }
    const Side& targets() const { return target_ ? *target_ : source_; }
    void read_histograms(const ProblemOptions& options);
    void read_cells(const ProblemOptions& options);
    void make_list(const ProblemOptions& options);

    std::optional<Populations> populations_;
    std::optional<Populations> target_populations_;
    bool prototypes_ = false;
    Side source_;
    std::optional<Side> target_;
    ProblemList list_;
    bool is_all_pairs_ = false;
    std::optional<ot::AtomCost> cost_;
    linalg::Matrix<double> costs_;
    ot::CostSummary cost_summary_;
    std::string fingerprint_;
    std::vector<std::string> notes_;
};

}  // namespace popflow::problems
