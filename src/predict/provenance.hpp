// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace popflow::predict {

/// Where results come from; written as attributes of the file's root.
struct Provenance {
    std::string method;  ///< fm, cgfm, mfm, icnn
    std::string base;    ///< source, gaussian
    std::size_t knn = 0;
    std::uint64_t seed = 0;
    std::uint64_t steps = 0;
    std::string split{};
    std::string precision{};
    std::string config{};  ///< resolved configuration
    std::string data_fingerprint{};
    int ranks = 1;
    int threads = 1;
    std::string version{};  ///< of the program that wrote the file; known once read
    std::string commit{};
    std::string recipe = "popflow";       ///< or paper
    std::string condition = "treatment";  ///< what the model knows of the treatment; or none
};

}  // namespace popflow::predict
