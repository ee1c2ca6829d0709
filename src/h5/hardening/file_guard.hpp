// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace popflow::h5 {

/// Validates files in a separate process before this process opens them. Active during the lifetime of the
/// object.
///
/// libhdf5 trusts the contents of a file: a damaged file can make it loop indefinitely, use all memory or
/// crash. The guard is a separate process. For each file that open_file() opens, the guard forks a child
/// process, which calls validate_file() with limits on processor time and memory. If the child crashes or
/// exceeds a limit, open_file() throws and this process is unaffected. An unchanged file (device, inode,
/// size, modification time) is validated only once.
///
/// Create it at the very start of a program: before threads start, because the process forks without an exec,
/// and before MPI_Init, because not all MPI libraries survive a fork. The guard process exits when this
/// process ends for any reason.
///
/// A process that already has threads, such as a Python interpreter, has no guard. It relies on the checks in
/// the process, which open_file() lists.
class FileGuard {
  public:
    /// Whether this process has a single thread, so that it may fork. Also true where /proc is not mounted.
    static bool can_start();
    /// Starts the guard process, `popflow-guard`. Only one guard may exist at a time.
    /// @param cpu_limit  limit on the processor time to validate a small file. Each 8 MB add one second
    /// @throws core::Error if a guard exists, if not can_start(), or if the operating system cannot create a
    /// process or socket
    explicit FileGuard(std::chrono::milliseconds cpu_limit = std::chrono::seconds(10));
    FileGuard(const FileGuard&) = delete;
    FileGuard& operator=(const FileGuard&) = delete;
    ~FileGuard();

    /// Returns the guard of this process, or null.
    static FileGuard* current();
    /// Whether a crash of libhdf5 is contained: this process has a guard, or was forked by one to validate a
    /// file.
    static bool contains_crashes();
    /// Validates a file. Returns if it is intact or does not exist.
    /// @param skipped  members of the root group that the caller will not open
    /// @throws core::DataError if the file is damaged, core::Error if the guard process has ended
    void check(const std::string& path, const std::vector<std::string>& skipped);

  private:
    /// Request, device, inode, size, and modification time in seconds and nanoseconds.
    using Identity = std::tuple<std::string, unsigned long, unsigned long, long, long, long>;

    int socket_ = -1;
    int process_ = -1;
    std::set<Identity> validated_;  ///< intact files
};

}  // namespace popflow::h5
