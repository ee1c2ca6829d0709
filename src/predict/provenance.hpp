// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace popflow::predict {

/// Origin of results, stored as attributes of the root group of a result file.
struct Provenance {
    std::string method;  ///< name of the training method
    std::string base;    ///< source, gaussian
    std::size_t knn = 0;
    std::uint64_t seed = 0;
    std::uint64_t steps = 0;      ///< number of steps of the training
    std::uint64_t best_step = 0;  ///< step of the weights with --keep best, 0 for those of the last step
    std::string split{};
    std::string precision{};
    std::string config{};  ///< resolved configuration
    std::string data_fingerprint{};
    int ranks = 1;
    int threads = 1;
    std::string version{};  ///< version of the program that wrote the file, set by reading it
    std::string commit{};
    std::string recipe = "popflow";       ///< popflow or paper
    std::string condition = "treatment";  ///< treatment if the model has the treatment as an input, or none
    std::size_t latent = 0;   ///< number of components of the latent space of the model, 0 without one
    double latent_share = 0;  ///< their share in the variance of the training cells
    std::string selection{};  ///< why --method auto has chosen the method, empty if it was given
};

}  // namespace popflow::predict
