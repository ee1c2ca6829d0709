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

/// MPI for the lifetime of a program: initialised by the constructor, finalised by finish() or the destructor.
///
/// If the stack is unwinding, the destructor does not finalise: other ranks are probably inside a collective, and
/// MPI_Finalize would wait for them. The caller then calls abort().
class Session {
  public:
    /// @throws core::MpiError if MPI cannot be initialised or does not support threads
    Session(int& argc, char**& argv);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    /// Finalises MPI once all ranks have completed their work, and returns `code`. Collective.
    ///
    /// Call it when the files of this rank are closed and complete. If every rank calls it with the exit code 0 or with
    /// that of a stop on request (75), a crash inside MPI_Finalize ends the process with `code` and a note on standard
    /// error, see FinalizeGuard. With any other code MPI_Finalize is not guarded.
    int finish(int code);

  private:
    int exceptions_at_start_;
    bool finished_ = false;
};

/// Name and version of the MPI library, as in `Open MPI v4.1.4`.
std::string library();

/// Ends all ranks at once with an exit code.
[[noreturn]] void abort(int code);

/// Elements of a message, whose number is an int.
inline constexpr std::size_t max_in_message = std::numeric_limits<int>::max();

/// The group of all ranks: copies share one MPI communicator, duplicated from MPI_COMM_WORLD.
/// Each method but rank() and size() is collective; all throw MpiError.
class Communicator {
  public:
    /// Of all ranks. Needs a Session.
    static Communicator world();

    int rank() const;
    int size() const;
    bool root() const { return rank() == 0; }
    /// Ranks that share the memory of this one's host, itself among them. Collective.
    int ranks_on_host() const;

    void barrier() const;
    /// The sum over ranks, everywhere, in place. Exact, so independent of the order of the ranks.
    void sum(std::span<std::int64_t> values) const;
    /// Gives each rank's part of `values` to all, in place.
    void share_parts(std::span<float> values, std::span<const std::size_t> bounds) const;
    /// As sum(), of doubles. Reproducible only if each element is non-zero on one rank alone.
    void sum(std::span<double> values) const;
    /// The texts of all ranks, of any length, at rank 0 in the order of ranks; elsewhere empty.
    /// @param most  bytes that rank 0 receives at a time, at most
    std::vector<std::string> gather(const std::string& text, std::size_t most = max_in_message) const;

  private:
    friend class WorkQueue;
    friend class PartsSum;
    struct Impl;
    std::shared_ptr<const Impl> impl_;
};

}  // namespace popflow::mpi
