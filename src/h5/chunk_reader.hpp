// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>

#include "h5/dataset.hpp"

namespace popflow::h5 {

/// Consecutive rows of a dataset.
struct RowRange {
    std::size_t first, count;
};

/// Reads ranges of rows of an array or a matrix as HDF5 does, but all threads undo the filters, each chunk's
/// once for all ranges.
///
/// That is done where it is known how: chunks that passed through shuffle, gzip or LZF, of native integers or
/// floats, read as they are, as floats or as wider integers. Anything else, and what turns out to be damaged
/// or was never written, is left to HDF5.
///
/// @param ranges  ascending by their first rows; they may overlap
/// @param out     [sum of counts, row_size()], of `element`, one range after the other
/// @return whether it was done; if not, `out` may be written to in part
/// @throws core::DataError if a chunk holds fewer bytes than its shape says, behind which HDF5 would read
bool read_chunks(const Dataset& dataset, Element element, std::span<const RowRange> ranges, void* out);

/// Dataset::read_rows() of all ranges, by all threads of this process where read_chunks() does it.
template <Number T>
void read_rows_on_threads(const Dataset& dataset, std::span<const RowRange> ranges, std::span<T> out) {
    std::size_t rows = 0;
    for (const RowRange& range : ranges) rows += range.count;
    dataset.check_span(rows, out.size());
    if (read_chunks(dataset, element_of<T>(), ranges, out.data())) return;
    std::size_t before = 0;
    for (const auto& [first, count] : ranges) {
        dataset.read_rows(first, count, out.subspan(before * dataset.row_size(), count * dataset.row_size()));
        before += count;
    }
}

/// Of one range.
template <Number T>
void read_rows_on_threads(const Dataset& dataset, std::size_t first, std::size_t count, std::span<T> out) {
    const RowRange range{first, count};
    read_rows_on_threads(dataset, std::span(&range, 1), out);
}

}  // namespace popflow::h5
