// SPDX-License-Identifier: MIT
#include "report/figure_file.hpp"

#include "core/error.hpp"

#ifdef POPFLOW_HAS_RSVG
#include <cairo-pdf.h>
#include <dlfcn.h>
#include <librsvg/rsvg.h>

#include <cmath>
#include <memory>
#endif

namespace popflow::report {

namespace {

[[noreturn]] void refuse(const std::string& why) {
    throw core::ConfigError("figure-format", why + ". Use --figure-format svg");
}

#ifdef POPFLOW_HAS_RSVG

// Functions of librsvg and of the libraries that it is linked to. They are loaded on the first use, so that
// other verbs do not load some forty libraries at their start.
class Renderer {
  public:
    static const Renderer& get() {
        static const Renderer renderer;
        return renderer;
    }

    std::string convert(const std::string& svg, FigureFormat format) const {
        GError* error = nullptr;
        // cppcheck-suppress danglingTempReference  // the deleter is a member
        const std::unique_ptr<RsvgHandle, decltype(unref)> handle(
            new_from_data(reinterpret_cast<const guint8*>(svg.data()), svg.size(), &error), unref);
        if (!handle) fail(error);
        double width = 0;
        double height = 0;
        if (intrinsic_size(handle.get(), &width, &height) == 0)
            throw core::Error("figure: the drawing has no size");
        std::string bytes;
        const double scale = format == FigureFormat::pdf ? 72.0 / 96 : 300.0 / 96;
        cairo_surface_t* surface =
            format == FigureFormat::pdf
                ? pdf_surface(append, &bytes, width * scale, height * scale)
                : image_surface(CAIRO_FORMAT_RGB24, static_cast<int>(std::ceil(width * scale)),
                                static_cast<int>(std::ceil(height * scale)));
        // cppcheck-suppress danglingTempReference  // the deleter is a member
        const std::unique_ptr<cairo_surface_t, decltype(destroy_surface)> owned(surface, destroy_surface);
        // cppcheck-suppress danglingTempReference  // the deleter is a member
        const std::unique_ptr<cairo_t, decltype(destroy)> context(create(surface), destroy);
        set_colour(context.get(), 1, 1, 1);
        paint(context.get());
        const RsvgRectangle viewport{0, 0, width * scale, height * scale};
        if (render(handle.get(), context.get(), &viewport, &error) == 0) fail(error);
        if (format == FigureFormat::png && write_png(surface, append, &bytes) != CAIRO_STATUS_SUCCESS)
            throw core::Error("figure: the picture could not be compressed");
        finish(surface);
        if (const cairo_status_t status = surface_status(surface); status != CAIRO_STATUS_SUCCESS)
            throw core::Error(std::string("figure: ") + status_text(status));
        return bytes;
    }

  private:
    Renderer() {
        if (library_ == nullptr) {
            refuse(std::string("PDF and PNG need the library librsvg (package librsvg2-2), which cannot be "
                               "loaded: ") +
                   ::dlerror());
        }
    }

    static cairo_status_t append(void* bytes, const unsigned char* data, unsigned int size) {
        static_cast<std::string*>(bytes)->append(reinterpret_cast<const char*>(data), size);
        return CAIRO_STATUS_SUCCESS;
    }
    [[noreturn]] void fail(GError* error) const {
        const std::string message = error == nullptr ? "unknown error" : error->message;
        if (error != nullptr) free_error(error);
        throw core::Error("figure: " + message);
    }
    template <class Function>
    Function* load(const char* name) const {
        void* address = library_ == nullptr ? nullptr : ::dlsym(library_, name);
        if (library_ != nullptr && address == nullptr)
            refuse(std::string("PDF and PNG need a newer librsvg: it has no ") + name);
        return reinterpret_cast<Function*>(address);
    }

    void* library_ = ::dlopen("librsvg-2.so.2", RTLD_NOW | RTLD_LOCAL);
    decltype(&rsvg_handle_new_from_data) new_from_data =
        load<decltype(rsvg_handle_new_from_data)>("rsvg_handle_new_from_data");
    decltype(&rsvg_handle_get_intrinsic_size_in_pixels) intrinsic_size =
        load<decltype(rsvg_handle_get_intrinsic_size_in_pixels)>("rsvg_handle_get_intrinsic_size_in_pixels");
    decltype(&rsvg_handle_render_document) render =
        load<decltype(rsvg_handle_render_document)>("rsvg_handle_render_document");
    decltype(&g_object_unref) unref = load<decltype(g_object_unref)>("g_object_unref");
    decltype(&g_error_free) free_error = load<decltype(g_error_free)>("g_error_free");
    decltype(&cairo_pdf_surface_create_for_stream) pdf_surface =
        load<decltype(cairo_pdf_surface_create_for_stream)>("cairo_pdf_surface_create_for_stream");
    decltype(&cairo_image_surface_create) image_surface =
        load<decltype(cairo_image_surface_create)>("cairo_image_surface_create");
    decltype(&cairo_surface_write_to_png_stream) write_png =
        load<decltype(cairo_surface_write_to_png_stream)>("cairo_surface_write_to_png_stream");
    decltype(&cairo_create) create = load<decltype(cairo_create)>("cairo_create");
    decltype(&cairo_destroy) destroy = load<decltype(cairo_destroy)>("cairo_destroy");
    decltype(&cairo_set_source_rgb) set_colour = load<decltype(cairo_set_source_rgb)>("cairo_set_source_rgb");
    decltype(&cairo_paint) paint = load<decltype(cairo_paint)>("cairo_paint");
    decltype(&cairo_surface_finish) finish = load<decltype(cairo_surface_finish)>("cairo_surface_finish");
    decltype(&cairo_surface_destroy) destroy_surface =
        load<decltype(cairo_surface_destroy)>("cairo_surface_destroy");
    decltype(&cairo_surface_status) surface_status =
        load<decltype(cairo_surface_status)>("cairo_surface_status");
    decltype(&cairo_status_to_string) status_text =
        load<decltype(cairo_status_to_string)>("cairo_status_to_string");
};

#endif

}  // namespace

const std::vector<std::string>& figure_format_names() {
    static const std::vector<std::string> names{"svg", "pdf", "png"};
    return names;
}

void check_figure_format(FigureFormat format) {
    if (format == FigureFormat::svg) return;
#ifdef POPFLOW_HAS_RSVG
    (void)Renderer::get();
#else
    refuse(
        "PDF and PNG need librsvg, without which this popflow was built. Install librsvg2-dev and build "
        "again, or "
        "convert the SVG files with rsvg-convert or Inkscape");
#endif
}

std::string convert_figure(const std::string& svg, FigureFormat format) {
    if (format == FigureFormat::svg) return svg;
    check_figure_format(format);
#ifdef POPFLOW_HAS_RSVG
    return Renderer::get().convert(svg, format);
#else
    return {};
#endif
}

}  // namespace popflow::report
