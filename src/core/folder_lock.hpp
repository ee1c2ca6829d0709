// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <string>

namespace popflow::core {

/// Exclusive lock of a folder between processes, by the file `lock` in it. Held while the object exists.
///
/// The lock is an flock, so the operating system releases it with the process, however the process ends. If
/// the file system has no locks (ENOLCK, ENOSYS, EOPNOTSUPP or EINVAL), the entry in the file decides. It
/// names the host, the process, the start time of the process and the Slurm job. Such an entry is stale in
/// two cases:
///
/// - the process ran on this host and no longer exists,
/// - it belongs to an earlier start of the same Slurm job.
///
/// A process on another host counts as alive.
class FolderLock {
  public:
    /// @param time_limit  how long to wait for the lock, because its holder may just be terminating
    /// @throws ConfigError{output} if another process holds the lock, with the name of that process
    /// @throws DataError or WriteError if the lock file cannot be created
    explicit FolderLock(const std::string& folder, std::chrono::milliseconds time_limit);
    FolderLock(const FolderLock&) = delete;
    FolderLock& operator=(const FolderLock&) = delete;
    ~FolderLock();

  private:
    bool try_lock();
    int lock_by_entry(int fd) const;

    std::string folder_;
    std::string path_;
    int fd_ = -1;
};

/// Holder of the lock of a folder.
enum class FolderUse {
    none,       ///< no process holds the lock
    here,       ///< a live process holds it, as the flock or an entry of this host proves
    elsewhere,  ///< the lock file names a process on another host whose lock is not visible on this host
};

/// Returns the holder of a folder's lock without taking the lock.
FolderUse folder_use(const std::string& folder);

}  // namespace popflow::core
