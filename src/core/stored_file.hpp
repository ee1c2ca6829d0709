// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

namespace popflow::core {

/// Reports that a file could not be created.
/// @param error  value of errno
/// @throws WriteError if the disk is full or failed, DataError otherwise
[[noreturn]] void fail_to_create(const std::string& path, int error);

/// Checks that a path is free or that of a regular file, which can be replaced.
/// @throws DataError if it is a folder, a device or a pipe
void check_regular_file(const std::string& path);

/// Opens a scratch file for reading and writing that disappears with the process, however the process ends.
///
/// The file never has a name (O_TMPFILE) if the file system supports that. Otherwise it is created next to
/// `sibling` and unlinked at once.
/// @param sibling  path in the folder that is to hold the file
/// @return  file descriptor, owned by the caller
/// @throws  the errors of fail_to_create()
int open_unlinked_file(const std::string& sibling);

/// Returns the name under which a file is written before it is renamed: `PATH.tmp`. If PATH is a symbolic
/// link, its target is replaced, and the temporary file is beside the target.
std::string temporary_name(const std::string& path);

/// Writes the bytes to temporary_name(path) and syncs them to the disk. Removes the file after a write error.
/// Thread-safe for different paths.
/// @throws DataError if the file cannot be created, WriteError if it cannot be created or written because the
/// disk is full or failed
void write_temporary(const std::string& path, std::span<const std::byte> bytes);

/// Syncs the temporary file, renames it to `path` and syncs the folder. On return the file survives a power
/// failure. After an error the temporary file remains.
/// @throws WriteError, DataError if `path` is a folder, a device or a pipe
void rename_into_place(const std::string& path);

/// Replaces a file atomically: a reader finds the old file or the new one, never a part of it. Removes the
/// temporary file after an error.
/// @throws DataError if the file cannot be created, WriteError if it cannot be written
void store_file(const std::string& path, std::span<const std::byte> bytes);

/// Returns the bytes of a file. Nothing if it is missing, a folder, or cannot be read.
std::optional<std::string> file_contents(const std::string& path);

/// Syncs the entries of the folder of `path` to the disk, if the file system supports that.
void sync_parent_folder(const std::string& path);

/// Checks that store_file(path) can create its file, by creating and removing temporary_name(path).
/// @throws DataError if it cannot: no permission, or a folder, a device or a pipe of this name exists
/// @throws WriteError if the disk is full or failed
void check_can_create(const std::string& path);

}  // namespace popflow::core
