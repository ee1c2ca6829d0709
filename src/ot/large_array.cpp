// SPDX-License-Identifier: MIT
#include "ot/large_array.hpp"

#include <cstdlib>
#include <new>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace popflow::ot {

namespace {

constexpr std::size_t large_page = std::size_t{1} << 21U;
constexpr std::size_t cache_line = 64;

}  // namespace

LargeArray::LargeArray(std::size_t count) {
    const std::size_t bytes = count * sizeof(float);
    const std::size_t alignment = bytes >= large_page ? large_page : cache_line;
    const std::size_t whole = (bytes + alignment - 1) / alignment * alignment;
    values_.reset(static_cast<float*>(std::aligned_alloc(alignment, whole)));
    if (!values_) throw std::bad_alloc();
#ifdef __linux__
    // A hint: where it is refused the pages are small and the answer the same.
    if (alignment == large_page) (void)madvise(values_.get(), whole, MADV_HUGEPAGE);
#endif
}

void LargeArray::Free::operator()(float* values) const {
    std::free(values);
}

}  // namespace popflow::ot
