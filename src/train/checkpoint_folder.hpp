// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <future>
#include <optional>
#include <string>
#include <vector>

#include "train/checkpoint.hpp"

namespace popflow::train {

/// `FOLDER/checkpoint.h5`: always the newest.
std::string checkpoint_path(const std::string& folder);

/// A checkpoint that can be gone on from.
struct FoundCheckpoint {
    Checkpoint checkpoint;
    std::string path;
    std::vector<std::string> skipped;  ///< why each newer file was passed over, as `file: reason`
};

/// The newest checkpoint of a run folder that is whole: `checkpoint.h5`, else the highest step of
/// `checkpoint-STEP.h5`; nothing if there is none of these names.
/// @throws core::DataError of the newest if none is whole
std::optional<FoundCheckpoint> newest_checkpoint(const std::string& folder);

/// The checkpoints of one training: stores them in the background and keeps the last of them.
///
/// A file is written under a temporary name and synced; then the one before it, `checkpoint.h5`, is linked to
/// `checkpoint-STEP.h5`, and replaced by a rename: at each moment `checkpoint.h5` is a whole file. Last go
/// older ones than are kept. What an earlier training left is removed with the first file, unless it is gone
/// on from. The thread makes no HDF5 call. For rank 0.
class CheckpointFolder {
  public:
    /// @param keep  how many are kept, with the newest
    /// @throws core::DataError if files cannot be made in the folder under the names that are needed
    CheckpointFolder(std::string folder, std::size_t keep);
    CheckpointFolder(const CheckpointFolder&) = delete;
    CheckpointFolder& operator=(const CheckpointFolder&) = delete;
    ~CheckpointFolder() = default;  // waits for the thread

    /// The training goes on from this one: it and those of fewer steps are kept.
    void go_on_from(const FoundCheckpoint& found);

    /// Begins to store, after the store before it has ended.
    /// @param others  files to store first, path and bytes
    /// @throws core::WriteError, core::DataError of the store before it
    struct File {
        std::string path;
        std::vector<std::byte> bytes;
    };
    void store(std::vector<File> others, std::uint64_t step, std::vector<std::byte> bytes);
    /// Begins to store files that are no checkpoint, unless a store is under way.
    void store_others(std::vector<File> others);
    /// Waits until everything is on the disk. @throws core::WriteError, core::DataError
    void wait();
    /// wait() if it need not: finds a failure early.
    void check();

  private:
    void put(std::uint64_t step, const std::vector<std::byte>& bytes);
    void keep_previous(std::uint64_t step);
    void remove_old();
    bool busy() const;

    std::string folder_;
    std::size_t keep_;
    std::optional<std::uint64_t> newest_;  ///< step of checkpoint.h5 if it is of this training
    std::vector<std::uint64_t> kept_;      ///< steps of checkpoint-STEP.h5 of this training, ascending
    std::future<void> pending_;
};

}  // namespace popflow::train
