// SPDX-License-Identifier: MIT
#include "report/image_results.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <unordered_map>
#include <utility>

#include "core/error.hpp"
#include "core/parallel_for.hpp"
#include "core/random.hpp"
#include "image/population_images.hpp"
#include "linalg/matrix.hpp"
#include "metrics/population_distance.hpp"
#include "metrics/wasserstein.hpp"
#include "predict/map_predictor.hpp"
#include "predict/trained_model.hpp"
#include "report/plot/image_grid.hpp"
#include "screen/read_populations.hpp"

namespace popflow::report {

namespace {

using image::PopulationImages;
using linalg::Matrix;

constexpr std::size_t npos = static_cast<std::size_t>(-1);
// Key `a` of core::Purpose::problems for the scored pixels, `b` is the number of the image.
constexpr std::uint64_t pixel_stream = 8;
// Maximum number of images in a line of a row, as many as the page is wide.
constexpr std::size_t max_images = 7;

// Image of a population of the data, with the number of the images that the population has.
struct FoundImage {
    std::size_t image = npos;
    std::size_t of = 0;
};

// Images of a data file by label, row and population.
class DataImages {
  public:
    explicit DataImages(const screen::Screen& data)
        : data_(data), images_(data.file, data.options.source, {image::image_column}), image_of_(data.n_obs) {
        for (std::size_t i = 0; i < images_.size(); ++i) {
            index_[images_.label(i)] = i;
            for (const std::uint64_t row : images_.rows(i)) image_of_[row] = i;
        }
        for (std::size_t p = 0; p < data.populations.size(); ++p)
            population_[predict::map_population_name(data, p)] = p;
    }

    const PopulationImages& images() const { return images_; }
    std::size_t find(const std::string& label) const {
        const auto at = index_.find(label);
        return at == index_.end() ? npos : at->second;
    }
    // Returns the first image of the population with a name.
    FoundImage of_name(const std::string& name) {
        const auto at = population_.find(name);
        return at == population_.end() ? FoundImage{} : of_population(at->second);
    }
    // Returns the true image of a treatment: that of the experiment of a source image, if it is one.
    FoundImage of_treatment(std::size_t source, const std::string& treatment,
                            const std::string& concentration) {
        const std::size_t control = population_of(source);
        if (control == npos) return {};
        std::vector<std::size_t> treated;
        for (const std::size_t p : data_.experiments[data_.populations[control].experiment].populations) {
            if (data_.populations[p].treatment == treatment) treated.push_back(p);
        }
        if (treated.size() > 1 && !concentration.empty())
            std::erase_if(treated,
                          [&](std::size_t p) { return data_.populations[p].concentration != concentration; });
        if (treated.size() != 1) return {};
        const FoundImage found = of_population(treated.front());
        return found.of == 1 ? found : FoundImage{};
    }

  private:
    // Returns the images of a population, in the order of their first rows.
    const std::vector<std::size_t>& images_of(std::size_t population) {
        const auto [at, is_new] = images_of_.try_emplace(population);
        if (is_new) {
            std::vector<std::vector<std::uint64_t>> rows;
            screen::read_populations(data_, std::span(&population, 1), &rows);
            std::set<std::size_t> seen;
            for (const std::uint64_t row : rows.front()) {
                if (seen.insert(image_of_[row]).second) at->second.push_back(image_of_[row]);
            }
        }
        return at->second;
    }
    FoundImage of_population(std::size_t population) {
        const std::vector<std::size_t>& images = images_of(population);
        return {images.front(), images.size()};
    }
    std::size_t population_of(std::size_t image) {
        const std::uint64_t row = images_.rows(image).front();
        for (std::size_t p = 0; p < data_.populations.size(); ++p) {
            const screen::Population& population = data_.populations[p];
            if (row < population.first_row || row >= population.end_row) continue;
            const std::vector<std::size_t>& images = images_of(p);
            if (std::ranges::find(images, image) != images.end()) return p;
        }
        return npos;
    }

    const screen::Screen& data_;
    PopulationImages images_;
    std::vector<std::size_t> image_of_;                          // image of each row of the file
    std::unordered_map<std::string, std::size_t> index_;         // images by label
    std::map<std::string, std::size_t> population_;              // populations by name
    std::map<std::size_t, std::vector<std::size_t>> images_of_;  // images by population, as far as needed
};

// Pixels of a predicted image and of the images that it is compared with. The target may be empty.
struct ScoredPixels {
    Matrix<float> result;
    Matrix<float> source;
    Matrix<float> target;
};

Matrix<float> drawn_pixels(const image::Image& image, std::size_t max_cells, std::uint64_t key) {
    const auto rows = predict::draw_rows(image.pixels(), max_cells, predict::Draw::random,
                                         core::Stream(0, core::Purpose::problems, pixel_stream, key));
    Matrix<float> pixels(rows.size(), 3);
    for (std::size_t i = 0; i < rows.size(); ++i)
        std::copy_n(image.rgb.begin() + 3 * static_cast<std::ptrdiff_t>(rows[i]), 3, pixels.view().row(i));
    return pixels;
}

double energy_distance(const Matrix<float>& a, const Matrix<float>& b) {
    constexpr auto energy = metrics::PopulationDistance::energy;
    return metrics::population_distance(energy, metrics::compared_population(energy, a.view()),
                                        metrics::compared_population(energy, b.view()));
}

void score(const ScoredPixels& pixels, ImageScore& score) {
    score.scored = pixels.result.rows();
    if (pixels.target.rows() == 0) return;
    score.energy = energy_distance(pixels.result, pixels.target);
    score.w2 = metrics::wasserstein2(pixels.result.view(), pixels.target.view());
    score.source_energy = energy_distance(pixels.source, pixels.target);
    score.source_w2 = metrics::wasserstein2(pixels.source.view(), pixels.target.view());
}

plot::GridImage shown(const std::string& title, const image::Image& image) {
    return {title, image.width, image.height, image.rgb};
}

// Breaks a row into lines. The first has the title, the source and three results beside their truths, and the
// others have three results.
std::vector<plot::ImageRow> lines_of(plot::ImageRow row) {
    std::vector<plot::ImageRow> lines{{.title = row.title}};
    for (plot::GridImage& image : row.images) {
        if (lines.back().images.size() == (lines.size() == 1 ? max_images : max_images - 1))
            lines.emplace_back();
        lines.back().images.push_back(std::move(image));
    }
    return lines;
}

// Reads, draws and scores the images of a file.
class Reader {
  public:
    Reader(const std::string& file, const predict::PredictionOrigin& origin, const screen::Screen& data,
           const ImageOptions& options)
        : is_map_(origin.source_column == predict::map_problem_column),
          options_(options),
          data_(data),
          predicted_(file, {}, columns(origin.source_column)) {
        results_.file = file;
        results_.provenance = origin.provenance;
    }

    ImageResults read() {
        // Results of one source image follow each other in a row. Those of a map are rows of their own.
        std::map<std::string, std::vector<std::size_t>> by_row;
        std::vector<std::string> order;
        for (std::size_t i = 0; i < predicted_.size(); ++i) {
            std::string key = label(i, Column::image);
            key += '\0' + label(i, Column::problem);
            if (by_row[key].empty()) order.push_back(key);
            by_row[key].push_back(i);
        }
        for (const std::string& key : order) read_row(by_row[key]);
        core::parallel_for(pixels_.size(), [&](std::size_t k) { score(pixels_[k], results_.scores[k]); });
        return std::move(results_);
    }

  private:
    // Positions of the columns that tell the images apart.
    enum class Column : std::uint8_t { image, problem, target, source_or_concentration };

    std::vector<std::string> columns(const std::string& source_column) const {
        if (is_map_)
            return {image::image_column, source_column, predict::map_target_column,
                    predict::map_source_column};
        return {image::image_column, source_column, predict::predicted_treatment_column,
                predict::predicted_concentration_column};
    }
    const std::string& label(std::size_t i, Column column) const {
        return predicted_.labels(i).at(static_cast<std::size_t>(column));
    }
    std::string target_name(std::size_t i) const {
        const std::string& target = label(i, Column::target);
        if (is_map_) return target;
        return screen::condition_name(target, label(i, Column::source_or_concentration));
    }

    // Returns `PROBLEM: SOURCE to TARGET`. Omits a problem that has no name of its own.
    std::string row_label(std::size_t i) const {
        if (!is_map_) return label(i, Column::image) + " to " + target_name(i);
        const std::string& problem = label(i, Column::problem);
        const std::string& source = label(i, Column::source_or_concentration);
        const std::string& target = label(i, Column::target);
        return problem == source + " -> " + target ? problem : problem + ": " + source + " to " + target;
    }

    void read_row(const std::vector<std::size_t>& members) {
        const std::string& source_label = label(members.front(), Column::image);
        const std::size_t source = data_.find(source_label);
        if (source == npos)
            throw core::DataError(
                data_.images().file(), "obs/" + std::string(image::image_column),
                "has no image '" + source_label + "', which " + results_.file +
                    " was predicted from. Give the data file of the prediction with --data");
        const image::Image source_image = data_.images().read(source);
        const Matrix<float> source_pixels = drawn_pixels(source_image, options_.max_cells, source);
        const std::string& problem = label(members.front(), Column::problem);
        plot::ImageRow row{.title = is_map_ ? row_label(members.front()) : problem};
        row.images.push_back(shown("source: " + source_label, source_image));
        for (const std::size_t i : members) {
            const FoundImage target = is_map_ ? data_.of_name(label(i, Column::target))
                                              : data_.of_treatment(source, label(i, Column::target),
                                                                   label(i, Column::source_or_concentration));
            const image::Image result = predicted_.read(i);
            const std::string name = target_name(i);
            if (!is_map_) row.images.push_back(shown(name, result));
            ScoredPixels pixels{.result = drawn_pixels(result, options_.max_cells, source),
                                .source = source_pixels,
                                .target = {}};
            if (target.image != npos) {
                const image::Image target_image = data_.images().read(target.image);
                pixels.target = drawn_pixels(target_image, options_.max_cells, target.image);
                const std::string which = target.of > 1 ? fmt::format(" 1 of {}", target.of) : "";
                row.images.push_back(shown(
                    is_map_ ? "target" + which + ": " + data_.images().label(target.image) : name + ", true",
                    target_image));
            }
            if (is_map_) row.images.push_back(shown("result", result));
            const auto outside =
                std::ranges::count_if(result.rgb, [](float v) { return !(v >= 0 && v <= 1); });
            results_.scores.push_back(
                {.label = row_label(i),
                 .problem = problem,
                 .source = source_label,
                 .target = name,
                 .pixels = result.pixels(),
                 .outside = static_cast<double>(outside) / static_cast<double>(result.rgb.size())});
            pixels_.push_back(std::move(pixels));
        }
        if (!options_.draws) return;
        const std::string text = "Images of " + row.title;
        results_.rows.push_back(plot::image_grid(text, lines_of(std::move(row))));
    }

    bool is_map_;
    ImageOptions options_;
    DataImages data_;
    PopulationImages predicted_;
    ImageResults results_;
    std::vector<ScoredPixels> pixels_;  // one per score
};

}  // namespace

void check_images(const std::string& file, const predict::PredictionOrigin& origin) {
    if (const std::string missing = image::missing_pixels(file, {}); !missing.empty())
        throw core::DataError(
            file, "",
            "found " + missing +
                ". A report of a prediction shows images, whose pixels have the markers red, "
                "green and blue and the columns image, x, y, width and height. Compare other "
                "predicted cells with popflow metrics");
    if (origin.source_column.empty())
        throw core::DataError(file, "uns/popflow",
                              "has generated populations, which have no sources to show. Give a prediction "
                              "of popflow predict from the cells of a data file");
    predict::check_colours(file, origin);
}

ImageResults read_image_results(const std::string& file, const predict::PredictionOrigin& origin,
                                const screen::Screen& data, const ImageOptions& options) {
    return Reader(file, origin, data, options).read();
}

}  // namespace popflow::report
