// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/option_effect.hpp"
#include "eval/task.hpp"
#include "mpi/communicator.hpp"

namespace popflow::eval {

/// Everything that the records of a task depend on, by name: options, data, weights, program.
using EvaluationIdentity = std::map<std::string, std::string>;

/// Returns the options of a resolved configuration on which results depend, as a part of an identity.
EvaluationIdentity option_identity(const std::string& config_text, const core::OptionEffects& effects);

/// Treatment of the records that an interrupted evaluation left on disk.
enum class Leftover : std::uint8_t {
    discard,
    keep,                   ///< keep them, and throw if their identity differs
    keep_if_same_identity,  ///< keep them, and discard those whose identity differs
};

/// Partial results: records of a task that are stored on disk during an evaluation, so that it can be
/// resumed.
///
/// They lie in a folder next to the result file. Every rank appends each record to its own file at once
/// and flushes it to disk. Every record has a checksum (XXH3). Reading a file stops at the first incomplete
/// record. Each start of the program writes new files and never overwrites old ones, so a resumed evaluation
/// may have another number of ranks.
class PartialResults {
  public:
    /// Collective over comm.
    /// @param results  path of the result file. The folder is `RESULTS.partial`
    /// @throws core::DataError if the folder cannot be read or created, core::ConfigError for Leftover::keep
    /// with another identity, with the first difference
    PartialResults(const std::string& results, EvaluationIdentity identity, Leftover leftover,
                   const mpi::Communicator& comm);
    PartialResults(const PartialResults&) = delete;
    PartialResults& operator=(const PartialResults&) = delete;
    ~PartialResults();

    /// Items of the kept records, ascending. The same on every rank.
    const std::vector<std::size_t>& kept_items() const { return kept_items_; }
    /// Kept records on rank 0, in the order of the items. Empty on other ranks.
    const std::vector<TaskRecord>& kept() const { return kept_; }
    /// Appends a record to the file of this rank. Skips an incomplete record, so that a resumed evaluation
    /// computes its item again.
    /// @throws core::WriteError, for example if the disk is full
    void add(const TaskRecord& record);
    /// Removes the folder. Call it on rank 0 after the result file has been written and all ranks have added
    /// their last record.
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
    std::vector<TaskRecord> kept_;
    std::vector<std::size_t> kept_items_;
};

}  // namespace popflow::eval
