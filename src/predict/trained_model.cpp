// SPDX-License-Identifier: MIT
#include "predict/trained_model.hpp"

#include <algorithm>
#include <numeric>
#include <set>

#include "core/text.hpp"
#include "screen/read_populations.hpp"
#include "screen/screen_draft.hpp"

namespace popflow::predict {

using linalg::ConstMatrixView;
using linalg::Matrix;
using linalg::MatrixView;

namespace {

void copy_cells(ConstMatrixView<float> from, MatrixView<float> to) {
    for (std::size_t i = 0; i < from.rows; ++i) std::copy_n(from.row(i), from.cols, to.row(i));
}

Matrix<float> copy_of(ConstMatrixView<float> x) {
    Matrix<float> copy(x.rows, x.cols);
    copy_cells(x, copy);
    return copy;
}

}  // namespace

core::Stream pair_stream(std::uint64_t seed, std::size_t pair, DrawRole role) {
    return {seed, core::Purpose::evaluation, pair, static_cast<std::uint64_t>(role)};
}

core::Stream control_stream(std::uint64_t seed, const screen::Screen& screen, std::size_t control,
                            DrawRole role) {
    const std::uint64_t name = screen::digest_text(0, screen::population_label(screen, control));
    return {seed, core::Purpose::evaluation, name, static_cast<std::uint64_t>(role)};
}

screen::Cells take_rows(const screen::Cells& cells, std::span<const std::uint32_t> rows) {
    screen::Cells out{linalg::Matrix<float>(rows.size(), cells.x.cols()), {}};
    for (std::size_t i = 0; i < rows.size(); ++i) {
        std::copy_n(cells.x.view().row(rows[i]), cells.x.cols(), out.x.view().row(i));
        out.cell_type.push_back(cells.cell_type[rows[i]]);
    }
    return out;
}

std::vector<std::uint32_t> draw_rows(std::size_t n, std::size_t max_rows, Draw draw, core::Stream stream) {
    if (draw == Draw::random) {
        std::vector<std::uint32_t> rows = stream.sample(n, std::min(n, max_rows));
        std::ranges::sort(rows);
        return rows;
    }
    std::vector<std::uint32_t> rows(std::min(n, max_rows));
    std::iota(rows.begin(), rows.end(), 0U);
    return rows;
}

std::optional<std::uint8_t> cell_type_number(const std::vector<std::string>& trained_types,
                                             const std::string& label) {
    const auto at = std::ranges::find(trained_types, label);
    if (at == trained_types.end()) return std::nullopt;
    return static_cast<std::uint8_t>(at - trained_types.begin());
}

ScreenReader::ScreenReader(const screen::Screen& screen, const screen::Normalisation& normalisation,
                           const screen::LatentSpace* latent, const std::vector<std::string>& cell_types)
    : screen_(screen), normalisation_(normalisation), latent_(latent), type_(screen.cell_types.size(), 0) {
    if (cell_types.size() < 2) return;
    for (std::size_t k = 0; k < type_.size(); ++k) {
        type_[k] = cell_type_number(cell_types, screen.cell_types[k]).value_or(models::unknown_cell_type);
    }
}

std::string unknown_types_note(const screen::Screen& screen, const std::vector<std::string>& trained_types) {
    if (trained_types.size() < 2) return "";
    std::set<std::string> unknown;
    for (const screen::Population& population : screen.populations) {
        if (!population.control) continue;
        for (const std::uint8_t type : population.cell_types) {
            const std::string& label = screen.cell_types[type];
            if (!cell_type_number(trained_types, label)) unknown.insert(label);
        }
    }
    if (unknown.empty()) return "";
    if (unknown.size() == 1 && unknown.begin()->empty())
        return "controls have cells without a cell type, which the run was trained with. The encoder gets "
               "zeros "
               "instead of the type";
    return "controls have cells of types that the run was not trained on, for which the encoder gets zeros "
           "instead of the type: " +
           core::joined({unknown.begin(), unknown.end()}) + ". The run knows " + core::joined(trained_types);
}

std::vector<screen::Cells> ScreenReader::read(std::span<const std::size_t> populations,
                                              std::vector<std::vector<std::uint64_t>>* rows) const {
    std::vector<screen::Cells> cells = read_markers(populations, rows);
    for (screen::Cells& c : cells) c = screen::encoded(latent_, std::move(c));
    return cells;
}

std::vector<screen::Cells> ScreenReader::read_markers(std::span<const std::size_t> populations,
                                                      std::vector<std::vector<std::uint64_t>>* rows) const {
    std::vector<screen::Cells> cells = screen::read_populations(screen_, populations, rows);
    for (screen::Cells& c : cells) {
        normalisation_.apply(c.x.view());
        for (std::uint8_t& type : c.cell_type) type = type_[type];
    }
    return cells;
}

std::vector<float> population_context(const TrainedModel& trained, const screen::Cells& control) {
    return trained.model.context(trained.values, control.x.view(), control.cell_type);
}

PopulationInput population_input(const TrainedModel& trained, const screen::Cells& control) {
    PopulationInput input{.embedding = population_context(trained, control), .means = {}};
    if (trained.moment_map != nullptr) {
        input.means = trained.moment_map->context(trained.moment_map_values, control.x.view(), {});
    } else {
        const screen::Moments moments = screen::moments(control.x.view());
        std::ranges::transform(moments.mean, std::back_inserter(input.means),
                               [](double mean) { return static_cast<float>(mean); });
    }
    input.distance = models::relative_distance(trained.start_statistics(), input.means);
    return input;
}

void move_by_map(models::StartKind kind, const TrainedModel& trained, const PopulationInput& population,
                 const screen::Population& treated, MatrixView<float> x) {
    if (kind == models::StartKind::none) return;
    const auto known = trained.conditions.index(treated);
    if (!known && trained.moment_map == nullptr)
        throw core::Error("start: there is no mean shift of " + treated.treatment);
    const std::size_t row = known ? *known
                                  : trained.moment_map->condition_row(trained.moment_map_values,
                                                                      trained.conditions.encode(treated));
    models::apply_change(models::start_change(kind, trained.start_statistics(), population.means, row),
                         population.means, x);
}

void shrink(ConstMatrixView<float> target, double factor, MatrixView<float> x) {
    const auto f = static_cast<float>(factor);
    for (std::size_t i = 0; i < x.rows; ++i) {
        for (std::size_t j = 0; j < x.cols; ++j) x(i, j) = target(i, j) + f * (x(i, j) - target(i, j));
    }
}

ode::Statistics transport_cells(const TrainedModel& trained, const PopulationInput& population,
                                const screen::Population& treated, const ode::Options& solver,
                                core::Stream& noise, MatrixView<float> x,
                                const ode::Snapshots<float>& snapshots) {
    const std::vector<float> condition = trained.conditions.encode(treated);
    if (trained.model.base() == models::Base::gaussian) {
        for (std::size_t i = 0; i < x.rows; ++i) noise.fill_normal(x.row_span(i));
    }
    const auto move = [&] {
        return trained.model.trajectory(trained.values, population.embedding, condition, solver, x,
                                        snapshots);
    };
    if (trained.start.is_trivial()) return move();

    const Matrix<float> control = copy_of(x);
    Matrix<float> target = control;
    move_by_map(trained.start.target_kind(), trained, population, treated, target.view());
    Matrix<float> start = control;
    move_by_map(trained.start.kind, trained, population, treated, start.view());
    copy_cells(start, x);
    const double factor = trained.start.factor(population.distance);
    ode::Statistics work;
    if (factor > 0) {
        work = move();
    } else {
        for (const MatrixView<float>& snapshot : snapshots.x) copy_cells(start, snapshot);
    }
    shrink(target, factor, x);
    for (std::size_t t = 0; t < snapshots.x.size(); ++t) {
        const MatrixView<float> at = snapshots.x[t];
        const auto time = static_cast<float>(snapshots.times[t]);
        Matrix<float> line = control;
        for (std::size_t i = 0; i < at.rows; ++i) {
            for (std::size_t j = 0; j < at.cols; ++j) {
                at(i, j) += (1 - time) * (control(i, j) - start(i, j));
                line(i, j) += time * (target(i, j) - control(i, j));
            }
        }
        shrink(line, factor, at);
    }
    return work;
}

}  // namespace popflow::predict
