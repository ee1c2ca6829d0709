// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace popflow::support {

/// Reads arrays from a binary file under tests/golden, in the order in which they were written.
///
/// @throws std::runtime_error if the file does not exist or ends early
class GoldenFile {
  public:
    explicit GoldenFile(const std::string& name)
        : file_(std::string(POPFLOW_TEST_DATA) + "/" + name, std::ios::binary) {
        if (!file_) throw std::runtime_error("no golden file " + name);
    }
    bool at_end() { return file_.peek() == std::ifstream::traits_type::eof(); }
    template <class T>
    std::vector<T> read(std::size_t count) {
        std::vector<T> values(count);
        file_.read(reinterpret_cast<char*>(values.data()), static_cast<std::streamsize>(count * sizeof(T)));
        if (!file_) throw std::runtime_error("golden file ends early");
        return values;
    }

  private:
    std::ifstream file_;
};

}  // namespace popflow::support
