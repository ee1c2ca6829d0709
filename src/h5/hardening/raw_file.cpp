// SPDX-License-Identifier: MIT
#include "h5/hardening/raw_file.hpp"

#include <hdf5.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/error.hpp"
#include "h5/hardening/stored_size.hpp"

namespace popflow::h5 {

std::uint64_t little_endian(std::span<const std::uint8_t> bytes) {
    std::uint64_t value = 0;
    for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8U | bytes[i];
    return value;
}

RawFile::RawFile(std::int64_t id, std::string file, std::string path)
    : file_(std::move(file)), path_(std::move(path)), open_file_(H5Iget_file_id(id)) {
    const Handle access(H5Fget_access_plist(open_file_.id()));
    void* driver = nullptr;
    // Flushes pending writes, so that they are visible in the file.
    check(H5Fflush(open_file_.id(), H5F_SCOPE_GLOBAL), file_, path_, "cannot write");
    if (H5Pget_driver(access.id()) != H5FD_SEC2 ||
        H5Fget_vfd_handle(open_file_.id(), H5P_DEFAULT, &driver) < 0) {
        throw core::DataError(file_, path_, "cannot read the raw bytes of a file that is not on disk");
    }
    descriptor_ = *static_cast<const int*>(driver);
    size_ = file_bytes(id);
    const Handle creation(H5Fget_create_plist(open_file_.id()));
    hsize_t base = 0;
    H5Pget_userblock(creation.id(), &base);
    base_ = base;
    H5Pget_sizes(creation.id(), &address_bytes_, &length_bytes_);
}

void RawFile::throw_damaged(const std::string& what) const {
    throw core::DataError(file_, path_, "is damaged: " + what);
}

std::uint64_t RawFile::bytes_from(std::uint64_t address) const {
    const std::uint64_t end = size_ - std::min(base_, size_);
    return end - std::min(address, end);
}

void RawFile::read(std::uint64_t address, std::span<std::uint8_t> out, const char* what) const {
    if (out.size() > bytes_from(address))
        throw_damaged(std::string(what) + " lies beyond the end of the file");
    for (std::size_t done = 0; done < out.size();) {
        const ssize_t n = ::pread(descriptor_, out.data() + done, out.size() - done,
                                  static_cast<off_t>(base_ + address + done));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) throw_damaged(std::string(what) + " cannot be read");
        done += static_cast<std::size_t>(n);
    }
}

}  // namespace popflow::h5
