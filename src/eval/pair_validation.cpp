// SPDX-License-Identifier: MIT
#include "eval/pair_validation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "core/error.hpp"
#include "core/parallel_for.hpp"
#include "core/random.hpp"
#include "eval/simple_models.hpp"
#include "metrics/metric.hpp"
#include "mpi/run_collectively.hpp"

namespace popflow::eval {

namespace {

// Estimate of the velocity evaluations that the solver needs for a cell at the tolerance of a validation.
constexpr std::uint64_t evaluations_per_cell = 48;
// Work of a cell of a model without ODE solver: its map and the backward pass through a potential.
constexpr std::uint64_t evaluations_of_a_map = 3;
// Maximum number of cells that a fixed context is computed from, as in an evaluation by default. It costs no
// evaluation of the network.
constexpr std::size_t fixed_context_cells = 5000;
// Minimum number of cells of a pair. With less work than that, the sample has fewer pairs.
constexpr std::size_t min_cells = 16;
// Last parts of the stream keys of spread_over_units(). See also screen::hold_out_units().
constexpr std::uint64_t unit_order = 2;
constexpr std::uint64_t pair_order = 3;

metrics::Scores score(const linalg::Matrix<float>& predicted, const linalg::Matrix<float>& target,
                      bool with_w2) {
    metrics::Selection selected = metrics::select_metrics(std::vector<std::string>{"energy"});
    selected.w2 = with_w2;
    return metrics::score(predicted.view(), target.view(), selected);
}

const models::CellTransport& require_transport(const models::Model& model) {
    if (const models::CellTransport* transport = model.cell_transport()) return *transport;
    throw core::Error("validation: the model does not predict treated cells");
}

// Returns whether a network computes the context of a population from its cells.
bool has_learned_context(const models::CellTransport& model) {
    return model.context_size() > 0 && !model.has_fixed_context();
}

}  // namespace

ValidationSize validation_size(std::size_t available, std::size_t context_cells,
                               std::optional<std::uint64_t> work) {
    const std::size_t max_pairs = std::min(available, max_validation_pairs);
    if (!work) return {max_pairs, max_validation_cells};
    for (std::size_t pairs = max_pairs;; --pairs) {
        const std::uint64_t each = *work / pairs;
        const std::uint64_t cells =
            (each - std::min<std::uint64_t>(each, context_cells)) / evaluations_per_cell;
        if (cells < min_cells && pairs > 1) continue;
        return {pairs, static_cast<std::size_t>(std::clamp<std::uint64_t>(cells, 2, max_validation_cells))};
    }
}

std::vector<std::size_t> spread_over_units(std::span<const std::size_t> pairs,
                                           std::span<const std::size_t> units, std::uint64_t seed) {
    std::map<std::size_t, std::vector<std::size_t>> by_unit;
    for (const std::size_t pair : pairs) by_unit[units[pair]].push_back(pair);
    std::vector<std::vector<std::size_t>> shuffled;
    for (const auto& [unit, own] : by_unit) {
        core::Stream stream(seed, core::Purpose::split, unit, pair_order);
        std::vector<std::size_t> order;
        for (const std::uint32_t k : stream.permutation(own.size())) order.push_back(own[k]);
        shuffled.push_back(std::move(order));
    }
    core::Stream stream(seed, core::Purpose::split, 0, unit_order);
    const std::vector<std::uint32_t> order = stream.permutation(shuffled.size());
    std::vector<std::size_t> spread;
    for (std::size_t round = 0; spread.size() < pairs.size(); ++round) {
        for (const std::uint32_t u : order) {
            if (round < shuffled[u].size()) spread.push_back(shuffled[u][round]);
        }
    }
    return spread;
}

PairValidation::PairValidation(const screen::Screen& screen, const train::TrainingSet& set,
                               PairValidationOptions options, const mpi::Communicator& comm)
    : screen_(screen),
      set_(set),
      options_(std::move(options)),
      comm_(comm),
      moment_map_(models::make_moment_map_baseline(set.shape())) {}

const screen::Population& PairValidation::treated(std::size_t pair) const {
    return screen_.populations[screen_.pairs[pair].treated];
}

std::size_t PairValidation::cells_of(std::size_t pair, std::size_t max_cells) const {
    return std::min(
        {max_cells, screen_.populations[screen_.pairs[pair].control].n_cells, treated(pair).n_cells});
}

std::size_t PairValidation::total_cells(std::span<const std::size_t> pairs, std::size_t max_cells) const {
    return std::accumulate(
        pairs.begin(), pairs.end(), std::size_t{0},
        [&](std::size_t sum, std::size_t pair) { return sum + cells_of(pair, max_cells); });
}

// Returns the pairs that the model can predict, in the order of spread_over_units().
// @param problem  set to why there is none
std::vector<std::size_t> PairValidation::usable_pairs(const models::CellTransport& model,
                                                      std::string& problem) const {
    std::vector<std::size_t> usable;
    bool is_known = false;
    for (const std::size_t pair : options_.pairs) {
        if (!set_.conditions().can_encode(treated(pair).treatment)) continue;
        is_known = true;
        if (screen_.populations[screen_.pairs[pair].control].n_cells > model.neighbours())
            usable.push_back(pair);
    }
    if (usable.empty() && !is_known)
        problem = "no validation pair has a treatment that a training pair has";
    else if (usable.empty())
        problem = fmt::format("no validation pair has more control cells than the {} neighbours of --knn",
                              model.neighbours());
    return spread_over_units(usable, options_.units, options_.seed);
}

// Returns the size that the sample of an earlier part of the training had.
ValidationSize PairValidation::stored_size(std::span<const std::size_t> pairs,
                                           const train::ValidationRow& row) const {
    ValidationSize size{.pairs = std::min<std::size_t>(row.pairs, pairs.size()), .cells = 1};
    while (size.cells < max_validation_cells && total_cells(pairs.first(size.pairs), size.cells) < row.cells)
        ++size.cells;
    if (size.pairs == row.pairs && total_cells(pairs.first(size.pairs), size.cells) == row.cells) return size;
    throw core::DataError(screen_.file, "",
                          fmt::format("the validation of this training scored {} pairs with {} cells, which "
                                      "these data do not give. Use the same data, or another --output",
                                      row.pairs, row.cells));
}

std::string PairValidation::prepare(const models::Model& model, std::span<const train::ValidationRow> rows) {
    const models::CellTransport& transport = require_transport(model);
    std::string problem;
    const std::vector<std::size_t> usable = usable_pairs(transport, problem);
    if (!problem.empty()) return problem;
    const std::size_t context = has_learned_context(transport) ? options_.context_cells : 0;
    const ValidationSize size = rows.empty() ? validation_size(usable.size(), context, options_.work)
                                             : stored_size(usable, rows.back());
    const std::span<const std::size_t> pairs = std::span(usable).first(size.pairs);
    pairs_ = size.pairs;
    cells_ = total_cells(pairs, size.cells);
    mpi::run_collectively(comm_, [&] { read_cells(pairs, size.cells, model); });
    score_simple_models(model);
    return "";
}

void PairValidation::read_cells(std::span<const std::size_t> pairs, std::size_t max_cells,
                                const models::Model& model) {
    const models::CellTransport& transport = require_transport(model);
    const std::size_t context_cells = transport.has_fixed_context()
                                          ? fixed_context_cells
                                          : std::max(options_.context_cells, transport.neighbours() + 1);
    const predict::ScreenReader reader(screen_, set_.normalisation(), set_.latent().if_used(),
                                       set_.cell_types());
    const auto ranks = static_cast<std::size_t>(comm_.size());
    for (auto k = static_cast<std::size_t>(comm_.rank()); k < pairs.size(); k += ranks) {
        const screen::PopulationPair& pair = screen_.pairs[pairs[k]];
        const std::size_t ids[] = {pair.control, pair.treated};
        const std::vector<screen::Cells> cells = reader.read(ids);
        const auto draw = [&](const screen::Cells& from, std::size_t count, predict::DrawRole role) {
            return predict::take_rows(
                from, predict::draw_rows(from.x.rows(), count, predict::Draw::random,
                                         predict::pair_stream(options_.seed, pairs[k], role)));
        };
        const std::size_t n = cells_of(pairs[k], max_cells);
        own_.push_back({.index = k,
                        .pair = pairs[k],
                        .context = draw(cells[0], context_cells, predict::DrawRole::embedding),
                        .control = draw(cells[0], n, predict::DrawRole::control).x,
                        .target = draw(cells[1], n, predict::DrawRole::target).x});
        if (!transport.has_fixed_context()) continue;
        PairSample& own = own_.back();
        own.input = predict::population_input(trained(model, {}), own.context);
        own.context = {};
    }
}

predict::TrainedModel PairValidation::trained(const models::Model& model,
                                              std::span<const float> values) const {
    return {.model = require_transport(model),
            .values = values,
            .normalisation = set_.normalisation(),
            .conditions = set_.conditions(),
            .mean_shifts = set_.mean_shifts(),
            .cell_types = set_.cell_types(),
            .moment_map = &moment_map_,
            .moment_map_values = set_.moment_map(),
            .start = options_.start,
            .typical_distance = set_.typical_distance(),
            .latent = set_.latent().if_used(),
            .marker_shifts = &set_.marker_shifts()};
}

// Calls score(sample, row) for each pair of this rank, with a row of `scores` numbers to write, and returns
// the rows of all pairs on all ranks. A single pair uses all threads.
template <class Score>
std::vector<double> PairValidation::score_own_pairs(std::size_t scores, Score score) const {
    std::vector<double> rows(pairs_ * scores, 0.0);
    mpi::run_collectively(comm_, [&] {
        core::parallel_for(own_.size(), [&](std::size_t k) {
            score(own_[k], std::span(rows).subspan(own_[k].index * scores, scores));
        });
    });
    // Each row is non-zero only on the rank of its pair, so the sums are exact.
    comm_.sum(std::span<double>(rows));
    return rows;
}

namespace {

// Returns the mean of column `column` of rows with `scores` numbers.
double column_mean(std::span<const double> rows, std::size_t scores, std::size_t column) {
    double sum = 0;
    for (std::size_t i = column; i < rows.size(); i += scores) sum += rows[i];
    return sum / static_cast<double>(rows.size() / scores);
}

}  // namespace

void PairValidation::score_simple_models(const models::Model& model) {
    const predict::TrainedModel simple = trained(model, {});
    const std::vector<double> rows = score_own_pairs(2, [&](const PairSample& own, std::span<double> row) {
        const screen::Population& condition = treated(own.pair);
        linalg::Matrix<float> x = own.control;
        add_shift(trained_mean_shift(simple, condition), x.view());
        row[0] = score(x, own.target, false).energy;
        const std::vector<float> context =
            own.input ? own.input->means
                      : moment_map_.context(simple.moment_map_values, own.context.x.view(), {});
        x = own.control;
        models::apply_change(trained_moment_change(simple, condition, context), context, x.view());
        row[1] = score(x, own.target, false).energy;
    });
    mean_shift_ = column_mean(rows, 2, 0);
    moment_map_energy_ = column_mean(rows, 2, 1);
}

train::ValidationRow PairValidation::check(const models::Model& model, std::span<const float> average,
                                           std::uint64_t step) {
    const predict::TrainedModel current = trained(model, average);
    const std::vector<double> rows = score_own_pairs(3, [&](const PairSample& own, std::span<double> row) {
        linalg::Matrix<float> x = own.control;
        std::uint64_t work = has_learned_context(current.model) ? own.context.x.rows() : 0;
        try {
            const predict::PopulationInput population =
                own.input ? *own.input : predict::population_input(current, own.context);
            core::Stream noise = predict::control_stream(
                options_.seed, screen_, screen_.pairs[own.pair].control, predict::DrawRole::base);
            const ode::Statistics solver = predict::transport_cells(current, population, treated(own.pair),
                                                                    options_.solver, noise, x.view());
            work += solver.evaluations > 0 ? solver.evaluations : evaluations_of_a_map * x.rows();
            const metrics::Scores scores = score(x, own.target, true);
            row[0] = scores.energy;
            row[1] = scores.w2;
        } catch (const core::NumericalError&) {
            work += evaluations_per_cell * x.rows();  // the solver does not report the work of a failure
            row[0] = row[1] = metrics::Scores::none;
        }
        row[2] = static_cast<double>(work);
    });
    double work = 0;
    for (std::size_t i = 2; i < rows.size(); i += 3) work += rows[i];
    return {.step = step,
            .energy = column_mean(rows, 3, 0),
            .w2 = column_mean(rows, 3, 1),
            .mean_shift = mean_shift_,
            .moment_map = moment_map_energy_,
            .pairs = pairs_,
            .cells = cells_,
            .evaluations = static_cast<std::uint64_t>(work)};
}

}  // namespace popflow::eval
