// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "eval/score_text.hpp"
#include "mpi/communicator.hpp"

namespace popflow::eval {

/// What decides the scores of a pair, by name: options, data, weights, program.
using EvaluationIdentity = std::map<std::string, std::string>;

/// What to do with the pairs that an earlier evaluation left.
enum class Leftover : std::uint8_t {
    discard,
    keep,             ///< and refuse those of another identity
    keep_if_fitting,  ///< and discard those of another identity
};

/// Pairs that were scored, kept on disk while an evaluation runs, so that a stopped one can go on.
///
/// A folder beside the results: every rank appends each pair to a file of its own as soon as it is scored and
/// waits for the disk. Records carry a checksum; a torn one ends its file. Each start writes new files, so
/// nothing that was kept is ever written over, and the numbers of ranks may differ.
class PartialResults {
  public:
    /// Collective over comm.
    /// @param results  path of the results: the folder is `RESULTS.partial`
    /// @throws core::DataError if the folder cannot be read or made; core::ConfigError for another identity
    /// with Leftover::keep, naming what differs
    PartialResults(const std::string& results, EvaluationIdentity identity, Leftover leftover,
                   const mpi::Communicator& comm);
    PartialResults(const PartialResults&) = delete;
    PartialResults& operator=(const PartialResults&) = delete;
    ~PartialResults();

    /// Pairs that were kept, ascending, on every rank.
    const std::vector<std::size_t>& kept_pairs() const { return kept_pairs_; }
    /// What is known of them; on rank 0, empty elsewhere.
    const std::vector<ScoredPair>& kept() const { return kept_; }
    /// Pairs of which a predictor failed are not kept: they get another try.
    /// @throws core::WriteError, as when the disk is full
    void add(const ScoredPair& pair);
    /// Removes the folder, once the results are in place. On rank 0, when all ranks have added their last.
    void remove() const;
    const std::string& folder() const { return folder_; }

  private:
    void read_folder(Leftover leftover);
    void append(const std::string& bytes);
    [[noreturn]] void fail() const;

    std::string folder_;
    EvaluationIdentity identity_;
    std::string file_;
    int fd_ = -1;
    std::vector<ScoredPair> kept_;
    std::vector<std::size_t> kept_pairs_;
};

}  // namespace popflow::eval
