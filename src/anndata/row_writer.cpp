// SPDX-License-Identifier: MIT
#include "anndata/row_writer.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "core/error.hpp"

namespace popflow::anndata {

// Codes are written in the byte order of memory, and the file format is little-endian.
static_assert(std::endian::native == std::endian::little);

RowWriter::RowWriter(const std::string& file, std::string reported)
    : reported_(std::move(reported)), fd_(::open(file.c_str(), O_WRONLY | O_CLOEXEC)) {
    if (fd_ < 0)
        throw core::DataError(reported_, "", "cannot write: " + std::generic_category().message(errno));
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
    throw core::WriteError(reported_, "cannot write: " + std::generic_category().message(errno));
}

RowChunks find_chunks(const h5::Dataset& matrix) {
    const bool contiguous = matrix.chunk_rows() == 0;
    RowChunks chunks{contiguous ? matrix.rows() : matrix.chunk_rows(), {}};
    for (std::size_t row = 0; row < matrix.rows(); row += chunks.rows)
        chunks.offsets.push_back(contiguous ? matrix.file_offset() : matrix.chunk_offset(row));
    return chunks;
}

void write_matrix_rows(RowWriter& writer, const RowChunks& chunks, const linalg::Matrix<float>& x,
                       std::size_t row) {
    const std::size_t row_bytes = x.cols() * sizeof(float);
    for (std::size_t done = 0; done < x.rows();) {
        const std::size_t chunk = (row + done) / chunks.rows;
        const std::size_t within = (row + done) % chunks.rows;
        const std::size_t n = std::min(x.rows() - done, chunks.rows - within);
        writer.write(x.data() + done * x.cols(), n * row_bytes, chunks.offsets[chunk] + within * row_bytes);
        done += n;
    }
}

CodeColumn find_codes(const h5::Group& root, const std::string& column) {
    const h5::Group group = root.open_group("obs/" + column);
    const h5::Dataset codes = group.open_dataset("codes");
    return {codes.file_offset(), codes.type().bytes, group.open_dataset("categories").read_strings()};
}

void write_codes(RowWriter& writer, const CodeColumn& column, const std::string& value, std::size_t row,
                 std::size_t count) {
    const auto place = std::lower_bound(column.categories.begin(), column.categories.end(), value);
    write_codes(writer, column, static_cast<std::int32_t>(place - column.categories.begin()), row, count);
}

void write_codes(RowWriter& writer, const CodeColumn& column, std::int32_t code, std::size_t row,
                 std::size_t count) {
    std::vector<char> bytes(count * column.width);
    for (std::size_t i = 0; i < count; ++i) std::memcpy(&bytes[i * column.width], &code, column.width);
    writer.write(bytes.data(), bytes.size(), column.offset + row * column.width);
}

void write_row_names(RowWriter& writer, std::uint64_t offset, std::size_t length, std::size_t row,
                     std::size_t count) {
    write_row_names(writer, offset, length, row, std::vector<std::string>(count));
}

void write_row_names(RowWriter& writer, std::uint64_t offset, std::size_t length, std::size_t row,
                     const std::vector<std::string>& names) {
    std::vector<char> bytes(names.size() * length, '\0');
    for (std::size_t i = 0; i < names.size(); ++i) {
        const std::string name = names[i].empty() ? std::to_string(row + i) : names[i];
        std::copy_n(name.begin(), std::min(name.size(), length), &bytes[i * length]);
    }
    writer.write(bytes.data(), bytes.size(), offset + row * length);
}

}  // namespace popflow::anndata
