// SPDX-License-Identifier: MIT
#include "predict/prediction_scratch.hpp"

#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "core/error.hpp"
#include "core/stored_file.hpp"

namespace popflow::predict {

PredictionScratch::PredictionScratch(std::string target)
    : target_(std::move(target)), fd_(core::open_unlinked_file(target_)) {}

PredictionScratch::~PredictionScratch() {
    if (fd_ >= 0) ::close(fd_);
}

std::uint64_t PredictionScratch::append_bytes(const void* bytes, std::size_t count) {
    const std::uint64_t offset = end_;
    const char* from = static_cast<const char*>(bytes);
    while (count > 0) {
        const ssize_t done = ::pwrite(fd_, from, count, static_cast<off_t>(end_));
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) fail("cannot write");
        from += done;
        count -= static_cast<std::size_t>(done);
        end_ += static_cast<std::uint64_t>(done);
    }
    return offset;
}

void PredictionScratch::read_bytes(std::uint64_t offset, void* bytes, std::size_t count) const {
    char* to = static_cast<char*>(bytes);
    while (count > 0) {
        const ssize_t done = ::pread(fd_, to, count, static_cast<off_t>(offset));
        if (done < 0 && errno == EINTR) continue;
        if (done == 0) errno = EIO;
        if (done <= 0) fail("cannot read back");
        to += done;
        count -= static_cast<std::size_t>(done);
        offset += static_cast<std::uint64_t>(done);
    }
}

void PredictionScratch::fail(const char* action) const {
    throw core::WriteError(target_, std::string(action) + ": " + std::generic_category().message(errno));
}

}  // namespace popflow::predict
