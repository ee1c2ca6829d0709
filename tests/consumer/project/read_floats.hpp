// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <fstream>
#include <iterator>
#include <vector>

/// Reads a file of 32-bit floats.
inline std::vector<float> read_floats(const char* path) {
    std::ifstream in(path, std::ios::binary);
    const std::vector<char> bytes((std::istreambuf_iterator<char>(in)), {});
    std::vector<float> values(bytes.size() / sizeof(float));
    std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(values.data()));
    return values;
}
