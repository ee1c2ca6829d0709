// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "mpi/communicator.hpp"

namespace popflow::mpi {

/// Asynchronous reduce-scatter of 64-bit integers: each rank obtains the sums over all ranks of its own part.
///
/// Communication starts before all summands of a rank are known. Each rank calls start(), then any number of
/// times mark_final_from(), then finish(). Final elements are packed, see packed_integers.hpp. A part is sent
/// as soon as all of its elements are final. Parts are sent from the last to the first, because a backward
/// pass finishes its layers in this order.
///
/// Sums are exact unless they overflow, and wrap modulo 2^64 otherwise.
///
/// Collective: all ranks have to call start() and finish(). All methods throw core::MpiError if an MPI call
/// fails. If a rank throws, the others may block in finish(), so the program has to end with mpi::abort().
/// Not thread-safe.
class ReduceScatter {
  public:
    explicit ReduceScatter(const Communicator& communicator);
    ~ReduceScatter();
    ReduceScatter(ReduceScatter&&) noexcept;
    ReduceScatter& operator=(ReduceScatter&&) = delete;
    ReduceScatter(const ReduceScatter&) = delete;
    ReduceScatter& operator=(const ReduceScatter&) = delete;

    /// Starts a sum: posts the receives. Collective, non-blocking.
    /// @param values  summands of this rank. Read and written until finish(), so must live until then
    /// @param bounds  rank r owns elements [bounds[r], bounds[r + 1]), see part_bounds(). Must live until
    /// finish()
    void start(std::span<std::int64_t> values, std::span<const std::size_t> bounds);
    /// Whether start() was called without finish() since.
    bool started() const;
    /// Marks all elements at or above `first` as final: only finish() changes them from now on. Sends the
    /// parts that are complete. Non-blocking and not collective.
    void mark_final_from(std::size_t first);
    /// Waits for all messages and stores out = scale * sum for the part of this rank. Collective. The
    /// contents of `values` are unspecified afterwards.
    /// @param out  bounds[rank + 1] - bounds[rank] elements
    void finish(double scale, std::span<float> out);

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace popflow::mpi
