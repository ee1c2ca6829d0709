// SPDX-License-Identifier: MIT
#pragma once

#include <dnnl.h>
#include <omp.h>
#include <sys/mman.h>

#include <atomic>
#include <new>
#include <string>
#include <utility>

#include "linalg/bfloat16.hpp"
#include "linalg/matrix.hpp"

/// Objects of the kernel library; for sources of linalg alone.
namespace popflow::linalg::onednn {

/// @throws NumericalError unless the call succeeded; std::bad_alloc if it found no memory
inline void check(dnnl_status_t status) {
    if (status == dnnl_out_of_memory) throw std::bad_alloc();
    if (status != dnnl_success) {
        throw core::NumericalError("packed_gemm",
                                   "oneDNN refused the call, status " + std::to_string(status));
    }
}

// A handle of the library, destroyed at the end.
template <class T, dnnl_status_t (*destroy)(T)>
class Handle {
  public:
    Handle() = default;
    ~Handle() { destroy(value_); }
    Handle(Handle&& other) noexcept : value_(std::exchange(other.value_, nullptr)) {}
    Handle& operator=(Handle&& other) noexcept {
        std::swap(value_, other.value_);
        return *this;
    }
    T get() const { return value_; }
    T* out() { return &value_; }

  private:
    T value_ = nullptr;
};
using Memory = Handle<dnnl_memory_t, dnnl_memory_destroy>;
using Primitive = Handle<dnnl_primitive_t, dnnl_primitive_destroy>;
using Description = Handle<dnnl_primitive_desc_t, dnnl_primitive_desc_destroy>;
using Attributes = Handle<dnnl_primitive_attr_t, dnnl_primitive_attr_destroy>;
using PostOps = Handle<dnnl_post_ops_t, dnnl_post_ops_destroy>;

/// Whether the library may use a set of instructions: the CPU has it and DNNL_MAX_CPU_ISA does not say
/// otherwise. Sets are masks: one includes another if it has all of its bits.
inline bool cpu_has(dnnl_cpu_isa_t set) {
    const auto wanted = static_cast<unsigned>(set);
    return (static_cast<unsigned>(dnnl_get_effective_cpu_isa()) & wanted) == wanted;
}

inline dnnl_engine_t engine() {
    // One for the process; never destroyed, because primitives of threads may outlive static objects.
    static const dnnl_engine_t cpu = [] {
        dnnl_engine_t e = nullptr;
        check(dnnl_engine_create(&e, dnnl_cpu, 0));
        return e;
    }();
    return cpu;
}

inline dnnl_stream_t stream() {
    thread_local Handle<dnnl_stream_t, dnnl_stream_destroy> own;
    if (own.get() == nullptr) check(dnnl_stream_create(own.out(), engine(), dnnl_stream_default_flags));
    return own.get();
}

inline constexpr dnnl_data_type_t type_of(const float*) {
    return dnnl_f32;
}
inline constexpr dnnl_data_type_t type_of(const bfloat16*) {
    return dnnl_bf16;
}

inline dnnl_memory_desc_t strided(std::size_t rows, std::size_t cols, dnnl_data_type_t type,
                                  std::size_t row_stride, std::size_t col_stride) {
    const auto size = [](std::size_t s) { return static_cast<dnnl_dim_t>(s); };
    const dnnl_dims_t dims = {size(rows), size(cols)};
    const dnnl_dims_t strides = {size(row_stride), size(col_stride)};
    dnnl_memory_desc_t desc;
    check(dnnl_memory_desc_init_by_strides(&desc, 2, dims, type, strides));
    return desc;
}

inline Memory memory_at(const dnnl_memory_desc_t& desc, void* data) {
    Memory memory;
    check(dnnl_memory_create(memory.out(), &desc, engine(), data));
    return memory;
}

// The library writes the code of a primitive into memory that it has not checked, and is killed by a signal
// if there is none. An object of this class lives while primitives are made; it asks for more than they take,
// for each thread that makes some, and gives it back. (A primitive was seen to take 1.2 MB at most.)
class RoomForCode {
  public:
    /// @throws std::bad_alloc if there is none
    explicit RoomForCode(std::size_t bytes = std::size_t{8} << 20) : bytes_(bytes) {
        const std::size_t all = wanted += bytes_;
        void* room = ::mmap(nullptr, all, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (room == MAP_FAILED) {
            wanted -= bytes_;
            throw std::bad_alloc();
        }
        ::munmap(room, all);
    }
    ~RoomForCode() { wanted -= bytes_; }
    RoomForCode(const RoomForCode&) = delete;
    RoomForCode& operator=(const RoomForCode&) = delete;

  private:
    static inline std::atomic<std::size_t> wanted{0};
    std::size_t bytes_;
};

// How the library cuts the work, and with it what is summed in which order, depends on the number of threads
// that it sees when it plans: one, while an object of this class lives.
class OneThread {
  public:
    OneThread() { omp_set_num_threads(1); }
    ~OneThread() { omp_set_num_threads(threads_); }
    OneThread(const OneThread&) = delete;
    OneThread& operator=(const OneThread&) = delete;

  private:
    int threads_ = omp_get_max_threads();
};

}  // namespace popflow::linalg::onednn
