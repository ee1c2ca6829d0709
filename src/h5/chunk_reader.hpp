// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>

#include "h5/dataset.hpp"

namespace popflow::h5 {

/// Consecutive rows [first, first + count) of a dataset.
struct RowRange {
    std::size_t first, count;
};

/// Reads row ranges like H5Dread, but decompresses chunks in parallel, each at most once.
///
/// Supports 1-D and 2-D datasets whose chunks passed through shuffle, gzip or LZF and hold native integers or
/// floats. Converts them to the same type, to floats or to wider integers. Returns false for everything else,
/// also for chunks that are damaged or were never written. The caller then falls back to H5Dread.
///
/// Shapes: out [sum of counts, row_size()].
///
/// @param ranges  ascending by first row. Ranges may overlap
/// @param out     destination of type `element`, one range after the other
/// @return true if all rows were read. Otherwise `out` may have been overwritten in part
/// @throws core::DataError if a chunk holds fewer bytes than its shape requires. H5Dread would read out of
/// bounds
bool read_chunks(const Dataset& dataset, Element element, std::span<const RowRange> ranges, void* out);

/// Reads row ranges with read_chunks(), or with Dataset::read_rows() if that does not support the dataset.
///
/// Shapes: out [sum of counts, row_size()].
///
/// @param ranges  ascending by first row. Ranges may overlap
/// @param out     destination, one range after the other
/// @throws core::ShapeMismatch if `out` has another size
/// @throws core::DataError as Dataset::read_rows() and read_chunks()
template <Number T>
void read_rows_in_parallel(const Dataset& dataset, std::span<const RowRange> ranges, std::span<T> out) {
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

/// Reads the rows [first, first + count) in the same way.
template <Number T>
void read_rows_in_parallel(const Dataset& dataset, std::size_t first, std::size_t count, std::span<T> out) {
    const RowRange range{first, count};
    read_rows_in_parallel(dataset, std::span(&range, 1), out);
}

}  // namespace popflow::h5
