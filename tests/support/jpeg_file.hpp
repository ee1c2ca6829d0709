// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

// jpeglib.h uses FILE and size_t without a header.
#include <jpeglib.h>

namespace popflow::support {

/// JPEG file of quality 100 without subsampling, in which one colour fills the image. So its decoded values
/// differ by at most 2 from the stored ones.
struct JpegFile {
    unsigned width = 16;
    unsigned height = 8;
    std::string colour{};  ///< bytes of a pixel: grey, red green blue, or four inks
    bool is_progressive = false;
    bool has_adobe_marker = false;  ///< only for four inks
    std::string exif{};             ///< exif_bytes(), may be empty

    std::string bytes() const {
        jpeg_compress_struct jpeg{};
        jpeg_error_mgr errors{};
        jpeg.err = jpeg_std_error(&errors);
        jpeg_create_compress(&jpeg);
        unsigned char* buffer = nullptr;
        unsigned long size = 0;
        jpeg_mem_dest(&jpeg, &buffer, &size);
        jpeg.image_width = width;
        jpeg.image_height = height;
        jpeg.input_components = static_cast<int>(colour.size());
        jpeg.in_color_space = colour.size() == 1 ? JCS_GRAYSCALE : colour.size() == 3 ? JCS_RGB : JCS_CMYK;
        jpeg_set_defaults(&jpeg);
        jpeg_set_quality(&jpeg, 100, TRUE);
        jpeg.comp_info[0].h_samp_factor = 1;
        jpeg.comp_info[0].v_samp_factor = 1;
        if (colour.size() == 4) jpeg.write_Adobe_marker = has_adobe_marker ? TRUE : FALSE;
        if (is_progressive) jpeg_simple_progression(&jpeg);
        jpeg_start_compress(&jpeg, TRUE);
        if (!exif.empty()) {
            const std::string marker = std::string("Exif\0\0", 6) + exif;
            jpeg_write_marker(&jpeg, JPEG_APP0 + 1, reinterpret_cast<const JOCTET*>(marker.data()),
                              static_cast<unsigned>(marker.size()));
        }
        std::string row;
        for (unsigned x = 0; x < width; ++x) row += colour;
        for (unsigned y = 0; y < height; ++y) {
            auto* line = reinterpret_cast<JSAMPROW>(row.data());
            jpeg_write_scanlines(&jpeg, &line, 1);
        }
        jpeg_finish_compress(&jpeg);
        jpeg_destroy_compress(&jpeg);
        std::string result(reinterpret_cast<const char*>(buffer), size);
        std::free(buffer);
        return result;
    }
};

}  // namespace popflow::support
