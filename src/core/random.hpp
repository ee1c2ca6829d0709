// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace popflow::core {

/// What a random stream is for; part of its key, so that streams of different purposes never meet.
/// The numbers are part of every result: append, never renumber.
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
    simulation = 11,        ///< simulated data; a, b as the simulator says
    test = 12,              ///< tests
    encoder_features = 13,  ///< fixed random features of the encoder
    augment = 14,           ///< symmetries applied to a slot; a = step, b = slot
};

/// A counter-based random stream: Philox 4x32-10 keyed by (seed, purpose, a, b).
///
/// A stream is a pure function of its key: work that is keyed by what it is, not by who does it, draws the
/// same numbers on any rank and thread.
///
/// Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
class Stream {
  public:
    Stream(std::uint64_t seed, Purpose purpose, std::uint64_t a = 0, std::uint64_t b = 0);

    /// Next 32 random bits.
    std::uint32_t next();
    /// Next 64 random bits.
    std::uint64_t next64();
    /// Uniform in [0, 1) with 53 random bits.
    double uniform();
    /// Standard normal (Box-Muller).
    double normal();
    /// Uniform in {0, ..., n-1} without bias (Lemire's method); n >= 1.
    std::uint64_t below(std::uint64_t n);

    /// Overwrites x with uniform numbers in [0, 1), 24 random bits each.
    void fill_uniform(std::span<float> x);
    /// Overwrites x with standard normal numbers.
    void fill_normal(std::span<float> x);
    /// k distinct indices of {0, ..., n-1} in random order; k <= n.
    std::vector<std::uint32_t> sample(std::size_t n, std::size_t k);
    /// The same into a buffer that keeps its storage.
    void sample(std::size_t n, std::size_t k, std::vector<std::uint32_t>& index);
    /// A random order of {0, ..., n-1}.
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

/// The ten-round Philox 4x32 bijection itself.
std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                        std::array<std::uint32_t, 2> key);

}  // namespace popflow::core
