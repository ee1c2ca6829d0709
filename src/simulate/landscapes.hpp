// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "image/image.hpp"

namespace popflow::simulate {

/// Options of drawn landscapes.
struct LandscapesOptions {
    std::uint64_t seed = 0;
    std::size_t scenes = 4;       ///< number of training scenes
    std::size_t test_scenes = 2;  ///< number of further scenes for tests
    std::size_t size = 128;       ///< width and height in pixels
};

/// Names of the palettes: sunset, forest, sea, desert, night, autumn, snow, meadow.
const std::vector<std::string>& palette_names();

/// A landscape: a scene in the colours of a palette.
struct Landscape {
    std::size_t palette = 0;  ///< index into palette_names()
    std::size_t scene = 0;    ///< training scenes precede test scenes
};

/// Returns all landscapes, sorted by palette.
std::vector<Landscape> plan_landscapes(const LandscapesOptions& options);

/// Returns the name of the file of a landscape, such as `sunset_0.png`.
std::string landscape_file(const Landscape& landscape);

/// Draws a landscape: sky with clouds and a sun, three ridges, a lake, and a field with trees.
///
/// The shapes of a scene are the same in all palettes, up to the grain of single pixels. So the transfer of
/// colours between two landscapes of a scene is known. Values are multiples of 1/255.
///
/// Random: the shapes are keyed by (seed, scene), the grain also by the palette.
image::Image draw_landscape(const LandscapesOptions& options, const Landscape& landscape);

/// Writes FOLDER/landscape_file() of some landscapes. Not collective.
/// @param chosen  indices into plan_landscapes()
/// @throws core::DataError if a file cannot be created, core::WriteError if it cannot be written
void write_landscapes(const LandscapesOptions& options, const std::string& folder,
                      std::span<const std::size_t> chosen);

/// Writes FOLDER/sheet.csv with a row for each landscape: file, palette, scene, split (train or test).
/// @throws as write_landscapes()
void write_landscape_sheet(const LandscapesOptions& options, const std::string& folder);

}  // namespace popflow::simulate
