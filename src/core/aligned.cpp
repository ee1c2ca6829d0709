// SPDX-License-Identifier: MIT
#include "core/aligned.hpp"

#include <new>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace popflow::core {

namespace {

constexpr std::size_t large_page = std::size_t{1} << 21U;
constexpr std::size_t cache_line = 64;

constexpr std::align_val_t alignment(std::size_t bytes) {
    return std::align_val_t{bytes >= large_page ? large_page : cache_line};
}

}  // namespace

void* allocate_aligned(std::size_t bytes) {
    void* memory = ::operator new(bytes, alignment(bytes));
#ifdef __linux__
    // Covers whole huge pages only, so that rounding up wastes no memory. This is a hint: if the system
    // refuses it, the pages stay small.
    if (bytes >= large_page) (void)::madvise(memory, bytes / large_page * large_page, MADV_HUGEPAGE);
#endif
    return memory;
}

void free_aligned(void* memory, std::size_t bytes) noexcept {
    ::operator delete(memory, alignment(bytes));
}

}  // namespace popflow::core
