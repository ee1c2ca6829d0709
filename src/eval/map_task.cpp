// SPDX-License-Identifier: MIT
#include "eval/map_task.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "core/error.hpp"
#include "core/parallel_for.hpp"
#include "linalg/gather_rows.hpp"
#include "metrics/population_distance.hpp"
#include "metrics/wasserstein.hpp"
#include "ot/gaussian_moments.hpp"

namespace popflow::eval {

namespace {

using linalg::Matrix;
using models::CloudPotentials;
using models::PotentialStart;
using nlohmann::json;
using ot::BalancedCoordinates;

// Key `a` of core::Purpose::problems for the scored cells, `b` is the population.
constexpr std::uint64_t scored_stream = 7;
// Fenchel gap at which the solver of the conjugate stops.
constexpr double conjugate_gap = 1e-8;

std::vector<double> column_means(const Matrix<float>& x) {
    std::vector<double> mean(x.cols());
    for (std::size_t i = 0; i < x.rows(); ++i) {
        for (std::size_t k = 0; k < x.cols(); ++k) mean[k] += static_cast<double>(x(i, k));
    }
    for (double& v : mean) v /= static_cast<double>(x.rows());
    return mean;
}

double dot(const std::vector<double>& a, const std::vector<double>& b) {
    return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

// Returns the mean of |x|^2 / 2 over the rows.
double half_squares(std::span<const double> x, std::size_t rows) {
    double sum = 0;
    for (const double v : x) sum += v * v;
    return sum / (2 * static_cast<double>(rows));
}

// The scored cells of a problem, and what all predictors share.
class ScoredProblem {
  public:
    ScoredProblem(Matrix<float> x, Matrix<float> y)
        : x_(std::move(x)),
          y_(std::move(y)),
          x_mean_(column_means(x_)),
          y_mean_(column_means(y_)),
          target_energy_(metrics::compared_population(metrics::PopulationDistance::energy, y_.view())) {
        const BalancedCoordinates original = BalancedCoordinates::original(x_.cols());
        squares_ = half_squares(ot::affine_rows(x_.view(), {}, original.root, {}).values(), x_.rows()) +
                   half_squares(ot::affine_rows(y_.view(), {}, original.root, {}).values(), y_.rows());
        const double w2 = metrics::wasserstein2(x_.view(), y_.view());
        exact_ = w2 * w2 / 2;
    }

    const Matrix<float>& source() const { return x_; }

    // Scores a potential |u|^2 / 2 of the coordinates, whose conjugate is |v|^2 / 2.
    MapRow quadratic(const std::string& predictor, const BalancedCoordinates& coordinates) const {
        MapRow row = scores(predictor, coordinates.to_target(coordinates.of_source(x_.view()).view()));
        const Matrix<double> u = ot::affine_rows(x_.view(), coordinates.source_mean, coordinates.root, {});
        const Matrix<double> v = ot::affine_rows(y_.view(), coordinates.target_mean, coordinates.inverse, {});
        row.gap = 0;
        finish(coordinates, half_squares(u.values(), u.rows()) + half_squares(v.values(), v.rows()), row);
        return row;
    }

    MapRow potential(const std::string& predictor, std::uint64_t steps,
                     const CloudPotentials& potentials) const {
        MapRow row = scores(predictor, potentials.mapped(x_.view()));
        row.steps = steps;
        const CloudPotentials::Dual dual = potentials.dual_value(x_.view(), y_.view(), conjugate_gap);
        row.gap = dual.max_gap;
        finish(potentials.coordinates, dual.value, row);
        return row;
    }

    MapRow failure(const std::string& predictor, std::uint64_t steps, const std::string& message) const {
        MapRow row;
        row.predictor = predictor;
        row.steps = steps;
        row.n = x_.rows();
        row.m = y_.rows();
        row.message = message;
        return row;
    }

  private:
    MapRow scores(const std::string& predictor, const Matrix<float>& mapped) const {
        MapRow row = failure(predictor, 0, "");
        row.energy = metrics::population_distance(
            metrics::PopulationDistance::energy,
            metrics::compared_population(metrics::PopulationDistance::energy, mapped.view()), target_energy_);
        row.w2 = metrics::wasserstein2(mapped.view(), y_.view());
        return row;
    }

    // Fills in the values. @param sum  mean psi(u) + mean psi*(v) of a potential psi of the coordinates
    void finish(const BalancedCoordinates& coordinates, double sum, MapRow& row) const {
        // D(x) = psi(u) + <m_y, x>, and D*(y) = psi*(v) + <m_x, y - m_y>.
        sum += dot(coordinates.target_mean, x_mean_) + dot(coordinates.source_mean, y_mean_) -
               dot(coordinates.source_mean, coordinates.target_mean);
        row.value = squares_ - sum;
        row.exact = exact_;
        if (exact_ > 0) row.normalised = row.value / exact_;
        row.is_certified = row.gap <= certified_gap;
    }

    Matrix<float> x_;
    Matrix<float> y_;
    std::vector<double> x_mean_;
    std::vector<double> y_mean_;
    metrics::ComparedPopulation target_energy_;
    double squares_ = 0;
    double exact_ = 0;
};

json number(double value) {
    return std::isfinite(value) ? json(value) : std::isnan(value) ? json(nullptr) : json("inf");
}

double read_number(const json& value) {
    if (value.is_null()) return std::numeric_limits<double>::quiet_NaN();
    return value.is_string() ? std::numeric_limits<double>::infinity() : value.get<double>();
}

json row_record(const MapRow& row) {
    return json::array({row.predictor, row.steps, number(row.value), number(row.exact),
                        number(row.normalised), number(row.gap), row.is_certified, number(row.energy),
                        number(row.w2), row.n, row.m, row.seconds, row.message});
}

MapRow read_row(std::size_t problem, const json& record) {
    return {.problem = problem,
            .predictor = record.at(0).get<std::string>(),
            .steps = record.at(1).get<std::uint64_t>(),
            .value = read_number(record.at(2)),
            .exact = read_number(record.at(3)),
            .normalised = read_number(record.at(4)),
            .gap = read_number(record.at(5)),
            .is_certified = record.at(6).get<bool>(),
            .energy = read_number(record.at(7)),
            .w2 = read_number(record.at(8)),
            .n = record.at(9).get<std::size_t>(),
            .m = record.at(10).get<std::size_t>(),
            .seconds = record.at(11).get<double>(),
            .message = record.at(12).get<std::string>()};
}

const char* start_predictor(PotentialStart start) {
    switch (start) {
        case PotentialStart::predicted:
            break;
        case PotentialStart::gaussian:
            return "gaussian_start";
        case PotentialStart::identity:
            return "identity_start";
    }
    return "model";
}

}  // namespace

MapTask::MapTask(const screen::Screen& screen, const std::vector<predict::MapProblem>& problems,
                 const predict::PotentialModel& model, const MapEvaluationOptions& options)
    : problems_(problems), model_(model), options_(options), cells_(screen.populations.size()) {
    const train::Checkpoint& checkpoint = model.checkpoint();
    const predict::ScreenReader reader(screen, checkpoint.normalisation, checkpoint.latent.if_used(),
                                       checkpoint.cell_types);
    for (const predict::MapProblem& problem : problems) {
        for (const std::size_t population : {problem.source, problem.target}) {
            if (cells_[population].rows() == 0)
                cells_[population] = std::move(reader.read({&population, 1}).front().x);
        }
    }
    items_.resize(problems.size());
    std::iota(items_.begin(), items_.end(), std::size_t{0});
}

std::size_t MapTask::cost(std::size_t item) const {
    const auto cells = [&](std::size_t population) {
        return std::min(cells_[population].rows(), options_.max_cells);
    };
    return cells(problems_[item].source) * cells(problems_[item].target);
}

std::vector<MapRow> MapTask::score(std::size_t problem) const {
    const predict::MapProblem& own = problems_[problem];
    const Matrix<float>& source = cells_[own.source];
    const Matrix<float>& target = cells_[own.target];
    const auto scored = [&](std::size_t population) {
        const Matrix<float>& all = cells_[population];
        const auto rows = predict::draw_rows(
            all.rows(), options_.max_cells, options_.draw,
            core::Stream(options_.seed, core::Purpose::problems, scored_stream, population));
        Matrix<float> drawn(rows.size(), all.cols());
        linalg::gather_rows(all.view(), rows, drawn.view());
        return drawn;
    };
    const ScoredProblem cells(scored(own.source), scored(own.target));
    std::vector<MapRow> rows;
    const auto add = [&](const char* predictor, std::uint64_t steps, auto&& make) {
        const auto begin = std::chrono::steady_clock::now();
        try {
            rows.push_back(make());
        } catch (const core::NumericalError& error) {
            rows.push_back(cells.failure(predictor, steps, error.what()));
        }
        rows.back().problem = problem;
        if (rows.back().seconds > 0) return;
        rows.back().seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    };
    const auto add_start = [&](PotentialStart start) {
        const char* predictor = start_predictor(start);
        std::optional<CloudPotentials> potentials;
        std::optional<models::FineTuning> tuning;
        double seconds = 0;
        const auto timed = [&](auto&& work) {
            const auto begin = std::chrono::steady_clock::now();
            work();
            seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
        };
        const auto add_steps = [&](std::uint64_t steps) {
            add(predictor, steps, [&] {
                timed([&] {
                    if (!potentials) {
                        potentials.emplace(
                            models::start_potentials(model_.predictor(), model_.checkpoint().result(), start,
                                                     source.view(), target.view(), options_.seed));
                        tuning.emplace(*potentials, options_.fine_tune, model_.predictor().cycle_weight(),
                                       options_.seed, problem);
                    }
                    tuning->run(steps);
                });
                MapRow row = cells.potential(predictor, steps, *potentials);
                row.seconds = seconds;
                return row;
            });
        };
        if (start == PotentialStart::predicted) add_steps(0);
        if (std::ranges::find(options_.fine_tune.starts, start) == options_.fine_tune.starts.end()) return;
        for (const std::uint64_t steps : options_.fine_tune.steps) add_steps(steps);
    };
    for (const PotentialStart start :
         {PotentialStart::predicted, PotentialStart::gaussian, PotentialStart::identity})
        add_start(start);
    add("mean_shift", 0, [&] {
        return cells.quadratic("mean_shift",
                               BalancedCoordinates::shifted(column_means(source), column_means(target)));
    });
    add("gaussian", 0, [&] {
        return cells.quadratic("gaussian", BalancedCoordinates(ot::gaussian_moments(source.view()),
                                                               ot::gaussian_moments(target.view())));
    });
    add("identity", 0,
        [&] { return cells.quadratic("identity", BalancedCoordinates::original(source.cols())); });
    return rows;
}

std::vector<TaskRecord> MapTask::run(std::span<const std::size_t> items) {
    std::vector<TaskRecord> records(items.size());
    core::parallel_for(items.size(), [&](std::size_t k) {
        json record = json::array();
        for (const MapRow& row : score(items[k])) record.push_back(row_record(row));
        records[k].item = items[k];
        json::to_cbor(record, records[k].text);
    });
    return records;
}

std::vector<MapRow> map_rows(const std::vector<TaskRecord>& records) {
    std::vector<MapRow> rows;
    for (const TaskRecord& record : records) {
        for (const json& row : json::from_cbor(record.text)) rows.push_back(read_row(record.item, row));
    }
    return rows;
}

}  // namespace popflow::eval
