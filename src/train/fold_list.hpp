// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace popflow::train {

/// State of a fold of a leave-one-out.
enum class FoldState : std::uint8_t {
    open,     ///< not begun
    started,  ///< has a checkpoint
    trained,  ///< has its final weights, but no results
    scored,   ///< has results
    skipped   ///< cannot be trained, or cannot be scored
};

const char* fold_state_name(FoldState state);

/// Fold of a leave-one-out: the model whose test pairs are those of one value.
struct FoldEntry {
    std::string value;   ///< held-out value
    std::string folder;  ///< name of its run folder in the folder of the leave-one-out
    FoldState state = FoldState::open;
    std::string note{};  ///< why it is skipped, or empty
};

/// Returns a name of a folder for each value, distinct also without regard to case.
///
/// A value that is a portable file name of at most 60 characters (letters, digits, `_`, `-`, `+`, and dots
/// inside) is its own name. Otherwise its other characters become `_`, and a checksum of the value follows.
/// The name depends on the other values only if two of them differ in nothing but case.
std::vector<std::string> fold_folders(const std::vector<std::string>& values);

/// Returns the path of the list of folds in the folder of a leave-one-out, `FOLDER/folds.csv`.
std::string fold_list_path(const std::string& folder);

/// Returns whether a folder is that of a leave-one-out: it has a list of folds, or a configuration with such
/// a split.
bool is_leave_one_out_folder(const std::string& folder);

/// Writes the list of folds, atomically. Columns: fold (number from 1), value, folder, status, note.
/// @throws core::DataError, core::WriteError if it cannot be written
void write_fold_list(const std::string& folder, const std::vector<FoldEntry>& folds);

/// Reads the list of folds. The state is that of the files in the folders, unless the fold is skipped.
/// @throws core::DataError if it cannot be read or is damaged
std::vector<FoldEntry> read_fold_list(const std::string& folder);

/// Returns the state of a fold by the files in its folder: results.h5, weights.h5, and any checkpoint.
FoldState fold_state(const std::string& folder);

/// Returns a text on the folds of a leave-one-out for messages: how many have results, and the names of their
/// run folders.
std::string fold_list_text(const std::string& folder);

}  // namespace popflow::train
