// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <type_traits>
#include <vector>

namespace popflow::core {

/// Allocates uninitialised memory that is aligned to 64 bytes: a cache line and the widest vector register.
///
/// Blocks of at least 2 MiB are aligned to 2 MiB and ask for transparent huge pages. These pay off for arrays
/// that are streamed repeatedly: with pages of 4 KiB, address translation can take as long as the arithmetic.
/// The operating system places a page on the NUMA node of the thread that first writes it.
/// @return  memory that free_aligned() must release with the same `bytes`
/// @throws std::bad_alloc
void* allocate_aligned(std::size_t bytes);
/// Frees memory of allocate_aligned().
/// @param bytes  size that was passed to allocate_aligned()
void free_aligned(void* memory, std::size_t bytes) noexcept;

/// Standard allocator that uses allocate_aligned().
template <class T>
struct AlignedAllocator {
    using value_type = T;
    AlignedAllocator() = default;
    template <class U>
    AlignedAllocator(const AlignedAllocator<U>&) {}  // NOLINT(google-explicit-constructor)
    T* allocate(std::size_t n) { return static_cast<T*>(allocate_aligned(n * sizeof(T))); }
    void deallocate(T* memory, std::size_t n) { free_aligned(memory, n * sizeof(T)); }
    template <class U>
    bool operator==(const AlignedAllocator<U>&) const {
        return true;
    }
};

template <class T>
using AlignedVector = std::vector<T, AlignedAllocator<T>>;

/// Fixed-size array of uninitialised elements in allocate_aligned() memory.
template <class T>
class AlignedArray {
  public:
    AlignedArray() = default;
    explicit AlignedArray(std::size_t count)
        : values_(static_cast<T*>(allocate_aligned(count * sizeof(T))), Free{count * sizeof(T)}) {}

    T* data() { return values_.get(); }
    const T* data() const { return values_.get(); }

  private:
    static_assert(std::is_trivial_v<T>);
    struct Free {
        std::size_t bytes = 0;
        void operator()(T* values) const { free_aligned(values, bytes); }
    };
    std::unique_ptr<T[], Free> values_;
};

}  // namespace popflow::core
