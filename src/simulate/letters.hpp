// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "h5/file.hpp"
#include "linalg/matrix.hpp"
#include "simulate/glyph.hpp"

namespace popflow::simulate {

/// Which letters to simulate, and how.
struct LettersOptions {
    std::uint64_t seed = 0;
    std::string font{};                  ///< a TrueType or OpenType file; empty: Liberation Sans
    std::vector<std::string> letters{};  ///< to train on; empty: all capitals but those to test
    std::vector<std::string> test_letters{"X", "Y"};
    std::size_t rotations = 10;  ///< of each letter
    double noise = 0.5;          ///< standard deviation of source - target, per coordinate
    double jitter = 0.05;        ///< standard deviation of target - drawing, per coordinate
    std::size_t size = 100;      ///< pixels of the drawing
};

/// One letter at one angle: an experiment with a control and a treated population of the same size.
struct RotatedLetter {
    std::string letter;
    std::size_t rotation = 0;
    bool test = false;
    double angle = 0;           ///< radians, counter-clockwise
    std::size_t n_points = 0;   ///< of each of the two populations
    std::size_t first_row = 0;  ///< of the control; the treated population follows it
};

/// The letters before their points are drawn from the random streams: what is in the file, and where.
struct Letters {
    LettersOptions options;  ///< with the letters that were left to the default
    Alphabet alphabet;
    std::vector<RotatedLetter> experiments;  ///< one letter after the other, those to train on first

    std::size_t n_points() const;  ///< rows of the file
};

/// Labels of the two populations of an experiment.
inline constexpr const char* letter_control = "control";
inline constexpr const char* letter_treated = "sharpened";

/// Source and target of one rotated letter; row i of both comes from the same point of the drawing.
struct LetterPoints {
    linalg::Matrix<float> source;  ///< [n, 2]
    linalg::Matrix<float> target;  ///< [n, 2]
};

/// Draws the alphabet and lays out the file.
///
/// @throws core::ConfigError for a letter that is not one capital, is there twice or is to be trained on and
/// tested;
///         core::DataError for a font that cannot be drawn or lacks a letter
Letters plan_letters(const LettersOptions& options);

/// target = R (cloud + N(0, jitter^2)), R the rotation by the angle; source = target + N(0, noise^2).
///
/// The points of a rotated letter depend on the seed, the letter, the number of the rotation, font, size and
/// noise, and on nothing else that is asked for.
///
/// Source: Atanackovic et al., "Meta Flow Matching", ICLR 2025 (arXiv 2408.14608), synthetic experiment.
LetterPoints letter_points(const Letters& letters, const RotatedLetter& experiment);

/// Makes the `.h5ad` under its temporary name; the rows of X and obs are left to write_letters(). By one
/// process.
///
/// X is dense float32, [points, 2], variables x and y. obs has `patient` (the letter), `replicate` (number of
/// the rotation), `treatment` (`control` or `sharpened`), `culture` (`train`, or the letter if it is to be
/// tested), `split` (`train` or `test`) as categoricals, and `angle` (radians). The rows of a population are
/// consecutive; row i of a control and row i of its treated population come from the same point.
///
/// @return  commit() puts the file in its place; destroyed without, it is removed
/// @throws core::DataError if it cannot be written
std::unique_ptr<h5::AtomicFile> create_letters_file(const Letters& letters, const std::string& path);

/// Writes the rows of some experiments into the temporary file of `path`; processes may do so side by side.
///
/// @param experiments  indices into letters.experiments
/// @throws core::DataError if the file is not there, was laid out for other letters, or a write fails
void write_letters(const Letters& letters, const std::string& path, std::span<const std::size_t> experiments);

}  // namespace popflow::simulate
