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

/// RAII handles and helpers for oneDNN. Only for the sources of linalg.
namespace popflow::linalg::onednn {

/// Checks the status of a oneDNN call.
/// @throws std::bad_alloc if the call ran out of memory
/// @throws NumericalError if it failed for another reason
inline void check(dnnl_status_t status) {
    if (status == dnnl_out_of_memory) throw std::bad_alloc();
    if (status != dnnl_success) {
        throw core::NumericalError("packed_gemm",
                                   "oneDNN refused the call, status " + std::to_string(status));
    }
}

// Owner of a oneDNN object.
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

/// Returns whether oneDNN may use an instruction set: the CPU has it and DNNL_MAX_CPU_ISA does not exclude
/// it. Instruction sets are bit masks: one includes another if it has all of its bits.
inline bool cpu_has(dnnl_cpu_isa_t set) {
    const auto wanted = static_cast<unsigned>(set);
    return (static_cast<unsigned>(dnnl_get_effective_cpu_isa()) & wanted) == wanted;
}

// Returns the CPU engine of the process.
inline dnnl_engine_t engine() {
    // Never destroyed, because the primitives of threads may outlive static objects.
    static const dnnl_engine_t cpu = [] {
        dnnl_engine_t e = nullptr;
        check(dnnl_engine_create(&e, dnnl_cpu, 0));
        return e;
    }();
    return cpu;
}

// Returns the stream of the calling thread.
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

// Describes a matrix with the given strides, in elements.
inline dnnl_memory_desc_t strided(std::size_t rows, std::size_t cols, dnnl_data_type_t type,
                                  std::size_t row_stride, std::size_t col_stride) {
    const auto size = [](std::size_t s) { return static_cast<dnnl_dim_t>(s); };
    const dnnl_dims_t dims = {size(rows), size(cols)};
    const dnnl_dims_t strides = {size(row_stride), size(col_stride)};
    dnnl_memory_desc_t desc;
    check(dnnl_memory_desc_init_by_strides(&desc, 2, dims, type, strides));
    return desc;
}

// Wraps memory that the caller owns.
inline Memory memory_at(const dnnl_memory_desc_t& desc, void* data) {
    Memory memory;
    check(dnnl_memory_create(memory.out(), &desc, engine(), data));
    return memory;
}

// Workaround for a crash of oneDNN 2.6: it generates the code of a primitive into memory whose allocation it
// does not check. If the allocation fails, a signal kills the process.
//
// The constructor maps the memory that the primitives may need and unmaps it at once, so that a shortage
// throws std::bad_alloc before oneDNN allocates. Keep the object while primitives are created: the probe
// covers all objects that exist at that time, one for each thread that creates primitives. It is a heuristic,
// because another allocation may still take the memory between the probe and oneDNN's own allocation.
class CodeMemoryProbe {
  public:
    /// @param bytes  memory to probe for. The default of 8 MiB is ample: primitives took at most 1.2 MB each.
    /// @throws std::bad_alloc if the memory is not available
    explicit CodeMemoryProbe(std::size_t bytes = std::size_t{8} << 20) : bytes_(bytes) {
        const std::size_t total = probed_bytes += bytes_;
        void* memory = ::mmap(nullptr, total, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) {
            probed_bytes -= bytes_;
            throw std::bad_alloc();
        }
        ::munmap(memory, total);
    }
    ~CodeMemoryProbe() { probed_bytes -= bytes_; }
    CodeMemoryProbe(const CodeMemoryProbe&) = delete;
    CodeMemoryProbe& operator=(const CodeMemoryProbe&) = delete;

  private:
    static inline std::atomic<std::size_t> probed_bytes{0};
    std::size_t bytes_;
};

// Makes oneDNN plan for one thread while the object exists. oneDNN partitions the work, and hence orders the
// sums, by the number of OpenMP threads at the time of planning. With one thread the results do not depend on
// the number of threads.
class SingleThreadPlanning {
  public:
    SingleThreadPlanning() { omp_set_num_threads(1); }
    ~SingleThreadPlanning() { omp_set_num_threads(threads_); }
    SingleThreadPlanning(const SingleThreadPlanning&) = delete;
    SingleThreadPlanning& operator=(const SingleThreadPlanning&) = delete;

  private:
    int threads_ = omp_get_max_threads();
};

}  // namespace popflow::linalg::onednn
