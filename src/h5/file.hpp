// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "h5/group.hpp"
#include "h5/handle.hpp"

namespace popflow::h5 {

/// Returns the version of the HDF5 library and the filters that it can read, e.g. `HDF5 1.10.8, filters gzip
/// szip lzf`.
std::string library();

/// Opens a file for reading and returns its root group. The file is closed with its last object.
///
/// The file may be damaged or come from an untrusted source. Two things protect the process:
///  * The checks in the process, which apply to every file that is open read-only. They compare with the size
///    of the file, before libhdf5 uses them: the shapes and chunks of datasets, the sizes of attributes, the
///    attributes of each object header, and the references of strings. Links and data that lead out of the
///    file are refused.
///  * If the process has a FileGuard, the guard validates the file first. It also finds damage that makes
///    libhdf5 itself crash, loop or exhaust memory. Without a guard, each chunk is checked before libhdf5
///    reads it (check_chunk_rows()), but damage to the internal indexes of HDF5, such as B-trees and heaps,
///    is left to libhdf5. Most of it is reported as an error.
///
/// Takes no file lock: AtomicFile renames complete files into place, and locks fail on many cluster file
/// systems.
///
/// @param skipped  members of the root group that the caller will not open, so that the guard skips them
/// @throws core::DataError if the file is missing, not readable, not HDF5, or rejected by the guard
Group open_file(const std::string& path, const std::vector<std::string>& skipped = {});

/// Opens a file without the FileGuard. The guard itself uses it. @throws core::DataError as open_file()
Group open_unguarded(const std::string& path);

/// An existing file, opened for writing by one process at a time.
class WritableFile {
  public:
    /// @param reported  name of the file in errors
    /// @throws core::DataError if it cannot be opened for writing
    WritableFile(const std::string& path, std::string reported);

    Group root();
    /// Writes all buffers to the operating system and closes the file. Objects of the file must not be used
    /// afterwards. @throws core::WriteError
    void close();

  private:
    std::string reported_;
    Handle file_;
};

/// A new HDF5 file in memory. The caller writes its bytes to disk. HDF5 is not thread-safe, but another
/// thread may write the bytes while this thread continues to use HDF5.
class MemoryFile {
  public:
    /// @param reported  name of the file in errors
    explicit MemoryFile(std::string reported);

    Group root();
    /// Returns the contents of the whole file, exactly as on disk.
    std::vector<std::byte> bytes();

  private:
    std::string reported_;
    Handle file_;
};

/// A new HDF5 file that appears under its final name either complete or not at all.
///
/// The data are written to `PATH.tmp` in the same folder, which commit() renames. Objects of the file must
/// not be used after close().
class AtomicFile {
  public:
    /// Creates the temporary file. @throws as core::fail_to_create() if it cannot be created
    explicit AtomicFile(std::string path);
    AtomicFile(const AtomicFile&) = delete;
    AtomicFile& operator=(const AtomicFile&) = delete;
    /// Removes the temporary file unless commit() was called.
    ~AtomicFile();

    const std::string& path() const { return path_; }
    const std::string& temporary_path() const { return temporary_path_; }
    Group root();
    /// Writes all buffers to the operating system. @throws core::WriteError
    void flush();
    /// Closes the file under its temporary name, for instance so that other processes can write to it.
    /// @throws core::WriteError
    void close();
    /// Closes the file, waits until it is on disk (fsync) and renames it to its final name.
    /// @throws core::WriteError
    void commit();

  private:
    std::string path_;
    std::string temporary_path_;
    Handle file_;
    bool has_temporary_ = false;  ///< whether the temporary file exists
};

}  // namespace popflow::h5
