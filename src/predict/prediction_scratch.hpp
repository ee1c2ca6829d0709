// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace popflow::predict {

/// Temporary file of one rank, which holds its predicted cells until the rank writes them to the result file.
///
/// The file lies in the folder of the result file. It is unlinked from the start where the file system can do
/// that, and disappears with the process, however the process ends.
class PredictionScratch {
  public:
    /// @param target  path of the result file
    /// @throws as core::fail_to_create()
    explicit PredictionScratch(std::string target);
    PredictionScratch(const PredictionScratch&) = delete;
    PredictionScratch& operator=(const PredictionScratch&) = delete;
    ~PredictionScratch();

    /// Appends values and returns their offset in bytes.
    /// @throws core::WriteError, for example if the disk is full
    template <class T>
    std::uint64_t append(std::span<const T> values) {
        return append_bytes(values.data(), values.size_bytes());
    }
    /// Reads `count` values from the offset that append() returned.
    /// @throws core::WriteError
    template <class T>
    std::vector<T> read(std::uint64_t offset, std::size_t count) const {
        std::vector<T> values(count);
        read_bytes(offset, values.data(), count * sizeof(T));
        return values;
    }

  private:
    std::uint64_t append_bytes(const void* bytes, std::size_t count);
    void read_bytes(std::uint64_t offset, void* bytes, std::size_t count) const;
    [[noreturn]] void fail(const char* action) const;

    std::string target_;
    int fd_ = -1;
    std::uint64_t end_ = 0;
};

}  // namespace popflow::predict
