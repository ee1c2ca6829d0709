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

/// Options of the letters data set.
struct LettersOptions {
    std::uint64_t seed = 0;
    std::string font{};                  ///< a TrueType or OpenType file; empty: Liberation Sans
    std::vector<std::string> letters{};  ///< training letters; empty: all capitals except `test_letters`
    std::vector<std::string> test_letters{"X", "Y"};
    std::size_t rotations = 10;  ///< number of rotations of each letter
    double noise = 0.5;          ///< standard deviation of source - target, per coordinate
    double jitter = 0.05;        ///< standard deviation of target - rendered letter, per coordinate
    std::size_t size = 100;      ///< height of the em square, in pixels
};

/// One letter at one angle: an experiment with a control and a treated population of the same size.
struct RotatedLetter {
    std::string letter;
    std::size_t rotation = 0;
    bool test = false;          ///< true for a test letter
    double angle = 0;           ///< radians, counter-clockwise
    std::size_t n_points = 0;   ///< number of points of each of the two populations
    std::size_t first_row = 0;  ///< first row of the control; the treated population follows it
};

/// Layout of the file before the points are drawn from the random streams.
struct Letters {
    LettersOptions options;  ///< options with defaults resolved
    Alphabet alphabet;
    std::vector<RotatedLetter> experiments;  ///< sorted by letter, training letters first

    std::size_t n_points() const;  ///< number of rows of the file
};

/// Labels of the two populations of an experiment.
inline constexpr const char* letter_control = "control";
inline constexpr const char* letter_treated = "sharpened";

/// Source and target of one rotated letter. Row i of both comes from the same point of the rendered letter.
struct LetterPoints {
    linalg::Matrix<float> source;  ///< [n, 2]
    linalg::Matrix<float> target;  ///< [n, 2]
};

/// Renders the alphabet and computes the layout of the file.
///
/// @throws core::ConfigError for a letter that is not a single capital, is repeated, or is in both lists
/// @throws core::DataError for a font that cannot be rendered or lacks a letter
Letters plan_letters(const LettersOptions& options);

/// Draws the points: target = R (cloud + N(0, jitter^2)) with R the rotation by the angle, and
/// source = target + N(0, noise^2).
///
/// The points of a rotated letter depend only on the seed, the letter, the number of the rotation, the font,
/// the size, the jitter and the noise. They do not depend on which other letters and rotations are simulated.
///
/// Source: Atanackovic et al., "Meta Flow Matching", ICLR 2025 (arXiv 2408.14608), synthetic experiment.
LetterPoints letter_points(const Letters& letters, const RotatedLetter& experiment);

/// Creates the `.h5ad` under its temporary name. write_letters() fills in the rows of X and obs. Exactly one
/// process calls this function.
///
/// X is dense float32, [points, 2], with the variables x and y. Columns of obs:
///   - `patient`: the letter
///   - `replicate`: number of the rotation
///   - `treatment`: `control` or `sharpened`
///   - `culture`: `train`, or the letter if it is a test letter
///   - `split`: `train` or `test`
///   - `angle`: radians
///
/// All but `angle` are categorical. The rows of a population are consecutive. Row i of a control and row i of
/// its treated population come from the same point.
///
/// @return  file whose commit() renames it to `path`; without commit() its destructor removes it
/// @throws core::DataError if the file cannot be written
std::unique_ptr<h5::AtomicFile> create_letters_file(const Letters& letters, const std::string& path);

/// Writes the rows of the given experiments into the temporary file of `path`. Not collective: several
/// processes may write different experiments at the same time.
///
/// @param experiments  indices into letters.experiments
/// @throws core::DataError if the file is missing, was laid out for other letters, or a write fails
void write_letters(const Letters& letters, const std::string& path, std::span<const std::size_t> experiments);

}  // namespace popflow::simulate
