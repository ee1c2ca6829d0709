// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace popflow::core {

/// Purpose of a random stream. It is part of the key, so streams of different purposes are independent.
/// The numeric values determine every result: append new ones, never renumber.
enum class Purpose : std::uint32_t {
    weights = 1,            ///< initial weights; a = tensor index
    features = 2,           ///< fixed random features
    pair_order = 3,         ///< order in which a lane visits its pairs; a = lane, b = epoch
    source_cells = 4,       ///< cells drawn from the control population; a = step, b = slot
    target_cells = 5,       ///< cells drawn from the treated population; a = step, b = slot
    flow_time = 6,          ///< t of each cell; a = step, b = slot
    base_noise = 7,         ///< Gaussian base; a = step, b = slot
    split = 9,              ///< choice of replicates
    evaluation = 10,        ///< cells scored; a = pair, b = role
    simulation = 11,        ///< simulated data; the simulator defines a and b
    test = 12,              ///< unit tests
    encoder_features = 13,  ///< fixed random features of the encoder
    augment = 14,           ///< symmetries applied to a slot; a = step, b = slot
    coupling = 15,          ///< partners drawn from a plan; a = step, b = slot
    problems = 16,          ///< draws of transport problems, their cells and prototypes; a = kind, b = index
    statistics = 17,        ///< resampling for statistics of tables; a = kind, b = number of clusters
    generation = 18,        ///< generated populations; a = digest of the condition, b = index
    populations = 19,       ///< further populations of a slot; a = step, b = slot
    outer_cells = 20,       ///< cells that an outer coupling compares; a = 1 targets, 2 sources, b = index
    pixels = 21,            ///< pixels drawn from an image; a = digest of its label
};

/// Counter-based random stream: Philox 4x32-10 keyed by (seed, purpose, a, b).
///
/// The numbers are a pure function of the key. If the key names the item of work, not the rank or thread that
/// does it, results are deterministic for any number of ranks and threads.
///
/// Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
class Stream {
  public:
    Stream(std::uint64_t seed, Purpose purpose, std::uint64_t a = 0, std::uint64_t b = 0);

    /// Returns the next 32 random bits.
    std::uint32_t next();
    /// Returns the next 64 random bits.
    std::uint64_t next64();
    /// Returns a uniform number in [0, 1) with 53 random bits.
    double uniform();
    /// Returns a standard normal number (Box-Muller).
    double normal();
    /// Returns a uniform integer in {0, ..., n-1} without bias (Lemire's method). Requires n >= 1.
    std::uint64_t below(std::uint64_t n);

    /// Overwrites x with uniform numbers in [0, 1), with 24 random bits each.
    void fill_uniform(std::span<float> x);
    /// Overwrites x with standard normal numbers.
    void fill_normal(std::span<float> x);
    /// Returns k distinct indices of {0, ..., n-1} in random order. Requires k <= n.
    std::vector<std::uint32_t> sample(std::size_t n, std::size_t k);
    /// Overwrites `index` with sample(n, k) and reuses its storage.
    void sample(std::size_t n, std::size_t k, std::vector<std::uint32_t>& index);
    /// Returns a random permutation of {0, ..., n-1}.
    std::vector<std::uint32_t> permutation(std::size_t n) { return sample(n, n); }

  private:
    void refill();

    std::array<std::uint32_t, 2> key_;
    std::array<std::uint32_t, 4> counter_;
    std::array<std::uint32_t, 4> block_{};
    unsigned used_ = 4;
    double spare_ = 0;
    bool has_spare_ = false;
};

/// Applies the ten-round Philox 4x32 bijection to `counter`.
std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                        std::array<std::uint32_t, 2> key);

}  // namespace popflow::core
