// SPDX-License-Identifier: MIT
#include "simulate/glyph.hpp"

#include <fmt/format.h>
#include <freetype/freetype.h>
#include <ft2build.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <type_traits>
#include <vector>

#include "core/error.hpp"
#include "core/text.hpp"

namespace popflow::simulate {

namespace {

template <auto free>
struct Release {
    template <class T>
    void operator()(T* object) const {
        free(object);
    }
};
using Library = std::unique_ptr<std::remove_pointer_t<FT_Library>, Release<FT_Done_FreeType>>;
using Face = std::unique_ptr<std::remove_pointer_t<FT_Face>, Release<FT_Done_Face>>;

Library start_library() {
    FT_Library library = nullptr;
    if (FT_Init_FreeType(&library) != 0) throw core::Error("cannot initialise FreeType");
    return Library(library);
}

Face open_face(const Library& library, const std::string& font, std::size_t size) {
    std::error_code error;
    const auto status = std::filesystem::status(font, error);
    if (!std::filesystem::exists(status)) throw core::DataError(font, "", "No such file");
    if (std::filesystem::is_directory(status))
        throw core::DataError(font, "", "is a folder. Give a font file");
    FT_Face face = nullptr;
    if (FT_New_Face(library.get(), font.c_str(), 0, &face) != 0) {
        throw core::DataError(font, "", "cannot be read as a font. Give a TrueType or OpenType file");
    }
    Face owner(face);
    if (FT_Set_Pixel_Sizes(face, 0, static_cast<FT_UInt>(size)) != 0) {
        throw core::DataError(font, "",
                              fmt::format("cannot be rendered at {} pixels: choose another --size", size));
    }
    return owner;
}

struct Pixel {
    std::size_t row = 0;
    std::size_t column = 0;
};

// Returns the pixels of a grey image that are above 0, row by row.
std::vector<Pixel> pixels_above_zero(const FT_Bitmap& bitmap) {
    std::vector<Pixel> pixels;
    // A negative pitch means that the buffer starts with the lowest row.
    const std::size_t pitch = static_cast<std::size_t>(std::abs(bitmap.pitch));
    for (std::size_t i = 0; i < bitmap.rows; ++i) {
        const std::size_t stored = bitmap.pitch >= 0 ? i : bitmap.rows - 1 - i;
        for (std::size_t j = 0; j < bitmap.width; ++j) {
            if (bitmap.buffer[stored * pitch + j] > 0) pixels.push_back({i, j});
        }
    }
    return pixels;
}

// Returns the centres of the pixels, scaled so that the longer side of their bounding box spans [-3, 3]. y
// points upwards.
linalg::Matrix<float> cloud_of(const std::vector<Pixel>& pixels) {
    const auto [top, bottom] = std::ranges::minmax(pixels, {}, &Pixel::row);
    const auto [left, right] = std::ranges::minmax(pixels, {}, &Pixel::column);
    const auto middle = [](std::size_t a, std::size_t b) { return 0.5 * static_cast<double>(a + b); };
    const double x0 = middle(left.column, right.column);
    const double y0 = middle(top.row, bottom.row);
    const double scale = 6 / static_cast<double>(std::max(bottom.row - top.row, right.column - left.column));
    linalg::Matrix<float> cloud(pixels.size(), 2);
    for (std::size_t i = 0; i < pixels.size(); ++i) {
        cloud(i, 0) = static_cast<float>((static_cast<double>(pixels[i].column) - x0) * scale);
        cloud(i, 1) = static_cast<float>((y0 - static_cast<double>(pixels[i].row)) * scale);
    }
    return cloud;
}

linalg::Matrix<float> draw(const Face& face, const std::string& font, const std::string& letter) {
    const FT_UInt glyph = FT_Get_Char_Index(face.get(), static_cast<FT_ULong>(letter.front()));
    if (glyph == 0) throw core::DataError(font, "letter " + letter, "missing in this font");
    // Always renders grey levels, because bitmaps that are embedded in a font may be black and white.
    if (FT_Load_Glyph(face.get(), glyph, FT_LOAD_RENDER | FT_LOAD_NO_BITMAP | FT_LOAD_TARGET_NORMAL) != 0 ||
        face->glyph->bitmap.pixel_mode != FT_PIXEL_MODE_GRAY) {
        throw core::DataError(font, "letter " + letter, "cannot be drawn in grey");
    }
    const std::vector<Pixel> pixels = pixels_above_zero(face->glyph->bitmap);
    if (pixels.size() < 2) {
        throw core::DataError(font, "letter " + letter,
                              fmt::format("has {} at this size, but needs 2 or more. Raise --size",
                                          core::counted(pixels.size(), "point")));
    }
    return cloud_of(pixels);
}

}  // namespace

std::string default_font() {
    static const std::array<const char*, 6> places{
        "/usr/share/fonts/truetype/liberation/LiberationSans-Regular.ttf",   // Debian, Ubuntu
        "/usr/share/fonts/truetype/liberation2/LiberationSans-Regular.ttf",  // older Debian and Ubuntu
        "/usr/share/fonts/liberation-sans/LiberationSans-Regular.ttf",       // Red Hat, Fedora
        "/usr/share/fonts/liberation-sans-fonts/LiberationSans-Regular.ttf",
        "/usr/share/fonts/liberation/LiberationSans-Regular.ttf",  // Arch
        "/usr/share/fonts/truetype/LiberationSans-Regular.ttf"};   // SUSE
    for (const char* place : places) {
        std::error_code ignored;
        if (std::filesystem::is_regular_file(place, ignored)) return place;
    }
    throw core::ConfigError("font", std::string("found no Liberation Sans in the usual places, such as ") +
                                        places.front() +
                                        ": install it (Debian: fonts-liberation) or give --font FILE");
}

Alphabet draw_alphabet(const std::string& font, const std::vector<std::string>& letters, std::size_t size) {
    const Library library = start_library();
    const Face face = open_face(library, font, size);
    Alphabet alphabet;
    if (face->family_name != nullptr) alphabet.family = face->family_name;
    for (const std::string& letter : letters) {
        alphabet.clouds.emplace(letter, draw(face, font, letter));
    }
    return alphabet;
}

}  // namespace popflow::simulate
