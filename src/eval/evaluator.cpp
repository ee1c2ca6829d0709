// SPDX-License-Identifier: MIT
#include "eval/evaluator.hpp"

#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <new>
#include <numeric>

#include "core/random.hpp"
#include "dist/partition.hpp"
#include "eval/score_text.hpp"

namespace popflow::eval {

using linalg::Matrix;

namespace {

// Roles in the key of a draw.
enum Role : std::uint64_t { role_control, role_target, role_halves, role_base, role_count };

core::Stream stream(const EvaluateOptions& options, std::size_t pair, Role role) {
    return {options.seed, core::Purpose::evaluation, pair, role};
}

data::Cells rows_of(const data::Cells& cells, std::span<const std::uint32_t> rows) {
    data::Cells out{Matrix<float>(rows.size(), cells.x.cols()), {}};
    for (std::size_t i = 0; i < rows.size(); ++i) {
        std::copy_n(cells.x.view().row(rows[i]), cells.x.cols(), out.x.view().row(i));
        out.cell_type.push_back(cells.cell_type[rows[i]]);
    }
    return out;
}

data::Cells draw(const data::Cells& cells, const EvaluateOptions& options, core::Stream stream) {
    const std::size_t n = cells.x.rows();
    const std::size_t k = std::min(n, options.max_cells);
    if (options.draw == Draw::random) return rows_of(cells, stream.sample(n, k));
    std::vector<std::uint32_t> rows(k);
    std::iota(rows.begin(), rows.end(), 0U);
    return rows_of(cells, rows);
}

std::vector<double> column_means(const Matrix<float>& x) {
    std::vector<double> mean(x.cols(), 0.0);
    for (std::size_t i = 0; i < x.rows(); ++i) {
        for (std::size_t j = 0; j < x.cols(); ++j) mean[j] += static_cast<double>(x(i, j));
    }
    for (double& m : mean) m /= static_cast<double>(x.rows());
    return mean;
}

// The two populations to compare.
struct Comparison {
    Matrix<float> predicted;
    Matrix<float> truth;
};

// One pair of a rank: its cells, and the prediction of each predictor.
class PairWork {
  public:
    PairWork(const data::Screen& screen, std::size_t pair, const TrainedFlow& flow,
             const EvaluateOptions& options)
        : pair_(pair),
          flow_(flow),
          options_(options),
          treated_(screen.populations[screen.pairs[pair].treated]) {
        const std::size_t ids[] = {screen.pairs[pair].control, screen.pairs[pair].treated};
        std::vector<data::Cells> cells = data::read_populations(screen, ids);
        for (data::Cells& c : cells) flow.normalisation.apply(c.x.view());
        control_ = draw(cells[0], options, stream(options, pair, role_control));
        target_ = draw(cells[1], options, stream(options, pair, role_target)).x;
        all_targets_ = std::move(cells[1]);
    }

    Comparison compare(const std::string& predictor, std::vector<float>& embedding) const {
        if (predictor == "model") return {transported(embedding), target_};
        if (predictor == "identity") return {control_.x, target_};
        if (predictor == "mean_shift") return {shifted(mean_shift()), target_};
        if (predictor == "oracle_shift") return {shifted(oracle_shift()), target_};
        return halves();
    }

  private:
    Matrix<float> transported(std::vector<float>& embedding) const {
        embedding = flow_.model.context(flow_.values, control_.x.view(), control_.cell_type);
        const std::vector<float> condition = flow_.conditions.encode(treated_);
        Matrix<float> x = control_.x;
        if (flow_.gaussian_base) stream(options_, pair_, role_base).fill_normal(x.values());
        const ode::Options solver{.relative_tolerance = options_.tolerance,
                                  .absolute_tolerance = options_.tolerance};
        flow_.model.transport(flow_.values, embedding, condition, solver, x.view());
        return x;
    }

    std::vector<double> mean_shift() const {
        const std::size_t c = flow_.conditions.index(treated_);
        const auto row = flow_.mean_shifts.view().row_span(c);
        return {row.begin(), row.end()};
    }

    std::vector<double> oracle_shift() const {
        std::vector<double> shift = column_means(target_);
        const std::vector<double> mean = column_means(control_.x);
        for (std::size_t j = 0; j < shift.size(); ++j) shift[j] -= mean[j];
        return shift;
    }

    Matrix<float> shifted(const std::vector<double>& shift) const {
        Matrix<float> x = control_.x;
        for (std::size_t i = 0; i < x.rows(); ++i) {
            for (std::size_t j = 0; j < x.cols(); ++j) x(i, j) += static_cast<float>(shift[j]);
        }
        return x;
    }

    // Two disjoint draws of the target, as large as the target allows.
    Comparison halves() const {
        const std::size_t n = all_targets_.x.rows();
        const auto order = stream(options_, pair_, role_halves).permutation(n);
        const std::size_t half = std::min(n / 2, options_.max_cells);
        if (half == 0) throw core::NumericalError("noise floor", "the target has one cell");
        const std::span<const std::uint32_t> rows(order);
        return {rows_of(all_targets_, rows.first(half)).x, rows_of(all_targets_, rows.subspan(half, half)).x};
    }

    std::size_t pair_;
    const TrainedFlow& flow_;
    const EvaluateOptions& options_;
    const data::Population& treated_;
    data::Cells control_;
    Matrix<float> target_;
    data::Cells all_targets_;
};

// One predictor on one pair: the comparison, then its scores.
struct Task {
    PairScore row;
    Comparison comparison;
};

double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Runs a part of a task; an error of the library becomes the status of its row.
template <class Work>
void record(PairScore& row, Work work) {
    if (row.status != "ok") return;
    const auto start = std::chrono::steady_clock::now();
    try {
        work();
    } catch (const core::Error& error) {
        row.status = "failed";
        row.message = error.what();
    } catch (const std::bad_alloc&) {
        row.status = "failed";
        row.message = "out of memory";
    }
    row.seconds += seconds_since(start);
}

// Reads a pair and makes the predictions of all predictors; transport uses all threads inside.
void predict(const data::Screen& screen, const TrainedFlow& flow, const EvaluateOptions& options,
             ScoredPair& pair, std::vector<Task>& tasks) {
    const std::size_t first = tasks.size();
    for (const std::string& name : predictor_names())
        tasks.push_back({{.pair = pair.pair, .predictor = name}, {}});
    try {
        const PairWork work(screen, pair.pair, flow, options);
        for (std::size_t i = first; i < tasks.size(); ++i) {
            record(tasks[i].row,
                   [&] { tasks[i].comparison = work.compare(tasks[i].row.predictor, pair.embedding); });
        }
    } catch (const core::Error& error) {
        for (std::size_t i = first; i < tasks.size(); ++i) {
            tasks[i].row.status = "failed";
            tasks[i].row.message = error.what();
        }
    }
}

// Scores some pairs at a time, all their predictors side by side over the threads.
std::vector<ScoredPair> score_pairs(const data::Screen& screen, std::span<const std::size_t> pairs,
                                    const TrainedFlow& flow, const EvaluateOptions& options) {
    std::vector<ScoredPair> scored;
    std::vector<Task> tasks;
    for (std::size_t p : pairs)
        predict(screen, flow, options, scored.emplace_back(ScoredPair{.pair = p}), tasks);
    const metrics::Selection selected = selection(options.metrics);
#pragma omp parallel for schedule(dynamic, 1)
    for (std::size_t i = 0; i < tasks.size(); ++i) {
        record(tasks[i].row, [&] {
            Comparison& c = tasks[i].comparison;
            tasks[i].row.n_predicted = c.predicted.rows();
            tasks[i].row.n_target = c.truth.rows();
            tasks[i].row.scores = metrics::score(c.predicted.view(), c.truth.view(), selected);
            c = {};
        });
    }
    for (std::size_t i = 0; i < tasks.size(); ++i) {
        scored[i / predictor_names().size()].scores.push_back(std::move(tasks[i].row));
    }
    return scored;
}

std::vector<std::size_t> own_pairs(const data::Screen& screen, std::span<const std::size_t> pairs,
                                   const EvaluateOptions& options, const dist::Communicator& comm) {
    std::vector<std::size_t> cost;
    for (std::size_t p : pairs) {
        const std::size_t n =
            std::min(options.max_cells, screen.populations[screen.pairs[p].control].n_cells);
        const std::size_t m =
            std::min(options.max_cells, screen.populations[screen.pairs[p].treated].n_cells);
        cost.push_back(n * m);
    }
    std::vector<std::size_t> own;
    const auto ranks = static_cast<std::size_t>(comm.size());
    const auto dealt = dist::deal(cost, ranks);
    for (std::size_t i : dealt[static_cast<std::size_t>(comm.rank())]) own.push_back(pairs[i]);
    return own;
}

}  // namespace

const std::vector<std::string>& metric_names() {
    static const std::vector<std::string> names{"w1", "w2", "mmd", "r2", "energy", "r2_means", "w1_markers"};
    return names;
}

double metric(const metrics::Scores& s, const std::string& name) {
    const double values[] = {s.w1, s.w2, s.mmd, s.r2, s.energy, s.r2_means, s.w1_markers};
    const auto at = std::ranges::find(metric_names(), name) - metric_names().begin();
    return at < std::ssize(values) ? values[at] : metrics::Scores::none;
}

metrics::Selection selection(const std::vector<std::string>& metrics) {
    const auto has = [&](const char* name) { return std::ranges::find(metrics, name) != metrics.end(); };
    return {.w1 = has("w1"),
            .w2 = has("w2"),
            .mmd = has("mmd"),
            .r2 = has("r2"),
            .energy = has("energy"),
            .r2_means = has("r2_means"),
            .w1_markers = has("w1_markers")};
}

const std::vector<std::string>& predictor_names() {
    static const std::vector<std::string> names{"model", "identity", "mean_shift", "oracle_shift",
                                                "noise_floor"};
    return names;
}

Evaluation evaluate(const data::Screen& screen, std::span<const std::size_t> pairs, const TrainedFlow& flow,
                    const EvaluateOptions& options, const dist::Communicator& comm,
                    const std::function<void(std::size_t, std::size_t)>& done) {
    const std::vector<std::size_t> own = own_pairs(screen, pairs, options, comm);
    std::string text;
    const auto at_once = static_cast<std::size_t>(omp_get_max_threads());
    for (std::size_t first = 0; first < own.size(); first += at_once) {
        const std::size_t count = std::min(at_once, own.size() - first);
        for (ScoredPair& pair : score_pairs(screen, std::span(own).subspan(first, count), flow, options)) {
            for (PairScore& row : pair.scores) row.rank = comm.rank();
            append_text(pair, text);
        }
        done(first + count, own.size());
    }
    std::vector<ScoredPair> all;
    for (const std::string& part : comm.gather(text)) read_text(part, all);
    std::ranges::sort(all, {}, &ScoredPair::pair);

    Evaluation evaluation;
    evaluation.embeddings = Matrix<float>(all.size(), comm.root() ? flow.model.context_size() : 0);
    for (std::size_t i = 0; i < all.size(); ++i) {
        evaluation.pairs.push_back(all[i].pair);
        for (PairScore& row : all[i].scores) evaluation.scores.push_back(std::move(row));
        std::ranges::copy(all[i].embedding, evaluation.embeddings.view().row(i));
    }
    return evaluation;
}

}  // namespace popflow::eval
