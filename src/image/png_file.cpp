// SPDX-License-Identifier: MIT
#include "image/png_file.hpp"

#include <png.h>

#include <algorithm>
#include <cmath>
#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "core/error.hpp"
#include "core/memory.hpp"
#include "image/exif.hpp"
#include "image/image_file.hpp"

namespace popflow::image {

namespace {

// Text of the error after which libpng jumps back to setjmp().
struct Failure {
    char text[200] = "";
};

[[noreturn]] void on_error(png_structp png, png_const_charp text) {
    auto* failure = static_cast<Failure*>(png_get_error_ptr(png));
    std::snprintf(failure->text, sizeof(failure->text), "%s", text);
    std::longjmp(png_jmpbuf(png), 1);
}

void on_warning(png_structp, png_const_charp) {}  // a warning concerns no value of a pixel

// Deflate compresses 1032 bytes to one at best.
constexpr std::uint64_t max_compression = 1032;

// A PNG file that is being decoded. Functions that call setjmp() have no objects with a destructor, because
// longjmp() does not run it.
class PngDecoder {
  public:
    explicit PngDecoder(const std::string& path)
        : path_(path), file_(open_binary(path)), file_bytes_(std::filesystem::file_size(path)) {
        png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, &failure_, on_error, on_warning);
        info_ = png_ == nullptr ? nullptr : png_create_info_struct(png_);
        if (info_ == nullptr || !read_header()) {
            const std::string text = info_ == nullptr ? "out of memory" : failure_.text;
            png_destroy_read_struct(&png_, &info_, nullptr);
            throw core::DataError(path_, "", "is no valid PNG file (" + text + "): get or write it again");
        }
        try {
            check();
        } catch (...) {
            png_destroy_read_struct(&png_, &info_, nullptr);
            throw;
        }
    }
    PngDecoder(const PngDecoder&) = delete;
    PngDecoder& operator=(const PngDecoder&) = delete;
    ~PngDecoder() { png_destroy_read_struct(&png_, &info_, nullptr); }

    ImageHeader header() const {
        ImageHeader header{.width = width_, .height = height_, .has_transparency = channels_ == 4};
        if (swaps_sides(orientation_)) std::swap(header.width, header.height);
        return header;
    }

    Image read() {
        if (!start()) fail();
        Image image{.width = width_, .height = height_, .rgb = std::vector<float>(3 * width_ * height_)};
        // An interlaced picture is complete after its last pass only.
        const std::size_t buffered = passes_ == 1 ? 1 : height_;
        std::vector<unsigned char> rows(buffered * row_bytes_);
        for (int pass = 1; pass < passes_; ++pass) {
            for (std::size_t y = 0; y < height_; ++y) read_row(&rows[y * row_bytes_]);
        }
        for (std::size_t y = 0; y < height_; ++y) {
            unsigned char* row = &rows[(passes_ == 1 ? 0 : y) * row_bytes_];
            read_row(row);
            convert(row, &image.rgb[3 * width_ * y]);
        }
        if (!read_end()) fail();
        return oriented(std::move(image), orientation_);
    }

  private:
    [[noreturn]] void fail() const {
        throw core::DataError(
            path_, "", std::string("is a damaged PNG file (") + failure_.text + "): get or write it again");
    }

    bool read_header() {
        if (setjmp(png_jmpbuf(png_)) != 0) return false;
        png_init_io(png_, file_.get());
        png_set_user_limits(png_, PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // check() has its own limit
        png_set_crc_action(png_, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
        // Skips all chunks that no pixel depends on. Their CRC is still checked.
        png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
        png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_AS_DEFAULT,
                                    reinterpret_cast<png_const_bytep>("eXIf"), 1);
        png_read_info(png_, info_);
        width_ = png_get_image_width(png_, info_);
        height_ = png_get_image_height(png_, info_);
        const png_byte bits = png_get_bit_depth(png_, info_);
        stored_row_bits_ = std::uint64_t{bits} * png_get_channels(png_, info_) * width_;
        is_wide_ = bits == 16;
        is_interlaced_ = png_get_interlace_type(png_, info_) != PNG_INTERLACE_NONE;
        const bool has_opacity = (png_get_color_type(png_, info_) & PNG_COLOR_MASK_ALPHA) != 0 ||
                                 png_get_valid(png_, info_, PNG_INFO_tRNS) != 0;
        channels_ = has_opacity ? 4 : 3;
        png_bytep exif = nullptr;
        png_uint_32 exif_bytes = 0;
        if (png_get_eXIf_1(png_, info_, &exif_bytes, &exif) != 0)
            orientation_ = exif_orientation({exif, exif_bytes});
        return true;
    }

    // Allocates the rows of libpng, so it follows check().
    bool start() {
        if (setjmp(png_jmpbuf(png_)) != 0) return false;
        png_set_expand(png_);
        png_set_gray_to_rgb(png_);
        passes_ = png_set_interlace_handling(png_);
        png_read_update_info(png_, info_);
        row_bytes_ = png_get_rowbytes(png_, info_);
        return row_bytes_ == width_ * channels_ * (is_wide_ ? 2 : 1);
    }

    // Each row has a byte for its filter. Interlaced pictures have more rows, so this bound holds for them.
    void check() const {
        const std::uint64_t stored_row = stored_row_bits_ / 8 + 1;
        const std::uint64_t max_rows = file_bytes_ * max_compression / stored_row;
        const std::uint64_t decoded = is_interlaced_ ? channels_ * (is_wide_ ? 2 : 1) : 0;
        const std::uint64_t turned = orientation_ == 1 ? 0 : 3 * sizeof(float);
        check_size(path_, width_, height_, 3 * sizeof(float) + decoded + turned,
                   max_rows * std::uint64_t{width_}, core::available_memory());
    }

    void read_row(unsigned char* row) {
        if (!try_read_row(row)) fail();
    }
    bool try_read_row(unsigned char* row) {
        if (setjmp(png_jmpbuf(png_)) != 0) return false;
        png_read_row(png_, row, nullptr);
        return true;
    }
    bool read_end() {
        if (setjmp(png_jmpbuf(png_)) != 0) return false;
        png_read_end(png_, nullptr);
        return true;
    }

    float value(const unsigned char* row, std::size_t i) const {
        if (!is_wide_) return static_cast<float>(row[i]) / 255;
        return static_cast<float>(row[2 * i] << 8U | row[2 * i + 1]) / 65535;
    }
    void convert(const unsigned char* row, float* out) const {
        for (std::size_t x = 0; x < width_; ++x) {
            const float opacity = channels_ == 4 ? value(row, 4 * x + 3) : 1;
            for (std::size_t c = 0; c < 3; ++c) {
                const float stored = value(row, channels_ * x + c);
                *out++ = opacity == 1 ? stored : 1 - opacity * (1 - stored);
            }
        }
    }

    const std::string& path_;
    FilePointer file_;
    std::uint64_t file_bytes_;
    Failure failure_{};
    png_structp png_ = nullptr;
    png_infop info_ = nullptr;
    std::size_t width_ = 0;   ///< as stored
    std::size_t height_ = 0;  ///< as stored
    std::uint64_t stored_row_bits_ = 0;
    std::size_t channels_ = 0;  ///< 3 or 4
    bool is_wide_ = false;      ///< 16 bits a channel
    bool is_interlaced_ = false;
    std::size_t row_bytes_ = 0;
    int passes_ = 1;
    Orientation orientation_ = 1;
};

void append_bytes(png_structp png, png_bytep bytes, png_size_t count) {
    auto* out = static_cast<std::vector<std::byte>*>(png_get_io_ptr(png));
    const auto* first = reinterpret_cast<const std::byte*>(bytes);
    bool is_stored = true;
    try {
        out->insert(out->end(), first, first + count);
    } catch (const std::bad_alloc&) {
        is_stored = false;
    }
    if (!is_stored) png_error(png, "out of memory");
}

void ignore_flush(png_structp) {}

// Returns false after an error of libpng.
bool encode(png_structp png, png_infop info, std::size_t width, std::size_t height, int bits,
            const std::uint8_t* rgb, std::vector<std::byte>* out) {
    if (setjmp(png_jmpbuf(png)) != 0) return false;
    png_set_write_fn(png, out, append_bytes, ignore_flush);
    png_set_IHDR(png, info, static_cast<png_uint_32>(width), static_cast<png_uint_32>(height), bits,
                 PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_set_sRGB(png, info, PNG_sRGB_INTENT_PERCEPTUAL);
    png_write_info(png, info);
    const std::size_t row_bytes = 3 * width * static_cast<std::size_t>(bits) / 8;
    for (std::size_t y = 0; y < height; ++y) png_write_row(png, rgb + row_bytes * y);
    png_write_end(png, info);
    return true;
}

// Returns the values as they are stored: limited to [0, 1], scaled and rounded. Wide values are big-endian.
std::vector<std::uint8_t> stored_values(std::span<const float> values, PngDepth depth) {
    const auto rounded = [](float v, float largest) {
        return static_cast<std::uint32_t>(std::lround(v > 0 ? largest * std::min(v, 1.0F) : 0.0F));
    };
    std::vector<std::uint8_t> bytes;
    bytes.reserve(values.size() * (depth == PngDepth::bits16 ? 2 : 1));
    for (const float v : values) {
        if (depth == PngDepth::bits8) {
            bytes.push_back(static_cast<std::uint8_t>(rounded(v, 255)));
            continue;
        }
        const std::uint32_t wide = rounded(v, 65535);
        bytes.push_back(static_cast<std::uint8_t>(wide >> 8U));
        bytes.push_back(static_cast<std::uint8_t>(wide & 255U));
    }
    return bytes;
}

}  // namespace

ImageHeader read_png_header(const std::string& path) {
    return PngDecoder(path).header();
}

Image read_png(const std::string& path) {
    return PngDecoder(path).read();
}

std::vector<std::byte> png_bytes(const Image& image, PngDepth depth) {
    core::check_shape("image.rgb", image.rgb.size(), 1, 3 * image.pixels(), 1);
    const std::vector<std::uint8_t> stored = stored_values(image.rgb, depth);
    const int bits = depth == PngDepth::bits8 ? 8 : 16;
    Failure failure;
    std::vector<std::byte> bytes;
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &failure, on_error, on_warning);
    png_infop info = png == nullptr ? nullptr : png_create_info_struct(png);
    const bool is_written =
        info != nullptr && encode(png, info, image.width, image.height, bits, stored.data(), &bytes);
    png_destroy_write_struct(&png, &info);
    if (!is_written) throw core::Error(std::string("image: cannot write PNG: ") + failure.text);
    return bytes;
}

}  // namespace popflow::image
