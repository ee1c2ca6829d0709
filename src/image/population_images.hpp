// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "anndata/anndata.hpp"
#include "image/image.hpp"
#include "image/png_file.hpp"

namespace popflow::image {

/// Markers of a file of pixels, in the order of the channels.
extern const std::vector<std::string> channel_names;
/// Columns of obs that tell the place of a pixel: x and y from the upper left corner, and the size of its
/// picture. All are whole numbers of pixels.
extern const std::vector<std::string> place_columns;
/// Column of obs that names the picture of a pixel.
inline constexpr const char* image_column = "image";

/// Reader of an AnnData file whose populations are pictures: the inverse of their import.
///
/// A population is a distinct combination of labels of some columns of obs. Each of its rows is a pixel. Rows
/// may be in any order.
class PopulationImages {
  public:
    /// Reads obs.
    /// @param population  columns whose labels tell the pictures apart. Empty: image, predicted_treatment and
    ///                    predicted_concentration, as far as the file has them
    /// @throws core::DataError if a marker or column is missing, and unless each population has every pixel
    /// of its picture exactly once
    PopulationImages(const std::string& file, const anndata::MatrixSource& source,
                     std::vector<std::string> population = {});

    /// Number of pictures.
    std::size_t size() const { return pictures_.size(); }
    /// Returns the label of a picture: those of its columns, with ` / ` between them.
    const std::string& label(std::size_t i) const { return pictures_.at(i).label; }
    /// Returns the labels of a picture, one per column of the population.
    const std::vector<std::string>& labels(std::size_t i) const { return labels_.at(i); }
    /// Returns the rows of the file with the pixels of a picture, ascending.
    const std::vector<std::uint64_t>& rows(std::size_t i) const { return pictures_.at(i).rows; }
    std::size_t pixels(std::size_t i) const { return pictures_.at(i).rows.size(); }
    const std::string& file() const { return data_.file(); }
    /// Reads a picture. Values may lie outside [0, 1]. @throws core::DataError for one that is not finite
    Image read(std::size_t i) const;

  private:
    struct Picture {
        std::string label{};
        std::size_t width = 0;
        std::size_t height = 0;
        std::vector<std::uint64_t> rows{};    ///< rows of its pixels, ascending
        std::vector<std::uint32_t> pixels{};  ///< y width + x of each of these rows
    };

    void find_pictures(const std::vector<std::string>& population);
    void place_pixels();
    void check_complete(const Picture& picture) const;
    std::vector<std::uint32_t> read_numbers(const std::string& column) const;

    anndata::AnnData data_;
    std::vector<std::size_t> channels_;             ///< columns of red, green and blue
    std::vector<std::vector<std::string>> labels_;  ///< labels of each picture, one per column
    std::vector<std::string> columns_;              ///< columns that tell the pictures apart
    std::vector<Picture> pictures_;                 ///< in the order of their first rows
};

/// Returns the reason why a file has no pixels: `no marker 'red'` or `no column x`. Empty if it has them.
/// @throws core::DataError if it is no AnnData file
std::string missing_pixels(const std::string& file, const anndata::MatrixSource& source);

/// Returns a file name for each picture, which differs from that of every other. Labels are joined with `_`,
/// and characters that a file name cannot have become `_`.
/// @throws core::DataError if two pictures would have the same name
std::vector<std::string> image_file_names(const PopulationImages& images);

/// Creates a folder unless it exists, for write_population_image().
/// @param names  result of image_file_names()
/// @throws core::DataError if it cannot be created, or if it has a file of one of the pictures
void prepare_folder(const std::vector<std::string>& names, const std::string& folder);

/// Writes a picture as a PNG file. Limits values to [0, 1] and rounds them to `depth`. Not collective: ranks
/// may write different pictures at the same time.
/// @return  number of values that were outside [0, 1]
/// @throws core::DataError if the file cannot be created, core::WriteError if it cannot be written
std::size_t write_population_image(const PopulationImages& images, std::size_t i, const std::string& path,
                                   PngDepth depth = PngDepth::bits8);

}  // namespace popflow::image
