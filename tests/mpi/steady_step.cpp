// SPDX-License-Identifier: MIT
// Exits 1 if a training step asks for memory once the first ones have been made. Counted is every call of
// operator new but those from within the kernel library, which makes a small table of its operands on each
// call.
#include <dlfcn.h>
#include <omp.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

#include "core/random.hpp"
#include "linalg/precision.hpp"
#include "models/flow_matching.hpp"
#include "train/trainer.hpp"

namespace {

std::atomic<bool> counting{false};
std::atomic<int> count{0};

void* allocate(std::size_t size, std::size_t alignment, const void* caller) {
    if (counting) {
        Dl_info where{};
        const bool known = dladdr(caller, &where) != 0 && where.dli_fname != nullptr;
        if (!known || std::strstr(where.dli_fname, "libdnnl") == nullptr) ++count;
    }
    void* p = std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
    if (p == nullptr) throw std::bad_alloc();
    return p;
}

}  // namespace

[[gnu::noinline]] void* operator new(std::size_t size) {
    return allocate(size, alignof(std::max_align_t), __builtin_return_address(0));
}
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t alignment) {
    return allocate(size, static_cast<std::size_t>(alignment), __builtin_return_address(0));
}
[[gnu::noinline]] void operator delete(void* p) noexcept {
    std::free(p);
}
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept {
    std::free(p);
}
[[gnu::noinline]] void operator delete(void* p, std::align_val_t) noexcept {
    std::free(p);
}
[[gnu::noinline]] void operator delete(void* p, std::size_t, std::align_val_t) noexcept {
    std::free(p);
}

namespace {

using namespace popflow;

screen::Cells cells(std::size_t n, std::uint64_t seed) {
    screen::Cells c{.x = linalg::Matrix<float>(n, 5), .cell_type = std::vector<std::uint8_t>(n, 1)};
    core::Stream(seed, core::Purpose::test).fill_normal(c.x.values());
    return c;
}

int allocations(linalg::Precision precision, std::size_t slots, const mpi::Communicator& comm) {
    models::FlowMatchingShape shape{
        .markers = 5, .cell_types = 2, .conditions = 2, .hidden = 64, .layers = 3};
    shape.encoder = {.hidden = 16, .layers = 3, .embedding = 8, .knn = 7};
    shape.precision = precision;
    const models::FlowMatching model(shape, models::draw_frequencies(shape, 1));
    const screen::Cells control = cells(400, 1);
    const screen::Cells treated = cells(300, 2);
    std::vector<train::Lane> lanes;
    for (std::size_t b = 0; b < slots; ++b) {
        if (b % static_cast<std::size_t>(comm.size()) != static_cast<std::size_t>(comm.rank())) continue;
        lanes.push_back(
            {b,
             1,
             {{0, control.view(), treated.view(), {1, 0}}, {1, treated.view(), control.view(), {0, 1}}}});
    }
    train::Trainer trainer(model, {.batch_pairs = slots, .cells = 200, .warmup_steps = 2}, std::move(lanes),
                           comm);
    // A thread makes a kernel when it first meets a shape, and which blocks it meets is up to the scheduler:
    // the steps before the steady state are not a fixed number.
    std::int64_t of_all[] = {0};
    for (int attempt = 0; attempt < 20; ++attempt) {
        count = 0;
        counting = true;
        for (int i = 0; i < 8; ++i) (void)trainer.step({});
        counting = false;
        of_all[0] = count;
        comm.sum(std::span<std::int64_t>(of_all));
        if (of_all[0] == 0) break;
    }
    return static_cast<int>(of_all[0]);
}

}  // namespace

int main(int argc, char** argv) {
    mpi::Session session(argc, argv);
    const mpi::Communicator comm = mpi::Communicator::world();
    int total = 0;
    for (const auto precision : {linalg::Precision::fp32, linalg::Precision::bf16}) {
        if (precision == linalg::Precision::bf16 && !linalg::cpu_has_bf16()) continue;
        for (const std::size_t slots : {1U, 3U, 4U}) {
            const int n = allocations(precision, slots, comm);
            if (comm.is_root())
                std::printf("%s, %zu slots: %d allocations in 8 steps\n", linalg::precision_name(precision),
                            slots, n);
            total += n;
        }
    }
    return session.finish(total == 0 ? 0 : 1);
}
