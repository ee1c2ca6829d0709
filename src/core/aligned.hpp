// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <type_traits>
#include <vector>

namespace popflow::core {

/// Uninitialised memory on a boundary of 64 bytes, the width of a cache line and of the widest vector
/// register; on large pages where the system has them and the memory fills one. Those are for what is read
/// end to end over and over: with pages of 4 KiB the translation of addresses can take as long as the
/// arithmetic. A page lies where the thread runs that first writes it.
/// @throws std::bad_alloc
void* allocate_aligned(std::size_t bytes);
/// @param bytes  as in allocate_aligned()
void free_aligned(void* memory, std::size_t bytes) noexcept;

/// allocate_aligned() for containers.
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

/// Elements that nobody has written yet, in allocate_aligned() memory.
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
