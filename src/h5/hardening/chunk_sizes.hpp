// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>

#include "h5/dataset.hpp"

namespace popflow::h5 {

/// Finds a chunk that holds fewer bytes than its shape says; libhdf5 does not look, and reads past the end.
///
/// Read are the first and the last chunk and, evenly spread between them, others of 4 MB in all, at most 64.
/// Their filters are undone where they are shuffle, Fletcher32, gzip or LZF; chunks of others are believed,
/// as are those that their filter refuses, of which reading says so, and those of sequences and references.
///
/// @return `a chunk of X has 1920 bytes, allowed 97920`; empty if none was found
std::string short_chunk(const Dataset& dataset);

/// How such a chunk of so many bytes is told of.
std::string short_chunk_problem(const Dataset& dataset, std::size_t found);

}  // namespace popflow::h5
