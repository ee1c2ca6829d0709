// SPDX-License-Identifier: MIT
#include "problems/populations.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "core/error.hpp"
#include "core/random.hpp"
#include "core/text.hpp"
#include "screen/read_populations.hpp"

namespace popflow::problems {

namespace {

using linalg::Matrix;

// Values of the key `a` of Purpose::problems.
constexpr std::uint64_t cells_stream = 1;
constexpr std::uint64_t prototypes_stream = 2;
constexpr std::size_t max_iterations = 100;
// Maximum number of values of all cells that are read at a time, unless one population has more.
constexpr std::size_t group_values = std::size_t{1} << 26U;

// Makes each combination of the columns one experiment with one control population.
screen::ScreenOptions population_screen(const PopulationOptions& options) {
    screen::ScreenOptions screen = options.screen;
    screen.pair_by = options.columns;
    screen.pairs_by_any_column = true;
    for (const char* role :
         {"patient", "culture", "treatment", "concentration", "replicate", "plate", "cell_type", "vehicle"})
        screen.columns[role] = "";
    screen.all_are_controls = true;
    screen.need_pairs = false;
    return screen;
}

Matrix<float> drawn_cells(Matrix<float>&& all, const PopulationOptions& options, std::size_t index) {
    if (all.rows() <= options.max_cells) return std::move(all);
    std::vector<std::uint32_t> rows(options.max_cells);
    std::iota(rows.begin(), rows.end(), 0U);
    if (options.draws_randomly) {
        rows = core::Stream(options.seed, core::Purpose::problems, cells_stream, index)
                   .sample(all.rows(), options.max_cells);
        std::ranges::sort(rows);
    }
    Matrix<float> drawn(rows.size(), all.cols());
    for (std::size_t i = 0; i < rows.size(); ++i)
        std::ranges::copy(all.view().row_span(rows[i]), drawn.view().row(i));
    return drawn;
}

// Returns the populations from `first` on that are read at a time.
std::vector<std::size_t> next_group(const screen::Screen& screen, std::size_t first) {
    std::vector<std::size_t> group;
    std::size_t values = 0;
    for (std::size_t p = first; p < screen.populations.size(); ++p) {
        values += screen.populations[p].n_cells * screen.markers.size();
        if (!group.empty() && values > group_values) break;
        group.push_back(p);
    }
    return group;
}

double squared_distance(const float* x, const double* y, std::size_t d) {
    double sum = 0;
    for (std::size_t j = 0; j < d; ++j) {
        const double difference = static_cast<double>(x[j]) - y[j];
        sum += difference * difference;
    }
    return sum;
}

// k-means on the cells of all populations.
class KMeans {
  public:
    KMeans(const Populations& populations, std::size_t k, std::uint64_t seed);
    void run();
    const Matrix<double>& centres() const { return centres_; }
    const std::vector<std::uint32_t>& labels() const { return labels_; }

  private:
    void seed_centres(std::size_t k, core::Stream stream);
    bool assign();
    void update();

    std::size_t d_;
    std::vector<const float*> cells_;
    Matrix<double> centres_;
    std::vector<std::uint32_t> labels_;  // prototype of each cell
};

KMeans::KMeans(const Populations& populations, std::size_t k, std::uint64_t seed)
    : d_(populations.markers.size()) {
    for (const Matrix<float>& x : populations.cells) {
        for (std::size_t i = 0; i < x.rows(); ++i) cells_.push_back(x.view().row(i));
    }
    labels_.resize(cells_.size());
    seed_centres(k, core::Stream(seed, core::Purpose::problems, prototypes_stream));
}

// Draws each centre with a probability proportional to the squared distance from the centres before.
void KMeans::seed_centres(std::size_t k, core::Stream stream) {
    centres_ = Matrix<double>(k, d_);
    std::vector<double> nearest(cells_.size(), std::numeric_limits<double>::infinity());
    std::size_t chosen = stream.below(cells_.size());
    for (std::size_t c = 0; c < k; ++c) {
        std::copy_n(cells_[chosen], d_, centres_.view().row(c));
        if (c + 1 == k) break;
#pragma omp parallel for schedule(static)
        for (std::size_t i = 0; i < cells_.size(); ++i)
            nearest[i] = std::min(nearest[i], squared_distance(cells_[i], centres_.view().row(c), d_));
        const double total = std::accumulate(nearest.begin(), nearest.end(), 0.0);
        if (!(total > 0))
            throw core::ConfigError(
                "prototypes",
                fmt::format("is {}, but there are only {} different cells. Give a smaller number", k, c + 1));
        double left = stream.uniform() * total;
        chosen = 0;
        while (chosen + 1 < cells_.size() && (left -= nearest[chosen]) >= 0) ++chosen;
        while (nearest[chosen] == 0) chosen = (chosen + 1) % cells_.size();
    }
}

// Returns whether a cell changes its prototype.
bool KMeans::assign() {
    bool changes = false;
#pragma omp parallel for schedule(static) reduction(|| : changes)
    for (std::size_t i = 0; i < cells_.size(); ++i) {
        std::uint32_t best = 0;
        double lowest = std::numeric_limits<double>::infinity();
        for (std::size_t c = 0; c < centres_.rows(); ++c) {
            const double distance = squared_distance(cells_[i], centres_.view().row(c), d_);
            if (distance < lowest) {
                lowest = distance;
                best = static_cast<std::uint32_t>(c);
            }
        }
        changes = changes || labels_[i] != best;
        labels_[i] = best;
    }
    return changes;
}

void KMeans::update() {
    Matrix<double> sums(centres_.rows(), d_);
    std::vector<std::size_t> counts(centres_.rows());
    for (std::size_t i = 0; i < cells_.size(); ++i) {
        ++counts[labels_[i]];
        for (std::size_t j = 0; j < d_; ++j) sums(labels_[i], j) += static_cast<double>(cells_[i][j]);
    }
    for (std::size_t c = 0; c < centres_.rows(); ++c) {
        if (counts[c] == 0) continue;
        for (std::size_t j = 0; j < d_; ++j) centres_(c, j) = sums(c, j) / static_cast<double>(counts[c]);
    }
}

void KMeans::run() {
    assign();
    for (std::size_t step = 0; step < max_iterations; ++step) {
        update();
        if (!assign()) return;
    }
}

}  // namespace

Populations read_populations(const std::string& file, const PopulationOptions& options) {
    const screen::Screen screen = screen::open_screen(file, population_screen(options));
    Populations populations{.file = file,
                            .names = {},
                            .values = {},
                            .columns = options.columns,
                            .markers = screen.markers,
                            .n_cells = {},
                            .cells = {},
                            .fingerprint = screen.fingerprint,
                            .notes = {}};
    for (const screen::Dropped& dropped : screen.dropped) {
        if (dropped.n_cells == 0) continue;
        populations.notes.push_back(fmt::format("{}: {} left out: {}", dropped.what,
                                                core::counted(dropped.n_cells, "cell"), dropped.why));
    }
    for (std::size_t p = 0; p < screen.populations.size(); ++p) {
        const screen::Experiment& experiment = screen.experiments[screen.populations[p].experiment];
        populations.names.push_back(experiment.label);
        populations.values.push_back(experiment.values);
        populations.n_cells.push_back(screen.populations[p].n_cells);
    }
    for (std::size_t first = 0; first < screen.populations.size();) {
        const std::vector<std::size_t> group = next_group(screen, first);
        std::vector<screen::Cells> cells = screen::read_populations(screen, group);
        for (std::size_t k = 0; k < group.size(); ++k)
            populations.cells.push_back(drawn_cells(std::move(cells[k].x), options, group[k]));
        first += group.size();
    }
    return populations;
}

Prototypes find_prototypes(const Populations& populations, std::size_t k, std::uint64_t seed) {
    KMeans clusters(populations, k, seed);
    clusters.run();
    Prototypes prototypes{clusters.centres(), {}};
    std::size_t cell = 0;
    for (const Matrix<float>& x : populations.cells) {
        std::vector<double> counts(k);
        for (std::size_t i = 0; i < x.rows(); ++i) ++counts[clusters.labels()[cell++]];
        prototypes.histograms.push_back(ot::make_histogram(counts, "prototypes"));
    }
    return prototypes;
}

}  // namespace popflow::problems
