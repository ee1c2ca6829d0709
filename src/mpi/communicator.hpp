// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace popflow::mpi {

/// MPI for the lifetime of a program: initialised by the constructor, finalised by finish() or the
/// destructor.
///
/// If the stack is unwinding, the destructor does not finalise: other ranks are probably inside a collective,
/// and MPI_Finalize would wait for them. The caller then calls abort().
class Session {
  public:
    /// @throws core::MpiError if MPI cannot be initialised or does not support threads
    Session(int& argc, char**& argv);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    /// Finalises MPI once all ranks have completed their work, and returns `code`. Collective.
    ///
    /// Call it when the files of this rank are closed and complete. If every rank calls it with
    /// core::exit_done or core::exit_stopped, a crash inside MPI_Finalize ends the process with `code` and a
    /// note on standard error, see FinalizeGuard. With any other code MPI_Finalize is not guarded.
    int finish(int code);

  private:
    int exceptions_at_start_;
    bool finished_ = false;
};

/// Returns name and version of the MPI library, e.g. `Open MPI v4.1.4`. @throws core::MpiError
std::string library();

/// Terminates all ranks immediately with exit code `code`. Not collective: one rank suffices.
[[noreturn]] void abort(int code);

/// Maximum number of elements of an MPI message: MPI counts them as int.
inline constexpr std::size_t max_message_elements = std::numeric_limits<int>::max();

/// A group of ranks: all of them, those of a communicator of the calling program, or the calling process
/// alone. Copies share one MPI communicator, which is a duplicate.
///
/// Every method except rank(), size() and root() is collective: all ranks must call it, in the same order.
/// The methods throw core::MpiError if the MPI library reports an error on this rank. The other ranks may
/// then block in the same collective, so the program has to end with abort(). For work that may fail on one
/// rank alone, see run_collectively().
class Communicator {
  public:
    /// Duplicates MPI_COMM_WORLD. Collective. Needs a Session.
    static Communicator world();
    /// Duplicates a communicator of the calling program. Collective over it. Needs no Session, but MPI must
    /// be initialised, see call_collectively().
    /// @param handle  Fortran handle of an intracommunicator (MPI_Comm_c2f)
    static Communicator duplicate(int handle);
    /// The calling process alone. Its collectives involve no other rank and make no MPI call, so it needs no
    /// Session and works in a process that never initialises MPI.
    static Communicator self();

    int rank() const;
    int size() const;
    /// Whether this is rank 0.
    bool is_root() const { return rank() == 0; }
    /// Returns the number of ranks on this host, including this rank. Collective.
    int ranks_on_host() const;

    /// Blocks until all ranks have called it. Collective.
    void barrier() const;
    /// In-place all-reduce: on return every rank holds the sums over all ranks. Integer sums are exact, so
    /// they do not depend on the order of the ranks. Collective.
    ///
    /// @param values  the same number of elements on every rank, at most max_message_elements
    /// @throws core::Error if there are more
    void sum(std::span<std::int64_t> values) const;
    /// In-place all-gather: on return every rank holds all parts of `values`. Collective.
    ///
    /// @param values  the whole array. Rank r contributes elements [bounds[r], bounds[r + 1])
    /// @param bounds  ranks + 1 offsets, the same on every rank, see part_bounds()
    /// @throws core::Error if a part or an offset exceeds max_message_elements
    void all_gather(std::span<float> values, std::span<const std::size_t> bounds) const;
    /// In-place all-reduce of doubles. Deterministic only if each element is non-zero on at most one rank:
    /// otherwise the rounding depends on the order of the ranks. Collective.
    void sum(std::span<double> values) const;
    /// Gathers the texts of all ranks, of any length, on rank 0. Collective.
    ///
    /// @param max_bytes  maximum number of bytes that rank 0 receives at a time
    /// @return on rank 0 one text per rank, in rank order. Empty on all other ranks
    std::vector<std::string> gather(const std::string& text,
                                    std::size_t max_bytes = max_message_elements) const;

  private:
    friend class WorkQueue;
    friend class ReduceScatter;
    struct Impl;
    std::shared_ptr<const Impl> impl_;
};

}  // namespace popflow::mpi
