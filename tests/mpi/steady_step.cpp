// SPDX-License-Identifier: MIT
// Exits 1 if a training step allocates memory after the first steps. Counts every call of operator new,
// except calls from oneDNN, which allocates a small table of its operands on each call.
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
#include "support/pair_trainer.hpp"

namespace {

std::atomic<bool> is_counting{false};
std::atomic<int> allocation_count{0};

void* allocate(std::size_t size, std::size_t alignment, const void* caller) {
    if (is_counting) {
        Dl_info info{};
        const bool is_known = dladdr(caller, &info) != 0 && info.dli_fname != nullptr;
        if (!is_known || std::strstr(info.dli_fname, "libdnnl") == nullptr) ++allocation_count;
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

screen::Cells random_cells(std::size_t n, std::uint64_t seed) {
    screen::Cells c{.x = linalg::Matrix<float>(n, 5), .cell_type = std::vector<std::uint8_t>(n, 1)};
    core::Stream(seed, core::Purpose::test).fill_normal(c.x.values());
    return c;
}

// Returns the number of allocations of all ranks in 8 steps of the steady state. Collective.
int count_allocations(linalg::Precision precision, std::size_t slots, const mpi::Communicator& comm) {
    models::FlowMatchingShape shape{
        .markers = 5, .cell_types = 2, .conditions = 2, .hidden = 64, .layers = 3};
    shape.encoder = {.hidden = 16, .layers = 3, .embedding = 8, .knn = 7};
    shape.precision = precision;
    const models::FlowMatching model(shape, models::draw_frequencies(shape, 1));
    const screen::Cells control = random_cells(400, 1);
    const screen::Cells treated = random_cells(300, 2);
    std::vector<train::PairLane> lanes;
    for (std::size_t b = 0; b < slots; ++b) {
        if (b % static_cast<std::size_t>(comm.size()) != static_cast<std::size_t>(comm.rank())) continue;
        lanes.push_back(
            {b,
             1,
             {{0, control.view(), treated.view(), {1, 0}}, {1, treated.view(), control.view(), {0, 1}}}});
    }
    support::PairTrainer run(model, {.batch_pairs = slots, .warmup_steps = 2}, {.cells = 200},
                             std::move(lanes), comm);
    // A thread creates a kernel for the first block of each shape. The scheduler decides which blocks a
    // thread processes, so the number of steps before the steady state varies.
    std::int64_t total[] = {0};
    for (int attempt = 0; attempt < 20; ++attempt) {
        allocation_count = 0;
        is_counting = true;
        for (int i = 0; i < 8; ++i) (void)run.step();
        is_counting = false;
        total[0] = allocation_count;
        comm.sum(std::span<std::int64_t>(total));
        if (total[0] == 0) break;
    }
    return static_cast<int>(total[0]);
}

}  // namespace

int main(int argc, char** argv) {
    mpi::Session session(argc, argv);
    const mpi::Communicator comm = mpi::Communicator::world();
    int total = 0;
    for (const auto precision : {linalg::Precision::fp32, linalg::Precision::bf16}) {
        if (precision == linalg::Precision::bf16 && !linalg::cpu_has_bf16()) continue;
        for (const std::size_t slots : {1U, 3U, 4U}) {
            const int n = count_allocations(precision, slots, comm);
            if (comm.is_root())
                std::printf("%s, %zu slots: %d allocations in 8 steps\n", linalg::precision_name(precision),
                            slots, n);
            total += n;
        }
    }
    return session.finish(total == 0 ? 0 : 1);
}
