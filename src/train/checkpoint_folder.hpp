// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <future>
#include <optional>
#include <string>
#include <vector>

#include "train/checkpoint.hpp"

namespace popflow::train {

/// Returns the path of the newest checkpoint, `FOLDER/checkpoint.h5`.
std::string checkpoint_path(const std::string& folder);

/// Path of the weights without the optimiser's state, which a completed training writes.
std::string weights_path(const std::string& folder);

/// Returns the value of an option in the configuration of a run, `FOLDER/config.cfg`. Empty without
/// one, and for a file that cannot be read.
std::string configured_value(const std::string& folder, const std::string& option);

/// A checkpoint from which training can resume.
struct FoundCheckpoint {
    Checkpoint checkpoint;
    std::string path;
    std::vector<std::string> skipped;  ///< reason why each newer file was skipped, as `file: reason`
};

/// Reads the newest undamaged checkpoint of a run folder.
///
/// Tries `checkpoint.h5` first, then the files `checkpoint-STEP.h5` from the highest step down.
/// @return empty if no file has one of these names
/// @throws core::DataError for the newest file if all are damaged
std::optional<FoundCheckpoint> newest_checkpoint(const std::string& folder);

/// Stores the checkpoints of one training asynchronously and keeps the newest ones. Used on rank 0 only.
///
/// Each store() takes these steps on a background thread, which makes no HDF5 calls:
/// 1. Writes the new file under a temporary name and syncs it to the disk.
/// 2. Links the previous file, `checkpoint.h5`, to `checkpoint-STEP.h5`.
/// 3. Renames the new file to `checkpoint.h5`, which therefore is a complete file at any time.
/// 4. Removes the oldest files beyond the number to keep. The first store() also removes files of an earlier
///    training, unless this training resumes from it.
class CheckpointFolder {
  public:
    /// @param keep  number of checkpoints to keep, including the newest
    /// @throws core::DataError if files with the required names cannot be created in the folder
    CheckpointFolder(std::string folder, std::size_t keep);
    CheckpointFolder(const CheckpointFolder&) = delete;
    CheckpointFolder& operator=(const CheckpointFolder&) = delete;
    ~CheckpointFolder() = default;  // waits for the background thread

    /// Declares that training resumes from `found`. Keeps this file and those of fewer steps.
    void resume_from(const FoundCheckpoint& found);

    /// A file to store in addition to a checkpoint.
    struct File {
        std::string path;
        std::vector<std::byte> bytes;
    };
    /// Waits for the previous store and starts to store a checkpoint.
    /// @param others  files to store before the checkpoint
    /// @param step  steps done at the checkpoint
    /// @param bytes  result of checkpoint_bytes()
    /// @throws core::WriteError, core::DataError if the previous store failed
    void store(std::vector<File> others, std::uint64_t step, std::vector<std::byte> bytes);
    /// Starts to store files that are not checkpoints. Does nothing while a store is running.
    /// @throws core::WriteError, core::DataError if the previous store failed
    void store_others(std::vector<File> others);
    /// Waits until all files are on the disk. @throws core::WriteError, core::DataError if the store failed
    void wait();
    /// Reports the failure of a finished store without waiting for a running one.
    /// @throws core::WriteError, core::DataError if the store failed
    void check();

  private:
    void store_checkpoint(std::uint64_t step, const std::vector<std::byte>& bytes);
    void keep_previous(std::uint64_t step);
    void remove_old();
    bool is_busy() const;

    std::string folder_;
    std::size_t keep_;
    std::optional<std::uint64_t> newest_;  ///< step of checkpoint.h5 if it belongs to this training
    std::vector<std::uint64_t> kept_;      ///< steps of this training's checkpoint-STEP.h5, ascending
    std::future<void> pending_;
};

}  // namespace popflow::train
