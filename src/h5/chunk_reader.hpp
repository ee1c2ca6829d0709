// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>

#include "h5/dataset.hpp"

namespace popflow::h5 {

/// Reads rows [first, first + count) of an array or a matrix as HDF5 does, but all threads undo the filters.
///
/// That is done where it pays and is known: several chunks that passed through shuffle, gzip or LZF, of
/// native integers or floats, read as they are, as floats or as wider integers. Anything else, and what turns
/// out to be damaged or was never written, is left to HDF5.
///
/// @param out  [count, row_size()], of `element`
/// @return whether it was done; if not, `out` may be written to in part
/// @throws core::DataError if a chunk holds fewer bytes than its shape says, behind which HDF5 would read
bool read_chunks(const Dataset& dataset, Element element, std::size_t first, std::size_t count, void* out);

/// Dataset::read_rows(), by all threads of this process where read_chunks() does it.
template <Number T>
void read_rows_on_threads(const Dataset& dataset, std::size_t first, std::size_t count, std::span<T> out) {
    if (out.size() == count * dataset.row_size() &&
        read_chunks(dataset, element_of<T>(), first, count, out.data()))
        return;
    dataset.read_rows(first, count, out);
}

}  // namespace popflow::h5
