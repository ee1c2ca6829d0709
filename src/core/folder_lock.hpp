// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <string>

namespace popflow::core {

/// Keeps a folder to one process at a time, by the file `lock` in it, for as long as the object lives.
///
/// The lock is the operating system's (flock) and goes with the process, however that ends. Where the file
/// system has none (ENOLCK and the like), the name in the file counts: host, process, when that process
/// started, and the Slurm job. A process of this host that is no longer there, or an earlier start of the
/// same job, has lost its lock; one of another host is taken for alive.
class FolderLock {
  public:
    /// @param patience  how long to wait for a process that is just being killed
    /// @throws ConfigError{output} that names the process which has the folder; DataError if the file cannot
    /// be made
    explicit FolderLock(const std::string& folder, std::chrono::milliseconds patience);
    FolderLock(const FolderLock&) = delete;
    FolderLock& operator=(const FolderLock&) = delete;
    ~FolderLock();

  private:
    bool try_to_take();
    int take_by_name(int fd) const;

    std::string folder_;
    std::string path_;
    int fd_ = -1;
};

/// Who has a folder, as a FolderLock would find it; takes nothing.
enum class FolderUse {
    none,
    here,       ///< a process that is there
    elsewhere,  ///< as the lock file says, a process of another host, but its lock is not seen from here
};
FolderUse folder_use(const std::string& folder);

}  // namespace popflow::core
