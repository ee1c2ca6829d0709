// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace popflow::predict {

/// Bytes that one rank sets aside on disk until it is its turn to write them.
///
/// The file lies beside the file to be and has no name from the beginning: it goes with the process, however
/// that ends.
class PredictionScratch {
  public:
    /// @param beside  path of the file to be @throws as core::fail_to_create()
    explicit PredictionScratch(std::string beside);
    PredictionScratch(const PredictionScratch&) = delete;
    PredictionScratch& operator=(const PredictionScratch&) = delete;
    ~PredictionScratch();

    /// Appends; gives the place. @throws core::WriteError, as when the disk is full
    template <class T>
    std::uint64_t append(std::span<const T> values) {
        return append_bytes(values.data(), values.size_bytes());
    }
    template <class T>
    std::vector<T> read(std::uint64_t place, std::size_t count) const {
        std::vector<T> values(count);
        read_bytes(place, values.data(), count * sizeof(T));
        return values;
    }

  private:
    std::uint64_t append_bytes(const void* bytes, std::size_t count);
    void read_bytes(std::uint64_t place, void* bytes, std::size_t count) const;
    [[noreturn]] void fail(const char* action) const;

    std::string beside_;
    int fd_ = -1;
    std::uint64_t end_ = 0;
};

}  // namespace popflow::predict
