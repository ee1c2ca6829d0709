// SPDX-License-Identifier: MIT
#include "data/row_writer.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "core/error.hpp"

namespace popflow::data {

RowWriter::RowWriter(const std::string& file, std::string reported)
    : reported_(std::move(reported)), fd_(::open(file.c_str(), O_WRONLY | O_CLOEXEC)) {
    if (fd_ < 0) fail();
}

RowWriter::~RowWriter() {
    if (fd_ >= 0) ::close(fd_);
}

void RowWriter::write(const void* bytes, std::size_t count, std::uint64_t offset) {
    const char* from = static_cast<const char*>(bytes);
    while (count > 0) {
        const ssize_t done = ::pwrite(fd_, from, count, static_cast<off_t>(offset));
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) fail();
        from += done;
        count -= static_cast<std::size_t>(done);
        offset += static_cast<std::uint64_t>(done);
    }
}

void RowWriter::sync() {
    if (::fsync(fd_) != 0) fail();
}

void RowWriter::fail() const {
    throw core::DataError(reported_, "", "cannot write: " + std::generic_category().message(errno));
}

}  // namespace popflow::data
