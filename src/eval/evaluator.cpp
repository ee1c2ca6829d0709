// SPDX-License-Identifier: MIT
#include "eval/evaluator.hpp"

#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <new>
#include <optional>

#include "dist/partition.hpp"
#include "eval/pair_work.hpp"
#include "eval/prediction_file.hpp"
#include "eval/results.hpp"
#include "eval/score_text.hpp"

namespace popflow::eval {

namespace {

using linalg::Matrix;

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

// What all pairs of a rank share.
struct Job {
    const data::Screen& screen;
    std::span<const std::size_t> pairs;
    const TrainedFlow& flow;
    const ModelInputs& inputs;
    const EvaluateOptions& options;
    PredictionFile* predictions;

    // Position in `pairs`, by which the file of predictions knows a pair.
    std::size_t prediction(std::size_t pair) const {
        return static_cast<std::size_t>(std::ranges::find(pairs, pair) - pairs.begin());
    }
};

// The states on the way that are kept of a sampled pair.
struct SampledFlow {
    SampledFlow(const Job& job, std::size_t pair, std::size_t cells)
        : wanted(std::ranges::find(job.options.sampled, pair) != job.options.sampled.end()) {
        if (!wanted) return;
        const std::size_t markers = job.screen.markers.size();
        snapshots.times = sample_times(markers, job.flow.gaussian_base);
        for (std::size_t t = 0; t < snapshots.times.size(); ++t) x.emplace_back(cells, markers);
        for (Matrix<float>& states : x) snapshots.x.push_back(states.view());
    }

    bool wanted;
    std::vector<Matrix<float>> x;
    ode::Snapshots<float> snapshots;
};

// Reads a pair and makes the predictions of all predictors; transport uses all threads inside.
void predict(const Job& job, ScoredPair& pair, std::vector<Task>& tasks) {
    const std::size_t first = tasks.size();
    for (const std::string& name : predictor_names())
        tasks.push_back({{.pair = pair.pair, .predictor = name}, {}});
    std::optional<PairWork> work;
    try {
        work.emplace(job.screen, pair.pair, job.flow, job.inputs, job.options);
    } catch (const core::Error& error) {
        for (std::size_t i = first; i < tasks.size(); ++i) {
            tasks[i].row.status = "failed";
            tasks[i].row.message = error.what();
        }
        return;
    }
    SampledFlow on_way(job, pair.pair, work->cells());
    for (std::size_t i = first; i < tasks.size(); ++i) {
        record(tasks[i].row, [&] {
            tasks[i].comparison = work->compare(tasks[i].row.predictor, pair.embedding, on_way.snapshots);
        });
    }
    if (on_way.wanted && tasks[first].row.status == "ok") {
        pair.samples.push_back(
            work->sample(tasks[first].comparison.predicted, on_way.snapshots.times, on_way.x));
    }
    // The model is the first predictor. A full disk ends the run: it is not the pair that failed.
    if (job.predictions == nullptr || tasks[first].row.status != "ok") return;
    const linalg::ConstMatrixView<float> predicted = tasks[first].comparison.predicted;
    job.predictions->add(job.prediction(pair.pair), work->control_rows(), {&predicted, 1});
}

// Scores some pairs at a time, all their predictors side by side over the threads.
std::vector<ScoredPair> score_pairs(const Job& job, std::span<const std::size_t> pairs) {
    std::vector<ScoredPair> scored;
    std::vector<Task> tasks;
    for (std::size_t p : pairs) predict(job, scored.emplace_back(ScoredPair{.pair = p}), tasks);
    const metrics::Selection selected = selection(job.options.metrics);
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
        const PairScore& row = tasks[i].row;
        if (job.predictions != nullptr && row.predictor == "model" && row.status != "ok")
            job.predictions->drop(job.prediction(row.pair));
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
                    const EvaluateOptions& options, PredictionFile* predictions,
                    const dist::Communicator& comm,
                    const std::function<void(std::size_t, std::size_t)>& done) {
    const ModelInputs inputs(screen, flow);
    const Job job{screen, pairs, flow, inputs, options, predictions};
    const std::vector<std::size_t> own = own_pairs(screen, pairs, options, comm);
    std::string text;
    const auto at_once = static_cast<std::size_t>(omp_get_max_threads());
    for (std::size_t first = 0; first < own.size(); first += at_once) {
        const std::size_t count = std::min(at_once, own.size() - first);
        for (ScoredPair& pair : score_pairs(job, std::span(own).subspan(first, count))) {
            for (PairScore& row : pair.scores) row.rank = comm.rank();
            append_text(pair, text);
        }
        done(first + count, own.size());
    }
    std::vector<ScoredPair> all;
    for (const std::string& part : comm.gather(text)) read_text(part, all);
    std::ranges::sort(all, {}, &ScoredPair::pair);

    Evaluation evaluation;
    evaluation.embeddings = linalg::Matrix<float>(all.size(), comm.root() ? flow.model.context_size() : 0);
    for (std::size_t i = 0; i < all.size(); ++i) {
        evaluation.pairs.push_back(all[i].pair);
        for (PairScore& row : all[i].scores) evaluation.scores.push_back(std::move(row));
        std::ranges::copy(all[i].embedding, evaluation.embeddings.view().row(i));
        for (CellSample& sample : all[i].samples) {
            sample.name = pair_name(screen, sample.pair);
            evaluation.samples.push_back(std::move(sample));
        }
    }
    return evaluation;
}

}  // namespace popflow::eval
