// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "h5/group.hpp"
#include "h5/handle.hpp"

namespace popflow::h5 {

/// Version of the HDF5 library and the filters that it can read, as in `HDF5 1.10.8, filters gzip lzf szip`.
std::string library();

/// Opens a file for reading and gives its root group; the file closes with the last object of it.
///
/// No lock is taken: files are put in place whole (AtomicFile), and locks fail on many cluster file systems.
///
/// Where the program has a FileGuard, that one tries the file first.
///
/// @param unread  members of the root group that nobody will open, so that the guard need not try them
/// @throws core::DataError if it is missing, may not be read, is not HDF5 or does not stand the guard's trial
Group open_file(const std::string& path, const std::vector<std::string>& skipped = {});

/// open_file() without asking the FileGuard, for the guard itself.
Group open_unguarded(const std::string& path);

/// A file that is there already, opened to write into it; one process at a time.
class WritableFile {
  public:
    /// @param reported  the name that errors call the file by
    /// @throws core::DataError if it cannot be opened for writing
    WritableFile(const std::string& path, std::string reported);

    Group root();
    /// Hands everything to the operating system and closes; objects of the file must not be used afterwards.
    /// @throws core::WriteError
    void close();

  private:
    std::string reported_;
    Handle file_;
};

/// A new HDF5 file in memory, for those who write its bytes themselves, as another thread may: HDF5 is for
/// one thread at a time.
class MemoryFile {
  public:
    /// @param reported  the name that errors call the file by
    explicit MemoryFile(std::string reported);

    Group root();
    /// The whole file as it would be on disk.
    std::vector<std::byte> bytes();

  private:
    std::string reported_;
    Handle file_;
};

/// A new HDF5 file that appears under its name whole or not at all.
///
/// It is written as `PATH.tmp` beside its place. Objects of it must not be used after close().
class AtomicFile {
  public:
    /// @throws as core::fail_to_create() if the file cannot be made there
    explicit AtomicFile(std::string path);
    AtomicFile(const AtomicFile&) = delete;
    AtomicFile& operator=(const AtomicFile&) = delete;
    /// Removes the temporary file unless commit() was called.
    ~AtomicFile();

    const std::string& path() const { return path_; }
    const std::string& temporary_path() const { return temporary_path_; }
    Group root();
    /// Hands everything written so far to the operating system.
    void flush();
    /// Closes the file under its temporary name, for instance so that other processes may write into it.
    void close();
    /// Closes, waits until the file is on disk and renames it to its place. @throws core::WriteError
    void commit();

  private:
    std::string path_;
    std::string temporary_path_;
    Handle file_;
    bool exists_ = false;  ///< the temporary file is there
};

}  // namespace popflow::h5
