// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

/// The library of popflow for other programs: load a run, predict, compute metrics, solve transport problems.
///
/// Needs no MPI launch and never initialises MPI. Creates no processes and installs no signal handlers, so
/// that it works in a process that has threads. All functions use the OpenMP threads of the calling process.
/// They may be called from any thread.
namespace popflow {

/// Error of this library. what() is one line that names the file or argument, the value found, and what to
/// do.
class Exception : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// The caller's input is wrong: a file, an option or a shape.
class InvalidInput : public Exception {
  public:
    using Exception::Exception;
};

/// Non-owning view of a row-major matrix of cells.
struct CellsView {
    const float* data = nullptr;
    std::size_t rows = 0;  ///< cells
    std::size_t cols = 0;  ///< markers
};

/// Row-major matrix of cells.
struct Cells {
    std::vector<float> values;  ///< [rows * cols]
    std::size_t rows = 0;
    std::size_t cols = 0;

    operator CellsView() const { return {values.data(), rows, cols}; }  // NOLINT: a view, as std::span
};

/// Request to Model::predict().
struct PredictRequest {
    std::string treatment;
    /// Concentration for a run with --doses all, in the unit of the training and within the range that was
    /// trained on.
    std::optional<double> concentration{};
    /// Label of each control cell, [rows]. Needed by a model with several cell types, ignored by others. A
    /// label that is not one of Model::cell_types(), such as an empty one, stands for an unknown type. As
    /// `popflow predict` does, the encoder then gets zeros instead of the one-hot code of the type.
    std::vector<std::string> cell_types{};
    double tolerance = 1e-4;  ///< relative and absolute tolerance of the ODE solver
    std::uint64_t seed = 0;   ///< seed of the noise of a run with --base gaussian
    /// Sum of each control cell over all columns of its matrix, [rows]. Needed by a run with --size-factor,
    /// ignored by others.
    std::vector<double> totals{};
};

/// A trained model. Copies share the weights. Predictions are thread-safe and deterministic on any number of
/// threads.
class Model {
  public:
    /// Loads a run folder that `popflow train` has written.
    ///
    /// Threads that load at the same time take turns, because HDF5 serves one thread at a time. A process
    /// that uses HDF5 itself must not call it during a load, unless its HDF5 library is thread-safe.
    ///
    /// A damaged file is an exception:
    ///  * The checksum of a file covers all its bytes and is checked before HDF5 opens the file.
    ///  * A file without a checksum was rewritten by another program, or truncated. Here, sizes, object
    ///    headers, strings and chunks are compared with the size of the file before HDF5 uses them.
    ///
    /// These checks run in the calling process. They do not cover the internal indexes of HDF5, such as
    /// B-trees and heaps: a file that was crafted to attack HDF5 may still crash the process, loop or exhaust
    /// its memory. `popflow predict` validates files in a process of its own. Use it for files of an
    /// untrusted source.
    /// @throws InvalidInput if it is no run folder or a file of it is damaged
    /// @throws Exception if memory is exhausted
    static Model load(const std::string& run);

    /// Markers of the model, in the order of the columns of predict().
    const std::vector<std::string>& markers() const;
    /// Treatments that the model was trained on.
    std::vector<std::string> treatments() const;
    /// Cell types that the model was trained on.
    const std::vector<std::string>& cell_types() const;
    /// Name of the method, for example `mfm`.
    std::string method() const;

    /// Predicts the treated cells of a control population. Row i is the prediction of control cell i.
    ///
    /// The control population also is the context of the model: all its cells enter the population embedding.
    ///
    /// Shapes: control [n, markers()], result the same.
    /// Units: raw values of the data file, as of `popflow predict`. With --size-factor the result has the
    /// scale of the size factors.
    /// @throws InvalidInput for a wrong number of markers, a value that the transform cannot take, an unknown
    /// treatment, a missing or unknown concentration, missing cell types, or fewer cells than the encoder's
    /// graph needs
    /// @throws Exception if the ODE solver cannot keep its tolerance
    Cells predict(CellsView control, const PredictRequest& request) const;
    /// Embedding of a control population. Empty for a method without one. Shapes: control [n, markers()].
    /// @param totals  see PredictRequest::totals
    std::vector<float> embed(CellsView control, const std::vector<std::string>& cell_types = {},
                             const std::vector<double>& totals = {}) const;

  private:
    struct Impl;
    std::shared_ptr<const Impl> impl_;
};

/// Compares two populations. Names: w1, w2, mmd, r2, energy, r2_means, w1_markers, sinkhorn, mmd_scaled,
/// change_correlation, recall_top.
///
/// Shapes: predicted [n, d], truth [m, d], control [k, d].
/// @param names  empty for the default metrics, without the last two if there is no control
/// @param control  untreated cells, for the metrics that compare changes of the means
/// @return score by name, NaN if it is undefined, for example r2 of one marker
/// @throws InvalidInput for an unknown name, other numbers of markers, no cells, a value that is not finite,
/// or a name that needs the control cells if there are none
std::map<std::string, double> compute_metrics(CellsView predicted, CellsView truth,
                                              const std::vector<std::string>& names = {},
                                              CellsView control = {});

enum class TransportCost { euclidean, squared_euclidean };

/// Mass that a plan moves from row i to column j.
struct PlanEntry {
    std::uint32_t i = 0;
    std::uint32_t j = 0;
    double mass = 0;
};

/// An optimal plan with its certificate.
struct TransportSolution {
    double value = 0;             ///< sum of mass times cost
    std::vector<PlanEntry> plan;  ///< sorted by rows
    std::vector<double> f;        ///< [n] dual potentials: f_i + g_j <= c_ij, equal where the plan has mass
    std::vector<double> g;        ///< [m]
    /// Maximum of f_i + g_j - c_ij over all i and j, and primal minus dual value: no plan is better by more
    /// than their sum.
    double violation = 0;
    double gap = 0;
};

/// Solves optimal transport between two point clouds exactly: min <P, C> over plans with row sums a and
/// column sums b.
///
/// Shapes: x [n, d], y [m, d], a [n], b [m]. Empty weights are uniform with total mass 1.
/// @throws InvalidInput for other shapes, negative weights, or totals that differ by more than 1e-6 of
/// themselves
TransportSolution solve_transport(CellsView x, CellsView y,
                                  TransportCost cost = TransportCost::squared_euclidean,
                                  std::span<const double> a = {}, std::span<const double> b = {});
/// The same for a row-major cost matrix. Shape: cost [n, m].
TransportSolution solve_transport(std::span<const double> cost, std::size_t n, std::size_t m,
                                  std::span<const double> a = {}, std::span<const double> b = {});

/// Version of the library, and the commit it was built from.
std::string version();

}  // namespace popflow
