// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace popflow::h5 {

/// Tries files before this process opens them, for as long as the object lives.
///
/// libhdf5 trusts what a file says of itself: a damaged one can make it loop for ever, take all memory or
/// crash. The guard is a process of its own; for each file that open_file() is to open it forks another one,
/// which has vet() go through the file under limits on processor time and memory. If that one does not come
/// to its end, open_file() throws, and nothing else has happened. A file that is still the same (device,
/// number, size, time of change) is tried once.
///
/// To be made at the very start of a program: before threads, because the process is forked, and before MPI,
/// whose libraries do not all survive a fork. It ends when this process ends, however that happens.
class FileGuard {
  public:
    /// Starts the process, `popflow-guard`. There is one guard at a time.
    /// @param patience  processor time that the trial of a small file may take; each 8 MB more give a second
    /// @throws core::Error if the operating system has no process or socket left
    explicit FileGuard(std::chrono::milliseconds cpu_limit = std::chrono::seconds(10));
    FileGuard(const FileGuard&) = delete;
    FileGuard& operator=(const FileGuard&) = delete;
    ~FileGuard();

    /// The guard of this process; null if there is none.
    static FileGuard* current();
    /// @param unread  members of the root group that nobody will open
    /// @throws core::DataError if the file is damaged; core::Error if the guard is gone
    void check(const std::string& path, const std::vector<std::string>& skipped);

  private:
    using Identity = std::tuple<std::string, unsigned long, unsigned long, long, long, long>;

    int socket_ = -1;
    int process_ = -1;
    std::set<Identity> sound_;
};

}  // namespace popflow::h5
