// SPDX-License-Identifier: MIT
#include "image/jpeg_file.hpp"

// jpeglib.h uses FILE and size_t without a header.
#include <cstddef>
#include <cstdio>

#include <jpeglib.h>

#include <jerror.h>

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>
#include <vector>

#include "core/error.hpp"
#include "core/memory.hpp"
#include "image/exif.hpp"
#include "image/image_file.hpp"

namespace popflow::image {

namespace {

// State of libjpeg's callbacks. The library's own struct is the first member, so that a pointer to it is one
// to this struct.
struct Errors {
    jpeg_error_mgr manager;
    std::jmp_buf jump;
    std::array<char, JMSG_LENGTH_MAX> text;
};

[[noreturn]] void on_error(j_common_ptr jpeg) {
    auto* errors = reinterpret_cast<Errors*>(jpeg->err);
    jpeg->err->format_message(jpeg, errors->text.data());
    std::longjmp(errors->jump, 1);
}

// libjpeg warns of damaged data and goes on with grey. Such a warning is an error here.
void on_message(j_common_ptr jpeg, int level) {
    const int code = jpeg->err->msg_code;
    const bool is_harmless =
        code == JWRN_EXTRANEOUS_DATA || code == JWRN_ADOBE_XFORM || code == JWRN_JFIF_MAJOR;
    if (level < 0 && !is_harmless) on_error(jpeg);
}

void print_nothing(j_common_ptr) {}

// A progressive file repeats all blocks in each scan. A small file with thousands of scans would take hours.
constexpr int max_scans = 1000;

void check_scans(j_common_ptr jpeg) {
    if (!jpeg->is_decompressor) return;
    if (reinterpret_cast<j_decompress_ptr>(jpeg)->input_scan_number <= max_scans) return;
    auto* errors = reinterpret_cast<Errors*>(jpeg->err);
    std::snprintf(errors->text.data(), errors->text.size(), "more than %d scans", max_scans);
    std::longjmp(errors->jump, 1);
}

// A JPEG file that is being decoded. Functions that call setjmp() have no objects with a destructor, because
// longjmp() does not run it.
class JpegDecoder {
  public:
    explicit JpegDecoder(const std::string& path)
        : path_(path), file_(open_binary(path)), file_bytes_(std::filesystem::file_size(path)) {
        jpeg_.err = jpeg_std_error(&errors_.manager);
        errors_.manager.error_exit = on_error;
        errors_.manager.emit_message = on_message;
        errors_.manager.output_message = print_nothing;
        progress_.progress_monitor = check_scans;
        try {
            if (!read_header()) fail("is no valid JPEG file");
            check();
        } catch (...) {
            jpeg_destroy_decompress(&jpeg_);
            throw;
        }
    }
    JpegDecoder(const JpegDecoder&) = delete;
    JpegDecoder& operator=(const JpegDecoder&) = delete;
    ~JpegDecoder() { jpeg_destroy_decompress(&jpeg_); }

    ImageHeader header() const {
        ImageHeader header{
            .width = jpeg_.image_width, .height = jpeg_.image_height, .is_cmyk = jpeg_.num_components == 4};
        if (swaps_sides(orientation_)) std::swap(header.width, header.height);
        return header;
    }

    Image read() {
        if (!start()) fail("is a damaged JPEG file");
        Image image{.width = jpeg_.output_width, .height = jpeg_.output_height, .rgb = {}};
        image.rgb.resize(3 * image.pixels());
        std::vector<unsigned char> row(image.width * static_cast<std::size_t>(jpeg_.output_components));
        for (std::size_t y = 0; y < image.height; ++y) {
            if (!read_row(row.data())) fail("is a damaged JPEG file");
            convert(row.data(), image.width, &image.rgb[3 * image.width * y]);
        }
        if (!finish()) fail("is a damaged JPEG file");
        return oriented(std::move(image), orientation_);
    }

  private:
    [[noreturn]] void fail(const char* problem) const {
        throw core::DataError(path_, "",
                              std::string(problem) + " (" + errors_.text.data() + "): get or write it again");
    }

    bool read_header() {
        if (setjmp(errors_.jump) != 0) return false;
        jpeg_create_decompress(&jpeg_);
        jpeg_.progress = &progress_;
        jpeg_stdio_src(&jpeg_, file_.get());
        jpeg_save_markers(&jpeg_, JPEG_APP0 + 1, 0xffff);
        jpeg_read_header(&jpeg_, TRUE);
        constexpr std::array<unsigned char, 6> exif{'E', 'x', 'i', 'f', 0, 0};
        for (const jpeg_marker_struct* marker = jpeg_.marker_list; marker != nullptr; marker = marker->next) {
            if (marker->data_length < exif.size() || std::memcmp(marker->data, exif.data(), exif.size()) != 0)
                continue;
            orientation_ = exif_orientation({marker->data + exif.size(), marker->data_length - exif.size()});
            break;
        }
        return true;
    }

    void check() {
        const int channels = jpeg_.num_components;
        if (channels != 1 && channels != 3 && channels != 4)
            throw core::DataError(path_, "",
                                  "found " + std::to_string(channels) +
                                      " channels. A picture has 1, 3 or 4: convert it to PNG");
        jpeg_.out_color_space = channels == 1 ? JCS_GRAYSCALE : channels == 3 ? JCS_RGB : JCS_CMYK;
        // A Huffman code has at least one bit, and each block of 64 values at least one code.
        std::uint64_t blocks = 0;
        for (int c = 0; c < channels; ++c) {
            const jpeg_component_info& component = jpeg_.comp_info[c];
            blocks += std::uint64_t{component.width_in_blocks} * component.height_in_blocks;
        }
        const std::uint64_t pixels = std::uint64_t{jpeg_.image_width} * jpeg_.image_height;
        const bool is_too_large = jpeg_.arith_code == FALSE && blocks > 8 * file_bytes_;
        // A progressive picture keeps its coefficients of two bytes, and a row of blocks is always kept.
        const auto decoded = static_cast<std::uint64_t>(channels) * 3;
        const std::uint64_t turned = orientation_ == 1 ? 0 : 3 * sizeof(float);
        const auto available = core::available_memory();
        check_size(path_, jpeg_.image_width, jpeg_.image_height, 3 * sizeof(float) + decoded + turned,
                   is_too_large ? 0 : pixels, available);
        if (available)
            jpeg_.mem->max_memory_to_use =
                static_cast<long>(std::min<std::uint64_t>(*available, std::numeric_limits<long>::max()));
    }

    bool start() {
        if (setjmp(errors_.jump) != 0) return false;
        jpeg_start_decompress(&jpeg_);
        return true;
    }
    bool read_row(unsigned char* row) {
        if (setjmp(errors_.jump) != 0) return false;
        return jpeg_read_scanlines(&jpeg_, &row, 1) == 1;
    }
    bool finish() {
        if (setjmp(errors_.jump) != 0) return false;
        return jpeg_finish_decompress(&jpeg_) == TRUE;
    }

    void convert(const unsigned char* row, std::size_t width, float* out) const {
        const auto channels = static_cast<std::size_t>(jpeg_.output_components);
        const bool is_inverted = jpeg_.saw_Adobe_marker == TRUE;
        for (std::size_t x = 0; x < width; ++x) {
            const unsigned char* pixel = row + channels * x;
            for (std::size_t c = 0; c < 3; ++c) {
                float value = static_cast<float>(pixel[channels == 1 ? 0 : c]) / 255;
                if (channels == 4) {
                    const float black = static_cast<float>(pixel[3]) / 255;
                    value = is_inverted ? value * black : (1 - value) * (1 - black);
                }
                *out++ = value;
            }
        }
    }

    const std::string& path_;
    FilePointer file_;
    std::uint64_t file_bytes_;
    Errors errors_{};
    jpeg_progress_mgr progress_{};
    jpeg_decompress_struct jpeg_{};
    Orientation orientation_ = 1;
};

}  // namespace

ImageHeader read_jpeg_header(const std::string& path) {
    return JpegDecoder(path).header();
}

Image read_jpeg(const std::string& path) {
    return JpegDecoder(path).read();
}

}  // namespace popflow::image
