// SPDX-License-Identifier: MIT
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace popflow::support {

/// Returns the contents of a file.
inline std::string file_bytes(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// Returns the byte offset of the first occurrence of `words` in a file, or std::string::npos if there is
/// none.
inline std::size_t offset_of_words(const std::string& path, const std::vector<std::uint32_t>& words) {
    return file_bytes(path).find(
        std::string_view(reinterpret_cast<const char*>(words.data()), words.size() * sizeof(std::uint32_t)));
}

/// Overwrites the file with `bytes` from offset `at` on.
inline void put_bytes(const std::string& path, std::size_t at, std::string_view bytes) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(at));
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

/// Overwrites the first occurrence of `old_words` with `new_words`. Fails the test if there is none.
inline void replace_words(const std::string& path, const std::vector<std::uint32_t>& old_words,
                          const std::vector<std::uint32_t>& new_words) {
    const std::size_t at = offset_of_words(path, old_words);
    ASSERT_NE(at, std::string::npos);
    put_bytes(path, at,
              {reinterpret_cast<const char*>(new_words.data()), new_words.size() * sizeof(std::uint32_t)});
}

}  // namespace popflow::support
