// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace popflow::core {

/// Throws for a file that could not be made: WriteError if the disk is full or failed, else DataError.
/// @param error  errno
[[noreturn]] void fail_to_create(const std::string& path, int error);

/// Opens a file for reading and writing that goes with the process, however that ends: without a name from
/// the start where the file system can.
/// @param beside  a path in the folder where it is to lie
/// @return  its descriptor
/// @throws as fail_to_create()
int open_nameless(const std::string& beside);

/// Where a file is written before it is put in place: `PATH.tmp`.
std::string temporary_name(const std::string& path);

/// Writes the bytes to temporary_name(path) and waits until they are on the disk. Nothing of it stays after
/// an error. Any thread.
/// @throws DataError if there cannot be such a file, WriteError if it cannot be written
void write_temporary(const std::string& path, std::span<const std::byte> bytes);

/// Waits until the temporary file is on the disk, renames it to `path` and has the folder written: from then
/// on the file survives a loss of power. The temporary file is left after an error.
/// @throws WriteError
void put_in_place(const std::string& path);

/// write_temporary() and put_in_place(): a reader finds the old file or the new one, never a part.
void store_file(const std::string& path, std::span<const std::byte> bytes);

/// Has the names in the folder of a file written to the disk, as far as the file system can.
void sync_folder_of(const std::string& path);

/// Makes and removes temporary_name(path).
/// @throws DataError if there cannot be a file of that name: no permission, a folder in its place, a full
/// disk
void check_storable(const std::string& path);

}  // namespace popflow::core
