// SPDX-License-Identifier: MIT
#include "screen/cell_store.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <new>
#include <system_error>
#include <utility>

#include "core/error.hpp"
#include "core/stored_file.hpp"

namespace popflow::screen {

namespace {

std::size_t page_bytes() {
    static const auto bytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    return bytes;
}

std::size_t round_up_to_pages(std::size_t bytes) {
    return (bytes + page_bytes() - 1) / page_bytes() * page_bytes();
}

// Maps an unlinked file whose blocks are allocated.
void* map_file(const std::string& folder, std::size_t bytes) {
    const int fd = core::open_unlinked_file(folder + "/popflow-cells");
    const int error = ::posix_fallocate(fd, 0, static_cast<off_t>(bytes));
    void* base = error == 0 ? ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;
    const int cause = error == 0 ? errno : error;
    ::close(fd);  // the mapping keeps the file
    if (base != MAP_FAILED) return base;
    throw core::WriteError(
        folder,
        fmt::format(
            "cannot allocate {} MB for cells: {}. Name a folder on a larger local disk with --cache FOLDER",
            (bytes >> 20U) + 1, std::generic_category().message(cause)));
}

// Advises the system about the whole pages that hold the cells. A store starts each population on a page
// boundary.
void advise(const CellsView& cells, int advice) {
    if (!cells.on_disk) return;
    auto* begin = const_cast<std::byte*>(reinterpret_cast<const std::byte*>(cells.x.data));
    (void)::madvise(begin, round_up_to_pages(cells.x.rows * cells.x.stride * sizeof(float)), advice);
}

}  // namespace

CellStore::CellStore(std::span<const std::size_t> sizes, std::size_t markers, const std::string& folder)
    : markers_(markers), on_disk_(!folder.empty()) {
    extents_.reserve(sizes.size());
    for (const std::size_t n : sizes) {
        const std::size_t bytes = round_up_to_pages(n * (markers * sizeof(float) + 1));
        extents_.push_back({bytes_, n, bytes});
        bytes_ += bytes;
    }
    if (bytes_ == 0) return;
    void* base = on_disk_
                     ? map_file(folder, bytes_)
                     : ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED) throw std::bad_alloc();
    if (!on_disk_) (void)::madvise(base, bytes_, MADV_HUGEPAGE);
    base_ = static_cast<std::byte*>(base);
}

CellStore& CellStore::operator=(CellStore&& other) noexcept {
    std::swap(base_, other.base_);
    std::swap(bytes_, other.bytes_);
    std::swap(markers_, other.markers_);
    std::swap(on_disk_, other.on_disk_);
    std::swap(extents_, other.extents_);
    return *this;
}

CellStore::~CellStore() {
    if (base_ != nullptr) ::munmap(base_, bytes_);
}

CellsSpan CellStore::destination(std::size_t i) {
    const Extent& extent = extents_.at(i);
    std::byte* begin = base_ + extent.begin;
    return {{reinterpret_cast<float*>(begin), extent.cells, markers_},
            {reinterpret_cast<std::uint8_t*>(begin) + extent.cells * markers_ * sizeof(float), extent.cells}};
}

CellsView CellStore::cells(std::size_t i) const {
    const CellsSpan destination = const_cast<CellStore*>(this)->destination(i);
    return {destination.x, destination.cell_type, on_disk_};
}

void CellStore::evict(std::size_t i) const {
    screen::evict(cells(i));
}

void prefetch(const CellsView& cells) {
    advise(cells, MADV_WILLNEED);
}

void evict(const CellsView& cells) {
    advise(cells, MADV_DONTNEED);
}

}  // namespace popflow::screen
